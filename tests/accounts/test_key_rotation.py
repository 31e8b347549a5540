"""A key and its successor: both work for a while, and neither depends on the other."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey, UserRole
from accounts.permissions import MANAGER
from tests.companies import Api, Company
from tests.contracts.resources import assert_problem, pointers
from tests.factories.accounts import RoleFactory
from tests.inventory.test_races import at_once

PARTIES, KEYS = "/api/v1/parties/", "/api/v1/api-keys/"
VIEW = "accounts.view_party"


def rotate(company: Company, row: Any, body: dict[str, Any] | None = None, api: Api | None = None) -> Any:
    return (api or company.api).send("post", f"{KEYS}{getattr(row, 'pk', row)}/rotate/", body)


def works(key: str) -> bool:
    return bool(Api(f"Api-Key {key}").get(PARTIES, REMOTE_ADDR="192.0.2.9").status_code == 200)


def end_of(company: Company, row: Any) -> datetime:
    with company.scope():
        ends = ApiKey.objects.get(pk=row.pk).expires_at
        assert ends is not None
        return ends


def close(one: datetime, other: datetime) -> bool:
    return abs(one - other) < timedelta(minutes=1)


def test_a_successor_has_the_same_rights_and_both_work(acme: Company) -> None:
    row, key = acme.key(VIEW, allowed_networks=["192.0.2.0/24"], rate_per_minute=77)
    response = rotate(acme, row)
    assert response.status_code == 201 and response.headers["Cache-Control"] == "no-store"
    made = response.json()
    assert response.headers["Location"].endswith(f"{KEYS}{made['id']}/")
    assert (made["name"], made["scopes"], made["allowed_networks"]) == (row.name, [VIEW], ["192.0.2.0/24"])
    assert (made["rate_per_minute"], made["rotated_from"], made["expires_at"]) == (77, str(row.pk), None)
    assert works(key) and works(made["key"]) and key != made["key"]
    assert acme.api.get(f"{KEYS}{row.pk}/").json()["name"] == f"{row.name} ({row.prefix})"
    assert close(end_of(acme, row), timezone.now() + timedelta(hours=24))


@pytest.mark.parametrize("hours", [0, 1, 720])
def test_the_old_key_ends_after_the_overlap(hours: int, acme: Company) -> None:
    row, key = acme.key(VIEW)
    successor = rotate(acme, row, {"overlap_hours": hours}).json()["key"]
    assert close(end_of(acme, row), timezone.now() + timedelta(hours=hours))
    assert works(key) is (hours > 0)
    with acme.scope():
        ApiKey.objects.filter(pk=row.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not works(key) and works(successor)


@pytest.mark.parametrize("body", [{"overlap_hours": -1}, {"overlap_hours": 721}, {"overlap_hours": "x"}, {"overlap_hours": None}])
def test_refuses_another_overlap(body: dict[str, Any], acme: Company) -> None:
    row, key = acme.key(VIEW)
    assert pointers(assert_problem(rotate(acme, row, body), 400)) == {"/overlap_hours"}
    assert works(key)
    with acme.scope():
        assert ApiKey.objects.get(pk=row.pk).expires_at is None


def test_a_key_that_ends_sooner_still_does_and_its_successor_lives_as_long(acme: Company) -> None:
    soon = timezone.now() + timedelta(hours=2)
    row, _ = acme.key(VIEW, expires_at=soon)
    made = rotate(acme, row, {"overlap_hours": 24}).json()
    assert end_of(acme, row) == soon
    assert close(datetime.fromisoformat(made["expires_at"]), timezone.now() + timedelta(hours=2))
    other, _ = acme.key(VIEW, expires_at=soon)
    asked = (timezone.now() + timedelta(days=9)).isoformat()
    made = rotate(acme, other, {"expires_at": asked}).json()
    assert datetime.fromisoformat(made["expires_at"]) == datetime.fromisoformat(asked)


def test_each_is_revoked_without_the_other(acme: Company) -> None:
    for revoke_old in (True, False):
        row, key = acme.key(VIEW)
        made = rotate(acme, row).json()
        revoked = row.pk if revoke_old else made["id"]
        assert acme.api.post(f"{KEYS}{revoked}/revoke/").status_code == 200
        assert (works(key), works(made["key"])) == (not revoke_old, revoke_old)


def test_a_key_is_rotated_once_and_its_successor_again(acme: Company) -> None:
    row, _ = acme.key(VIEW)
    first = rotate(acme, row).json()
    problem = assert_problem(rotate(acme, row), 409, "already_rotated")
    assert first["prefix"] in problem["detail"]
    second = rotate(acme, first["id"])
    assert second.status_code == 201 and second.json()["name"] == row.name
    assert works(first["key"]) and works(second.json()["key"])


def test_a_key_that_has_ended_is_not_rotated(acme: Company) -> None:
    expired, _ = acme.key(VIEW, expires_at=timezone.now() - timedelta(seconds=1))
    revoked, _ = acme.key(VIEW)
    acme.api.post(f"{KEYS}{revoked.pk}/revoke/")
    for row in (expired, revoked):
        assert_problem(rotate(acme, row), 409, "key_ended")


def test_nobody_gets_a_key_that_they_could_not_have_made(acme: Company, bolt: Company) -> None:
    row, _ = acme.key(VIEW, "accounts.change_role")
    maker = acme.api_by_key("accounts.add_apikey", "accounts.change_apikey", "accounts.view_apikey", VIEW)
    assert_problem(rotate(acme, row, api=maker), 403, "permission_denied")
    for scope in ("accounts.add_apikey", "accounts.change_apikey"):
        assert_problem(rotate(acme, row, api=acme.api_by_key(scope, VIEW, "accounts.change_role")), 403, "permission_denied")
    assert_problem(rotate(acme, row, api=bolt.api), 404)
    with acme.scope():
        assert ApiKey.objects.get(pk=row.pk).expires_at is None


def test_a_signing_key_has_a_signing_successor_with_a_secret_of_its_own(acme: Company) -> None:
    made = acme.api.send("post", KEYS, {"name": "Signer", "scopes": [VIEW], "require_signature": True}).json()
    successor = rotate(acme, made["id"]).json()
    assert successor["require_signature"] is True
    assert successor["signing_secret"] != made["signing_secret"]
    assert_problem(Api(f"Api-Key {successor['key']}").get(PARTIES), 401, "signature_missing")


def test_ten_parallel_rotations_make_one_successor(new_company: Callable[[], Company]) -> None:
    company = new_company()
    row, _ = company.key(VIEW)
    api = company.api
    assert Counter(at_once(10, lambda number: rotate(company, row, api=api).status_code)) == {201: 1, 409: 9}
    with company.scope():
        assert ApiKey.objects.filter(rotated_from=row).count() == 1


# --- In the admin -----------------------------------------------------------------------------------------


def page(row: Any, name: str = "change") -> str:
    return reverse(f"admin:accounts_apikey_{name}", args=[row.pk])


def test_the_admin_rotates_and_shows_the_key_once(acme: Company) -> None:
    row, key = acme.key(VIEW)
    assert "rotate" in acme.admin.get(page(row)).text
    asked = acme.admin.get(page(row, "rotate"))
    assert "another 24 hours" in asked.text and works(key)
    shown = acme.admin.post(page(row, "rotate"))
    with acme.scope():
        successor = ApiKey.objects.get(rotated_from=row)
    assert successor.prefix in shown.text and "no-store" in shown.headers["Cache-Control"]
    again = acme.admin.post(page(row, "rotate"), follow=True)
    assert f"This key was rotated before: its successor is {successor.prefix}." in again.text


def test_the_admin_refuses_to_rotate_what_one_could_not_make(acme: Company) -> None:
    row, _ = acme.key(VIEW)
    with acme.scope():
        giver = RoleFactory(permissions=["accounts.add_apikey", "accounts.change_apikey", "accounts.view_apikey"])
        UserRole.objects.filter(role__code=MANAGER).update(role=giver)
    refused = acme.admin_as(MANAGER).post(page(row, "rotate"), follow=True)
    assert "You cannot give what you may not do yourself" in refused.text
    with acme.scope():
        assert not ApiKey.objects.filter(rotated_from=row).exists()


def test_the_admin_makes_a_signing_key_and_shows_both_secrets(acme: Company) -> None:
    made = acme.admin.post(reverse("admin:accounts_apikey_add"), {"name": "Signer", "scopes": [VIEW], "require_signature": "on"})
    assert made.status_code == 200 and "qms_" in made.text
    with acme.scope():
        assert ApiKey.objects.get(name="Signer").require_signature


def test_a_key_does_not_work_for_another_organization_than_its_own(acme: Company, bolt: Company) -> None:
    api, own = acme.api_by_key(VIEW), acme.organization.slug
    assert api.get(PARTIES, headers={"Organization": own}).status_code == 200
    problem = assert_problem(api.get(PARTIES, headers={"Organization": bolt.organization.slug}), 401, "not_authenticated")
    assert problem["detail"] == f"This API key is of {own!r} alone: leave the header Organization out."
