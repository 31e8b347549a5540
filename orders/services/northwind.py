"""Northwind's orders, as documents of the past: they have their dates, and post nothing (ADR 50)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from accounts.models import Organization, Party
from core.dirty_csv import Row
from core.tenancy import active_organization_id
from inventory.models import ProductVariant
from inventory.northwind_tables import CUSTOMERS, EMPLOYEES, ORDER_DETAILS, ORDERS, SHIPPERS
from inventory.services.basics import main_location
from inventory.services.northwind_partners import COUNTRIES
from inventory.services.northwind_products import product_ref
from inventory.services.northwind_run import Run
from inventory.services.upsert import Counts, Draft
from orders.models import Channel, Customer, OrderAdjustment, SalesOrder, SalesOrderItem
from orders.services.order_lines import AGREED
from orders.services.past_orders import orders_promise
from orders.services.payment_settling import status_unpaid

CURRENCY = "USD"
CHANNEL = "SALES"
MOST = 10**9  # of a price or a quantity
NOON = time(12)
ZERO = Decimal(0)


@dataclass
class Sale:
    """An order of the files that is not here yet."""

    row: Row
    order: SalesOrder
    lines: list[SalesOrderItem] = field(default_factory=list)

    @property
    def is_shipped(self) -> bool:
        return self.order.shipped_at is not None


def northwind_orders_import(*, run: Run) -> None:
    """After the goods. An order that is here already stays as it is, whatever became of it."""
    channel = _channel()
    customers = _customers(run)
    sales = _sales(run, channel, customers)
    _lines(run, sales)
    whole = [sale for sale in sales.values() if sale.lines]
    adjustments = _freight(run, whole)
    _totals(whole, adjustments)
    SalesOrder.objects.bulk_create([sale.order for sale in whole])
    SalesOrderItem.objects.bulk_create([line for sale in whole for line in sale.lines])
    OrderAdjustment.objects.bulk_create(adjustments)
    run.count("orders", Counts(created=len(whole)))
    run.count("order lines", Counts(created=sum(len(sale.lines) for sale in whole)))
    orders_promise([(sale.order, sale.lines) for sale in whole if not sale.is_shipped])


def order_ref(number: int) -> str:
    return f"order:{number}"


def _channel() -> Channel:
    found: Channel
    found, _ = Channel.objects.get_or_create(code=CHANNEL, defaults={
        "name": "Sales desk", "currency": CURRENCY, "warehouse": main_location().warehouse, "backorders": True,
    })
    return found


def _customers(run: Run) -> Mapping[str, Customer]:
    """By the letters of the file."""
    lines: dict[str, int] = {}
    for row in run.rows(CUSTOMERS):
        lines.setdefault(row.get("customerID", str), row.line)  # that a second one is left out was said with the partners
    refs = [f"customer:{name}" for name in lines]
    parties = dict(Party.objects.filter(external_ref__in=refs).values_list("external_ref", "pk"))
    drafts = [
        Draft(line, {"external_ref": ref, "party_id": parties[ref]}, starts={"code": name})
        for (name, line), ref in zip(lines.items(), refs, strict=True) if ref in parties
    ]
    existing = Customer.objects.filter(external_ref__in=refs)
    run.upsert("customers", CUSTOMERS, existing, drafts, columns={"code": "customerID"})
    return {customer.external_ref.partition(":")[2]: customer for customer in existing.all()}


def _sales(run: Run, channel: Channel, customers: Mapping[str, Customer]) -> dict[int, Sale]:
    numbers = [order_ref(row.get("orderID", int)) for row in run.rows(ORDERS)]
    here = set(SalesOrder.objects.filter(external_ref__in=numbers).values_list("external_ref", flat=True))
    run.count("orders", Counts(unchanged=len(here)))
    zone = ZoneInfo(Organization.objects.values_list("timezone", flat=True).get(pk=active_organization_id()))
    sellers = {
        row.get("employeeID", int): f"{row.get('firstName', str)} {row.get('lastName', str)}" for row in run.rows(EMPLOYEES)
    }
    sales: dict[int, Sale] = {}
    for row in run.rows(ORDERS):
        number, buyer = row.get("orderID", int), row.get("customerID", str)
        if order_ref(number) in here:
            continue
        if number in sales:
            run.leave_out(ORDERS, row.line, "orderID", f"line {sales[number].row.line} is about the same")
        elif buyer not in customers:
            run.leave_out(ORDERS, row.line, "customerID", f"there is no customer {buyer}")
        elif not 0 <= (row.find("freight", Decimal) or ZERO) < MOST:
            run.leave_out(ORDERS, row.line, "freight", "less than nothing, or too much")
        else:
            seller = sellers.get(row.get("employeeID", int), "")
            order = _order(row, channel, customers[buyer], zone)
            order.note = f"Sold by {seller}" if seller else ""
            sales[number] = Sale(row, order)
    return sales


def _order(row: Row, channel: Channel, customer: Customer, zone: ZoneInfo) -> SalesOrder:
    number, shipped = row.get("orderID", int), row.find("shippedDate", date)
    shipped_at = _noon(shipped, zone) if shipped else None
    status, fulfilment = SalesOrder.Status, SalesOrder.FulfilmentStatus
    return SalesOrder(
        number=f"NW-{number}", external_ref=order_ref(number), channel=channel, customer=customer, warehouse=channel.warehouse,
        currency=CURRENCY, status=status.COMPLETED if shipped else status.CONFIRMED,
        fulfilment_status=fulfilment.SHIPPED if shipped else fulfilment.NOT_STARTED, shipping_address=_address(row),
        requested_on=row.find("requiredDate", date), placed_at=_noon(row.get("orderDate", date), zone),
        shipped_at=shipped_at, closed_at=shipped_at,
    )


def _noon(day: date, zone: ZoneInfo) -> datetime:
    """The files know days, not times."""
    return datetime.combine(day, NOON, zone)


def _address(row: Row) -> dict[str, str]:
    columns = {
        "name": "shipName", "street1": "shipAddress", "city": "shipCity", "region": "shipRegion", "postal_code": "shipPostalCode",
    }
    said = {name: row.find(column, str) or "" for name, column in columns.items()}
    return {**said, "country": COUNTRIES.get(row.find("shipCountry", str) or "", "")}


def _lines(run: Run, sales: dict[int, Sale]) -> None:
    """An order of which a line cannot be is left out whole: mended, it goes in whole."""
    by_order: dict[int, list[Row]] = defaultdict(list)
    for row in run.rows(ORDER_DETAILS):
        by_order[row.get("orderID", int)].append(row)
    refs = {product_ref(row.get("productID", int)) for rows in by_order.values() for row in rows}
    variants = {variant.external_ref: variant for variant in ProductVariant.objects.filter(external_ref__in=refs)}
    for number, sale in sales.items():
        rows = by_order[number]
        wrong = [(row, column, why) for row in rows for column, why in _faults(row, variants)]
        for row, column, why in wrong:
            run.leave_out(ORDER_DETAILS, row.line, column, f"{why}, so order {number} is left out")
        if not rows:
            run.leave_out(ORDERS, sale.row.line, "orderID", "it has no lines")
        elif not wrong:
            sale.lines = [
                _line(sale, place, row, variants[product_ref(row.get("productID", int))]) for place, row in enumerate(rows, 1)
            ]


def _faults(row: Row, variants: Mapping[str, ProductVariant]) -> list[tuple[str, str]]:
    price, quantity, discount = row.get("unitPrice", Decimal), row.get("quantity", int), row.get("discount", Decimal)
    checks = (
        ("productID", product_ref(row.get("productID", int)) in variants, "there is no such product"),
        ("unitPrice", 0 <= price < MOST, "less than nothing, or too much"),
        ("quantity", 0 < quantity < MOST, "nothing, or too much"),
        ("discount", 0 <= discount <= 1, "not a share from 0 to 1"),
    )
    return [(column, why) for column, is_right, why in checks if not is_right]


def _line(sale: Sale, place: int, row: Row, variant: ProductVariant) -> SalesOrderItem:
    """Its amount is the exact one, of which the files' own sums are made; a bill would round it to the cent."""
    quantity, price = Decimal(row.get("quantity", int)), row.get("unitPrice", Decimal)
    discount = price * quantity * row.get("discount", Decimal)
    done = quantity if sale.is_shipped else ZERO
    return SalesOrderItem(
        order=sale.order, line=place, variant=variant, sku=variant.sku, name=variant.name, quantity=quantity, unit_price=price,
        discount=discount, net_amount=price * quantity - discount, price_agreed=True, price_reason=AGREED,
        backorder_policy=SalesOrderItem.BackorderPolicy.WAIT, allocated_quantity=done, picked_quantity=done,
        shipped_quantity=done,
    )


def _freight(run: Run, sales: list[Sale]) -> list[OrderAdjustment]:
    names = {row.get("shipperID", int): row.get("companyName", str) for row in run.rows(SHIPPERS)}
    return [
        OrderAdjustment(
            order=sale.order, kind=OrderAdjustment.Kind.SHIPPING, net_amount=freight,
            label=f"Freight, {names.get(sale.row.find('shipVia', int) or 0, '')}".rstrip(", "),
        )
        for sale in sales if (freight := sale.row.find("freight", Decimal))
    ]


def _totals(sales: list[Sale], adjustments: list[OrderAdjustment]) -> None:
    added: dict[UUID, Any] = {one.order_id: one.net_amount for one in adjustments}
    for sale in sales:
        order = sale.order
        order.net_total = order.total = sum((line.net_amount for line in sale.lines), added.get(order.pk, ZERO))
        order.payment_status = status_unpaid(order.total)
