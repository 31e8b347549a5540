"""An organization keeps an Admin, whoever takes one away and by whatever path."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.models import Membership, Role, User, UserRole
from accounts.permissions import ADMIN, MANAGER, VIEWER
from accounts.services.tenancy import membership_add
from tests.companies import Company, scope_of
from tests.contracts.resources import assert_problem
from tests.factories.accounts import OrganizationFactory, RoleFactory, UserFactory, UserRoleFactory
from tests.factories.inventory import WarehouseFactory
from tests.inventory.test_races import at_once

USER_ROLES, MEMBERSHIPS = "/api/v1/user-roles/", "/api/v1/memberships/"


def role_of_admin(company: Company) -> UserRole:
    with company.scope():
        found: UserRole = UserRole.objects.select_related("membership").get(role__code=ADMIN, membership__user=company.user)
        return found


def paths(company: Company) -> dict[str, tuple[str, str, Any]]:
    """By the API: method, address and body of each way to take the role from an Admin."""
    given = role_of_admin(company)
    with company.scope():
        viewer, warehouse = Role.objects.get(code=VIEWER), WarehouseFactory()
        away = membership_add(user=UserFactory(), roles=[])
        Membership.objects.filter(pk=away.pk).update(status="suspended")
    url, membership = f"{USER_ROLES}{given.pk}/", f"{MEMBERSHIPS}{given.membership_id}/"
    return {
        "deleted": ("delete", url, None),
        "another role": ("patch", url, {"role": str(viewer.pk)}),
        "until some day": ("patch", url, {"expires_at": (timezone.now() + timedelta(days=99)).isoformat()}),
        "in some warehouses": ("patch", url, {"warehouse_ids": [str(warehouse.pk)]}),
        "suspended": ("patch", membership, {"status": "suspended"}),
        "invited again": ("patch", membership, {"status": "invited"}),
        "to somebody suspended": ("patch", url, {"membership": str(away.pk)}),
    }


@pytest.mark.parametrize("path", [
    "deleted", "another role", "until some day", "in some warehouses", "suspended", "invited again", "to somebody suspended",
])  # fmt: skip
def test_the_api_keeps_the_last_admin(path: str, acme: Company) -> None:
    method, url, body = paths(acme)[path]
    problem = assert_problem(acme.api.send(method, url, body), 409, "last_admin")
    assert "make somebody else Admin first" in problem["detail"]
    assert role_of_admin(acme).membership.status == "active"


@pytest.mark.parametrize("path", ["deleted", "another role", "until some day", "suspended"])
def test_one_of_two_admins_may_go(path: str, acme: Company) -> None:
    method, url, body = paths(acme)[path]
    with acme.scope():
        membership_add(user=UserFactory(), roles=[ADMIN])
    assert acme.api.send(method, url, body).status_code in (200, 204)


STATEMENTS = {
    "role taken": "DELETE FROM accounts_userrole",
    "role ended": "UPDATE accounts_userrole SET expires_at = now() + interval '1 year'",
    "role limited": "UPDATE accounts_userrole SET warehouse_ids = ARRAY[gen_random_uuid()]",
    "roles swapped": "UPDATE accounts_userrole SET role_id = (SELECT id FROM accounts_role WHERE code = 'viewer')",
    "role renamed": "UPDATE accounts_role SET code = 'boss' WHERE code = 'admin'",
    "suspended": "UPDATE accounts_membership SET status = 'suspended'",
    "deactivated": "UPDATE accounts_user SET is_active = false WHERE id IN (SELECT user_id FROM accounts_membership)",
    "archived": "UPDATE accounts_user SET archived_at = now() WHERE id IN (SELECT user_id FROM accounts_membership)",
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_sql_keeps_the_last_admin(statement: str, acme: Company) -> None:
    refused = pytest.raises(IntegrityError, match="last Admin")
    with acme.scope(), connection.cursor() as cursor, refused, transaction.atomic():
        cursor.execute(statement)
    assert role_of_admin(acme).expires_at is None


@pytest.mark.parametrize("values", [{"expires_at": timezone.now() + timedelta(days=99)}, {"warehouse_ids": [uuid7()]}])
def test_an_admin_for_a_time_or_in_some_warehouses_does_not_count(values: dict[str, Any], acme: Company) -> None:
    with acme.scope():
        membership = membership_add(user=UserFactory(), roles=[])
        UserRoleFactory(membership=membership, role=Role.objects.get(code=ADMIN), **values)
    assert_problem(acme.api.delete(f"{USER_ROLES}{role_of_admin(acme).pk}/"), 409, "last_admin")


@pytest.mark.parametrize("values", [{"status": "suspended"}, {"status": "invited"}, {"user__is_active": False}])
def test_an_admin_who_cannot_work_does_not_count(values: dict[str, Any], acme: Company) -> None:
    with acme.scope():
        other = membership_add(user=UserFactory(is_active=values.get("user__is_active", True)), roles=[ADMIN])
        Membership.objects.filter(pk=other.pk).update(status=values.get("status", "active"))
    assert_problem(acme.api.delete(f"{USER_ROLES}{role_of_admin(acme).pk}/"), 409, "last_admin")
    with acme.scope():
        other.user_roles.all().delete()


def test_the_admin_pages_say_it_in_the_form(acme: Company) -> None:
    given = role_of_admin(acme)
    with acme.scope():
        manager = Role.objects.get(code=MANAGER)
    page = acme.admin.post(
        f"/admin/accounts/userrole/{given.pk}/change/", {"membership": given.membership_id, "role": manager.pk},
    )
    assert page.status_code == 200 and "This is the last Admin" in page.text
    page = acme.admin.post(f"/admin/accounts/userrole/{given.pk}/delete/", {"post": "yes"}, follow=True)
    assert "This is the last Admin" in page.text
    selected = {"action": "delete_selected", "_selected_action": [given.pk], "post": "yes"}
    page = acme.admin.post("/admin/accounts/userrole/", selected, follow=True)
    assert "This is the last Admin" in page.text
    assert role_of_admin(acme).pk == given.pk


def test_a_person_is_kept_for_an_organization_that_is_invisible_from_here(acme: Company, bolt: Company) -> None:
    with acme.scope():
        membership_add(user=bolt.user, roles=[VIEWER])
        with pytest.raises(IntegrityError, match="last Admin"), transaction.atomic():
            User.objects.filter(pk=bolt.user.pk).update(is_active=False)


def test_an_organization_without_an_admin_may_stay_so(db: None) -> None:
    organization = OrganizationFactory()
    with scope_of(organization.pk):
        membership = membership_add(user=UserFactory(), roles=[MANAGER])
        membership.user_roles.all().delete()
        Membership.objects.filter(pk=membership.pk).update(status="suspended")
        assert membership_add(user=UserFactory(), roles=[ADMIN]).status == "active"


def test_other_roles_come_and_go(acme: Company) -> None:
    with acme.scope():
        membership = membership_add(user=UserFactory(), roles=[VIEWER])
        UserRoleFactory(membership=membership, role=RoleFactory())
        membership.user_roles.all().delete()
        membership.delete()
        assert not Membership.objects.filter(pk=membership.pk).exists()


def test_admins_who_remove_each_other_at_once_leave_one(new_company: Callable[[], Company]) -> None:
    """Six in real processes at once: five go, and the last hears why not."""
    company = new_company()
    with company.scope():
        others = [membership_add(user=UserFactory(), roles=[ADMIN]) for _ in range(5)]
        given = list(UserRole.objects.filter(role__code=ADMIN).values_list("pk", flat=True))
    assert len(given) == len(others) + 1
    api = company.api_by_key("accounts.delete_userrole", "accounts.view_userrole")

    def remove(number: int) -> tuple[int, str]:
        response = api.delete(f"{USER_ROLES}{given[number]}/")
        return response.status_code, response.json().get("code", "") if response.content else ""

    assert Counter(at_once(6, remove)) == {(204, ""): 5, (409, "last_admin"): 1}
    with company.scope():
        assert UserRole.objects.filter(role__code=ADMIN).count() == 1
