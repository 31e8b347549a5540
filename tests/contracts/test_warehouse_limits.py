"""A role for some warehouses shows and changes the rows there, of every resource whose rows stand in a warehouse."""

from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import models

from accounts.permissions import VIEWER
from core.api import LARGEST_PAGE
from core.limits import paths
from core.models import TenantRow
from inventory.models import ReceiptDraft, ReceiptDraftEntry, TrayLine, Warehouse
from orders.models import OrderEntry, OrderEntryStep, Promotion, PromotionGoods
from tests.architecture.test_style import APPS
from tests.companies import Company
from tests.contracts.resources import RESOURCES, Resource, assert_problem, ids
from tests.contracts.test_every_resource import freed_body, row_methods
from tests.limited import limited_admin, limited_api

# Models that lead to a warehouse without standing in it.
STANDS_NOWHERE: dict[Any, str] = {
    **dict.fromkeys((TrayLine, ReceiptDraft, ReceiptDraftEntry, OrderEntry, OrderEntryStep), "what one person alone sees"),
    **dict.fromkeys((Promotion, PromotionGoods), "what the company sells for, whatever channel it is for"),
}

TENANT_MODELS = [model for app in APPS for model in apps.get_app_config(app).get_models() if issubclass(model, TenantRow)]
IN_WAREHOUSES = [resource for resource in RESOURCES if paths(resource.model)]

each_resource = pytest.mark.parametrize("resource", IN_WAREHOUSES, ids=lambda resource: resource.prefix)


def leads_to_a_warehouse(model: type[models.Model], seen: tuple[Any, ...] = ()) -> bool:
    targets = [field.related_model for field in model._meta.local_fields if isinstance(field, models.ForeignKey)]
    own = [target for target in targets if target not in (*seen, model) and issubclass(target, TenantRow)]
    return any(target is Warehouse or leads_to_a_warehouse(target, (*seen, model)) for target in own)


def warehouses_of(row: models.Model) -> list[UUID]:
    """By the declaration, without the code under test."""
    found = []
    for path in paths(type(row)):
        place: Any = row
        for name in path.split("."):
            place = getattr(place, name)
        found.append(getattr(place, "pk", place))
    return found


def here_and_there(resource: Resource, company: Company) -> tuple[Any, Any, UUID]:
    """A row, another one elsewhere, and the warehouse of the first."""
    here, there = resource.make(company, 2)
    with company.scope():
        [first, *_], elsewhere = warehouses_of(here), warehouses_of(there)
    assert first not in elsewhere, "let the factory make a warehouse for each row"
    return here, there, first


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_who_leads_to_a_warehouse_says_where_it_stands(model: Any) -> None:
    """Add `stands_in` to the model, or the reason why its rows stand nowhere to STANDS_NOWHERE."""
    leads = leads_to_a_warehouse(model) or model is Warehouse
    assert leads == bool(paths(model) or model in STANDS_NOWHERE)


def test_some_do() -> None:
    assert {"warehouses", "locations", "stock-items", "stock-moves", "reorder-rules", "low-stock", "reorder-tasks"} <= {
        resource.prefix for resource in IN_WAREHOUSES
    }  # fmt: skip


@each_resource
def test_shows_what_stands_there(resource: Resource, acme: Company) -> None:
    here, there, warehouse = here_and_there(resource, acme)
    api = limited_api(acme, warehouse)
    page = api.get(resource.url, {"limit": LARGEST_PAGE, "count": "exact"}).json()
    found = ids(page["results"])
    assert str(here.pk) in found and str(there.pk) not in found
    assert page["count"] == len(found)
    assert api.get(resource.row_url(here)).status_code == 200
    assert_problem(api.get(resource.row_url(there)), 404, "not_found")
    everything = ids(acme.api.get(resource.url, {"limit": LARGEST_PAGE}).json()["results"])
    assert {str(here.pk), str(there.pk)} <= set(everything)


@each_resource
def test_who_sees_some_changes_nothing_elsewhere(resource: Resource, acme: Company) -> None:
    _, there, warehouse = here_and_there(resource, acme)
    api = limited_api(acme, warehouse)
    for method in row_methods(resource):
        assert_problem(api.send(method, resource.row_url(there)), 404, "not_found")
    for action in resource.actions:
        if action.detail:
            for method in action.mapping:
                assert_problem(api.send(method, resource.action_url(action, there)), 404, "not_found")


@each_resource
def test_who_sees_all_changes_nothing_elsewhere(resource: Resource, acme: Company) -> None:
    _, there, warehouse = here_and_there(resource, acme)
    with acme.scope():
        body = resource.body(there)
    api = limited_api(acme, warehouse, roles=(VIEWER,))
    assert api.get(resource.row_url(there)).status_code == 200
    for method in row_methods(resource):
        if method != "get":
            assert_problem(api.send(method, resource.row_url(there), body), 403, "outside_warehouses")
    for action in resource.actions:
        if action.detail and action.kwargs.get("permission") != resource.permission("get"):
            for method in action.mapping.keys() - {"get"}:
                assert_problem(api.send(method, resource.action_url(action, there)), 403, "outside_warehouses")


@pytest.mark.parametrize("resource", [r for r in IN_WAREHOUSES if r.takes("post")], ids=lambda resource: resource.prefix)
def test_makes_nothing_elsewhere(resource: Resource, acme: Company) -> None:
    _, _, warehouse = here_and_there(resource, acme)
    body = freed_body(resource, acme)
    with acme.scope():
        before = resource.rows.count()
    assert_problem(limited_api(acme, warehouse).send("post", resource.url, body), 403, "outside_warehouses")
    with acme.scope():
        assert resource.rows.count() == before, "the refusal undoes it"


@pytest.mark.parametrize("resource", [
    r for r in IN_WAREHOUSES if r.takes("patch") and ("warehouse", Warehouse) in r.references()
], ids=lambda resource: resource.prefix)  # fmt: skip
def test_carries_nothing_elsewhere(resource: Resource, acme: Company) -> None:
    here, there, warehouse = here_and_there(resource, acme)
    with acme.scope():
        [other] = warehouses_of(there)
    api = limited_api(acme, warehouse)
    assert_problem(api.send("patch", resource.row_url(here), {"warehouse": str(other)}), 403, "outside_warehouses")
    with acme.scope():
        assert warehouses_of(resource.model._default_manager.get(pk=here.pk)) == [warehouse]


@each_resource
def test_the_admin_pages_show_what_stands_there(resource: Resource, acme: Company) -> None:
    here, there, warehouse = here_and_there(resource, acme)
    browser = limited_admin(acme, warehouse)
    url = f"/admin/{resource.model._meta.app_label}/{resource.model._meta.model_name}/"
    listed = browser.get(url).text
    assert f"/{here.pk}/" in listed and f"/{there.pk}/" not in listed
    assert browser.get(f"{url}{here.pk}/change/").status_code == 200
    for page in ("change", "delete", "history"):
        assert browser.get(f"{url}{there.pk}/{page}/").status_code in (302, 403, 404)


@each_resource
def test_the_admin_pages_change_nothing_elsewhere(resource: Resource, acme: Company) -> None:
    _, there, warehouse = here_and_there(resource, acme)
    browser = limited_admin(acme, warehouse, roles=(VIEWER,))
    url = f"/admin/{resource.model._meta.app_label}/{resource.model._meta.model_name}/"
    page = browser.get(f"{url}{there.pk}/change/")
    assert page.status_code == 200 and 'name="_save"' not in page.text
    assert browser.post(f"{url}{there.pk}/change/", {}).status_code == 403
    assert browser.post(f"{url}{there.pk}/delete/", {"post": "yes"}).status_code == 403
    for action in ("delete_selected", "archive_selected"):
        browser.post(url, {"action": action, "_selected_action": [there.pk], "post": "yes"})
    with acme.scope():
        assert resource.rows.filter(pk=there.pk).exists()
