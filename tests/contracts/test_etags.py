"""What was read can be read again for nothing, and is not overwritten unseen."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from django.utils.http import http_date, parse_http_date

from accounts.models import Party
from accounts.permissions import VIEWER
from core.models import AuditedModel, LedgerModel
from tests.companies import Company
from tests.contracts.resources import Resource, assert_problem, each_resource, each_resource_with
from tests.contracts.test_every_resource import freed_body
from tests.factories.accounts import PartyFactory
from tests.inventory.test_races import at_once

PARTIES = "/api/v1/parties/"


def row_writes(resource: Resource) -> list[str]:
    """Of rows that people change: a job, which DELETE cancels, has no version."""
    if "version" not in resource.viewset.serializer_class().fields:
        return []
    return [method for method in ("put", "patch", "delete") if resource.takes(method)]


def row_actions(resource: Resource) -> list[Any]:
    return [action for action in resource.actions if action.detail]


# --- Reading again ----------------------------------------------------------------------------------------


@each_resource()
def test_a_row_is_answered_again_for_nothing(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    first = acme.api.get(resource.row_url(row))
    tag = first.headers["ETag"]
    assert tag.startswith('"') and "private" in first.headers["Cache-Control"] and "Authorization" in first.headers["Vary"]
    if issubclass(resource.model, AuditedModel):
        assert tag.startswith(f'"{row.version}-')
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = acme.api.get(resource.row_url(row), headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    for unknown in ('"other"', f"{tag[:-1]}0\"", '""'):
        assert acme.api.get(resource.row_url(row), headers={"If-None-Match": unknown}).content == first.content


@each_resource()
def test_a_list_is_answered_again_for_nothing(resource: Resource, acme: Company) -> None:
    resource.make(acme)
    tag = acme.api.get(resource.url).headers["ETag"]
    assert tag.startswith('W/"')
    again = acme.api.get(resource.url, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert acme.api.get(f"{resource.url}?fields=id", headers={"If-None-Match": tag}).status_code == 200


@each_resource()
def test_another_form_of_the_row_has_another_tag_of_the_same_version(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    whole, part = (acme.api.get(resource.row_url(row), query).headers["ETag"] for query in ({}, {"fields": "id"}))
    assert whole != part
    if issubclass(resource.model, AuditedModel):
        assert whole.partition("-")[0] == part.partition("-")[0]


@each_resource()
def test_says_when_the_row_last_changed(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    changes_unseen = not issubclass(resource.model, AuditedModel | LedgerModel)  # machinery: only its tag knows
    response = acme.api.get(resource.row_url(row))
    assert ("Last-Modified" not in response.headers) == changes_unseen
    if changes_unseen:
        return
    modified = response.headers["Last-Modified"]
    earlier = http_date(parse_http_date(modified) - 1)
    statuses = [
        acme.api.get(resource.row_url(row), headers=headers).status_code for headers in (
            {"If-Modified-Since": modified}, {"If-Modified-Since": earlier}, {"If-Modified-Since": "yesterday"},
            {"If-Modified-Since": modified, "If-None-Match": '"other"'},
        )
    ]  # fmt: skip
    assert statuses == [304, 200, 200, 200]


def test_the_time_is_that_of_a_row_beside_as_well(new_company: Callable[[], Company]) -> None:
    """A product shows the name of its category."""
    company = new_company()
    category = company.api.send("post", "/api/v1/categories/", {"name": "Old", "slug": "old"}).json()
    unit = company.api.get("/api/v1/units-of-measure/").json()["results"][0]
    body = {"name": "Bolt", "category": category["id"], "base_unit": unit["id"]}
    product = company.api.send("post", "/api/v1/products/", body).json()
    company.api.send("patch", f"/api/v1/categories/{category['id']}/", {"name": "New"})
    changed = company.api.get(f"/api/v1/categories/{category['id']}/").headers["Last-Modified"]
    shown = company.api.get(f"/api/v1/products/{product['id']}/")
    assert (shown.headers["Last-Modified"], shown.json()["category_name"]) == (changed, "New")


# --- Writing what one has read ----------------------------------------------------------------------------


@each_resource_with(method=row_writes)
def test_a_stale_write_is_refused(resource: Resource, method: str, acme: Company) -> None:
    [row] = resource.make(acme)
    url = resource.row_url(row)
    with acme.scope():
        body = None if method == "delete" else resource.body(row)
    read = acme.api.get(url)
    for tag in ('"0"', '"999-1f2e3d"', f"W/{read.headers['ETag']}", '"x"'):
        response = acme.api.send(method, url, body, headers={"If-Match": tag})
        problem = assert_problem(response, 412, "stale")
        assert problem["current_version"] == read.json()["version"]
        assert response.headers["ETag"] == read.headers["ETag"]
    assert acme.api.get(url).content == read.content
    if method == "put":
        assert acme.api.send(method, url, body, headers={"If-Match": read.headers["ETag"]}).status_code == 200


@each_resource_with(method=row_writes)
def test_a_fresh_write_goes_through(resource: Resource, method: str, acme: Company) -> None:
    [row] = resource.make(acme)
    for given in ("tag", "version", "several", "any"):
        with acme.scope():
            body = None if method == "delete" else resource.body(row)
        read = acme.api.get(resource.row_url(row))
        tag = read.headers["ETag"]
        header = {"tag": tag, "version": f'"{read.json()["version"]}"', "several": f'"0", {tag}', "any": "*"}[given]
        response = acme.api.send(method, resource.row_url(row), body, headers={"If-Match": header})
        assert response.status_code in (200, 204), response.content
        if method == "delete":
            [row] = resource.make(acme)
        else:
            assert response.headers["ETag"] == acme.api.get(resource.row_url(row)).headers["ETag"]


@each_resource_with(method=lambda resource: [*row_writes(resource), *(["post"] if resource.takes("post") else [])])
def test_a_malformed_condition_is_a_mistake(resource: Resource, method: str, acme: Company) -> None:
    [row] = resource.make(acme)
    url = resource.url if method == "post" else resource.row_url(row)
    for header in ("7", '"7', "W/7", '"7" "8"', ""):
        response = acme.api.send(method, url, headers={"If-Match": header})
        if method == "post":  # is not about a row, so the condition says nothing
            assert "If-Match" not in response.text
        else:
            assert assert_problem(response, 400, "invalid_header")["errors"][0]["header"] == "If-Match"


@each_resource_with(action=row_actions)
def test_a_stale_action_is_refused(resource: Resource, action: Any, acme: Company) -> None:
    [row] = resource.make(acme)
    before = acme.api.get(resource.row_url(row)).content
    for method in action.mapping:
        if method != "get":
            url = resource.action_url(action, row)
            assert_problem(acme.api.send(method, url, headers={"If-Match": '"0"'}), 412, "stale")
            assert_problem(acme.api.send(method, url, headers={"If-Match": "7"}), 400, "invalid_header")
    assert acme.api.get(resource.row_url(row)).content == before


@each_resource("post")
def test_what_is_created_has_a_tag(resource: Resource, acme: Company) -> None:
    response = acme.api.send("post", resource.url, freed_body(resource, acme))
    assert response.status_code == 201
    read = acme.api.get(resource.row_url(response.json()["id"]))
    assert response.headers["ETag"] == read.headers["ETag"]


@each_resource_with(method=row_writes)
def test_a_condition_tells_nobody_more(resource: Resource, method: str, acme: Company, bolt: Company) -> None:
    """Not of another organization's row, and not to those who may not write."""
    [foreign], [own] = resource.make(bolt), resource.make(acme)
    for url in (resource.row_url(foreign), resource.row_url(uuid4())):
        for header in ("*", '"0"'):
            assert_problem(acme.api.send(method, url, headers={"If-Match": header}), 404, "not_found")
    assert_problem(acme.api_as(VIEWER).send(method, resource.row_url(own), headers={"If-Match": '"0"'}), 403)


def test_of_two_writers_at_once_one_wins(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        party = PartyFactory(name="Before")
    api, url = company.api, f"{PARTIES}{party.pk}/"
    tag = api.get(url).headers["ETag"]

    def rename(number: int) -> int:
        return int(api.send("patch", url, {"name": f"By {number}"}, headers={"If-Match": tag}).status_code)

    assert sorted(at_once(6, rename)) == [200, 412, 412, 412, 412, 412]
    with company.scope():
        assert Party.objects.get(pk=party.pk).version == 2


def test_a_read_of_the_same_second_is_told_by_its_tag(acme: Company) -> None:
    """Times have whole seconds; so If-None-Match decides where both are given."""
    with acme.scope():
        party = PartyFactory()
    url = f"{PARTIES}{party.pk}/"
    read = acme.api.get(url)
    acme.api.send("patch", url, {"name": "Other"})
    later = http_date((timezone.now() + timedelta(hours=1)).timestamp())
    headers = {"If-None-Match": read.headers["ETag"], "If-Modified-Since": later}
    assert acme.api.get(url, headers=headers).json()["name"] == "Other"


@pytest.mark.parametrize("method", ["get", "patch"])
def test_who_may_not_look_is_told_so_first(method: str, acme: Company) -> None:
    with acme.scope():
        party = PartyFactory()
    response = acme.api_by_key().send(method, f"{PARTIES}{party.pk}/", headers={"If-None-Match": "*", "If-Match": "7"})
    assert_problem(response, 403, "permission_denied")
