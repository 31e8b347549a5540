"""Forgotten and changed passwords."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from accounts.models import User
from accounts.permissions import ADMIN, VIEWER
from tests.accounts.mails import key_in, last_mail, mails_to
from tests.companies import PASSWORD, Api, Company, signed_in
from tests.contracts.resources import assert_problem, pointers

RESET, CONFIRM, CHANGE = (
    f"/api/v1/auth/password/{what}/" for what in ("reset", "reset/confirm", "change")
)  # fmt: skip
ME, REFRESH = "/api/v1/me/", "/api/v1/auth/token/refresh/"
NEW = "Entirely 1 new"


def can_sign_in(email: str, password: str) -> bool:
    return bool(Api().send("post", "/api/v1/auth/token/", {"email": email, "password": password}).status_code == 200)


def asked(mailing: Any, email: str) -> Any:
    with mailing():
        return Api().send("post", RESET, {"email": email})


def confirmed(mailing: Any, key: str, password: str = NEW) -> Any:
    with mailing():
        return Api().send("post", CONFIRM, {"key": key, "password": password})


def test_a_forgotten_password_is_replaced_and_all_sign_ins_end(acme: Company, mailing: Any) -> None:
    email, tokens, browser = acme.user.email, signed_in(acme.user), acme.admin
    assert browser.get("/admin/").status_code == 200
    assert asked(mailing, email.upper()).status_code == 202
    assert confirmed(mailing, key_in(last_mail(email))).status_code == 204
    assert can_sign_in(email, NEW) and not can_sign_in(email, PASSWORD)
    assert_problem(Api(f"Bearer {tokens.access_token}").get(ME), 401)
    assert_problem(Api().send("post", REFRESH, {"refresh_token": tokens.refresh_token}), 401)
    assert browser.get("/admin/").status_code == 302
    assert last_mail(email).subject == "Your password has changed"


def test_the_answer_never_tells_whether_an_address_is_known(acme: Company, mailing: Any) -> None:
    known, unknown = asked(mailing, acme.user.email), asked(mailing, "nobody@nowhere.test")
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    assert [message.to for message in mail.outbox] == [[acme.user.email]]


def test_a_link_works_once_and_for_an_hour(acme: Company, mailing: Any) -> None:
    asked(mailing, acme.user.email)
    key = key_in(last_mail(acme.user.email))
    with time_machine.travel(timezone.now() + timedelta(hours=1, minutes=1)):
        assert_problem(confirmed(mailing, key), 400, "link_invalid")
    assert_problem(confirmed(mailing, f"{key[:-1]}{'a' if key[-1] != 'a' else 'b'}"), 400, "link_invalid")
    assert confirmed(mailing, key).status_code == 204
    assert_problem(confirmed(mailing, key, "Yet 1 another"), 400, "link_invalid")
    assert can_sign_in(acme.user.email, NEW)


@pytest.mark.parametrize("key", ["x", "x-y", "-", "00000000000000000000000000000007-abc-def", "a\u00e9-1"])
def test_what_is_no_key_is_refused(key: str, db: None) -> None:
    assert_problem(Api().send("post", CONFIRM, {"key": key, "password": NEW}), 400, "link_invalid")


def test_a_weak_password_is_refused_and_the_link_still_works(acme: Company, mailing: Any) -> None:
    asked(mailing, acme.user.email)
    key = key_in(last_mail(acme.user.email))
    assert pointers(assert_problem(confirmed(mailing, key, "weak"), 400, "password_refused")) == {"/password"}
    assert confirmed(mailing, key).status_code == 204


def test_the_mailed_link_proves_the_address(mailing: Any) -> None:
    user = User.objects.create_user("late@new.test", PASSWORD, name="Late", email_verified_at=None)
    asked(mailing, user.email)
    confirmed(mailing, key_in(last_mail(user.email)))
    assert User.objects.get(pk=user.pk).email_verified_at is not None


def test_who_is_not_active_gets_no_link(acme: Company, mailing: Any) -> None:
    person = acme.members[VIEWER].user
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert asked(mailing, person.email).status_code == 202
    assert not mails_to(person.email)


# --- Changed ----------------------------------------------------------------------------------------------


def change(api: Api, mailing: Any, old: str = PASSWORD, new: str = NEW) -> Any:
    with mailing():
        return api.send("post", CHANGE, {"old_password": old, "new_password": new})


def test_a_change_keeps_this_sign_in_and_ends_the_others(acme: Company, mailing: Any) -> None:
    here, there, browser = signed_in(acme.user), signed_in(acme.user), acme.admin
    assert browser.get("/admin/").status_code == 200
    api = Api(f"Bearer {here.access_token}")
    assert change(api, mailing).status_code == 204
    assert api.get(ME).status_code == 200
    assert Api().send("post", REFRESH, {"refresh_token": here.refresh_token}).status_code == 200
    assert_problem(Api(f"Bearer {there.access_token}").get(ME), 401)
    assert browser.get("/admin/").status_code == 302
    assert "192.0.2" not in last_mail(acme.user.email).body and "127.0.0.1" in last_mail(acme.user.email).body
    assert can_sign_in(acme.user.email, NEW)


@pytest.mark.parametrize(("old", "new", "code"), [
    ("wrong", NEW, "wrong_password"), (PASSWORD, "no upper 1", "password_refused"), (PASSWORD, "a\0B1cdefgh", "invalid"),
])  # fmt: skip
def test_a_change_that_is_refused_changes_nothing(old: str, new: str, code: str, acme: Company, mailing: Any) -> None:
    assert_problem(change(acme.api, mailing, old, new), 400, code)
    assert can_sign_in(acme.user.email, PASSWORD) and not mail.outbox


def test_a_viewer_may_change_the_own_password_and_a_key_has_none(acme: Company, mailing: Any) -> None:
    assert change(Api(f"Bearer {signed_in(acme.members[VIEWER].user).access_token}"), mailing).status_code == 204
    assert_problem(change(acme.api_by_key(), mailing), 403)
    assert can_sign_in(acme.members[ADMIN].user.email, PASSWORD)


def test_a_change_in_the_admin_follows_the_rule_ends_the_others_and_is_told(acme: Company, mailing: Any) -> None:
    browser, tokens = acme.admin, signed_in(acme.user)
    page = "/admin/password_change/"
    weak = browser.post(page, {"old_password": PASSWORD, "new_password1": "all lower 1", "new_password2": "all lower 1"})
    assert weak.status_code == 200 and "upper-case" in weak.content.decode()
    with mailing():
        done = browser.post(page, {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW})
    assert done.status_code == 302
    assert browser.get("/admin/").status_code == 200
    assert_problem(Api(f"Bearer {tokens.access_token}").get(ME), 401)
    assert last_mail(acme.user.email).subject == "Your password has changed"
