"""The people of an organization: who sees, adds, changes and removes them, and what stays theirs alone."""

from typing import Any

import pytest

from accounts.models import AuditEntry, Membership, Role, User, UserRole
from accounts.permissions import ADMIN, MANAGER, VIEWER
from accounts.services.people import address_correct
from accounts.services.tenancy import membership_add
from core.errors import Conflict, Forbidden
from tests.companies import Api, Company, signed_in
from tests.contracts.resources import assert_problem, ids, pointers
from tests.factories.accounts import PersonFactory, RoleFactory, UserFactory
from tests.factories.inventory import WarehouseFactory
from tests.limited import limited_api

USERS, ME = "/api/v1/users/", "/api/v1/me/"


def person(company: Company, **values: Any) -> User:
    with company.scope():
        return PersonFactory(**values)


def url(user: User) -> str:
    return f"{USERS}{user.pk}/"


# --- Seeing -----------------------------------------------------------------------------------------------


def test_shows_the_members_and_nobody_else(acme: Company, bolt: Company) -> None:
    stranger, gone, invited = UserFactory(), person(acme), person(acme)
    with acme.scope():
        Membership.objects.filter(user=gone).update(status="suspended")
        Membership.objects.filter(user=invited).update(status="invited")
    assert set(ids(acme.api.get(USERS).json()["results"])) == {str(member.user.pk) for member in acme.members.values()}
    for hidden in (stranger, gone, invited, bolt.user):
        assert_problem(acme.api.get(url(hidden)), 404, "not_found")


def test_is_found_by_the_beginning_of_a_name_or_an_address(acme: Company) -> None:
    wanted = person(acme, name="Zoë Quell", email="quell@zebra.test")
    for text in ("zoë", "ZOË Q", "quell@z"):
        assert ids(acme.api.get(USERS, {"search": text}).json()["results"]) == [str(wanted.pk)]
    assert ids(acme.api.get(USERS, {"email": "quell@zebra.test"}).json()["results"]) == [str(wanted.pk)]


def test_shows_no_secrets(acme: Company) -> None:
    shown = acme.api.get(url(acme.user)).json()
    assert list(shown) == [
        "id", "email", "name", "age", "phone", "locale", "timezone", "is_active", "created_at", "updated_at", "version",
    ]  # fmt: skip


def test_signing_in_does_not_change_a_record(acme: Company) -> None:
    before = acme.api.get(url(acme.user)).json()
    signed_in(acme.user)
    assert User.objects.get(pk=acme.user.pk).last_login is not None
    assert acme.api.get(url(acme.user)).json() == before


# --- Adding -----------------------------------------------------------------------------------------------


def test_an_admin_adds_a_person_with_roles(acme: Company) -> None:
    body = {"name": "Ada", "email": "Ada@Acme.TEST", "age": 36, "timezone": "Europe/Lisbon", "locale": "pt-PT", "roles": [VIEWER]}
    created = acme.api.send("post", USERS, body)
    assert created.status_code == 201, created.content
    assert created.json()["email"] == "ada@acme.test" and "roles" not in created.json()
    with acme.scope():
        membership = Membership.objects.get(user_id=created.json()["id"])
        assert membership.status == "active"
        assert [given.role.code for given in membership.user_roles.select_related("role")] == [VIEWER]
        assert not membership.user.has_usable_password()
        assert AuditEntry.objects.filter(table_name="accounts_user", row_id=membership.user_id, action="insert").exists()


@pytest.mark.parametrize(("wrong", "field"), [
    ({"email": "x"}, "email"), ({"name": ""}, "name"), ({"age": 151}, "age"), ({"age": -1}, "age"),
    ({"timezone": "Mars"}, "timezone"),
    ({"locale": "English"}, "locale"), ({"roles": ["no-such"]}, "roles"), ({"is_active": False}, "is_active"),
])  # fmt: skip
def test_says_which_field_is_wrong(wrong: dict[str, Any], field: str, acme: Company) -> None:
    response = acme.api.send("post", USERS, {"name": "Ada", "email": "ada@acme.test", **wrong})
    assert all(pointer.startswith(f"/{field}") for pointer in pointers(assert_problem(response, 400)))
    assert not User.objects.filter(email="ada@acme.test").exists(), "nothing is half-written"


def test_an_address_is_given_once_in_any_case(acme: Company) -> None:
    response = acme.api.send("post", USERS, {"name": "Twin", "email": acme.user.email.upper()})
    assert pointers(assert_problem(response, 400, "unique")) == {"/email"}


def test_who_belongs_elsewhere_is_neither_shown_nor_changed(acme: Company, bolt: Company) -> None:
    before = User.objects.values().get(pk=bolt.user.pk)
    problem = assert_problem(acme.api.send("post", USERS, {"name": "Mine", "email": bolt.user.email}), 409, "known_elsewhere")
    assert bolt.user.name not in str(problem) and str(bolt.user.pk) not in str(problem)
    assert User.objects.values().get(pk=bolt.user.pk) == before
    with acme.scope():
        assert not Membership.objects.filter(user=bolt.user).exists()


def test_nobody_adds_a_person_with_more_than_they_hold(acme: Company) -> None:
    api = acme.api_by_key("accounts.add_user", "accounts.view_user")
    assert_problem(api.send("post", USERS, {"name": "Boss", "email": "boss@acme.test", "roles": [ADMIN]}), 403)
    limited = limited_api(acme, _warehouse(acme))
    assert_problem(limited.send("post", USERS, {"name": "Boss", "email": "boss@acme.test", "roles": [VIEWER]}), 403)
    assert not User.objects.filter(email="boss@acme.test").exists()


def _warehouse(company: Company) -> Any:
    with company.scope():
        return WarehouseFactory()


@pytest.mark.parametrize("role", [MANAGER, VIEWER])
def test_people_are_for_admins(role: str, acme: Company) -> None:
    api = acme.api_as(role)
    assert api.get(USERS).status_code == 200
    assert_problem(api.send("post", USERS, {"name": "x", "email": "x@acme.test"}), 403)
    for method in ("put", "patch", "delete"):
        assert_problem(api.send(method, url(acme.user), {"name": "x"}), 403)


# --- Changing ---------------------------------------------------------------------------------------------


def test_an_admin_changes_who_belongs_here_alone(acme: Company) -> None:
    user = person(acme)
    changed = acme.api.send("patch", url(user), {"name": "New", "age": 40, "phone": "+351 1"})
    assert (changed.status_code, changed.json()["name"], changed.json()["age"]) == (200, "New", 40)
    assert changed.json()["version"] == 2


def test_who_belongs_elsewhere_too_is_changed_by_nobody_else(acme: Company, bolt: Company) -> None:
    with acme.scope():
        membership_add(user=bolt.user, roles=[VIEWER])
    assert acme.api.get(url(bolt.user)).status_code == 200
    problem = assert_problem(acme.api.send("patch", url(bolt.user), {"name": "x"}), 409, "not_alone")
    assert "bolt" not in str(problem).lower()
    with bolt.scope():
        Membership.objects.filter(user=bolt.members[VIEWER].user).update(status="suspended")
    with acme.scope():
        membership_add(user=bolt.members[VIEWER].user, roles=[])
    assert_problem(acme.api.send("patch", url(bolt.members[VIEWER].user), {"name": "x"}), 409, "not_alone")


def test_platform_staff_is_changed_by_nobody_else(acme: Company) -> None:
    assert_problem(acme.api.send("patch", url(person(acme, is_superuser=True)), {"name": "x"}), 409, "not_alone")


def test_an_address_is_not_changed_here(acme: Company) -> None:
    user = person(acme)
    problem = assert_problem(acme.api.send("patch", url(user), {"email": "taken@over.test"}), 400, "address_of_another")
    assert pointers(problem) == {"/email"}
    assert acme.api.send("patch", url(user), {"email": user.email.upper(), "age": 3}).status_code == 200


def test_an_address_is_corrected_for_who_may_do_no_more(acme: Company, bolt: Company) -> None:
    user, granter = person(acme), Holder()
    with acme.scope():
        assert address_correct(user=user, email="Right@Acme.test", granter=granter).email == "right@acme.test"
        with pytest.raises(Conflict):
            address_correct(user=user, email=bolt.user.email, granter=granter)
        UserRole.objects.create(membership=Membership.objects.get(user=user), role=Role.objects.get(code=ADMIN))
        with pytest.raises(Forbidden):
            address_correct(user=user, email="mine@acme.test", granter=granter)


class Holder:
    permissions = frozenset({"accounts.change_user"})
    limits: dict[str, frozenset[Any]] = {}


# --- Leaving ----------------------------------------------------------------------------------------------


def test_who_leaves_is_out_at_once_and_can_come_back(acme: Company) -> None:
    user = UserFactory()
    with acme.scope():
        membership_add(user=user, roles=[VIEWER])
    api = Api(f"Bearer {signed_in(user).access_token}")
    assert api.get(ME).status_code == 200
    assert acme.api.delete(url(user)).status_code == 204
    assert_problem(api.get(ME), 401)
    assert_problem(acme.api.get(url(user)), 404)
    assert User.objects.get(pk=user.pk).archived_at is not None
    assert_problem(acme.api.send("post", USERS, {"name": "Again", "email": user.email}), 409, "left")
    restored = acme.api.post(f"{url(user)}restore/")
    assert (restored.status_code, restored.json()["id"]) == (200, str(user.pk))
    assert User.objects.get(pk=user.pk).archived_at is None
    assert api.get(ME).json()["roles"] == [VIEWER]


def test_who_belongs_elsewhere_too_is_not_archived(acme: Company, bolt: Company) -> None:
    with acme.scope():
        membership_add(user=bolt.user, roles=[VIEWER])
    assert acme.api.delete(url(bolt.user)).status_code == 204
    assert User.objects.get(pk=bolt.user.pk).archived_at is None
    assert bolt.api.get(ME).status_code == 200


def test_the_last_admin_does_not_leave(acme: Company) -> None:
    assert_problem(acme.api.delete(url(acme.user)), 409, "last_admin")
    assert acme.api.get(ME).status_code == 200


def test_restores_nobody_who_was_not_here(acme: Company, bolt: Company) -> None:
    for nobody in (bolt.user, UserFactory()):
        assert_problem(acme.api.post(f"{url(nobody)}restore/"), 404, "not_found")
    invited = person(acme)
    with acme.scope():
        Membership.objects.filter(user=invited).update(status="invited")
    assert_problem(acme.api.post(f"{url(invited)}restore/"), 404, "not_found")


# --- Oneself ----------------------------------------------------------------------------------------------


def test_one_changes_ones_own_record(acme: Company) -> None:
    api = acme.api_as(VIEWER)
    own = {"name": "Me", "age": 30, "phone": "1", "locale": "en", "timezone": "UTC"}
    changed = api.send("patch", ME, own)
    assert changed.status_code == 200, changed.content
    assert {name: changed.json()[name] for name in own} == own == {name: api.get(ME).json()[name] for name in own}
    assert changed.json()["roles"] == [VIEWER]
    with acme.scope():
        entry = AuditEntry.objects.filter(table_name="accounts_user", row_id=acme.members[VIEWER].user.pk).latest("id")
        assert (entry.actor_id, entry.changes["age"]) == (acme.members[VIEWER].user.pk, [None, 30])


@pytest.mark.parametrize("body", [
    {}, {"email": "x@y.test"}, {"is_active": True}, {"age": 999}, {"timezone": "x"}, {"is_superuser": True},
])  # fmt: skip
def test_one_changes_nothing_else(body: dict[str, Any], acme: Company) -> None:
    assert_problem(acme.api.send("patch", ME, body), 400)


def test_a_key_has_no_record_of_its_own(acme: Company) -> None:
    assert_problem(acme.api_by_key().send("patch", ME, {"name": "x"}), 403)
    assert acme.api_by_key().get(ME).json()["age"] is None


# --- Roles of one's own -----------------------------------------------------------------------------------


def test_a_role_in_use_is_not_deleted_silently(acme: Company) -> None:
    with acme.scope():
        role = RoleFactory(name="Packer")
        membership_add(user=UserFactory(), roles=[role.code])
    problem = assert_problem(acme.api.delete(f"/api/v1/roles/{role.pk}/"), 409, "in_use")
    assert problem["detail"] == "1 member has the role Packer: take it from them first."
    page = acme.admin.post(f"/admin/accounts/role/{role.pk}/delete/", {"post": "yes"}, follow=True)
    assert "1 member has the role Packer" in page.text
    with acme.scope():
        UserRole.objects.filter(role=role).delete()
    assert acme.api.delete(f"/api/v1/roles/{role.pk}/").status_code == 204


def test_the_role_form_offers_verbs_in_words(acme: Company) -> None:
    page = acme.admin.get("/admin/accounts/role/add/").text
    for words in ("Receive stock", "Run the reorder check", "View parties", 'label="Inventory: stock items"'):
        assert words in page
    refused = acme.admin.post("/admin/accounts/role/add/", {"code": "x", "name": "x", "permissions": ["no.such"]})
    assert refused.status_code == 200 and "not one of the available choices" in refused.text
