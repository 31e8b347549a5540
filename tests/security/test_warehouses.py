"""A member with rights in one warehouse, by every way to another one."""

from collections.abc import Iterable
from typing import Any

import pytest

from accounts.models import Attachment, JournalEntry, TaggedItem
from accounts.permissions import ADMIN, known
from accounts.services.tenancy import membership_add
from inventory.models import Warehouse
from tests.accounts.files import ATTACHMENTS, PDF, form
from tests.companies import Api, Company, signed_in
from tests.contracts.resources import assert_problem, ids
from tests.factories.accounts import (
    AttachmentFactory,
    JournalEntryFactory,
    RoleFactory,
    TagFactory,
    TaggedItemFactory,
    UserFactory,
    UserRoleFactory,
)  # fmt: skip
from tests.factories.inventory import LocationFactory, ReorderRuleFactory, WarehouseFactory
from tests.limited import limited_admin, limited_api

type Place = tuple[Any, Any]  # a location here and one elsewhere


@pytest.fixture
def places(acme: Company) -> Place:
    with acme.scope():
        return LocationFactory(), LocationFactory()


def api_with(company: Company, everywhere: Iterable[str], here: Iterable[str], warehouse: Any) -> Api:
    """Two roles of one's own: one counts everywhere, the other in the warehouse."""
    with company.scope():
        member = membership_add(user=UserFactory(), roles=[])
        UserRoleFactory(membership=member, role=RoleFactory(permissions=sorted(everywhere)))
        UserRoleFactory(membership=member, role=RoleFactory(permissions=sorted(here)), warehouse_ids=[warehouse.pk])
    return Api(f"Bearer {signed_in(member.user).access_token}")


# --- Verbs that reach differently far ---------------------------------------------------------------------


def test_put_by_reference_makes_nothing_where_only_changing_is_allowed(acme: Company) -> None:
    with acme.scope():
        here = WarehouseFactory()
    api = api_with(acme, ["inventory.view_warehouse", "inventory.change_warehouse"], ["inventory.add_warehouse"], here)
    body = {"code": "ROGUE", "name": "Rogue"}
    assert_problem(api.send("put", "/api/v1/warehouses/by-ref/rogue/", body), 403, "outside_warehouses")
    with acme.scope():
        assert not Warehouse.objects.filter(code="ROGUE").exists()


@pytest.mark.parametrize("adding", [[], ["inventory.add_reorderrule"]], ids=["cannot-add", "adds-everywhere"])
def test_bulk_carries_nothing_to_where_it_could_not_be_changed(adding: list[str], acme: Company) -> None:
    with acme.scope():
        rule, there = ReorderRuleFactory(), WarehouseFactory()
    api = api_with(acme, ["inventory.view_reorderrule", *adding], ["inventory.change_reorderrule"], rule.warehouse)
    row = {"op": "update", "id": str(rule.pk), "warehouse": str(there.pk)}
    assert_problem(api.send("post", "/api/v1/reorder-rules/bulk/", {"rows": [row]}), 403, "outside_warehouses")
    assert_problem(
        api.send("patch", f"/api/v1/reorder-rules/{rule.pk}/", {"warehouse": str(there.pk)}), 403, "outside_warehouses"
    )
    with acme.scope():
        rule.refresh_from_db()
        assert rule.warehouse_id != there.pk


def test_bulk_tells_nothing_of_rows_elsewhere(acme: Company) -> None:
    """Not even the version, which a wrong guess would be answered with."""
    with acme.scope():
        here, there = ReorderRuleFactory(), ReorderRuleFactory()
    api = api_with(acme, [], ["inventory.change_reorderrule"], here.warehouse)
    row = {"op": "update", "id": str(there.pk), "version": 99, "minimum": "1"}
    response = api.send("post", "/api/v1/reorder-rules/bulk/", {"rows": [row], "mode": "partial"})
    assert response.json()["results"][0]["status"] == 404, response.content


# --- What hangs on rows elsewhere -------------------------------------------------------------------------


@pytest.mark.parametrize(("prefix", "factory", "model"), [
    ("attachments", AttachmentFactory, Attachment), ("journal-entries", JournalEntryFactory, JournalEntry),
    ("tagged-items", TaggedItemFactory, TaggedItem),
], ids=["files", "notes", "tags"])  # fmt: skip
def test_what_hangs_on_a_row_elsewhere_is_not_there(prefix: str, factory: Any, model: Any, places: Place, acme: Company) -> None:
    here, there = places
    with acme.scope():
        seen, unseen = (factory(object_type="inventory.location", object_id=place.pk) for place in places)
    api = limited_api(acme, here.warehouse)
    url = f"/api/v1/{prefix}/"
    found = ids(api.get(url, {"object_type": "inventory.location"}).json()["results"])
    assert str(seen.pk) in found and str(unseen.pk) not in found
    assert api.get(f"{url}{seen.pk}/").status_code == 200
    assert_problem(api.get(f"{url}{unseen.pk}/"), 404)
    assert_problem(api.send("delete", f"{url}{unseen.pk}/"), 404)
    assert api.get(url, {"object_id": str(there.pk), "count": "exact"}).json()["count"] == 0
    page = limited_admin(acme, here.warehouse).get(f"/admin/accounts/{model._meta.model_name}/").content.decode()
    assert str(seen.pk) in page and str(unseen.pk) not in page
    with acme.scope():
        assert model.objects.filter(pk=unseen.pk).exists()


def test_a_file_elsewhere_is_neither_downloaded_nor_renewed(places: Place, acme: Company) -> None:
    here, there = places
    made = acme.api.post(
        f"{ATTACHMENTS}files/", form(PDF, "a.pdf", object_type="inventory.location", object_id=str(there.pk))
    ).json()
    api = limited_api(acme, here.warehouse)
    for action in ("download", "link", "thumbnail", "versions"):
        assert_problem(api.get(f"{ATTACHMENTS}{made['id']}/{action}/"), 404)
    assert_problem(api.post(f"{ATTACHMENTS}{made['id']}/versions/", form(PDF, "a.pdf")), 404)
    start = {"attachment": made["id"], "filename": "a.pdf", "size": len(PDF), "content_type": "application/pdf"}
    assert_problem(api.send("post", f"{ATTACHMENTS}uploads/", start), 404)


def test_nothing_is_hung_on_a_row_elsewhere(places: Place, acme: Company) -> None:
    here, there = places
    with acme.scope():
        tag = TagFactory()
    api = limited_api(acme, here.warehouse)
    about = {"object_type": "inventory.location", "object_id": str(there.pk)}
    start = {**about, "filename": "a.pdf", "size": len(PDF), "content_type": "application/pdf"}
    for url, body in (
        ("/api/v1/tagged-items/", {**about, "tag": str(tag.pk)}),
        ("/api/v1/journal-entries/", {**about, "body": "Mine."}),
        (f"{ATTACHMENTS}uploads/", start),
    ):
        assert_problem(api.send("post", url, body), 403, "outside_warehouses")
        assert api.send("post", url, {**body, "object_id": str(here.pk)}).status_code == 201
    assert_problem(api.post(f"{ATTACHMENTS}files/", form(PDF, "a.pdf", **about)), 403, "outside_warehouses")


def test_expand_keeps_the_id_of_what_stands_elsewhere(acme: Company) -> None:
    with acme.scope():
        rule, other = ReorderRuleFactory(), WarehouseFactory()
    api = api_with(acme, ["inventory.view_reorderrule"], ["inventory.view_warehouse"], other)
    [row] = api.get("/api/v1/reorder-rules/", {"expand": "warehouse"}).json()["results"]
    assert row["warehouse"] == str(rule.warehouse_id)


# --- What no warehouse bounds -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("patch", "/api/v1/organizations/{organization}/", {"allow_negative_stock": True}),
        ("post", "/api/v1/data-subject-requests/", {"kind": "export", "subject_email": "admin@acme.test"}),
        ("post", "/api/v1/identity-providers/", {"name": "Mine", "issuer": "https://idp.test", "audience": "x"}),
        ("post", "/api/v1/feature-flags/", {"key": "mine"}),
        ("get", "/api/v1/audit-entries/", None),
    ],
)
def test_an_admin_of_a_warehouse_is_none_of_the_company(method: str, url: str, body: Any, acme: Company) -> None:
    with acme.scope():
        warehouse = WarehouseFactory()
    api = limited_api(acme, warehouse)
    assert_problem(api.send(method, url.format(organization=acme.organization.pk), body), 403, "permission_denied")


def test_keys_and_roles_know_no_warehouse_so_that_the_limited_give_none(acme: Company) -> None:
    with acme.scope():
        warehouse = WarehouseFactory()
    api = limited_api(acme, warehouse)
    for scope in sorted(known())[::40]:
        assert_problem(api.send("post", "/api/v1/api-keys/", {"name": "k", "scopes": [scope]}), 403)
        assert_problem(api.send("post", "/api/v1/roles/", {"code": "r", "name": "R", "permissions": [scope]}), 403)
    assert_problem(api.send("post", "/api/v1/invitations/", {"email": "x@example.test", "roles": [ADMIN]}), 403)
