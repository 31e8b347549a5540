"""Limits on every address: said in each answer, held, and free where nothing was given."""

import re
from collections.abc import Iterator
from itertools import product as product_of
from typing import Any

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.urls import path

from accounts.models import ApiKey, Organization
from accounts.services.leases import forget
from config.urls import urlpatterns as product
from tests.companies import JSON, Api, Company
from tests.contracts.resources import ACTIONS, Resource, assert_problem, each_resource
from tests.contracts.test_addresses import CLOSED, url_of

PARTIES, TOKEN = "/api/v1/parties/", "/api/v1/auth/token/"


def unchanged(request: HttpRequest) -> HttpResponse:
    return HttpResponseNotModified()


urlpatterns = [*product, path("api/v1/unchanged/", unchanged)]


@pytest.fixture
def limits(settings: Any) -> Iterator[dict[str, int]]:
    """Those of the test; what was leased before is forgotten, and what the test leases afterwards."""
    settings.RATE_LIMITS = dict.fromkeys(("user", "key", "organization", "address"), 1000)
    forget()
    yield settings.RATE_LIMITS
    forget()


def policies(response: Any) -> dict[str, tuple[int, int]]:
    """Quota and what is left, by the name of the policy."""
    said = re.findall(rf'"(\w+)";q=(\d+);w={settings.RATE_WINDOW}', response.headers["RateLimit-Policy"])
    left = re.findall(r'"(\w+)";r=(\d+);t=(\d+)', response.headers["RateLimit"])
    assert [name for name, _ in said] == [name for name, *_ in left]
    assert all(0 <= int(seconds) <= settings.RATE_WINDOW for *_, seconds in left)
    return {name: (int(quota), int(rest)) for (name, quota), (_, rest, _) in zip(said, left, strict=True)}


def assert_limited(response: Any, whose: str) -> None:
    problem = assert_problem(response, 429, "rate_limited")
    assert whose in problem["detail"]
    assert 1 <= int(response.headers["Retry-After"]) <= settings.RATE_WINDOW
    assert 0 in {rest for _, rest in policies(response).values()}


# --- Every address ----------------------------------------------------------------------------------------


@each_resource()
def test_each_answer_says_what_is_left(resource: Resource, limits: dict[str, int], acme: Company) -> None:
    """Whatever is answered: 200, 400, 404 or 405."""
    [row] = resource.make(acme)
    for method, url in product_of(["get", *ACTIONS], [resource.url, resource.row_url(row)]):
        found = policies(acme.api.send(method, url))
        assert {name: quota for name, (quota, _) in found.items()} == {"user": 1000, "organization": 1000}, method


@each_resource()
def test_the_last_request_is_the_last(resource: Resource, limits: dict[str, int], acme: Company) -> None:
    limits["user"] = 3
    url = resource.url
    assert [policies(acme.api.get(url))["user"] for _ in range(3)] == [(3, 2), (3, 1), (3, 0)]
    for method in ("get", *ACTIONS):
        assert_limited(acme.api.send(method, url), "You have used the 3 requests")


@pytest.mark.parametrize("name", CLOSED)
def test_no_address_is_forgotten(name: str, limits: dict[str, int], acme: Company) -> None:
    limits["user"] = 1
    acme.api.get(PARTIES)
    for method in ("get", *ACTIONS):
        assert_limited(acme.api.send(method, url_of(name)), "You have used the 1 requests")


# --- Whose limit ------------------------------------------------------------------------------------------


def test_each_person_has_a_limit_and_the_organization_one_for_all(limits: dict[str, int], acme: Company, bolt: Company) -> None:
    limits |= {"user": 2, "organization": 3}
    first, second = acme.api, acme.api_as("viewer")
    assert [first.get(PARTIES).status_code for _ in range(3)] == [200, 200, 429]
    assert second.get(PARTIES).status_code == 200
    assert_limited(second.get(PARTIES), "Your organization has used the 3 requests")
    assert bolt.api.get(PARTIES).status_code == 200


def test_a_key_has_a_limit_of_its_own(limits: dict[str, int], acme: Company) -> None:
    limits["key"] = 2
    usual, slow = acme.api_by_key("accounts.view_party"), acme.api_by_key("accounts.view_party", rate_per_minute=1)
    assert [usual.get(PARTIES).status_code for _ in range(3)] == [200, 200, 429]
    assert policies(slow.get(PARTIES))["key"] == (1, 0)
    assert_limited(slow.get(PARTIES), "This API key has used the 1 requests")


def test_an_organization_may_have_a_limit_of_its_own(limits: dict[str, int], acme: Company) -> None:
    with acme.scope():
        Organization.objects.update(rate_per_minute=2)
    assert policies(acme.api.get(PARTIES))["organization"] == (2, 1)
    assert acme.api_as("viewer").get(PARTIES).status_code == 200
    assert_limited(acme.api.get(PARTIES), "Your organization has used the 2 requests")


def test_an_organization_does_not_raise_its_own_limit(acme: Company) -> None:
    url = f"/api/v1/organizations/{acme.organization.pk}/"
    assert_problem(acme.api.send("patch", url, {"rate_per_minute": 1_000_000}), 400)


@pytest.mark.parametrize("rate", [0, -1, "x", 2**40])
def test_refuses_a_rate_that_is_none(rate: Any, acme: Company) -> None:
    row, _ = acme.key("accounts.view_party")
    assert_problem(acme.api.send("patch", f"/api/v1/api-keys/{row.pk}/", {"rate_per_minute": rate}), 400)
    with acme.scope():
        assert ApiKey.objects.get(pk=row.pk).rate_per_minute is None


def sign_in(address: str) -> Any:
    return Api().post(TOKEN, "{}", content_type=JSON, REMOTE_ADDR=address)


def test_who_signs_in_is_limited_by_address(limits: dict[str, int], db: None) -> None:
    limits["address"] = 2
    assert [sign_in("192.0.2.7").status_code for _ in range(2)] == [400, 400]
    assert_limited(sign_in("192.0.2.7"), "Your address has used the 2 requests")
    assert sign_in("192.0.2.8").status_code == 400
    forged = Api().post(TOKEN, "{}", content_type=JSON, REMOTE_ADDR="192.0.2.7", headers={"X-Forwarded-For": "192.0.2.9"})
    assert forged.status_code == 429


def test_a_subscriber_has_one_limit_for_the_whole_of_its_ipv6(limits: dict[str, int], db: None) -> None:
    limits["address"] = 1
    assert sign_in("2001:db8:1:2::1").status_code == 400
    assert sign_in("2001:db8:1:2:ffff::1").status_code == 429
    assert sign_in("2001:db8:1:3::1").status_code == 400


# --- What costs nothing -----------------------------------------------------------------------------------


@pytest.mark.urls("tests.contracts.test_rate_limits")
def test_what_has_not_changed_is_free(limits: dict[str, int], acme: Company) -> None:
    limits["user"] = 2
    left = [policies(acme.api.get("/api/v1/unchanged/")) for _ in range(5)]
    assert all(found["user"][0] == 2 for found in left)
    assert [acme.api.get(PARTIES).status_code for _ in range(3)] == [200, 200, 429]


def test_health_and_documentation_are_free(limits: dict[str, int], client: Any, db: None) -> None:
    limits["address"] = 1
    for _ in range(3):
        assert client.get("/healthz").status_code == 200
        response = Api().get("/api/v1/schema/")
        assert response.status_code == 200 and "RateLimit" not in response.headers


def test_the_admin_is_not_limited(limits: dict[str, int], acme: Company) -> None:
    limits |= {"user": 1, "organization": 1}
    admin = acme.admin
    for _ in range(3):
        response = admin.get("/admin/")
        assert response.status_code == 200 and "RateLimit" not in response.headers


def test_credentials_that_are_refused_spend_nobodys_requests(limits: dict[str, int], acme: Company) -> None:
    response = Api("Bearer forged").get(PARTIES)
    assert_problem(response, 401)
    assert "RateLimit" not in response.headers
