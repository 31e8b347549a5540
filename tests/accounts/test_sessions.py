"""Signing in, staying in, signing out, and forged papers."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.conf import settings
from django.db import connections

from accounts.models import AuditEntry, Membership, Organization, User
from accounts.permissions import ADMIN, VIEWER
from accounts.services.tenancy import membership_add
from tests.companies import PASSWORD, Api, Company, Member, signed_in
from tests.contracts.resources import assert_problem
from tests.factories.accounts import UserFactory

TOKEN, REFRESH, SIGN_OUT, ME = "/api/v1/auth/token/", "/api/v1/auth/token/refresh/", "/api/v1/auth/sign-out/", "/api/v1/me/"


def bearer(token: str) -> Api:
    return Api(f"Bearer {token}")


def refresh(token: str) -> Any:
    return Api().send("post", REFRESH, {"refresh_token": token})


def sign_in(email: str, **body: str) -> Any:
    return Api().send("post", TOKEN, {"email": email, "password": PASSWORD, **body})


@pytest.fixture
def member(acme: Company) -> Member:
    """With a session that this test may end."""
    return Member(acme.user, signed_in(acme.user))


# --- In ---------------------------------------------------------------------------------------------------


def test_signs_in(acme: Company) -> None:
    response = sign_in(acme.user.email.upper())
    body = response.json()
    assert response.status_code == 200 and response.headers["Cache-Control"] == "no-store"
    assert (body["token_type"], body["organization"], body["roles"]) == ("Bearer", "acme", [ADMIN])
    assert body["expires_in"] == settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN
    own = bearer(body["access_token"]).get(ME).json()
    assert (own["email"], own["organization"]["slug"], own["roles"]) == (acme.user.email, "acme", [ADMIN])
    assert "accounts.change_role" in own["permissions"]
    assert User.objects.get(pk=acme.user.pk).last_login is not None


def test_an_access_token_says_who_it_is_as_one_of_cognito_does(acme: Company) -> None:
    claims = payload(sign_in(acme.user.email).json()["access_token"])
    assert (claims["sub"], claims["email"]) == (str(acme.user.pk), acme.user.email)
    assert claims["cognito:groups"] == [ADMIN] == claims["roles"]


@pytest.mark.parametrize("body", [
    {"password": "wrong"}, {"email": "nobody@acme.test"}, {"organization": "bolt"}, {"organization": "no-such"},
    {"email": "a\0b"}, {"password": "a\0b"},
])  # fmt: skip
def test_refuses_who_it_does_not_know(body: dict[str, str], acme: Company) -> None:
    response = Api().send("post", TOKEN, {"email": acme.user.email, "password": PASSWORD, **body})
    assert response.status_code in (400, 401)
    assert_problem(response, response.status_code)
    assert "access_token" not in response.text


def test_does_not_say_which_half_was_wrong(acme: Company) -> None:
    problems = [sign_in(acme.user.email, password="wrong").json(), sign_in("nobody@acme.test").json()]
    assert problems[0]["detail"] == problems[1]["detail"]


@pytest.mark.parametrize("body", [{}, {"email": "x"}, {"email": "x", "password": "y", "admin": True}])
def test_asks_for_what_is_missing(body: dict[str, Any], db: None) -> None:
    assert_problem(Api().send("post", TOKEN, body), 400)


# --- Refresh ----------------------------------------------------------------------------------------------


def test_a_refresh_gives_new_tokens(member: Member) -> None:
    response = refresh(member.tokens.refresh_token)
    body = response.json()
    assert response.status_code == 200 and response.headers["Cache-Control"] == "no-store"
    assert bearer(body["access_token"]).get(ME).status_code == 200
    assert refresh(body["refresh_token"]).status_code == 200


def test_a_refresh_token_works_once_and_its_reuse_ends_the_session(member: Member) -> None:
    body = refresh(member.tokens.refresh_token).json()
    assert_problem(refresh(member.tokens.refresh_token), 401, "sign_in_refused")
    assert_problem(refresh(body["refresh_token"]), 401)
    for token in (member.tokens.access_token, body["access_token"]):
        assert_problem(bearer(token).get(ME), 401)


def test_of_two_refreshes_at_once_one_wins(new_company: Callable[[], Company]) -> None:
    token = new_company().members[VIEWER].tokens.refresh_token
    start = Barrier(2)

    def attempt(_: int) -> int:
        try:
            start.wait()
            return int(refresh(token).status_code)
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, range(2))) == [200, 401]


# --- Out --------------------------------------------------------------------------------------------------


def test_signing_out_voids_the_tokens_at_once(member: Member) -> None:
    other = signed_in(member.user)
    assert bearer(member.tokens.access_token).post(SIGN_OUT).status_code == 204
    assert_problem(bearer(member.tokens.access_token).get(ME), 401)
    assert_problem(refresh(member.tokens.refresh_token), 401)
    assert bearer(other.access_token).get(ME).status_code == 200, "another sign-in goes on"


def test_only_a_token_can_be_signed_out(acme: Company) -> None:
    assert_problem(acme.api_by_key().post(SIGN_OUT), 401, "no_token")
    assert_problem(Api().post(SIGN_OUT), 401)


@pytest.mark.parametrize("change", [
    lambda company: Membership.objects.filter(user=company.user).update(status="suspended"),
    lambda company: User.objects.filter(pk=company.user.pk).update(is_active=False),
    lambda company: Organization.objects.update(status="suspended"),
    lambda company: Membership.objects.filter(user=company.user).delete(),
], ids=["member", "person", "organization", "removed"])  # fmt: skip
def test_who_is_suspended_is_nobody(change: Callable[[Company], Any], acme: Company) -> None:
    browser, key = acme.admin, acme.api_by_key()
    with acme.scope():
        membership_add(user=UserFactory(), roles=[ADMIN])  # the last Admin stays
        change(acme)
        suspended = not Organization.objects.filter(status="active").exists()
    assert_problem(acme.api.get(ME), 401)
    assert browser.get(ME).status_code == 401
    assert_problem(refresh_then_me(acme), 401)
    assert_problem(sign_in(acme.user.email), 401)
    assert key.get(ME).status_code == (401 if suspended else 200)


def refresh_then_me(company: Company) -> Any:
    """Whether the refresh is refused or the token that it gives."""
    response = refresh(company.members[ADMIN].tokens.refresh_token)
    return bearer(response.json()["access_token"]).get(ME) if response.status_code == 200 else response


# --- Forged -----------------------------------------------------------------------------------------------


def payload(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def unsigned(claims: dict[str, Any]) -> str:
    head = {"alg": "none", "typ": "JWT"}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (head, claims)]
    return ".".join([*parts, ""])


def signed(token: str) -> str:
    """By us, whatever its header says."""
    said = token.rpartition(".")[0]
    signature = hmac.digest(settings.SECRET_KEY.encode(), said.encode(), "sha256")
    return f"{said}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_refuses_forged_tokens(acme: Company, bolt: Company) -> None:
    token = acme.members[VIEWER].tokens.access_token
    claims = payload(token)
    head, body, signature = token.split(".")
    other_body = body[:-4] + "AAAA"
    forged = [
        unsigned(claims), jwt.encode(claims, "another key of thirty-two bytes!!", "HS256"),
        f"{head}.{other_body}.{signature}", f"{head}.{body}.", f"{head}.{body}", "a.b.c", "", "\0", "x" * 5000,
        acme.members[VIEWER].tokens.refresh_token, jwt.encode(claims, settings.SECRET_KEY, "HS512"), f"{token}=", f"{token}.",
        signed(unsigned(claims)),
        jwt.encode({**claims, "organization": str(bolt.organization.pk)}, settings.SECRET_KEY, "HS256"),
    ]  # fmt: skip
    for credential in forged:
        assert_problem(bearer(credential).get(ME), 401, "not_authenticated")
    assert bearer(token).get(ME).status_code == 200


def test_takes_what_the_library_signs_with_our_secret(acme: Company) -> None:
    claims = payload(acme.members[VIEWER].tokens.access_token)
    assert bearer(jwt.encode({**claims, "jti": "another"}, settings.SECRET_KEY, "HS256")).get(ME).status_code == 200


def test_a_stage_may_sign_with_a_pair_of_keys(acme: Company, settings: Any) -> None:
    by_secret = acme.members[ADMIN].tokens.access_token
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    settings.HEADLESS_JWT_ALGORITHM, settings.HEADLESS_JWT_PRIVATE_KEY = "RS256", pem
    token = sign_in(acme.user.email).json()["access_token"]
    assert jwt.decode(token, key.public_key(), algorithms=["RS256"])["sub"] == str(acme.user.pk)
    assert bearer(token).get(ME).status_code == 200
    forged = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for credential in (jwt.encode(payload(token), forged, "RS256"), f"{by_secret[:-3]}abc"):
        assert_problem(bearer(credential).get(ME), 401, "not_authenticated")
    with time_machine.travel(time.time() + settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN + 1):
        assert_problem(bearer(token).get(ME), 401, "token_expired")


def test_an_access_token_is_no_refresh_token(acme: Company) -> None:
    tokens = acme.members[VIEWER].tokens
    for token in (tokens.access_token, "x", "a.b.c", unsigned(payload(tokens.refresh_token))):
        assert_problem(refresh(token), 401)


def test_an_access_token_expires(acme: Company) -> None:
    with time_machine.travel(time.time() + settings.HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN + 1):
        assert_problem(acme.api.get(ME), 401, "token_expired")
        assert_problem(bearer(acme.members[ADMIN].tokens.access_token[:-9] + "forgotten").get(ME), 401, "not_authenticated")
        response = refresh(acme.members[ADMIN].tokens.refresh_token)
        assert response.status_code == 200


def test_a_refresh_token_expires(acme: Company) -> None:
    with time_machine.travel(time.time() + settings.HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN + 1):
        assert_problem(refresh(acme.members[ADMIN].tokens.refresh_token), 401)


def test_a_new_password_voids_what_was_signed_in_with_the_old_one(acme: Company, member: Member) -> None:
    user = User.objects.get(pk=member.user.pk)
    user.set_password("a new one entirely")
    user.save(update_fields=["password"])
    assert_problem(refresh(member.tokens.refresh_token), 401)


def test_signing_in_shows_no_secret_in_the_audit(acme: Company) -> None:
    sign_in(acme.user.email)
    with acme.scope():
        assert PASSWORD not in str(list(AuditEntry.objects.values_list("changes", flat=True)))
