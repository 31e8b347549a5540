"""Guessing is slow: five wrong passwords or codes for an account, fifty from an address, then a pause."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.permissions import MANAGER, VIEWER
from accounts.services.attempts import LockedOut
from tests.accounts.second_factor_kit import OWN, begin, code_of, complete, enrolled, signed_in_by_code
from tests.companies import PASSWORD, Api, Company, signed_in
from tests.contracts.resources import assert_problem

ELSEWHERE = {"REMOTE_ADDR": "198.51.100.7"}


def guess(email: str, times: int, **options: Any) -> list[int]:
    return [begin(email, f"wrong {number}", **options).status_code for number in range(times)]


def test_the_account_is_locked_after_five_and_the_password_does_not_help(acme: Company) -> None:
    email = acme.user.email
    assert guess(email, 5) == [401, 401, 401, 401, 429]
    response = begin(email.upper())
    assert_problem(response, 429, "locked_out")
    assert 0 < int(response.headers["Retry-After"]) <= 901
    assert "15 minutes" in response.json()["detail"]
    assert begin(email, **ELSEWHERE).status_code == 429, "an account, from wherever"
    assert begin(acme.members[VIEWER].user.email).status_code == 200, "not the others"


def test_it_ends_by_itself(acme: Company) -> None:
    guess(acme.user.email, 5)
    begin(acme.user.email)
    with time_machine.travel(time.time() + 14 * 60):
        assert begin(acme.user.email).status_code == 429
    with time_machine.travel(time.time() + 15 * 60 + 5):
        assert begin(acme.user.email).status_code == 200, "asking meanwhile did not make it longer"


def test_who_is_unknown_is_locked_in_the_same_way(db: None) -> None:
    assert guess("nobody@example.test", 5) == [401, 401, 401, 401, 429]


def test_an_address_is_locked_whatever_the_account(acme: Company, settings: Any) -> None:
    settings.LOCK_OUT_ADDRESS_FAILURES = 8
    for number in range(8):
        begin(f"person{number}@example.test", "wrong", **ELSEWHERE)
    assert begin(acme.user.email, **ELSEWHERE).status_code == 429
    assert begin(acme.user.email).status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-Ip", "Forwarded", "Client-Ip", "X-Client-Ip"])
def test_a_forged_header_is_no_other_address(header: str, acme: Company, settings: Any) -> None:
    settings.LOCK_OUT_ADDRESS_FAILURES = 3
    for number in range(3):
        begin(f"person{number}@example.test", "wrong", headers={header: f"203.0.113.{number}"})
    assert begin(acme.user.email, headers={header: "203.0.113.99"}).status_code == 429
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {"127.0.0.1"}


def test_on_lambda_the_address_is_the_events(acme: Company) -> None:
    event = {"lambda.event": {"requestContext": {"http": {"sourceIp": "203.0.113.5"}}}}
    begin(acme.user.email, "wrong", headers={"X-Forwarded-For": "198.51.100.1"}, **event)
    assert AccessAttempt.objects.get().ip_address == "203.0.113.5"


def test_anothers_success_resets_nothing(acme: Company) -> None:
    guess(acme.user.email, 4)
    assert begin(acme.members[VIEWER].user.email).status_code == 200
    assert guess(acme.user.email, 1) == [429]


def test_ones_own_success_forgives_ones_own_typing(acme: Company) -> None:
    guess(acme.user.email, 4)
    assert begin(acme.user.email).status_code == 200
    assert guess(acme.user.email, 4) == [401] * 4


def test_the_owners_success_gives_an_attacker_no_more_guesses(acme: Company) -> None:
    guess(acme.user.email, 4, **ELSEWHERE)
    assert begin(acme.user.email).status_code == 200
    assert guess(acme.user.email, 1, **ELSEWHERE) == [429]


def test_wrong_codes_count_and_the_right_password_does_not_forgive_them(acme: Company) -> None:
    secret = enrolled(acme.user)
    for _ in range(5):
        response = complete(begin(acme.user.email).json()["challenge"], code="000000")
    assert_problem(response, 429, "locked_out")
    assert begin(acme.user.email).status_code == 429
    with time_machine.travel(time.time() + 16 * 60):
        assert complete(begin(acme.user.email).json()["challenge"], code=code_of(secret)).status_code == 200


def test_what_a_refused_request_counted_stays_counted(new_company: Callable[[], Company]) -> None:
    """A request that fails is rolled back; the guess in it is not. With real commits."""
    company = new_company()
    api = signed_in_by_code(company.user.email, enrolled(company.user))
    url = f"{OWN}{Authenticator.objects.get(user_id=company.user.pk).pk}/remove/"
    answers = [api.send("post", url, {"proof_code": "000000"}).status_code for _ in range(6)]
    assert answers == [400] * 5 + [429]
    assert api.send("post", url, {"password": PASSWORD}).status_code == 429


def test_a_token_does_not_hide_guesses(new_company: Callable[[], Company]) -> None:
    company = new_company()
    victim, api = company.members[MANAGER].user.email, company.api_as(VIEWER)
    body = {"email": victim, "password": "wrong"}
    assert [api.send("post", "/api/v1/auth/token/", body).status_code for _ in range(5)] == [401] * 4 + [429]


def test_the_admin_counts_too_and_says_it_in_words(acme: Company) -> None:
    browser = Client()
    for number in range(5):
        page = browser.post("/admin/login/", {"username": acme.user.email, "password": f"wrong {number}"})
    assert "Too many wrong attempts" in page.text
    assert "Too many wrong attempts" in browser.post("/admin/login/", {"username": acme.user.email, "password": PASSWORD}).text
    assert browser.get("/admin/").status_code == 302
    assert begin(acme.user.email).status_code == 429, "one count for both doors"


def test_no_password_and_no_code_is_kept(acme: Company) -> None:
    Client().post("/admin/login/", {"username": acme.user.email, "password": "my other password"})
    begin(acme.user.email, "my third password")
    kept = str(list(AccessAttempt.objects.values()))
    assert "my other" not in kept and "my third" not in kept


def test_a_service_is_locked_too(acme: Company) -> None:
    guess(acme.user.email, 5)
    with pytest.raises(LockedOut):
        signed_in(acme.user)


# --- Unlocking --------------------------------------------------------------------------------------------


def test_operators_unlock(acme: Company) -> None:
    guess(acme.user.email, 5)
    call_command("unlock", acme.user.email)
    assert begin(acme.user.email).status_code == 200
    guess("nobody@example.test", 1)
    call_command("unlock", address="127.0.0.1")
    assert not AccessAttempt.objects.exists()


@pytest.mark.parametrize("arguments", [[], ["admin@acme.test", "--address", "127.0.0.1"], ["nobody@acme.test"]])
def test_operators_are_told_what_is_wrong(arguments: list[str], acme: Company) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("unlock", *arguments)
    assert refused.value.returncode == 2


def test_an_admin_sees_and_unlocks_own_members_alone(acme: Company, bolt: Company) -> None:
    own, other = acme.members[VIEWER].user.email, bolt.members[VIEWER].user.email
    guess(own, 5)
    guess(other, 5)
    page = acme.admin.get("/admin/locked-accounts/").text
    assert own in page and other not in page
    assert acme.admin_as(MANAGER).get("/admin/locked-accounts/").status_code == 403
    acme.admin.post("/admin/locked-accounts/", {"email": other})
    assert begin(other).status_code == 429
    acme.admin.post("/admin/locked-accounts/", {"email": own})
    assert begin(own).status_code == 200


def test_nothing_of_a_locked_account_is_answered(acme: Company) -> None:
    guess(acme.user.email, 5)
    assert "access_token" not in begin(acme.user.email).text
    assert Api().get("/api/v1/me/").status_code == 401
