"""Signing up, and proving an address."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone

from accounts.models import User
from tests.accounts.mails import key_in, last_mail, link_in, mails_to
from tests.companies import PASSWORD, Api, Company
from tests.contracts.resources import assert_problem, pointers

SIGN_UP, VERIFY, RESEND = "/api/v1/auth/sign-up/", "/api/v1/auth/verify-email/", "/api/v1/auth/verify-email/resend/"
TOKEN, ME = "/api/v1/auth/token/", "/api/v1/me/"
ANN = {"email": "Ann@New.test", "password": PASSWORD, "name": "Ann Lee"}


def sign_up(mailing: Any, **values: str) -> Any:
    with mailing():
        return Api().send("post", SIGN_UP, {**ANN, **values})


def sign_in(email: str = "ann@new.test", password: str = PASSWORD) -> Any:
    return Api().send("post", TOKEN, {"email": email, "password": password})


def verify(key: str) -> Any:
    return Api().send("post", VERIFY, {"key": key})


def test_a_new_person_verifies_the_address_and_works_in_an_organization_of_their_own(mailing: Any) -> None:
    assert sign_up(mailing, organization_name="Lee Tools").status_code == 202
    refused = assert_problem(sign_in(), 401, "sign_in_refused")
    assert refused["detail"] == assert_problem(sign_in("nobody@new.test"), 401)["detail"]
    message = last_mail("ann@new.test")
    assert "Hello Ann Lee" in message.body and link_in(message) in message.alternatives[0][0]
    assert verify(key_in(message)).json() == {"email": "ann@new.test"}
    own = Api(f"Bearer {sign_in().json()['access_token']}").get(ME).json()
    assert own["organization"]["name"] == "Lee Tools" and own["roles"] == ["admin"]
    assert User.objects.get(email="ann@new.test").email_verified_at is not None


def test_an_address_is_believed_where_the_setting_says_so(mailing: Any, settings: Any) -> None:
    settings.AUTO_VERIFY_EMAIL = True
    assert sign_up(mailing).status_code == 202
    assert sign_in().status_code == 200 and not mails_to("ann@new.test")
    assert EmailAddress.objects.get(email="ann@new.test").verified


def test_the_organization_is_named_after_who_names_none(mailing: Any) -> None:
    sign_up(mailing)
    verify(key_in(last_mail("ann@new.test")))
    own = Api(f"Bearer {sign_in().json()['access_token']}").get(ME).json()["organization"]
    assert own["name"] == "Ann Lee" and own["slug"].startswith("ann-lee-")


def test_an_address_in_use_looks_like_a_new_one_and_its_owner_is_told(acme: Company, mailing: Any) -> None:
    new, taken = sign_up(mailing), sign_up(mailing, email=acme.user.email, name="Eve", password="Another 1 password")
    assert (new.status_code, new.json()) == (taken.status_code, taken.json())
    assert "one that has an account" not in taken.text
    assert last_mail(acme.user.email).subject == "You have an account already"
    assert User.objects.get(email=acme.user.email).name == acme.user.name
    assert sign_in(acme.user.email).status_code == 200, "the password is still the owner's"


@pytest.mark.parametrize(("values", "field"), [
    ({"password": "Short 1"}, "password"), ({"password": "all lower 1"}, "password"), ({"password": "ALL UPPER 1"}, "password"),
    ({"password": "No digit here"}, "password"), ({"password": "Password1"}, "password"),
    ({"password": "Ann@New.test1"}, "password"),
    ({"email": "no address"}, "email"), ({"name": "  "}, "name"),
])  # fmt: skip
def test_what_is_wrong_is_said_at_the_field_and_nothing_is_made(values: dict[str, str], field: str, mailing: Any) -> None:
    before = User.objects.count()
    assert pointers(assert_problem(sign_up(mailing, **values), 400)) == {f"/{field}"}
    assert User.objects.count() == before and not mail.outbox


@pytest.mark.parametrize("password", ["Aardvark7", "Zürich 2026", "Äpfel und 3 Birnen", "Pass!word#99x"])
def test_good_passwords_with_and_without_symbols(password: str, mailing: Any) -> None:
    assert sign_up(mailing, password=password).status_code == 202


def test_a_closed_installation_takes_nobody(settings: Any, mailing: Any) -> None:
    settings.SIGN_UP_OPEN = False
    assert_problem(sign_up(mailing), 403, "sign_up_closed")
    assert not User.objects.filter(email="ann@new.test").exists()


def test_a_link_works_once_for_three_days_and_whole(mailing: Any) -> None:
    sign_up(mailing)
    key = key_in(last_mail("ann@new.test"))
    assert_problem(verify(key[:-3]), 400, "link_invalid")
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=1)):
        assert_problem(verify(key), 400, "link_expired")
    assert verify(key).status_code == 200
    assert_problem(verify(key), 409, "link_used")


def test_the_link_is_mailed_again_to_who_needs_it_alone(acme: Company, mailing: Any) -> None:
    sign_up(mailing)
    with mailing():
        answers = [Api().send("post", RESEND, {"email": email}) for email in ("ann@new.test", acme.user.email, "no@where.test")]
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1 and answers[0].status_code == 202
    assert len(mails_to("ann@new.test")) == 2 and not mails_to(acme.user.email) and not mails_to("no@where.test")
    assert verify(key_in(last_mail("ann@new.test"))).status_code == 200


def test_links_lead_to_the_front_end_where_there_is_one(settings: Any, mailing: Any) -> None:
    settings.FRONTEND_URL = "https://shop.example"
    sign_up(mailing)
    assert link_in(last_mail("ann@new.test")).startswith("https://shop.example/verify-email?key=")


def test_a_mail_server_that_is_down_does_not_undo_the_sign_up(
    settings: Any, mailing: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 1  # nobody listens there
    assert sign_up(mailing).status_code == 202
    assert "The mail welcome was not sent" in caplog.text
    assert User.objects.filter(email="ann@new.test").exists()


# --- Another address ----------------------------------------------------------------------------------------


def ask(company: Company, mailing: Any, email: str = "New@Acme.test", password: str = PASSWORD) -> Any:
    with mailing():
        return company.api.send("post", "/api/v1/auth/email/change/", {"email": email, "password": password})


def test_a_new_address_takes_effect_when_it_is_verified_and_the_old_one_is_told(acme: Company, mailing: Any) -> None:
    old = acme.user.email
    assert ask(acme, mailing).status_code == 202
    assert "new@acme.test" in last_mail(old).body and "key" not in last_mail(old).body
    assert sign_in(old).status_code == 200 and sign_in("new@acme.test").status_code == 401
    key = key_in(last_mail("new@acme.test"))
    assert verify(key).json() == {"email": "new@acme.test"}
    assert sign_in("new@acme.test").status_code == 200 and sign_in(old).status_code == 401
    assert list(EmailAddress.objects.filter(user=acme.user).values_list("email", "verified")) == [("new@acme.test", True)]
    assert_problem(verify(key), 409, "link_used")


def test_only_the_last_address_that_was_asked_for_counts(acme: Company, mailing: Any) -> None:
    ask(acme, mailing)
    first = key_in(last_mail("new@acme.test"))
    ask(acme, mailing, "newer@acme.test")
    assert_problem(verify(first), 409, "link_used")
    assert verify(key_in(last_mail("newer@acme.test"))).status_code == 200


def test_an_address_in_use_gets_no_link(acme: Company, bolt: Company, mailing: Any) -> None:
    assert ask(acme, mailing).text == ask(acme, mailing, bolt.user.email).text
    assert not mails_to(bolt.user.email)


def test_an_address_taken_meanwhile_is_refused(acme: Company, mailing: Any) -> None:
    ask(acme, mailing)
    User.objects.create_user("new@acme.test", PASSWORD, name="Other")
    assert_problem(verify(key_in(last_mail("new@acme.test"))), 409, "email_taken")


@pytest.mark.parametrize(("email", "password", "field"), [
    ("new@acme.test", "wrong", "password"), ("admin@acme.test", PASSWORD, "email"), ("x", PASSWORD, "email"),
])  # fmt: skip
def test_a_wrong_request_for_another_address(email: str, password: str, field: str, acme: Company, mailing: Any) -> None:
    assert pointers(assert_problem(ask(acme, mailing, email, password), 400)) == {f"/{field}"}
    assert not mail.outbox


def test_a_key_has_no_address(acme: Company) -> None:
    body = {"email": "new@acme.test", "password": PASSWORD}
    assert_problem(acme.api_by_key().send("post", "/api/v1/auth/email/change/", body), 403)
