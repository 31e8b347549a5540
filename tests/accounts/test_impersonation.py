"""Platform staff act for a member: for a reason, for half an hour, and nobody is left in doubt who it was."""

import time
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client

from accounts.credentials import PROVED
from accounts.models import AuditEntry, Impersonation, Party, User
from accounts.permissions import MANAGER, VIEWER
from tests.companies import PASSWORD, Company
from tests.contracts.resources import assert_problem

ACT, END, PARTIES = "/admin/platform/act-for-member/", "/admin/end-impersonation/", "/admin/accounts/party/"
REASON = "The member cannot find an order."


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("pat@platform.test", PASSWORD, name="Pat of Platform")


@pytest.fixture
def browser(staff: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(staff)
    return client


def act(browser: Client, company: Company, role: str = MANAGER, **values: str) -> Any:
    email = company.members[role].user.email
    return browser.post(ACT, {"email": email, "organization": company.organization.slug, "reason": REASON, **values})


def test_acts_as_the_member_and_the_page_says_so(browser: Client, acme: Company) -> None:
    assert act(browser, acme).status_code == 302
    page = browser.get(PARTIES).text
    assert "Pat of Platform" in page and acme.members[MANAGER].user.email in page and 'action="/admin/end-impersonation/"' in page


def test_both_names_are_in_the_audit_and_in_the_history(browser: Client, staff: User, acme: Company) -> None:
    act(browser, acme)
    browser.post(f"{PARTIES}add/", {
        "name": "Zinc", "kind": "organization", "addresses-TOTAL_FORMS": "0", "addresses-INITIAL_FORMS": "0",
        "contacts-TOTAL_FORMS": "0", "contacts-INITIAL_FORMS": "0",
    })
    with acme.scope():
        party = Party.objects.get(name="Zinc")
        entry = AuditEntry.objects.get(row_id=party.pk)
    assert (entry.actor_id, entry.impersonator_id) == (acme.members[MANAGER].user.pk, staff.pk)
    assert f"Pat of Platform for {acme.members[MANAGER].user.name}" in acme.admin.get(f"{PARTIES}{party.pk}/history/").text
    shown = acme.api.get("/api/v1/audit-entries/", {"row_id": str(party.pk)}).json()["results"]
    assert [one["impersonator_id"] for one in shown] == [str(staff.pk)]


def test_the_beginning_and_the_end_are_recorded_and_mailed(
    browser: Client, staff: User, acme: Company, django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        act(browser, acme)
        assert browser.post(END).status_code == 302
    with acme.scope():
        row = Impersonation.objects.get()
        entries = list(AuditEntry.objects.filter(row_id=row.pk).order_by("id"))
    assert row.ended_at is not None and row.reason == REASON and row.impersonator_id == staff.pk
    assert [(entry.action, entry.impersonator_id) for entry in entries] == [("insert", staff.pk), ("update", staff.pk)]
    assert [message.to for message in mail.outbox] == [[acme.members[MANAGER].user.email]] * 2
    assert REASON in mail.outbox[0].body
    assert "Pat of Platform</b>, you act" not in browser.get("/admin/").text
    assert [one["reason"] for one in acme.api.get("/api/v1/impersonations/").json()["results"]] == [REASON]
    assert_problem(acme.api_as(VIEWER).get("/api/v1/impersonations/"), 403)


def test_it_ends_by_itself(browser: Client, acme: Company) -> None:
    act(browser, acme)
    with time_machine.travel(time.time() + 30 * 60 + 1):
        assert browser.get(PARTIES).status_code == 200
        assert "Zinc" not in browser.get(PARTIES).text
        assert "belong to no organization" in browser.get(PARTIES).text
    with acme.scope():
        row = Impersonation.objects.get()
        assert row.ended_at == row.expires_at


def test_signing_out_ends_it(browser: Client, acme: Company) -> None:
    act(browser, acme)
    browser.post("/admin/logout/")
    with acme.scope():
        assert Impersonation.objects.get().ended_at is not None
    assert browser.get("/admin/").status_code == 302


def test_ends_when_the_staff_are_staff_no_more(browser: Client, staff: User, acme: Company) -> None:
    act(browser, acme)
    User.objects.filter(pk=staff.pk).update(is_superuser=False)
    assert "belong to no organization" in browser.get(PARTIES).text


def test_ends_when_the_member_is_one_no_more(browser: Client, acme: Company) -> None:
    act(browser, acme)
    User.objects.filter(pk=acme.members[MANAGER].user.pk).update(is_active=False)
    assert "Zinc" not in browser.get(PARTIES).text
    assert "impersonation" not in browser.session


@pytest.mark.parametrize("wrong", [
    {"reason": ""}, {"reason": "too short"}, {"reason": " " * 20}, {"organization": "bolt"}, {"organization": "no-such"},
    {"email": "nobody@acme.test"}, {"email": ""},
])  # fmt: skip
def test_a_wrong_request_begins_nothing(wrong: dict[str, str], browser: Client, acme: Company, bolt: Company) -> None:
    response = act(browser, acme, **wrong)
    assert response.status_code == 200 and 'role="alert"' in response.text
    assert "impersonation" not in browser.session
    with acme.scope():
        assert not Impersonation.objects.exists()


def test_only_platform_staff_act(acme: Company) -> None:
    assert acme.admin.get(ACT).status_code == 403
    assert act(acme.admin, acme).status_code == 403
    assert act(Client(), acme).status_code == 302
    with acme.scope():
        assert not Impersonation.objects.exists()


def test_nobody_acts_for_platform_staff(browser: Client, acme: Company) -> None:
    User.objects.filter(pk=acme.members[MANAGER].user.pk).update(is_superuser=True)
    assert "Nobody acts for platform staff" in act(browser, acme).text


def test_it_takes_a_second_factor_where_the_setting_asks(browser: Client, acme: Company, settings: Any) -> None:
    settings.PLATFORM_STAFF_NEEDS_SECOND_FACTOR = True
    assert "second factor first" in act(browser, acme).text
    session = browser.session
    session[PROVED] = True
    session.save()
    assert act(browser, acme).status_code == 302
    assert browser.get(PARTIES).status_code == 200


@pytest.mark.parametrize(("method", "address"), [
    ("get", "/admin/password_change/"), ("get", "/admin/second-factors/"), ("get", "/admin/switch-organization/"), ("get", ACT),
    ("get", "/admin/accounts/apikey/add/"),
])  # fmt: skip
def test_what_nobody_does_for_another(method: str, address: str, browser: Client, acme: Company) -> None:
    act(browser, acme, "admin")
    assert getattr(browser, method)(address).status_code == 403


@pytest.mark.parametrize("address", ["me/second-factors/", "me/second-factors/totp/begin/", "me/second-factors/recovery-codes/"])
def test_what_nobody_does_for_another_by_the_api(address: str, browser: Client, acme: Company) -> None:
    act(browser, acme, "admin")
    assert_problem(browser.get(f"/api/v1/{address}"), 403, "impersonating")
    assert_problem(browser.post("/api/v1/api-keys/", {"name": "mine"}, content_type="application/json"), 403)
