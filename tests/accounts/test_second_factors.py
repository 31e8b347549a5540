"""What a password alone does not open."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connections

from accounts.models import AuditEntry, Membership, Organization, User
from accounts.permissions import MANAGER, VIEWER
from accounts.services.second_factors import recovery_codes_generate
from tests.accounts.second_factor_kit import (
    OWN,
    SECOND,
    SecurityKey,
    begin,
    code_of,
    complete,
    enrolled,
    signed_in_by_code,
)  # fmt: skip
from tests.companies import PASSWORD, Api, Company
from tests.contracts.resources import assert_problem

ME, PARTIES = "/api/v1/me/", "/api/v1/parties/"
LOCALHOST = {"HTTP_HOST": "localhost"}


@pytest.fixture
def secret(acme: Company) -> str:
    return enrolled(acme.user)


def factors(company: Company) -> Any:
    """Of its admin alone: people of companies of other tests have some too."""
    return Authenticator.objects.filter(user_id=company.user.pk)


# --- Signing in -------------------------------------------------------------------------------------------


def test_the_password_alone_gives_a_challenge_and_no_token(acme: Company, secret: str) -> None:
    response = begin(acme.user.email)
    assert_problem(response, 401, "second_factor_required")
    body = response.json()
    assert body["methods"] == ["totp"] and body["expires_in"] == 300
    assert "access_token" not in response.text and PASSWORD not in response.text and acme.user.email not in response.text


def test_the_code_gives_the_tokens(acme: Company, secret: str) -> None:
    response = complete(begin(acme.user.email).json()["challenge"], code=code_of(secret))
    assert response.status_code == 200 and response.json()["organization"] == "acme"
    assert Api(f"Bearer {response.json()['access_token']}").get(PARTIES).status_code == 200


def test_a_wrong_password_says_nothing_about_second_factors(acme: Company, secret: str) -> None:
    assert_problem(begin(acme.user.email, "wrong"), 401, "sign_in_refused")


def test_a_code_works_once(acme: Company, secret: str) -> None:
    code = code_of(secret)
    assert complete(begin(acme.user.email).json()["challenge"], code=code).status_code == 200
    assert_problem(complete(begin(acme.user.email).json()["challenge"], code=code), 401, "wrong_code")


def test_an_older_code_is_void_after_a_newer_one(acme: Company, secret: str) -> None:
    assert complete(begin(acme.user.email).json()["challenge"], code=code_of(secret, 1)).status_code == 200
    assert_problem(complete(begin(acme.user.email).json()["challenge"], code=code_of(secret)), 401, "wrong_code")


def test_a_challenge_opens_one_session(acme: Company, secret: str) -> None:
    challenge = begin(acme.user.email).json()["challenge"]
    assert complete(challenge, code=code_of(secret)).status_code == 200
    assert_problem(complete(challenge, code=code_of(secret, 1)), 401, "challenge_expired")


def test_a_typing_error_leaves_the_challenge(acme: Company, secret: str) -> None:
    challenge = begin(acme.user.email).json()["challenge"]
    assert_problem(complete(challenge, code="000000"), 401, "wrong_code")
    assert complete(challenge, code=code_of(secret)).status_code == 200


def test_a_challenge_ends_after_five_minutes_and_with_the_password(acme: Company, secret: str) -> None:
    challenge = begin(acme.user.email).json()["challenge"]
    with time_machine.travel(time.time() + 301):
        assert_problem(complete(challenge, code=code_of(secret)), 401, "challenge_expired")
    user = User.objects.get(pk=acme.user.pk)
    user.set_password("another one entirely")
    user.save()
    assert_problem(complete(challenge, code=code_of(secret)), 401, "challenge_expired")


@pytest.mark.parametrize("challenge", ["", "forged", "a:b:c"])
def test_a_forged_challenge_opens_nothing(challenge: str, acme: Company) -> None:
    response = complete(challenge, code="123456")
    assert_problem(response, response.status_code)
    assert response.status_code in (400, 401)


def test_of_two_uses_of_a_code_at_once_one_wins(new_company: Callable[[], Company]) -> None:
    company = new_company()
    secret = enrolled(company.user)
    challenges = [begin(company.user.email).json()["challenge"] for _ in range(2)]
    start, code = Barrier(2), code_of(secret)

    def attempt(challenge: str) -> int:
        try:
            start.wait()
            return int(complete(challenge, code=code).status_code)
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, challenges)) == [200, 401]


def test_recovery_codes_stand_in_once_each(acme: Company, secret: str) -> None:
    first, second, *rest = recovery_codes_generate(user=acme.user)
    assert len(rest) == 8
    challenge = begin(acme.user.email).json()
    assert challenge["methods"] == ["totp", "recovery_codes"]
    assert complete(challenge["challenge"], code=first).status_code == 200
    assert_problem(complete(begin(acme.user.email).json()["challenge"], code=first), 401, "wrong_code")
    assert complete(begin(acme.user.email).json()["challenge"], code=f"{second[:4]} {second[4:]}").status_code == 200


def test_a_token_of_another_organization_does_not_disturb_a_sign_in(acme: Company, bolt: Company) -> None:
    """Clients send what they have with each request."""
    response = bolt.api.send("post", "/api/v1/auth/token/", {"email": acme.user.email, "password": PASSWORD})
    assert response.status_code == 200 and response.json()["organization"] == "acme"


# --- Enrolling --------------------------------------------------------------------------------------------


def test_enrols_an_app(acme: Company, django_capture_on_commit_callbacks: Any) -> None:
    setup = acme.api.post(f"{OWN}totp/begin/").json()
    assert setup["url"].startswith("otpauth://totp/") and setup["secret"] in setup["url"] and "<svg" in setup["svg"]
    body = {"token": setup["token"], "code": code_of(setup["secret"])}
    assert_problem(acme.api.send("post", f"{OWN}totp/activate/", body), 400, "invalid")
    with django_capture_on_commit_callbacks(execute=True):
        assert acme.api.send("post", f"{OWN}totp/activate/", {**body, "password": PASSWORD}).status_code == 204
    assert [one["type"] for one in acme.api.get(OWN).json()["results"]] == ["totp"]
    assert [message.to for message in mail.outbox] == [[acme.user.email]] and "added" in mail.outbox[0].body
    assert_problem(begin(acme.user.email), 401, "second_factor_required")


def test_secrets_are_encrypted_at_rest(acme: Company, secret: str) -> None:
    codes = recovery_codes_generate(user=acme.user)
    kept = str(list(factors(acme).values_list("data", flat=True)))
    assert secret not in kept and not [code for code in codes if code in kept]


def test_a_wrong_first_code_or_anothers_setup_enrols_nobody(acme: Company) -> None:
    setup = acme.api.post(f"{OWN}totp/begin/").json()
    body = {"token": setup["token"], "password": PASSWORD}
    assert_problem(acme.api.send("post", f"{OWN}totp/activate/", {**body, "code": "000000"}), 400, "wrong_code")
    other = acme.api_as(VIEWER).send("post", f"{OWN}totp/activate/", {**body, "code": code_of(setup["secret"])})
    assert_problem(other, 400, "setup_expired")
    assert not factors(acme).exists() and not Authenticator.objects.filter(user_id=acme.members[VIEWER].user.pk).exists()


def test_a_stolen_token_cannot_remove_or_add(acme: Company, secret: str) -> None:
    """A session without the second factor: not even the password suffices; nor one's own new key."""
    row = factors(acme).get()
    for proof in ({}, {"password": PASSWORD}):
        assert_problem(acme.api.send("post", f"{OWN}{row.pk}/remove/", proof), 400, "invalid")
        assert_problem(acme.api.send("post", f"{OWN}recovery-codes/", proof), 400, "invalid")
    assert_problem(acme.api.send("post", f"{OWN}{row.pk}/remove/", {"proof_code": "000000"}), 400, "wrong_proof")
    assert factors(acme).count() == 1


def test_removes_one_by_a_fresh_code_and_recovery_codes_go_along(
    acme: Company, secret: str, django_capture_on_commit_callbacks: Any,
) -> None:
    api = signed_in_by_code(acme.user.email, secret)
    assert len(api.send("post", f"{OWN}recovery-codes/", {"password": PASSWORD}).json()["codes"]) == 10
    assert api.get(OWN).json()["recovery_codes_left"] == 10
    row = factors(acme).get(type="totp")
    with django_capture_on_commit_callbacks(execute=True):
        assert api.send("post", f"{OWN}{row.pk}/remove/", {"proof_code": code_of(secret, 1)}).status_code == 204
    assert "removed" in mail.outbox[-1].body
    assert not factors(acme).exists()
    assert begin(acme.user.email).status_code == 200


def test_nobody_removes_anothers(acme: Company, bolt: Company, secret: str) -> None:
    row = factors(acme).get()
    assert_problem(bolt.api.send("post", f"{OWN}{row.pk}/remove/", {"password": PASSWORD}), 404)
    assert factors(acme).count() == 1


def test_recovery_codes_need_something_to_stand_in_for(acme: Company) -> None:
    assert_problem(acme.api.send("post", f"{OWN}recovery-codes/", {"password": PASSWORD}), 409, "no_second_factor")


def test_an_api_key_has_none(acme: Company) -> None:
    assert_problem(acme.api_by_key("accounts.view_party").get(OWN), 403, "not_a_person")


# --- Security keys ----------------------------------------------------------------------------------------


@pytest.fixture
def key(acme: Company) -> SecurityKey:
    key = SecurityKey()
    setup = acme.api.post(f"{OWN}webauthn/begin/", **LOCALHOST).json()
    body = {"token": setup["token"], "name": "blue key", "password": PASSWORD, "credential": key.create(setup["options"])}
    response = acme.api.send("post", f"{OWN}webauthn/complete/", body, **LOCALHOST)
    assert response.status_code == 204, response.text
    return key


def test_signs_in_by_a_security_key(acme: Company, key: SecurityKey) -> None:
    body = begin(acme.user.email, **LOCALHOST).json()
    assert body["methods"] == ["webauthn"]
    response = answer(body["challenge"], key.get(body["webauthn"]))
    assert response.status_code == 200, response.text
    assert [one["name"] for one in acme.api.get(OWN).json()["results"]] == ["blue key"]


def answer(challenge: str, credential: Any) -> Any:
    body = {"challenge": challenge, "credential": credential}
    return Api().send("post", SECOND, body, **LOCALHOST)


def test_refuses_a_key_of_another_kind_site_or_challenge(acme: Company, key: SecurityKey) -> None:
    first, body = (begin(acme.user.email, **LOCALHOST).json() for _ in range(2))
    other = SecurityKey()
    other.id = key.id
    for credential in (
        other.get(body["webauthn"]), key.get(body["webauthn"], "https://evil.example"), key.get(first["webauthn"]), {"id": 1},
    ):
        assert_problem(answer(body["challenge"], credential), 401, "wrong_code")


def test_refuses_a_key_that_counts_backwards(acme: Company, key: SecurityKey) -> None:
    body = begin(acme.user.email, **LOCALHOST).json()
    assert answer(body["challenge"], key.get(body["webauthn"])).status_code == 200
    key.count = 0
    body = begin(acme.user.email, **LOCALHOST).json()
    assert_problem(answer(body["challenge"], key.get(body["webauthn"])), 401, "wrong_code")


# --- Required ---------------------------------------------------------------------------------------------


@pytest.fixture
def required(acme: Company) -> Company:
    with acme.scope():
        Organization.objects.update(require_mfa=True)
    return acme


def test_who_has_none_may_only_enrol(required: Company) -> None:
    api = required.api_as(MANAGER)
    assert_problem(api.get(PARTIES), 403, "second_factor_enrolment_required")
    assert_problem(api.get(ME), 403, "second_factor_enrolment_required")
    setup = api.post(f"{OWN}totp/begin/").json()
    body = {"token": setup["token"], "code": code_of(setup["secret"]), "password": PASSWORD}
    assert api.send("post", f"{OWN}totp/activate/", body).status_code == 204
    assert api.get(PARTIES).status_code == 200, "this session has shown it now"


def test_a_session_without_it_ends_where_it_is_required(required: Company) -> None:
    secret = enrolled(required.user)
    assert_problem(required.api.get(PARTIES), 403, "second_factor_required")
    assert signed_in_by_code(required.user.email, secret).get(PARTIES).status_code == 200


def test_keys_are_not_people(required: Company) -> None:
    assert required.api_by_key("accounts.view_party").get(PARTIES).status_code == 200


def test_platform_staff_need_one_when_the_setting_asks(acme: Company, settings: Any) -> None:
    User.objects.filter(pk=acme.user.pk).update(is_superuser=True)
    assert acme.api.get(PARTIES).status_code == 200
    settings.PLATFORM_STAFF_NEEDS_SECOND_FACTOR = True
    assert_problem(acme.api.get(PARTIES), 403, "second_factor_enrolment_required")


def test_nobody_shuts_themselves_out(acme: Company) -> None:
    url = f"/api/v1/organizations/{acme.organization.pk}/"
    assert_problem(acme.api.send("patch", url, {"require_mfa": True}), 400, "no_second_factor")
    api = signed_in_by_code(acme.user.email, enrolled(acme.user))
    assert api.send("patch", url, {"require_mfa": True}).json()["require_mfa"] is True


def test_the_admin_says_so_too(acme: Company) -> None:
    url = f"/admin/accounts/organization/{acme.organization.pk}/change/"
    values = {"name": "Acme", "base_currency": "EUR", "timezone": "UTC", "require_mfa": "on", "_version": "1"}
    assert "First enrol a second factor" in acme.admin.post(url, values).text
    with acme.scope():
        assert not Organization.objects.get().require_mfa


# --- Lost -------------------------------------------------------------------------------------------------


def test_operators_reset_for_a_reason(acme: Company, secret: str, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        call_command("reset_second_factor", acme.user.email, reason="lost the phone")
    assert begin(acme.user.email).status_code == 200
    assert "lost the phone" in mail.outbox[-1].body
    with acme.scope():
        entry = AuditEntry.objects.filter(row_id=acme.user.pk).latest("id")
        assert "second_factor_at" in entry.changes and entry.reason == "lost the phone"


@pytest.mark.parametrize(("email", "reason"), [("nobody@acme.test", "lost the phone"), ("admin@acme.test", " ")])
def test_operators_are_told_what_is_wrong(email: str, reason: str, acme: Company, secret: str) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("reset_second_factor", email, reason=reason)
    assert refused.value.returncode == 2
    assert Authenticator.objects.exists()


def test_an_admin_resets_a_member_of_this_organization_alone(acme: Company, bolt: Company) -> None:
    member = acme.members[VIEWER].user
    enrolled(member)
    with acme.scope():
        url = f"/admin/accounts/membership/{Membership.objects.get(user=member).pk}/reset-second-factor/"
    with bolt.scope():
        elsewhere = Membership.objects.create(user=member)
    assert "other organizations" in acme.admin.post(url, follow=True).text
    assert Authenticator.objects.filter(user_id=member.pk).exists()
    with bolt.scope():
        elsewhere.delete()
    acme.admin_as(MANAGER).post(url)
    assert Authenticator.objects.filter(user_id=member.pk).exists(), "managers do not manage members"
    acme.admin.post(url)
    assert not Authenticator.objects.filter(user_id=member.pk).exists()
