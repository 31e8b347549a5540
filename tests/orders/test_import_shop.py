"""The tables of an earlier shop, items and orders."""

import json
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from core.invariants import broken
from inventory.models import AttributeDefinition, Category, Product, ProductVariant, StockItem, StockMove
from inventory.queries.attributes import values_of
from inventory.services.basics import main_location
from inventory.services.posting import Line
from inventory.services.stock import stock_receive
from notifications.models import OutboxEvent
from orders.models import Customer, SalesOrder
from orders.services.fulfilment import sales_order_deliver
from tests.companies import Company
from tests.inventory.test_import_northwind import state

pytestmark = pytest.mark.django_db(databases=["default", "worker"])  # a command finds an organization as the worker

ITEMS: list[dict[str, Any]] = [
    {"id": "i1", "title": "Phone X", "category": "phone", "type": "smartphone", "company": "Fona", "description": "Thin.",
     "storage": "128 GB", "colorPreference": ["black", "blue"]},
    {"id": "i2", "title": "Cable", "category": "accessories", "type": "cable", "company": "Fona"},
]  # fmt: skip
WHEN = {"dateCreated": "2025-03-01T10:00:00Z", "dateUpdated": "2025-03-04T10:00:00Z"}
LINE = {"id": "i1", "quantity": 2, "price": Decimal("199.50")}


def order(key: str, status: str, **values: Any) -> dict[str, Any]:
    return {"id": key, "userId": "u1", "userEmail": "ada@example.org", "status": status, "items": [LINE], **WHEN, **values}


ORDERS = [
    order("o1", "placed"), order("o2", "packed"), order("o3", "delivered", items=[LINE, {"id": "i2"}]), order("o4", "error"),
]


def typed(value: Any) -> Any:
    """As DynamoDB exports it."""
    if isinstance(value, dict):
        return {"M": {name: typed(one) for name, one in value.items()}}
    if isinstance(value, list):
        return {"L": [typed(one) for one in value]}
    return {"N": str(value)} if isinstance(value, int | Decimal) else {"S": value}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps({"Item": typed(row)["M"]}) for row in rows), encoding="utf-8")
    return path


def load(
    company: Company, folder: Path, items: list[dict[str, Any]] | None = None, orders: list[dict[str, Any]] | None = None,
    **options: Any,
) -> tuple[int, str]:
    """The exit code and what was said."""
    said = StringIO()
    files = {"items": ITEMS if items is None else items, "orders": ORDERS if orders is None else orders}
    paths = {name: [write(folder / f"{name}.json", rows)] for name, rows in files.items() if rows}
    try:
        call_command("import_shop", organization=company.organization.slug, stdout=said, **paths, **options)
    except SystemExit as error:
        return int(error.code or 0), said.getvalue()
    return 0, said.getvalue()


def test_items_and_orders_go_in_and_a_second_run_changes_nothing(acme: Company, tmp_path: Path) -> None:
    assert load(acme, tmp_path, orders=[])[0] == 0
    with acme.scope():
        phone = ProductVariant.objects.select_related("product__category", "product__manufacturer").get(sku="i1")
        stock_receive(lines=[Line(phone.pk, Decimal(1), to_location_id=main_location().pk)])
        assert (phone.name, phone.product.category.name, phone.product.manufacturer.name, phone.product.description) == (
            "Phone X", "phone", "Fona", "Thin.",
        )
        assert values_of(product_id=phone.product_id) == {
            "type": "smartphone", "storage": "128 GB", "available_colors": "black, blue",
        }
        assert set(Category.objects.values_list("name", flat=True)) == {"phone", "accessories"}
    code, said = load(acme, tmp_path)
    assert code == 0, said
    with acme.scope():
        found = {row.number: row for row in SalesOrder.objects.select_related("customer__party", "channel")}
        assert {number: row.status for number, row in found.items()} == {
            "o1": "confirmed", "o2": "shipped", "o3": "completed", "o4": "cancelled",
        }
        done = found["o3"]
        assert (done.total, done.email, f"{done.placed_at:%Y-%m-%d}", f"{done.closed_at:%Y-%m-%d}") == (
            399, "ada@example.org", "2025-03-01", "2025-03-04",
        )
        assert done.customer is not None and (done.customer.code, done.customer.party.name) == ("u1", "ada@example.org")
        assert (Customer.objects.count(), done.channel.code) == (1, "SHOP")
        assert list(done.lines.order_by("line").values_list("sku", "quantity", "shipped_quantity", "unit_price")) == [
            ("i1", 2, 2, Decimal("199.50")), ("i2", 1, 1, 0),
        ]
        assert StockItem.objects.get(variant=phone).reserved == 1, "what was placed has what there is, and waits for the rest"
        assert StockMove.objects.count() == 1 and not OutboxEvent.objects.filter(type__startswith="order.").exists()
        assert {invariant.name: rows for invariant, rows in broken() if rows} == {}
        SalesOrder.objects.filter(number="o1").update(note="Ours now")
    before = state(acme)
    code, said = load(acme, tmp_path)
    assert code == 0 and state(acme) == before
    assert [line.split()[-3:-1] for line in said.splitlines() if "unchanged" not in line and line.split()[-1:] == ["4"]] == [
        ["0", "0"], ["0", "0"],
    ], "attribute values and orders"
    with acme.scope():
        assert sales_order_deliver(order=found["o2"]).status == "delivered", "the delivery service may still say so"
        assert StockMove.objects.count() == 1


def test_what_the_file_says_wins_and_the_rest_stays(acme: Company, tmp_path: Path) -> None:
    load(acme, tmp_path, orders=[])
    with acme.scope():
        Product.objects.filter(name="Cable").update(description="Ours")
        ProductVariant.objects.filter(sku="i2").update(sku="CABLE")
        AttributeDefinition.objects.filter(code="type").update(is_filterable=False)
    changed = [{**ITEMS[0], "title": "Phone Y", "storage": "256 GB"}, ITEMS[1]]
    assert load(acme, tmp_path, changed, [])[0] == 0
    with acme.scope():
        cable = Product.objects.get(name="Cable")
        assert (cable.description, cable.variants.get().sku) == ("Ours", "CABLE")
        assert values_of(product_id=Product.objects.get(name="Phone Y").pk)["storage"] == "256 GB"


@pytest.mark.parametrize(("row", "complaint"), [
    (order("o9", "lost"), "orders.json, line 1, status: 'lost' is none of placed, packed, delivered, error."),
    (order("o9", "placed", items=[LINE, {"id": "i9"}]), "items/2/id: there is no item i9: import the items first."),
    (order("o9", "placed", items=[]), "items: the order has none."),
    (order("o9", "placed", items=[{"id": "i1", "quantity": "two"}]), "items/1/quantity: 'two' is no number."),
    (order("o9", "placed", items=[{"id": "i1", "quantity": 0}]), "items/1/quantity: it is nothing."),
    (order("o9", "placed", dateCreated="yesterday"), "dateCreated: 'yesterday' is no time such as"),
    (order("o9", "placed", userEmail="ada"), "userEmail: 'ada' is no e-mail address."),
    (order("", "placed"), "id: a value is required."),
])  # fmt: skip
def test_a_bad_record_is_named_and_left_out_alone(row: dict[str, Any], complaint: str, acme: Company, tmp_path: Path) -> None:
    code, said = load(acme, tmp_path, orders=[row, order("o1", "delivered"), order("o1", "error")])
    assert code == 1 and complaint in said and "line 3, id: an earlier record is about the same." in said
    with acme.scope():
        assert list(SalesOrder.objects.values_list("number", flat=True)) == ["o1"]
    assert load(acme, tmp_path, orders=[order("o9", "delivered"), order("o1", "delivered")])[0] == 0
    with acme.scope():
        assert SalesOrder.objects.count() == 2, "mended, it goes in"


def test_bad_items_and_what_attributes_do_not_take(acme: Company, tmp_path: Path) -> None:
    with acme.scope():
        AttributeDefinition.objects.create(code="storage", name="Storage", data_type="choice", options=["64 GB"])
    code, said = load(acme, tmp_path, [*ITEMS, {"id": "i3"}, {**ITEMS[1], "id": "i4", "title": {"a": "b"}}, ITEMS[0]], [])
    assert code == 1
    for complaint in (
        "line 3, title: a value is required.", "line 4, title: {'a': 'b'} is no text.",
        "line 5, id: an earlier record is about the same.", "line 1, storage:", "so the item goes in without it.",
    ):
        assert complaint in said, said
    with acme.scope():
        assert Product.objects.count() == 2


def test_a_dry_run_and_what_cannot_be_read(acme: Company, tmp_path: Path) -> None:
    before = state(acme)
    code, said = load(acme, tmp_path, dry_run=True)
    assert code == 0 and "This was a dry run" in said and state(acme) == before
    slug = acme.organization.slug
    for options, complaint in (
        ({"organization": slug}, "Say what to import"), ({"organization": "nobody", "items": [tmp_path]}, "create_organization"),
        ({"organization": slug, "items": [tmp_path / "gone"]}, "Nothing was imported. .* name an existing file"),
    ):
        with pytest.raises(CommandError, match=complaint) as refused:
            call_command("import_shop", **options)
        assert refused.value.returncode == 2
