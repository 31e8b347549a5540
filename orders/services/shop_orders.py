"""The orders of an earlier shop, as documents of the past: they have their dates and their state, and post nothing (ADR 50)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import Organization, Party
from core.records import BadValue, Record, shown
from core.tenancy import active_organization_id
from inventory.models import ProductVariant
from inventory.services.basics import main_location
from inventory.services.shop_items import LONGEST_ID, item_ref
from inventory.services.table_run import TableRun
from inventory.services.upsert import Counts, Draft
from orders.models import Channel, Customer, SalesOrder, SalesOrderItem
from orders.services.order_lines import AGREED
from orders.services.past_orders import orders_promise
from orders.services.payment_settling import status_unpaid

CHANNEL = "SHOP"
S, F = SalesOrder.Status, SalesOrder.FulfilmentStatus
# What a state of there is here.
STATES: Mapping[str, tuple[str, str]] = {
    "placed": (S.CONFIRMED, F.NOT_STARTED), "packed": (S.SHIPPED, F.SHIPPED), "delivered": (S.COMPLETED, F.DELIVERED),
    "error": (S.CANCELLED, F.NOT_STARTED),
}  # fmt: skip
ADDRESS = ("name", "street1", "street2", "city", "region", "postal_code", "country")
MOST_LINES = 1_000
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Sale:
    order: SalesOrder
    lines: list[SalesOrderItem]
    user: str


def order_ref(key: str) -> str:
    return f"shop-order:{key}"


def shop_orders_import(*, run: TableRun, records: Sequence[Record]) -> None:
    """After the items, within the caller's transaction. An order that is here already stays as it is."""
    channel, zone = _channel(), _zone()
    here = set(SalesOrder.objects.filter(external_ref__startswith=order_ref("")).values_list("external_ref", flat=True))
    numbers = set(SalesOrder.objects.exclude(number=None).values_list("number", flat=True))
    variants = {
        one.external_ref: one for one in ProductVariant.objects.filter(external_ref__startswith=item_ref("")).only(
            "external_ref", "sku", "name",
        )
    }
    new, seen, counts = list[tuple[Record, Sale]](), set[str](), Counts()
    for record in records:
        try:
            key = record.text("id", longest=40, is_required=True)
            if key in seen:
                raise BadValue("id", "an earlier record is about the same")
            seen.add(key)
            if order_ref(key) in here:
                counts.unchanged += 1
                continue
            if key in numbers:
                raise BadValue("id", f"there is another order with the number {key}")
            new.append((record, _sale(record, key, channel, zone, variants)))
        except BadValue as error:
            run.leave_out(record, error.name, error.reason)
    run.count("orders", counts)
    _write(run, new)


def _write(run: TableRun, new: Sequence[tuple[Record, Sale]]) -> None:
    customers, sales = _customers(run, new), [sale for _, sale in new]
    for sale in sales:
        sale.order.customer_id = customers.get(sale.user)
    SalesOrder.objects.bulk_create([sale.order for sale in sales])
    SalesOrderItem.objects.bulk_create([line for sale in sales for line in sale.lines])
    run.count("orders", Counts(created=len(sales)))
    run.count("order lines", Counts(created=sum(len(sale.lines) for sale in sales)))
    orders_promise([(sale.order, sale.lines) for sale in sales if sale.order.status == S.CONFIRMED])


def _channel() -> Channel:
    found: Channel
    found, _ = Channel.objects.get_or_create(code=CHANNEL, defaults={
        "name": "Earlier shop", "warehouse": main_location().warehouse, "backorders": True,
        "currency": Organization.objects.values_list("base_currency", flat=True).get(pk=active_organization_id()),
    })
    return found


def _zone() -> ZoneInfo:
    return ZoneInfo(Organization.objects.values_list("timezone", flat=True).get(pk=active_organization_id()))


def _customers(run: TableRun, new: Sequence[tuple[Record, Sale]]) -> dict[str, UUID]:
    """By the id of the user. A person is a customer, and not invited."""
    places: dict[str, int] = {}
    for place, (_, sale) in enumerate(new):
        if sale.user:
            places.setdefault(sale.user, place)
    records = [record for record, _ in new]
    refs = {user: f"shop-user:{user}" for user in places}
    parties = run.upsert("parties", records, Party.objects.filter(external_ref__in=refs.values()), [
        Draft(place, {"external_ref": refs[user]}, starts={
            "name": (new[place][1].order.email or user)[:200], "kind": Party.Kind.PERSON,
        })
        for user, place in places.items()
    ], names={"name": "userId"})
    ids = run.upsert("customers", records, Customer.objects.filter(external_ref__in=refs.values()), [
        Draft(places[user], {"external_ref": refs[user], "party_id": parties[places[user]]}, starts={"code": user})
        for user in places
    ], names={"code": "userId"})
    return {user: ids[place] for user, place in places.items()}


def _sale(record: Record, key: str, channel: Channel, zone: ZoneInfo, variants: Mapping[str, ProductVariant]) -> Sale:
    """Raises BadValue."""
    said = record.text("status", is_required=True)
    if said not in STATES:
        raise BadValue("status", f"{shown(said)} is none of {', '.join(STATES)}")
    status, fulfilment = STATES[said]
    placed = record.moment("dateCreated", zone)
    if placed is None:
        raise BadValue("dateCreated", "a value is required")
    moved = record.moment("dateUpdated", zone) or placed
    order = SalesOrder(
        number=key, external_ref=order_ref(key), channel=channel, warehouse_id=channel.warehouse_id, currency=channel.currency,
        email=_email(record), status=status, fulfilment_status=fulfilment, shipping_address=_address(record), placed_at=placed,
        **_moments(status, moved),
    )
    lines = _lines(record, order, variants)
    order.net_total = order.total = sum((line.net_amount for line in lines), ZERO)
    order.payment_status = status_unpaid(order.total)
    return Sale(order, lines, record.text("userId", longest=40))


def _moments(status: str, moved: datetime) -> dict[str, datetime]:
    names = {
        S.SHIPPED: ("packed_at", "shipped_at", "moved_at"), S.CANCELLED: ("closed_at",),
        S.COMPLETED: ("packed_at", "shipped_at", "delivered_at", "closed_at"),
    }
    return dict.fromkeys(names.get(S(status), ()), moved)


def _email(record: Record) -> str:
    email = record.text("userEmail", longest=254)
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise BadValue("userEmail", f"{shown(email)} is no e-mail address") from error
    return email


def _address(record: Record) -> dict[str, str]:
    found = record.values.get("shippingAddress")
    return {name: found[name] for name in ADDRESS if isinstance(found.get(name), str)} if isinstance(found, dict) else {}


def _lines(record: Record, order: SalesOrder, variants: Mapping[str, ProductVariant]) -> list[SalesOrderItem]:
    """An order of which a line cannot be is left out whole: mended, it goes in whole."""
    items = record.several("items")
    if not items:
        raise BadValue("items", "the order has none")
    if len(items) > MOST_LINES:
        raise BadValue("items", f"they are more than {MOST_LINES}")
    return [_line(order, place, _item(record, place, item), variants) for place, item in enumerate(items, 1)]


def _item(record: Record, place: int, item: Any) -> Record:
    """One line, as a record of its own. An id alone is one piece."""
    values = item if isinstance(item, dict) else {"id": item}
    return Record(record.file, record.place, {f"items/{place}/{name}": value for name, value in values.items()})


def _line(order: SalesOrder, place: int, item: Record, variants: Mapping[str, ProductVariant]) -> SalesOrderItem:
    def name(of: str) -> str:
        return f"items/{place}/{of}"

    key = item.text(name("id"), longest=LONGEST_ID, is_required=True)
    variant = variants.get(item_ref(key))
    if variant is None:
        raise BadValue(name("id"), f"there is no item {key}: import the items first")
    quantity = item.number(name("quantity"))
    quantity = Decimal(1) if quantity is None else quantity
    if not quantity:
        raise BadValue(name("quantity"), "it is nothing")
    price = item.number(name("price")) or ZERO
    shipped = quantity if order.status in (S.SHIPPED, S.COMPLETED) else ZERO
    return SalesOrderItem(
        order=order, line=place, variant=variant, sku=variant.sku, name=item.text(name("title"), longest=400) or variant.name,
        quantity=quantity, unit_price=price, net_amount=price * quantity, price_agreed=True, price_reason=AGREED,
        backorder_policy=SalesOrderItem.BackorderPolicy.WAIT, allocated_quantity=shipped, picked_quantity=shipped,
        shipped_quantity=shipped, cancelled_quantity=quantity if order.status == S.CANCELLED else ZERO,
    )
