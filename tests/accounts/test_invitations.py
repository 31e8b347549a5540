"""Inviting people, and joining."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connections
from django.utils import timezone

from accounts.models import Invitation, Membership, Role, User
from accounts.permissions import ADMIN, MANAGER, VIEWER
from tests.accounts.mails import key_in, last_mail, mails_to
from tests.companies import PASSWORD, Api, Company, signed_in
from tests.contracts.resources import assert_problem, pointers

ALL, ACCEPT, ME = "/api/v1/invitations/", "/api/v1/auth/invitation/accept/", "/api/v1/me/"
GUEST = "guest@new.test"
NEW_PERSON = {"name": "Gus Guest", "password": PASSWORD}


def invite(
    company: Company, mailing: Any, email: str = "Guest@new.test", roles: tuple[str, ...] = (VIEWER,), api: Any = None,
) -> Any:
    with mailing():
        return (api or company.api).send("post", ALL, {"email": email, "roles": list(roles)})


def accept(token: str, api: Api | None = None, **body: str) -> Any:
    return (api or Api()).send("post", ACCEPT, {"token": token, **body})


def members(company: Company, email: str = GUEST) -> int:
    with company.scope():
        return Membership.objects.filter(user__email=email).count()


def test_a_new_person_joins_with_the_roles_and_a_verified_address(acme: Company, mailing: Any) -> None:
    response = invite(acme, mailing, roles=(VIEWER, MANAGER))
    assert response.status_code == 201 and "token" not in response.text
    message = last_mail(GUEST)
    assert "Acme" in message.subject and acme.user.name in message.body and "Viewer, Manager" in message.body.replace(
        "Manager, Viewer", "Viewer, Manager",
    )  # fmt: skip
    assert accept(key_in(message), **NEW_PERSON).json() == {"email": GUEST, "organization": "Acme"}
    own = Api(f"Bearer {signed_in(User.objects.get(email=GUEST)).access_token}").get(ME).json()
    assert (own["name"], own["roles"]) == ("Gus Guest", [MANAGER, VIEWER])
    assert acme.api.get(f"{ALL}{response.json()['id']}/").json()["accepted_at"]


def test_somebody_who_has_an_account_joins_by_its_password_or_signed_in(acme: Company, bolt: Company, mailing: Any) -> None:
    person = bolt.members[VIEWER].user
    invite(acme, mailing, person.email)
    token = key_in(last_mail(person.email))
    assert pointers(assert_problem(accept(token), 400, "wrong_password")) == {"/password"}
    assert_problem(accept(token, name="Eve", password="Wrong 1 password"), 400, "wrong_password")
    assert accept(token, bolt.api_as(VIEWER)).status_code == 200
    assert User.objects.get(pk=person.pk).name == person.name
    assert signed_in(person, "acme").roles == (VIEWER,)
    invite(acme, mailing, bolt.user.email)
    assert accept(key_in(last_mail(bolt.user.email)), password=PASSWORD).status_code == 200


def test_nobody_joins_in_anothers_place(acme: Company, bolt: Company, mailing: Any) -> None:
    invite(acme, mailing)
    assert_problem(accept(key_in(last_mail(GUEST)), bolt.api), 409, "other_address")
    assert not members(acme, bolt.user.email)


def test_a_sign_in_that_has_ended_joins_nothing(acme: Company, bolt: Company, mailing: Any) -> None:
    invite(acme, mailing, bolt.user.email)
    api = Api(f"Bearer {signed_in(bolt.user).access_token}")
    api.post("/api/v1/auth/sign-out/")
    assert_problem(accept(key_in(last_mail(bolt.user.email)), api), 401)


def test_who_signed_up_but_never_verified_is_written_anew(acme: Company, mailing: Any) -> None:
    """Else a stranger could sign up with the address first, and wait for its owner to be invited."""
    User.objects.create_user(GUEST, "Strangers 1 password", name="Stranger", email_verified_at=None)
    invite(acme, mailing)
    assert accept(key_in(last_mail(GUEST)), **NEW_PERSON).status_code == 200
    person = User.objects.get(email=GUEST)
    assert person.check_password(PASSWORD) and person.name == "Gus Guest" and person.email_verified_at


def test_used_expired_revoked_and_unknown_links_each_say_so(acme: Company, mailing: Any) -> None:
    row = invite(acme, mailing).json()
    token = key_in(last_mail(GUEST))
    assert_problem(accept(f"{token}x", **NEW_PERSON), 400, "invitation_unknown")
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        assert_problem(accept(token, **NEW_PERSON), 409, "invitation_expired")
    assert accept(token, **NEW_PERSON).status_code == 200
    assert_problem(accept(token, **NEW_PERSON), 409, "invitation_used")
    assert_problem(acme.api.post(f"{ALL}{row['id']}/revoke/"), 409, "invitation_used")
    other = invite(acme, mailing, "other@new.test").json()
    assert acme.api.post(f"{ALL}{other['id']}/revoke/").json()["revoked_at"]
    assert_problem(accept(key_in(last_mail("other@new.test")), **NEW_PERSON), 409, "invitation_revoked")
    assert not User.objects.filter(email="other@new.test").exists()


def test_a_link_that_is_sent_again_takes_the_place_of_the_first(acme: Company, mailing: Any) -> None:
    row = invite(acme, mailing).json()
    first = key_in(last_mail(GUEST))
    with mailing():
        again = acme.api.post(f"{ALL}{row['id']}/resend/")
    assert again.status_code == 200 and again.json()["expires_at"] > row["expires_at"]
    assert_problem(accept(first, **NEW_PERSON), 400, "invitation_unknown")
    assert accept(key_in(last_mail(GUEST)), **NEW_PERSON).status_code == 200


def test_one_is_open_at_a_time_and_an_expired_one_makes_room(acme: Company, bolt: Company, mailing: Any) -> None:
    first = invite(acme, mailing).json()
    assert_problem(invite(acme, mailing), 400, "unique")
    assert invite(bolt, mailing).status_code == 201, "another organization may invite the same person"
    with acme.scope():
        Invitation.objects.update(expires_at=timezone.now())
    assert invite(acme, mailing).status_code == 201
    assert acme.api.get(f"{ALL}{first['id']}/").json()["revoked_at"]


def test_nobody_invites_into_a_higher_role_or_one_that_is_not_there(acme: Company, bolt: Company, mailing: Any) -> None:
    with acme.scope():
        Role.objects.create(code="greeter", name="Greeter", permissions=["accounts.view_party"])
    with bolt.scope():
        Role.objects.create(code="theirs", name="Theirs")
    key = acme.api_by_key("accounts.add_invitation", "accounts.view_invitation", "accounts.view_party")
    assert_problem(invite(acme, mailing, roles=(ADMIN,), api=key), 403, "permission_denied")
    assert invite(acme, mailing, roles=("greeter",), api=key).status_code == 201
    for roles in ((), ("theirs",), (VIEWER, "none")):
        assert pointers(assert_problem(invite(acme, mailing, "x@new.test", roles), 400)) >= {"/roles"}
    assert_problem(invite(acme, mailing, api=acme.api_as(MANAGER)), 403)
    assert not mails_to("x@new.test")


def test_a_member_is_not_invited(acme: Company, mailing: Any) -> None:
    assert_problem(invite(acme, mailing, acme.members[VIEWER].user.email), 409, "already_member")
    assert not mail.outbox


@pytest.mark.parametrize(("body", "field"), [
    ({}, "name"), ({"name": "Gus"}, "password"), ({"name": "Gus", "password": "weak"}, "password"),
])  # fmt: skip
def test_a_new_person_gives_a_name_and_a_good_password(body: dict[str, str], field: str, acme: Company, mailing: Any) -> None:
    invite(acme, mailing)
    token = key_in(last_mail(GUEST))
    assert pointers(assert_problem(accept(token, **body), 400)) == {f"/{field}"}
    assert not members(acme) and not User.objects.filter(email=GUEST).exists()
    assert accept(token, **NEW_PERSON).status_code == 200


def test_accepted_twice_at_once_makes_one_member(new_company: Callable[[], Company], settings: Any) -> None:
    company = new_company()
    email = f"guest@{company.organization.slug}.test"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    assert company.api.send("post", ALL, {"email": email, "roles": [VIEWER]}).status_code == 201
    token, start = key_in(last_mail(email)), Barrier(2)

    def attempt(_: int) -> int:
        try:
            start.wait()
            return int(accept(token, **NEW_PERSON).status_code)
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(attempt, range(2)))
    assert statuses[0] == 200 and statuses[1] in (400, 409)
    assert members(company, email) == 1


# --- In the admin ---------------------------------------------------------------------------------------------


def test_an_admin_invites_sends_again_and_revokes_on_the_admins_pages(acme: Company, mailing: Any) -> None:
    client = acme.admin
    with mailing():
        response = client.post("/admin/accounts/invitation/add/", {"email": "Guest@New.test", "roles": [VIEWER]})
    assert response.status_code == 302, response.content
    first = key_in(last_mail(GUEST))
    with acme.scope():
        row = Invitation.objects.get(email=GUEST)
    page = f"/admin/accounts/invitation/{row.pk}"
    assert GUEST in client.get("/admin/accounts/invitation/").content.decode()
    assert client.get(f"{page}/change/").status_code == 200 and client.get(f"{page}/resend/").status_code == 200
    assert len(mails_to(GUEST)) == 1, "a link alone does nothing"
    with mailing():
        client.post(f"{page}/resend/")
    assert_problem(accept(first, **NEW_PERSON), 400, "invitation_unknown")
    client.post(f"{page}/revoke/")
    assert_problem(accept(key_in(last_mail(GUEST)), **NEW_PERSON), 409, "invitation_revoked")
    again = client.post(f"{page}/resend/", follow=True)
    assert "withdrawn" in again.content.decode()
    assert acme.admin_as(MANAGER).post(f"{page}/revoke/").status_code == 403


def test_the_form_says_what_is_wrong(acme: Company) -> None:
    client, add = acme.admin, "/admin/accounts/invitation/add/"
    assert "roles" in client.post(add, {"email": GUEST, "roles": []}).context["adminform"].form.errors
    member = client.post(add, {"email": acme.members[VIEWER].user.email, "roles": [VIEWER]})
    assert "is a member already" in member.content.decode()
    assert acme.admin_as(MANAGER).get(add).status_code == 403
