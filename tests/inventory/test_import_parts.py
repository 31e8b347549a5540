"""The tables of an earlier parts inventory, parts and stock."""

import json
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from core.invariants import broken
from inventory.models import Fitment, ProductVariant, ReorderRule, StockItem, StockMove, Supplier, VehicleModel
from inventory.services.basics import main_location
from inventory.services.posting import Line
from inventory.services.stock import stock_issue
from tests.companies import Company
from tests.inventory.test_import_northwind import state

pytestmark = pytest.mark.django_db(databases=["default", "worker"])  # a command finds an organization as the worker

CIVIC, ACCORD = "HONDA CIVIC 2010", "HONDA ACCORD 2011"
PARTS: list[dict[str, Any]] = [
    {"userId": "u1", "partId": "p1", "name": "Brake pad set", "sku": "BP-1", "description": "Front.", "category": "Brakes",
     "price": 18.9, "supplier": "Pads & Co", "vehicleModel": CIVIC, "vehicleModels": [CIVIC, ACCORD], "reorderThreshold": 5},
    {"userId": "u1", "partId": "p2", "name": "Wiper"},
]  # fmt: skip
STOCK: list[dict[str, Any]] = [
    {"partId": "p1", "vehicleModel": CIVIC, "quantity": 7, "userId": "u1", "timestamp": "2026-01-01T00:00:00Z"},
    {"partId": "p1", "vehicleModel": ACCORD, "quantity": 5}, {"partId": "p2", "quantity": "3.5"},
]  # fmt: skip


@pytest.fixture
def company(acme: Company) -> Company:
    with acme.scope():
        for make, model, year in (CIVIC.split(), ACCORD.split()):
            VehicleModel.objects.create(make=make, model=model, year=int(year))
    return acme


def load(company: Company, folder: Path, parts: list[Any] | None = None, stock: list[Any] | None = None) -> tuple[int, str]:
    """The exit code and what was said."""
    said, paths = StringIO(), {}
    for name, rows in (("parts", PARTS if parts is None else parts), ("stock", STOCK if stock is None else stock)):
        if rows:
            path = folder / f"{name}.json"
            path.write_text("\n".join(map(json.dumps, rows)))
            paths[name] = [path]
    try:
        call_command("import_parts", organization=company.organization.slug, stdout=said, **paths)
    except SystemExit as error:
        return int(error.code or 0), said.getvalue()
    return 0, said.getvalue()


def on_hand() -> dict[str, Decimal]:
    return dict(StockItem.objects.values_list("variant__sku", "quantity"))


def test_parts_and_stock_go_in_and_a_second_run_changes_nothing(company: Company, tmp_path: Path) -> None:
    code, said = load(company, tmp_path)
    assert code == 0, said
    with company.scope():
        part = ProductVariant.objects.select_related("product__category").get(sku="BP-1")
        assert (part.name, part.standard_cost, part.product.category.name, part.product.description) == (
            "Brake pad set", Decimal("18.9"), "Brakes", "Front.",
        )
        assert {str(one.vehicle_model) for one in Fitment.objects.filter(variant=part)} == {
            str(one) for one in VehicleModel.objects.all()
        }
        offer = part.supplier_products.select_related("supplier__party").get()
        assert (offer.supplier.party.name, offer.is_preferred) == ("Pads & Co", True)
        rule = ReorderRule.objects.get()
        assert (rule.variant_id, rule.min_quantity, rule.level) == (part.pk, 5, 12)
        assert on_hand() == {"BP-1": 12, "p2": Decimal("3.5")}, "of a part for two vehicles the sum"
        assert {invariant.name: rows for invariant, rows in broken() if rows} == {}
    shown = company.api.get(f"/parts/{part.pk}").json()
    assert (shown["sku"], shown["quantity"], shown["reorderThreshold"], shown["price"]) == ("BP-1", 12, 5, 18.9)
    before = state(company)
    assert load(company, tmp_path)[0] == 0 and state(company) == before


def test_only_the_opening_balance_follows_the_file(company: Company, tmp_path: Path) -> None:
    load(company, tmp_path)
    with company.scope():
        part = ProductVariant.objects.get(sku="BP-1")
        stock_issue(lines=[Line(part.pk, Decimal(10), from_location_id=main_location().pk)])
        Supplier.objects.update(code="PADS")
    less = [{**STOCK[0], "quantity": 6}, STOCK[1], STOCK[2]]
    assert load(company, tmp_path, stock=less)[0] == 0
    with company.scope():
        assert on_hand()["BP-1"] == 1 and Supplier.objects.count() == 1
    code, said = load(company, tmp_path, [], [{"partId": "p1", "quantity": 2}])
    assert code == 1 and "stock.json, line 1, quantity: 2 is less than what has left since." in said
    with company.scope():
        assert on_hand()["BP-1"] == 1 and StockMove.objects.count() == 4


def test_a_bad_record_is_named_and_left_out_alone(company: Company, tmp_path: Path) -> None:
    parts = [{"partId": "p3"}, {**PARTS[0], "price": "dear"}, {**PARTS[1], "vehicleModel": "LADA NIVA 1999"}, PARTS[1]]
    stock = [{"partId": "p1", "quantity": 1}, {"partId": "p2"}, {"partId": "p2", "quantity": 1}, {"partId": "p2", "quantity": -1}]
    code, said = load(company, tmp_path, parts, stock)
    assert code == 1
    for complaint in (
        "parts.json, line 1, name: a value is required.", "parts.json, line 2, price: 'dear' is no number.",
        "line 3, vehicleModel: there is no vehicle model 'LADA NIVA 1999', so the part goes in without it.",
        "parts.json, line 4, partId: an earlier record is about the same.",
        "stock.json, line 1, partId: there is no part p1: import the parts first.",
        "stock.json, line 2, quantity: a value is required.",
        "stock.json, line 4, partId: an earlier record is about the same part and vehicle.",
    ):
        assert complaint in said, said
    with company.scope():
        assert on_hand() == {"p2": 1}
