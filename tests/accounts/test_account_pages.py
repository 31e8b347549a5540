"""The pages that mailed links lead to, as a person without a front end uses them."""

from typing import Any

from django.test import Client

from accounts.models import Membership, User
from accounts.permissions import VIEWER
from tests.accounts.mails import last_mail, link_in
from tests.companies import PASSWORD, Api, Company

NEW = "Entirely 1 new"


def address(message: Any) -> str:
    return link_in(message).removeprefix("http://127.0.0.1:8000")


def text(response: Any) -> str:
    return str(response.content.decode())


def invited(company: Company, mailing: Any, email: str) -> str:
    with mailing():
        company.api.send("post", "/api/v1/invitations/", {"email": email, "roles": [VIEWER]})
    return address(last_mail(email))


def test_verifying_takes_a_button_not_a_look(mailing: Any) -> None:
    with mailing():
        Api().send("post", "/api/v1/auth/sign-up/", {"email": "ann@new.test", "password": PASSWORD, "name": "Ann"})
    page, browser = address(last_mail("ann@new.test")), Client()
    assert browser.get(page).status_code == 200 and browser.head(page).status_code == 405
    assert User.objects.get(email="ann@new.test").email_verified_at is None
    assert "is verified" in text(browser.post(page))
    again = browser.post(page)
    assert again.status_code == 400 and "used already" in text(again)


def test_posts_need_the_csrf_token(acme: Company, mailing: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/account/reset-password/", {"email": acme.user.email}).status_code == 403


def test_a_forgotten_password_from_the_admins_sign_in_page(acme: Company, mailing: Any) -> None:
    browser = Client()
    assert 'href="/account/reset-password/"' in text(browser.get("/admin/login/"))
    with mailing():
        assert "a mail with a link is on its way" in text(browser.post("/account/reset-password/", {"email": acme.user.email}))
    page = address(last_mail(acme.user.email))
    differing = browser.post(page, {"password": NEW, "again": "x"})
    assert differing.status_code == 400 and "differ" in text(differing)
    weak = browser.post(page, {"password": "weak", "again": "weak"})
    assert "too short" in text(weak) and 'aria-invalid="true"' in text(weak)
    assert "Your password has changed" in text(browser.post(page, {"password": NEW, "again": NEW}))
    assert browser.post("/admin/login/", {"username": acme.user.email, "password": NEW}).status_code == 302


def test_an_invited_person_joins_and_signs_in(acme: Company, mailing: Any) -> None:
    browser, page = Client(), invited(acme, mailing, "guest@new.test")
    form = text(browser.get(page))
    assert "Join Acme as guest@new.test" in form and 'autocomplete="new-password"' in form
    done = browser.post(page, {"name": "Gus", "password": PASSWORD, "again": PASSWORD})
    assert "You are a member of Acme now" in text(done)
    assert browser.post("/admin/login/", {"username": "guest@new.test", "password": PASSWORD}).status_code == 302
    assert browser.get("/admin/").status_code == 200


def test_somebody_with_an_account_joins_by_its_password_or_by_a_button(acme: Company, bolt: Company, mailing: Any) -> None:
    person = bolt.members[VIEWER].user
    page = invited(acme, mailing, person.email)
    assert "Password of your account" in text(Client().get(page))
    assert "Password of your account" in text(bolt.admin.get(page)), "somebody else is signed in"
    browser = bolt.admin_as(VIEWER)
    assert "Password" not in text(browser.get(page))
    assert "You are a member" in text(browser.post(page))
    with acme.scope():
        assert Membership.objects.filter(user=person).exists()


def test_what_is_no_invitation_says_so(db: None) -> None:
    response = Client().get("/account/invitation/no-such/")
    assert response.status_code == 404 and "newer one has taken its place" in text(response)
