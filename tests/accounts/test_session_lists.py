"""Sign-ins as their owner and an Admin see and end them, how long they last, and what a stolen token leads to."""

from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Organization, User, UserSession
from accounts.permissions import ADMIN, MANAGER, VIEWER
from accounts.services.sessions import Tokens, session_open
from accounts.services.tenancy import membership_add
from core.tenancy import Origin
from tests.accounts.mails import last_mail
from tests.companies import PASSWORD, Api, Company, signed_in
from tests.contracts.resources import assert_problem, statements

OWN, ALL, ME, REFRESH = "/api/v1/auth/sessions/", "/api/v1/user-sessions/", "/api/v1/me/", "/api/v1/auth/token/refresh/"


def bearer(tokens: Tokens, **headers: str) -> Api:
    return Api(f"Bearer {tokens.access_token}", **headers)


def sign_in_by_page(user: User) -> Client:
    browser = Client(headers={"User-Agent": "Firefox"})
    assert browser.post("/admin/login/", {"username": user.email, "password": PASSWORD}).status_code == 302
    assert browser.get("/admin/").status_code == 200
    return browser


def shown(company: Company, user: User) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = company.api.get(ALL, {"user": str(user.pk), "ended_at__isnull": "true"}).json()["results"]
    return rows


# --- One's own ----------------------------------------------------------------------------------------------


def test_lists_ones_own_sign_ins_by_token_and_by_cookie(acme: Company) -> None:
    user = User.objects.create_user("sam@acme.test", PASSWORD, name="Sam", is_staff=True)
    with acme.scope():
        membership_add(user=user, roles=[VIEWER])
    tokens = session_open(email=user.email, password=PASSWORD, origin=Origin(ip="192.0.2.9"), user_agent="Scanner 3")
    sign_in_by_page(user)
    rows = bearer(tokens).get(OWN).json()["results"]
    assert {(row["user_agent"], row["organization"], row["current"]) for row in rows} == {
        ("Scanner 3", "acme", True), ("Firefox", "", False),
    }  # fmt: skip
    assert {"192.0.2.9", "127.0.0.1"} == {row["ip"] for row in rows}


def test_ends_one_of_ones_own(acme: Company) -> None:
    here, there = signed_in(acme.user), signed_in(acme.user)
    [other] = [row["id"] for row in bearer(there).get(OWN).json()["results"] if row["current"]]
    assert bearer(here).delete(f"{OWN}{other}/").status_code == 204
    assert_problem(bearer(there).get(ME), 401)
    assert bearer(here).get(ME).status_code == 200
    assert_problem(bearer(here).delete(f"{OWN}{other}/"), 404)


def test_nobody_ends_somebody_elses_here(acme: Company, bolt: Company) -> None:
    [theirs] = [row["id"] for row in bolt.api.get(OWN).json()["results"] if row["current"]]
    for number in (theirs, "0", "x", "9" * 30):
        assert_problem(acme.api.delete(f"{OWN}{number}/"), 404, "not_found")
    assert bolt.api.get(ME).status_code == 200


def test_ends_all_others(acme: Company) -> None:
    here, there, browser = signed_in(acme.user), signed_in(acme.user), sign_in_by_page(acme.user)
    assert bearer(here).delete(OWN).status_code == 204
    assert bearer(here).get(ME).status_code == 200
    assert_problem(bearer(there).get(ME), 401)
    assert browser.get("/admin/").status_code == 302


def test_a_key_has_no_sign_ins(acme: Company) -> None:
    assert_problem(acme.api_by_key().get(OWN), 403)


# --- An Admin's ---------------------------------------------------------------------------------------------


def test_an_admin_ends_a_members_sign_in_and_it_is_in_the_audit(acme: Company) -> None:
    user = acme.members[MANAGER].user
    tokens = signed_in(user)
    newest = shown(acme, user)[0]
    assert (newest["email"], newest["ip"]) == (user.email, "192.0.2.1")
    response = acme.api.post(f"{ALL}{newest['id']}/revoke/")
    assert response.json()["ended_reason"] == "revoked" and response.json()["ended_at"]
    assert_problem(bearer(tokens).get(ME), 401)
    assert_problem(Api().send("post", REFRESH, {"refresh_token": tokens.refresh_token}), 401)
    with acme.scope():
        entry = AuditEntry.objects.get(row_id=newest["id"], action="update")
    assert entry.actor_id == acme.user.pk and entry.changes["ended_reason"] == ["", "revoked"]


def test_only_an_admin_does(acme: Company) -> None:
    signed_in(acme.user)
    row = shown(acme, acme.user)[0]
    for role in (MANAGER, VIEWER):
        assert_problem(acme.api_as(role).post(f"{ALL}{row['id']}/revoke/"), 403)
    assert_problem(acme.api_as(VIEWER).get(ALL), 403)


def test_another_organizations_sign_ins_are_not_there(acme: Company, bolt: Company) -> None:
    """The same person in both: each Admin sees what works in the own organization."""
    with bolt.scope():
        membership_add(user=acme.user, roles=[VIEWER])
    tokens = signed_in(acme.user, "bolt")
    row = shown(bolt, acme.user)[0]
    assert row["id"] not in {found["id"] for found in shown(acme, acme.user)}
    assert_problem(acme.api.get(f"{ALL}{row['id']}/"), 404)
    assert_problem(acme.api.post(f"{ALL}{row['id']}/revoke/"), 404)
    assert bearer(tokens).get(ME).json()["organization"]["slug"] == "bolt"
    before = len(shown(acme, acme.user))
    assert bearer(tokens, Organization="acme").get(ME).status_code == 200  # used here, it is seen here
    assert len(shown(acme, acme.user)) == before + 1


def test_an_admin_sees_and_ends_a_sign_in_by_cookie_on_the_admins_page(acme: Company) -> None:
    user = acme.members[VIEWER].user
    browser = sign_in_by_page(user)
    [row] = [row for row in shown(acme, user) if row["user_agent"] == "Firefox"]
    page = acme.admin.get("/admin/accounts/usersession/")
    assert page.status_code == 200 and "Firefox" in page.content.decode()
    address = f"/admin/accounts/usersession/{row['id']}/revoke/"
    client = acme.admin
    assert client.get(address).status_code == 200 and browser.get("/admin/").status_code == 200, "a link alone does nothing"
    assert client.post(address).status_code == 302
    assert browser.get("/admin/").status_code == 302
    assert acme.admin_as(MANAGER).post(address).status_code == 403


# --- Seen ---------------------------------------------------------------------------------------------------


def test_a_sign_in_is_noted_every_ten_minutes_not_at_every_request(acme: Company) -> None:
    api = bearer(signed_in(acme.user))
    assert not [sql for sql in statements(api, ME) if not sql.startswith("SELECT")]
    later = timezone.now() + timedelta(minutes=11)
    with acme.scope():
        UserSession.objects.update(last_seen_at=timezone.now() - timedelta(minutes=11))
    assert [sql for sql in statements(api, ME) if not sql.startswith("SELECT")]
    assert not [sql for sql in statements(api, ME) if not sql.startswith("SELECT")]
    assert shown(acme, acme.user)[0]["last_seen_at"] < later.isoformat()


# --- How long -----------------------------------------------------------------------------------------------


def lasts(token: str) -> int:
    claims = jwt.decode(token, options={"verify_signature": False})
    return int(claims["exp"] - claims["iat"])


def test_an_organization_says_how_long_tokens_work(acme: Company, bolt: Company, settings: Any) -> None:
    body = {"access_token_seconds": 86_400, "refresh_token_seconds": 7200}
    url = f"/api/v1/organizations/{acme.organization.pk}/"
    assert acme.api.send("patch", url, body).status_code == 200
    tokens = signed_in(acme.user)
    assert (tokens.expires_in, lasts(tokens.access_token), lasts(tokens.refresh_token)) == (86_400, 86_400, 7200)
    refreshed = Api().send("post", REFRESH, {"refresh_token": tokens.refresh_token}).json()
    assert (refreshed["expires_in"], lasts(refreshed["refresh_token"])) == (86_400, 7200)
    with time_machine.travel(timezone.now() + timedelta(hours=2, minutes=1), tick=False):
        assert_problem(Api().send("post", REFRESH, {"refresh_token": refreshed["refresh_token"]}), 401)
    settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = 3600
    assert (lasts(signed_in(bolt.user).access_token), lasts(signed_in(bolt.user).refresh_token)) == (3600, 30 * 86_400)


def test_a_shorter_time_counts_from_the_next_refresh(acme: Company) -> None:
    tokens = signed_in(acme.user)
    with acme.scope():
        Organization.objects.update(access_token_seconds=300)
    assert Api().send("post", REFRESH, {"refresh_token": tokens.refresh_token}).json()["expires_in"] == 300


@pytest.mark.parametrize("body", [
    {"access_token_seconds": 299}, {"access_token_seconds": 86_401}, {"refresh_token_seconds": 60}, {"access_token_seconds": "x"},
])  # fmt: skip
def test_there_are_bounds(body: dict[str, Any], acme: Company) -> None:
    assert_problem(acme.api.send("patch", f"/api/v1/organizations/{acme.organization.pk}/", body), 400)


# --- Stolen -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_token", [False, True], ids=["anonymous", "signed in besides"])
def test_reuse_ends_the_sign_in_tells_its_owner_and_is_in_the_audit(
    with_token: bool, acme: Company, bolt: Company, mailing: Any,
) -> None:
    tokens = session_open(email=acme.user.email, password=PASSWORD, origin=Origin(ip="192.0.2.1"), user_agent="Laptop")
    newer = Api().send("post", REFRESH, {"refresh_token": tokens.refresh_token}).json()
    thief = Api(*([f"Bearer {bolt.members[ADMIN].tokens.access_token}"] if with_token else []), **{"User-Agent": "Thief 1"})
    with mailing():
        assert_problem(thief.send("post", REFRESH, {"refresh_token": tokens.refresh_token}), 401, "sign_in_refused")
    assert_problem(Api(f"Bearer {newer['access_token']}").get(ME), 401)
    assert_problem(Api().send("post", REFRESH, {"refresh_token": newer["refresh_token"]}), 401)
    message = last_mail(acme.user.email).body
    assert "Laptop, last from 127.0.0.1" in message and "from 127.0.0.1, by Thief 1" in message
    with acme.scope():
        row = UserSession.objects.get(user_agent="Laptop", ended_reason="reuse")
        entry = AuditEntry.objects.get(row_id=row.pk, action="update")
    assert (entry.ip, entry.reason) == ("127.0.0.1", "A refresh token was used twice")


def test_a_refresh_takes_the_roles_of_today(acme: Company) -> None:
    tokens = signed_in(acme.members[VIEWER].user)
    row = acme.api.get("/api/v1/user-roles/").json()["results"]
    [given] = [one["id"] for one in row if one["email"] == acme.members[VIEWER].user.email]
    [manager] = acme.api.get("/api/v1/roles/", {"code": "manager"}).json()["results"]
    assert acme.api.send("patch", f"/api/v1/user-roles/{given}/", {"role": manager["id"]}).status_code == 200
    assert Api().send("post", REFRESH, {"refresh_token": tokens.refresh_token}).json()["roles"] == [MANAGER]
