"""The button Export of each list."""

import csv
from io import StringIO
from typing import Any
from unittest.mock import patch

from django.contrib import admin
from django.urls import get_resolver

from accounts.permissions import VIEWER
from core.admin_export import ExportingAdmin
from core.routing import resources
from tests.admin.pages import PARTIES, parties, text
from tests.companies import Company
from tests.contracts.resources import Resource, each_resource
from tests.factories.inventory import WarehouseFactory
from tests.limited import limited_admin


def rows(response: Any) -> list[dict[str, str]]:
    assert response.status_code == 200, response.content
    assert response.headers["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(StringIO(b"".join(response.streaming_content).decode())))


def of(resource: Resource) -> str:
    return f"/admin/{resource.model._meta.app_label}/{resource.model._meta.model_name}/"


def has_page(resource: Resource) -> bool:
    get_resolver("config.admin_urls").url_patterns  # noqa: B018  # imports the admin modules
    return isinstance(admin.site._registry.get(resource.model), ExportingAdmin)


def test_each_list_of_a_resource_has_the_button_and_no_other() -> None:
    get_resolver("config.admin_urls").url_patterns  # noqa: B018
    pages = {model: page for model, page in admin.site._registry.items() if isinstance(page, ExportingAdmin)}
    assert {model for model, page in pages.items() if page.exportable} == {
        model for model in pages if model._meta.label_lower in resources()
    }


@each_resource(having=has_page)
def test_exports_its_rows_in_the_columns_of_the_api(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    found = rows(acme.admin.get(f"{of(resource)}export/"))
    assert str(row.pk) in {one["id"] for one in found}
    assert list(found[0]) == resource.readable


def test_exports_what_the_list_shows(acme: Company, bolt: Company) -> None:
    parties(acme, "Smith Motors", "Smith & Sons", "Jones", *(f"Smith {number}" for number in range(60)))
    parties(bolt, "Smith of Bolt")
    page = text(acme.admin.get(f"{PARTIES}?q=smith"))
    assert f'href="{PARTIES}export/?q=smith"' in page
    found = rows(acme.admin.get(f"{PARTIES}export/?q=smith"))
    assert len(found) == 62 and {"Jones", "Smith of Bolt"}.isdisjoint(one["name"] for one in found)


def test_refuses_more_than_an_answer_holds(acme: Company) -> None:
    parties(acme, "One", "Two")
    with patch("core.admin_export.MOST", 1):
        response = acme.admin.get(f"{PARTIES}export/?q=", follow=True)
    assert "more than 1 rows" in text(response)


def test_who_sees_no_list_exports_none(acme: Company) -> None:
    with acme.scope():
        ours, theirs = WarehouseFactory(), WarehouseFactory()
    limited = rows(limited_admin(acme, ours).get("/admin/inventory/warehouse/export/"))
    assert [one["id"] for one in limited] == [str(ours.pk)] and theirs
    assert acme.admin_as(VIEWER).get("/admin/accounts/apikey/export/").status_code == 403
