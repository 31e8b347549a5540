"""Stolen tokens, curious members, and Admins who reach for what is not their organization's."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import IdentityProvider, Role, User, UserRole
from accounts.permissions import ADMIN, MANAGER, VIEWER
from accounts.services.tenancy import membership_add
from tests.accounts.issuers import Issuer, provider_of, running_issuer
from tests.accounts.second_factor_kit import begin, code_of, complete, enrolled
from tests.companies import JSON, PASSWORD, Api, Company, signed_in
from tests.contracts.resources import assert_problem
from tests.factories.accounts import ApiKeyFactory, PartyFactory, UserFactory

ME, KEY = "/api/v1/me/", "Idempotency-Key"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as running:
        yield running


def in_both(acme: Company, bolt: Company, role: str = MANAGER) -> User:
    user: User = UserFactory(is_staff=True)
    for company in (acme, bolt):
        with company.scope():
            membership_add(user=user, roles=[role])
    return user


# --- A stolen token ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("/api/v1/auth/password/change/", {"old_password": "", "new_password": "Another horse 5 battery"}),
        ("/api/v1/auth/email/change/", {"email": "thief@example.test", "password": ""}),
    ],
)
def test_does_not_guess_the_password(url: str, body: dict[str, str], acme: Company) -> None:
    api, secret = acme.api_as(VIEWER), "old_password" if "old_password" in body else "password"
    answers = [api.send("post", url, {**body, secret: f"Guess number {n}"}).status_code for n in range(6)]
    assert answers[:5] == [400] * 5 and answers[5] == 429
    assert_problem(api.send("post", url, {**body, secret: PASSWORD}), 429, "locked_out")


def test_shows_no_second_factor_elsewhere(acme: Company, bolt: Company) -> None:
    """A token of an organization that asks for none, with the name of one that does."""
    api = Api(f"Bearer {signed_in(in_both(acme, bolt), 'acme').access_token}")
    with bolt.scope():
        bolt.organization.require_mfa = True
        bolt.organization.save(update_fields=["require_mfa"])
    assert api.get("/api/v1/parties/").status_code == 200
    for method, url in (
        ("get", "/api/v1/parties/"),
        ("get", ME),
        ("patch", ME),
        ("post", "/api/v1/parties/bulk/"),
        ("get", "/users"),
    ):
        answer = api.send(method, url, headers={"Organization": "bolt"})
        assert_problem(answer, 403, "second_factor_enrolment_required")


def test_uses_no_challenge_twice_and_no_other_persons(acme: Company) -> None:
    user, other = acme.members[VIEWER].user, acme.members[MANAGER].user
    secret, others = enrolled(user), enrolled(other)
    challenge = begin(user.email).json()["challenge"]
    assert_problem(complete(challenge, code=code_of(others)), 401, "wrong_code")
    assert complete(challenge, code=code_of(secret)).status_code == 200
    assert_problem(complete(challenge, code=code_of(secret, 1)), 401, "challenge_expired")
    assert_problem(Api(f"Bearer {challenge}").get(ME), 401)


@pytest.mark.parametrize("spelling", ["{0}", " {0}", "{0}\t", "{1}", "{0}\u00a0", "\u3000{1} "])
def test_is_locked_out_however_the_address_is_spelled(spelling: str, acme: Company) -> None:
    email = acme.members[VIEWER].user.email
    spelled = spelling.format(email, email.upper())
    for number in range(5):
        begin(spelled, f"Guess number {number}")
    assert_problem(begin(email), 429, "locked_out")


def test_a_page_of_somebody_else_changes_nothing_by_the_cookie(acme: Company) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(acme.user)
    for method, url in (
        ("post", "/api/v1/parties/"),
        ("post", "/api/v1/parties/bulk/"),
        ("put", "/api/v1/parties/by-ref/x/"),
        ("patch", ME),
        ("delete", "/api/v1/auth/sessions/"),
        ("post", "/api/v1/auth/password/change/"),
        ("post", "/users"),
        ("put", "/users/me"),
        ("post", "/api/v1/me/second-factors/totp/begin/"),
        ("delete", "/api/v1/me/avatar/"),
    ):
        for headers in ({}, {KEY: "k"}):
            response = getattr(client, method)(url, "{}", content_type=JSON, headers=headers)
            assert response.status_code == 403 and b"CSRF" in response.content, (url, response.content)


def test_a_session_that_was_planted_is_not_signed_in(acme: Company) -> None:
    client = Client(raise_request_exception=False)
    client.get("/admin/login/")
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["sessionid"] = planted = session.session_key
    client.post("/admin/login/", {"username": acme.user.email, "password": PASSWORD, "next": "/admin/"})
    assert client.get("/admin/").status_code == 200
    thief = Client(raise_request_exception=False)
    thief.cookies["sessionid"] = planted
    assert client.cookies["sessionid"].value != planted
    assert thief.get("/admin/").status_code == 302


# --- Idempotency ------------------------------------------------------------------------------------------


def test_no_answer_is_repeated_to_anybody_else(acme: Company, bolt: Company) -> None:
    body, headers = {"name": "Exotic Liquids"}, {KEY: "the same"}
    first = acme.api.send("post", "/api/v1/parties/", body, headers=headers).json()["id"]
    for api in (acme.api_as(MANAGER), acme.api_by_key("accounts.add_party"), bolt.api):
        answer = api.send("post", "/api/v1/parties/", body, headers=headers)
        assert answer.status_code == 201 and "Idempotent-Replayed" not in answer.headers and answer.json()["id"] != first
    assert_problem(acme.api_as(VIEWER).send("post", "/api/v1/parties/", body, headers=headers), 403)
    assert_problem(acme.api.send("put", "/api/v1/parties/", body, headers=headers), 422, "idempotency_key_reused")
    assert_problem(acme.api.send("post", "/api/v1/parties/?x=1", body, headers=headers), 422, "idempotency_key_reused")


def test_who_is_a_member_no_more_is_told_nothing_again(acme: Company) -> None:
    api, member = acme.api_as(MANAGER), acme.members[MANAGER].user
    assert api.send("post", "/api/v1/parties/", {"name": "X"}, headers={KEY: "k"}).status_code == 201
    assert acme.api.delete(f"/api/v1/users/{member.pk}/").status_code == 204
    assert_problem(api.send("post", "/api/v1/parties/", {"name": "X"}, headers={KEY: "k"}), 401)


# --- Keys -------------------------------------------------------------------------------------------------


def test_a_key_does_nothing_that_a_person_does(acme: Company) -> None:
    api = acme.api_by_key("accounts.view_party", "accounts.add_savedfilter", "accounts.view_savedfilter")
    for method, url, body in (
        ("patch", ME, {"name": "X"}),
        ("get", "/api/v1/auth/sessions/", None),
        ("delete", "/api/v1/auth/sessions/", None),
        ("post", "/api/v1/auth/password/change/", {"old_password": "a", "new_password": "b"}),
        ("post", "/api/v1/auth/email/change/", {"email": "a@example.test", "password": "b"}),
        ("get", "/api/v1/me/second-factors/", None),
        ("post", "/api/v1/me/second-factors/totp/begin/", None),
        ("delete", "/api/v1/me/avatar/", None),
        ("put", "/users/me", {"name": "X"}),
        ("post", "/api/v1/saved-filters/", {"model": "accounts.party", "name": "x"}),
    ):
        assert api.send(method, url, body).status_code == 403, url


def test_a_key_gives_nobody_more_than_it_has(acme: Company) -> None:
    api = acme.api_by_key(
        "accounts.add_apikey",
        "accounts.add_role",
        "accounts.add_user",
        "accounts.add_invitation",
        "accounts.add_identityprovider",
    )
    for url, body in (
        ("api-keys", {"name": "k", "scopes": ["accounts.view_party"]}),
        ("roles", {"code": "x", "name": "X", "permissions": ["accounts.view_party"]}),
        ("users", {"email": "x@example.test", "name": "X", "roles": [VIEWER]}),
        ("invitations", {"email": "x@example.test", "roles": [VIEWER]}),
        ("identity-providers", {"name": "x", "issuer": "https://idp.test", "audience": "a", "group_roles": {"g": VIEWER}}),
    ):
        assert_problem(api.send("post", f"/api/v1/{url}/", body), 403, "permission_denied")


def test_no_old_key_comes_back_by_a_change(acme: Company) -> None:
    with acme.scope():
        key = ApiKeyFactory()
    url = f"/api/v1/api-keys/{key.pk}/"
    for name, value in (
        ("revoked_at", None),
        ("key_hash", "0" * 64),
        ("prefix", "qm_0"),
        ("rotated_from", None),
        ("signing_secret", "x"),
    ):
        assert_problem(acme.api.send("patch", url, {name: value}), 400)


# --- Identity providers -----------------------------------------------------------------------------------


def test_a_provider_learns_and_changes_nothing_beyond_its_organization(issuer: Issuer, acme: Company, bolt: Company) -> None:
    user = in_both(acme, bolt)
    provider_of(acme, issuer)
    token = issuer.token(email=user.email, email_verified=True)
    own = Api(f"Bearer {token}").get(ME).json()
    assert own["id"] == str(user.pk) and [one["slug"] for one in own["organizations"]] == ["acme"]
    for url, method in ((ME, "patch"), ("/users/me", "put")):
        answer = Api(f"Bearer {token}").send(method, url, {"name": "Somebody else"})
        assert answer.status_code == 403, answer.content
    assert_problem(Api(f"Bearer {token}", Organization="bolt").get(ME), 401)
    user.refresh_from_db()
    assert user.name != "Somebody else"


@pytest.mark.parametrize(("method", "path"), [("post", ""), ("post", "bulk/"), ("put", "by-ref/x/")])
def test_nobody_approves_a_provider_of_their_own(method: str, path: str, acme: Company) -> None:
    body = {"name": "x", "issuer": "https://idp.test", "audience": "a", "approved_for": "https://idp.test a "}
    sent = {"rows": [body]} if path == "bulk/" else body
    assert acme.api.send(method, f"/api/v1/identity-providers/{path}", sent).status_code in (400, 404, 405)
    with acme.scope():
        assert not IdentityProvider.objects.filter(issuer="https://idp.test").exists()


@pytest.mark.parametrize(
    "change", [{"jwks_url": "https://evil.test/jwks.json"}, {"audience": "other"}, {"issuer": "https://evil.test"}]
)
def test_an_approved_provider_is_no_longer_one_when_it_points_elsewhere(
    change: dict[str, str], issuer: Issuer, acme: Company
) -> None:
    row = provider_of(acme, issuer)
    assert Api(f"Bearer {issuer.token()}").get(ME).status_code == 200
    assert acme.api.send("patch", f"/api/v1/identity-providers/{row.pk}/", change).status_code in (200, 400)
    with acme.scope():
        row.refresh_from_db()
        assert row.is_approved == (not any(getattr(row, name) == value for name, value in change.items()))


@pytest.mark.parametrize("url", ["http://169.254.169.254/jwks.json", "file:///etc/passwd", "ftp://x.test/", "gopher://x"])
def test_keys_come_by_https_alone(url: str, acme: Company, settings: Any) -> None:
    settings.IDENTITY_PROVIDERS_BY_HTTP = False
    body = {"name": "x", "issuer": "https://idp.test", "audience": "a", "jwks_url": url}
    assert_problem(acme.api.send("post", "/api/v1/identity-providers/", body), 400)


# --- Others' accounts -------------------------------------------------------------------------------------


def test_no_organization_erases_platform_staff(acme: Company) -> None:
    with acme.scope():
        staff = UserFactory(is_superuser=True)
        membership_add(user=staff, roles=[VIEWER])
    made = acme.api.send("post", "/api/v1/data-subject-requests/", {"kind": "erase", "subject_email": staff.email}).json()
    assert_problem(acme.api.get(f"/api/v1/data-subject-requests/{made['id']}/preview/"), 409, "platform_staff")
    assert_problem(acme.api.send("post", f"/api/v1/data-subject-requests/{made['id']}/fulfil/"), 409, "platform_staff")
    staff.refresh_from_db()
    assert staff.is_active and staff.name != "Erased person"


def test_an_export_tells_nothing_of_another_organization(acme: Company, bolt: Company) -> None:
    user = in_both(acme, bolt)
    signed_in(user, "bolt")
    made = acme.api.send("post", "/api/v1/data-subject-requests/", {"kind": "export", "subject_email": user.email}).json()
    url = f"/api/v1/data-subject-requests/{made['id']}/"
    assert acme.api.send("post", f"{url}fulfil/").status_code == 200
    with zipfile.ZipFile(io.BytesIO(acme.api.get(f"{url}result/").content)) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert str(bolt.organization.pk).encode() not in everything and b"bolt" not in everything
    assert b"argon2" not in everything


def test_an_admin_takes_no_account_over_that_others_share(acme: Company, bolt: Company) -> None:
    user = in_both(acme, bolt)
    for method, url, body in (
        ("patch", f"/api/v1/users/{user.pk}/", {"name": "Mine"}),
        ("patch", f"/api/v1/users/{user.pk}/", {"email": "mine@acme.test"}),
        ("put", f"/users/{user.pk}", {"email": "mine@acme.test"}),
    ):
        assert acme.api.send(method, url, body).status_code in (400, 409)
    assert_problem(acme.api.send("patch", f"/api/v1/users/{bolt.user.pk}/", {"name": "Mine"}), 404)
    assert_problem(acme.api.get(f"/api/v1/avatars/{bolt.user.pk}/"), 404)


def test_hidden_models_stay_hidden_by_every_question(acme: Company) -> None:
    with acme.scope():
        PartyFactory()
        role = Role.objects.get(code=ADMIN)
        given = UserRole.objects.filter(role=role).first()
        assert given is not None
    viewer = acme.api_as(VIEWER)
    for url in ("/api/v1/api-keys/", "/api/v1/audit-entries/", "/api/v1/invitations/", "/api/v1/user-sessions/"):
        for query in ("", "?count=exact", "?saved_filter=x", "?fields=id", "?tag=x"):
            assert viewer.get(f"{url}{query}").status_code == 403
        assert viewer.get(url, headers={"Accept": "text/csv"}).status_code == 403
        assert viewer.send("post", f"{url}bulk/", {"rows": [{"op": "delete", "id": str(given.pk)}]}).status_code in (403, 405)
    limited = acme.api_by_key("accounts.view_userrole")
    assert_problem(limited.get("/api/v1/user-roles/?expand=role"), 403, "permission_denied")
    for name in ("password", "user__password", "membership__user__password__startswith", "token_hash", "key_hash", "secret"):
        for url in ("users", "memberships", "api-keys", "invitations"):
            assert_problem(acme.api.get(f"/api/v1/{url}/?{name}=a"), 400)
            assert_problem(acme.api.get(f"/api/v1/{url}/?sort={name}"), 400)
            assert_problem(acme.api.get(f"/api/v1/{url}/?fields={name}"), 400)


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("membership", ["user__password__startswith", "user__email__startswith"]),
        ("apikey", ["key_hash__startswith", "signing_secret__isnull"]),
        ("invitation", ["token_hash__startswith"]),
        ("userrole", ["membership__user__password__startswith"]),
        ("externalidentity", ["membership__user__password__startswith"]),
        ("usersession", ["user__password__startswith"]),
    ],
)
def test_the_admin_does_not_answer_letter_by_letter(page: str, names: list[str], acme: Company) -> None:
    for name in names:
        response = acme.admin.get(f"/admin/accounts/{page}/", {name: "a"})
        assert response.status_code in (302, 400), name
        if response.status_code == 302:
            assert "e=1" in response.headers["Location"]
