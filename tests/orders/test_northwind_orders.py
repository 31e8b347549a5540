"""Northwind's orders, against sums that are computed from the files themselves."""

import csv
import shutil
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from core.invariants import broken
from inventory.models import Reservation, StockItem, StockMove
from notifications.models import OutboxEvent
from orders.models import Customer, OrderAdjustment, SalesOrder, SalesOrderItem
from tests.companies import Company
from tests.inventory.test_import_northwind import NORTHWIND, edit, load

pytestmark = pytest.mark.django_db(databases=["default", "worker"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(NORTHWIND, tmp_path / "northwind"))


def lines() -> list[dict[str, str]]:
    with (NORTHWIND / "order-details.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def revenue_of_the_files() -> dict[str, Decimal]:
    """By year, to the cent; what stands before an order's date has no commas."""
    orders = (NORTHWIND / "orders.csv").read_text(encoding="utf-8").splitlines()[1:]
    years = {number: day[:4] for number, _, _, day, *_ in (row.split(",") for row in orders)}
    found: dict[str, Decimal] = Counter()  # type: ignore[assignment]  # of decimals
    for row in lines():
        found[years[row["orderID"]]] += Decimal(row["unitPrice"]) * int(row["quantity"]) * (1 - Decimal(row["discount"]))
    return {year: amount.quantize(Decimal("0.01")) for year, amount in found.items()}


def test_all_orders_with_their_dates_and_their_revenue(acme: Company) -> None:
    code, said = load(acme, NORTHWIND)
    assert code == 0 and "order lines" in said
    with acme.scope():
        counts = {model: model.objects.count() for model in (SalesOrder, SalesOrderItem, Customer, StockMove)}
        assert counts == {SalesOrder: 830, SalesOrderItem: 2155, Customer: 91, StockMove: 72}, "no order moves stock"
        assert Counter(SalesOrder.objects.values_list("status", flat=True)) == {"completed": 809, "confirmed": 21}
        assert OrderAdjustment.objects.filter(kind="shipping").count() == 830
        assert not OutboxEvent.objects.filter(type__startswith="order.").exists(), "nobody hears that it was placed today"
        first = SalesOrder.objects.select_related("customer__party").get(number="NW-10248")
        assert (f"{first.placed_at:%Y-%m-%d}", f"{first.shipped_at:%Y-%m-%d}", f"{first.requested_on}") == (
            "1996-07-04", "1996-07-16", "1996-08-01",
        )
        assert (first.customer.party.name, first.note) == ("Vins et alcools Chevalier", "Sold by Steven Buchanan")
        assert first.shipping_address["country"] == "FR" and first.total == 440 + Decimal("32.38")
        reserved = sum(StockItem.objects.values_list("reserved", flat=True))
        waiting = Reservation.objects.filter(stock_item=None, status="active").exists()
        assert reserved > 0 and waiting, "open orders have what there is, and wait for the rest"
        assert {invariant.name: rows for invariant, rows in broken() if rows} == {}
    own = revenue_of_the_files()
    assert set(own) == {"1996", "1997", "1998"}
    for year, amount in own.items():
        report = acme.api.get(f"/api/v1/analytics/orders/revenue/?from_day={year}-01-01&to_day={year}-12-31").json()
        unconverted = report["totals"]["unconverted"]
        found = sum((Decimal(one["revenue"]) for one in unconverted), Decimal(report["totals"]["revenue"]))
        assert found.quantize(Decimal("0.01")) == amount
    code, said = load(acme, NORTHWIND)
    assert [line.split()[-3:] for line in said.splitlines() if line.startswith("orders  ")] == [["0", "0", "830"]]


@pytest.mark.parametrize(("file", "before", "after", "complaint"), [
    ("order-details.csv", "10248,11,14.00,12,0", "10248,11,14.00,0,0", "column quantity: nothing, or too much, so order 10248"),
    ("order-details.csv", "10248,11,14.00,12,0", "10248,999,14.00,12,0", "column productID: there is no such product"),
    ("orders.csv", "10248,VINET,", "10248,NOBOD,", "column customerID: there is no customer NOBOD"),
])
def test_an_order_that_cannot_be_is_left_out_until_it_is_mended(
    acme: Company, folder: Path, file: str, before: str, after: str, complaint: str,
) -> None:
    edit(folder, file, before, after)
    code, said = load(acme, folder)
    assert code == 1 and complaint in said
    with acme.scope():
        assert SalesOrder.objects.count() == 829
        open_one = SalesOrder.objects.filter(status="confirmed").first()
        assert open_one is not None
        SalesOrder.objects.filter(pk=open_one.pk).update(note="Ours now")
    edit(folder, file, after, before)
    assert load(acme, folder)[0] == 0
    with acme.scope():
        assert SalesOrder.objects.filter(number="NW-10248").exists() and SalesOrder.objects.count() == 830
        assert SalesOrder.objects.get(pk=open_one.pk).note == "Ours now"
