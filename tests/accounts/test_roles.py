"""What roles and keys allow, and who may give them."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import ApiKey, Role, UserRole
from accounts.permissions import ADMIN, BUILT_IN, MANAGER, VIEWER, known, of_built_in
from accounts.services.keys import api_key_revoke
from accounts.services.tenancy import membership_add
from core.errors import Conflict, Invalid
from tests.companies import Api, Company, signed_in
from tests.contracts.resources import assert_problem, pointers
from tests.factories.accounts import MembershipFactory, OrganizationFactory, RoleFactory, UserFactory

ROLES, KEYS, PARTIES, ME = "/api/v1/roles/", "/api/v1/api-keys/", "/api/v1/parties/", "/api/v1/me/"


# --- Roles ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", BUILT_IN)
def test_built_in_roles_stay_as_they_are(code: str, acme: Company) -> None:
    with acme.scope():
        role = Role.objects.get(code=code)
    url = f"{ROLES}{role.pk}/"
    assert acme.api.get(url).json()["is_built_in"] is True
    for method, body in (("patch", {"name": "x"}), ("put", {"code": "x", "name": "x"}), ("delete", None)):
        assert_problem(acme.api.send(method, url, body), 409, "built_in")


def test_the_built_in_roles_contain_each_other() -> None:
    assert of_built_in(VIEWER) < of_built_in(MANAGER) < of_built_in(ADMIN) == known()
    assert "accounts.view_apikey" not in of_built_in(VIEWER)
    assert not of_built_in(MANAGER) & {"accounts.change_role", "accounts.add_apikey", "accounts.add_userrole"}
    assert {"inventory.change_product", "inventory.receive_stock"} <= of_built_in(MANAGER)


def test_a_role_of_ones_own_gives_what_it_lists(acme: Company) -> None:
    user = UserFactory()
    with acme.scope():
        RoleFactory(code="buyer", permissions=["accounts.view_party", "accounts.add_party"])
        RoleFactory(code="nothing", permissions=[])
        membership_add(user=user, roles=["buyer", "nothing"])
    api = Api(f"Bearer {signed_in(user).access_token}")
    assert api.get(ME).json()["permissions"] == ["accounts.add_party", "accounts.view_party"]
    created = api.send("post", PARTIES, {"name": "New"})
    assert created.status_code == 201
    assert_problem(api.send("patch", f"{PARTIES}{created.json()['id']}/", {"name": "x"}), 403)


def test_a_role_given_until_some_day_ends_then(acme: Company) -> None:
    user = UserFactory()
    with acme.scope():
        membership_add(user=user, roles=[VIEWER])
    api = Api(f"Bearer {signed_in(user).access_token}")
    assert api.get(PARTIES).status_code == 200
    with acme.scope():
        UserRole.objects.filter(membership__user=user).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert_problem(api.get(PARTIES), 403)
    assert api.get(ME).json()["roles"] == []


def test_a_member_without_roles_may_nothing_but_knows_who_it_is(acme: Company) -> None:
    user = UserFactory()
    with acme.scope():
        MembershipFactory(user=user)
    api = Api(f"Bearer {signed_in(user).access_token}")
    assert api.get(ME).json()["permissions"] == []
    assert_problem(api.get(PARTIES), 403)


@pytest.mark.parametrize("permissions", [["no.such"], ["accounts.view_party", "x"], [""]])
def test_refuses_permissions_that_are_none(permissions: list[str], acme: Company) -> None:
    response = acme.api.send("post", ROLES, {"code": "x", "name": "x", "permissions": permissions})
    assert all(pointer.startswith("/permissions") for pointer in pointers(assert_problem(response, 400)))


def test_a_membership_names_its_unknown_roles(acme: Company) -> None:
    with acme.scope(), pytest.raises(Invalid, match="no-such"):
        membership_add(user=UserFactory(), roles=[VIEWER, "no-such"])


# --- Organizations ----------------------------------------------------------------------------------------


def test_an_organization_starts_with_its_roles(db: None) -> None:
    founder = UserFactory()
    organization = OrganizationFactory(name="Über Größe", slug="", founder=founder)
    own = Api(f"Bearer {signed_in(founder).access_token}").get(ME).json()
    assert own["organization"] == {"id": str(organization.pk), "slug": "uber-groe", "name": "Über Größe"}
    assert own["roles"] == [ADMIN]


def test_a_slug_is_given_once(acme: Company) -> None:
    with pytest.raises(Conflict, match="acme"):
        OrganizationFactory(slug="acme")
    with pytest.raises(Invalid, match="slug"):
        OrganizationFactory(name="北京", slug="")


# --- API keys ---------------------------------------------------------------------------------------------


def key_of(response: Any) -> str:
    assert response.status_code == 201, response.content
    return str(response.json()["key"])


def test_a_key_is_shown_once_and_works(acme: Company) -> None:
    response = acme.api.send("post", KEYS, {"name": "Till", "scopes": ["accounts.view_party"]})
    key = key_of(response)
    assert response.headers["Cache-Control"] == "no-store"
    shown = acme.api.get(f"{KEYS}{response.json()['id']}/")
    assert "key" not in shown.json() and key.partition(".")[2] not in shown.text and "key_hash" not in shown.text
    api = Api(f"Api-Key {key}")
    assert api.get(PARTIES).status_code == 200
    own = api.get(ME).json()
    assert (own["id"], own["organization"]["slug"], own["permissions"]) == (None, "acme", ["accounts.view_party"])
    assert_problem(api.send("post", PARTIES, {"name": "x"}), 403)


def test_nobody_grants_what_they_may_not_do(acme: Company) -> None:
    giver = acme.api_by_key("accounts.add_apikey", "accounts.view_apikey")
    assert_problem(giver.send("post", KEYS, {"name": "More", "scopes": ["accounts.change_role"]}), 403, "permission_denied")
    key_of(giver.send("post", KEYS, {"name": "Less", "scopes": ["accounts.view_apikey"]}))


def test_nobody_widens_a_key_that_they_could_not_have_made(acme: Company) -> None:
    row, _ = acme.key("accounts.view_party")
    changer = acme.api_by_key("accounts.change_apikey", "accounts.view_apikey")
    assert_problem(changer.send("patch", f"{KEYS}{row.pk}/", {"scopes": ["accounts.change_role"]}), 403)


def test_nobody_gives_themselves_a_higher_role(acme: Company) -> None:
    """Who may give roles may give those that hold no more than their own."""
    giver = acme.api_by_key("accounts.add_userrole", "accounts.view_userrole", "accounts.add_role", "accounts.change_role")
    with acme.scope():
        admin = Role.objects.get(code=ADMIN)
        viewer = UserRole.objects.get(role__code=VIEWER)
    body = {"membership": str(viewer.membership_id), "role": str(admin.pk)}
    assert_problem(giver.send("post", "/api/v1/user-roles/", body), 403)
    assert_problem(giver.send("post", ROLES, {"code": "all", "name": "All", "permissions": sorted(known())}), 403)


def test_nobody_moves_a_higher_role_to_somebody_else(acme: Company) -> None:
    mover = acme.api_by_key("accounts.change_userrole", "accounts.view_userrole")
    with acme.scope():
        admins, viewers = UserRole.objects.get(role__code=ADMIN), UserRole.objects.get(role__code=VIEWER)
    assert_problem(mover.send("patch", f"/api/v1/user-roles/{admins.pk}/", {"membership": str(viewers.membership_id)}), 403)


def test_the_admin_pages_refuse_to_give_more_than_one_has(acme: Company) -> None:
    with acme.scope():
        giver = Role.objects.create(
            code="giver", name="Giver", permissions=["accounts.add_userrole", "accounts.view_userrole", "accounts.add_role"],
        )
        manager = UserRole.objects.get(role__code=MANAGER)
        UserRole.objects.filter(pk=manager.pk).update(role=giver)
        admin, viewer = Role.objects.get(code=ADMIN), UserRole.objects.get(role__code=VIEWER)
    pages = acme.admin_as(MANAGER)
    refused = pages.post("/admin/accounts/userrole/add/", {"membership": viewer.membership_id, "role": admin.pk})
    assert refused.status_code == 200 and "You cannot give what you may not do yourself" in refused.text
    refused = pages.post("/admin/accounts/role/add/", {"code": "all", "name": "All", "permissions": ["accounts.view_apikey"]})
    assert refused.status_code == 200 and "You cannot give what you may not do yourself" in refused.text
    with acme.scope():
        assert not Role.objects.filter(code="all").exists()
        assert UserRole.objects.filter(role=admin).count() == 1


def test_a_key_remembers_when_it_was_used(acme: Company) -> None:
    row, key = acme.key("accounts.view_party")
    api = Api(f"Api-Key {key}")
    assert api.get(PARTIES).status_code == 200
    with acme.scope():
        used = ApiKey.objects.get(pk=row.pk).last_used_at
        assert used is not None
    assert api.get(PARTIES).status_code == 200
    with acme.scope():
        assert ApiKey.objects.get(pk=row.pk).last_used_at == used, "not written at every request"


@pytest.mark.parametrize("networks", [["192.0.2.0/33"], ["x"], ["192.0.2.1", "not one"]])
def test_refuses_what_is_no_network(networks: list[str], acme: Company) -> None:
    row, _ = acme.key()
    for method, url in (("post", KEYS), ("patch", f"{KEYS}{row.pk}/")):
        body = {"name": "x", "scopes": ["accounts.view_party"], "allowed_networks": networks}
        problem = assert_problem(acme.api.send(method, url, body), 400)
        assert all(pointer.startswith("/allowed_networks") for pointer in pointers(problem))


@pytest.mark.parametrize(("networks", "address", "status"), [
    ([], "203.0.113.9", 200), (["203.0.113.0/24"], "203.0.113.9", 200), (["203.0.113.0/24"], "198.51.100.1", 401),
    (["2001:db8::/32"], "2001:db8::1", 200), (["2001:db8::/32"], "203.0.113.9", 401), (["203.0.113.9"], "203.0.113.9", 200),
])  # fmt: skip
def test_a_key_works_from_its_networks(networks: list[str], address: str, status: int, acme: Company) -> None:
    api = acme.api_by_key("accounts.view_party", allowed_networks=networks)
    assert api.get(PARTIES, REMOTE_ADDR=address).status_code == status
    forged = api.get(PARTIES, REMOTE_ADDR="198.51.100.1", headers={"X-Forwarded-For": address})
    assert forged.status_code == (200 if not networks else 401)


def test_a_key_ends(acme: Company) -> None:
    expired = acme.api_by_key("accounts.view_party", expires_at=timezone.now() - timedelta(seconds=1))
    assert_problem(expired.get(PARTIES), 401)
    row, key = acme.key("accounts.view_party")
    api = Api(f"Api-Key {key}")
    assert api.get(PARTIES).status_code == 200
    assert acme.api.post(f"{KEYS}{row.pk}/revoke/").json()["revoked_at"]
    assert_problem(api.get(PARTIES), 401)
    with acme.scope():
        api_key_revoke(api_key=row)


def test_half_a_key_is_none(acme: Company) -> None:
    row, key = acme.key("accounts.view_party")
    for wrong in (row.prefix, f"{row.prefix}.", f"{key}x", key[:-1], f"{row.prefix}.{'A' * 43}", f" {row.prefix} . x"):
        assert_problem(Api(f"Api-Key {wrong}").get(PARTIES), 401)
