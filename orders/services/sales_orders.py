"""Sales orders: a cart, placed with its goods reserved, canceled. The order is locked before any stock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.services.documents import number_next, sequences_create
from core.errors import Invalid, NotFound
from inventory.models import ProductVariant
from inventory.queries import prices
from inventory.services.candidates import Wanted
from inventory.services.reservations import Demand, Shortage, demand_release, stock_reserve
from orders.events import OrderCancelled, OrderLine, OrderPlaced
from orders.machines import SALES_ORDERS
from orders.models import Channel, Customer, SalesOrder, SalesOrderItem
from orders.services.stepping import step, told

DOCUMENT = "sales_order"
NUMBERS = "SO-{number:06}"
MOST_LINES = 1_000
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class NewLine:
    """Without a price, what the price lists say."""

    variant_id: UUID
    quantity: Decimal
    unit_price: Decimal | None = None
    discount: Decimal = ZERO
    vehicle_model_id: UUID | None = None
    backorder_policy: str = SalesOrderItem.BackorderPolicy.CHANNEL


def sales_order_create(
    *, channel: Channel, lines: Sequence[NewLine] = (), customer: Customer | None = None, **values: Any,
) -> SalesOrder:
    """A cart, which promises nothing yet. `values` are columns."""
    values.setdefault("currency", channel.currency)
    values.setdefault("warehouse_id", channel.warehouse_id)
    order: SalesOrder = SalesOrder.objects.create(channel=channel, customer=customer, **values)
    lines_write(order, lines)
    return order


def lines_write(order: SalesOrder, lines: Sequence[NewLine]) -> list[SalesOrderItem]:
    """In the place of those before, priced; the order's totals follow."""
    if len(lines) > MOST_LINES:
        raise Invalid(f"At most {MOST_LINES} lines.", fields={"lines": "too many"})
    order.lines.all().delete()
    made = priced(order, lines) if lines else []
    SalesOrderItem.objects.bulk_create(made)
    totals_follow(order)
    return made


def priced(order: SalesOrder, lines: Sequence[NewLine]) -> list[SalesOrderItem]:
    """Raises Invalid for a variant that is not there, has no price, or no tax rate."""
    party = order.customer.party_id if order.customer else None
    place: Mapping[str, str] = order.shipping_address or {}
    question = prices.Question(
        party_id=party, currency=order.currency, country=place.get("country", ""), region=place.get("region", ""),
    )
    quote = prices.prices_of(question, [prices.Wanted(line.variant_id, line.quantity) for line in lines])
    variants = ProductVariant.objects.select_related("product").in_bulk([line.variant_id for line in lines])
    exempt = order.customer is not None and order.customer.tax_exempt
    return [
        _item(order, number, line, cost, variants[line.variant_id], exempt=exempt)
        for number, (line, cost) in enumerate(zip(lines, quote.costs, strict=True), 1)
    ]


def _item(
    order: SalesOrder, number: int, line: NewLine, cost: prices.Cost, variant: ProductVariant, *, exempt: bool,
) -> SalesOrderItem:
    price = cost.unit_price if line.unit_price is None else line.unit_price
    if price is None:
        raise Invalid(cost.why, code="no_price", fields={f"lines/{number - 1}/unit_price": cost.why})
    includes_tax = line.unit_price is None and cost.offer is not None and cost.offer.includes_tax
    rate = cost.goods.rate or ZERO
    amounts = prices.amounts(
        price, line.quantity, rate, order.currency, includes_tax=includes_tax, discount=line.discount, exempt=exempt,
    )
    return SalesOrderItem(
        order=order, line=number, variant=variant, sku=variant.sku, name=variant.name or variant.product.name,
        quantity=line.quantity, unit_price=price, discount=line.discount, includes_tax=includes_tax,
        tax_rate=ZERO if exempt else rate, net_amount=amounts.net, tax_amount=amounts.tax,
        price_reason=(cost.why if line.unit_price is None else "Agreed")[:300], vehicle_model_id=line.vehicle_model_id,
        backorder_policy=line.backorder_policy,
    )


def totals_follow(order: SalesOrder) -> None:
    rows = [*order.lines.values_list("net_amount", "tax_amount"), *order.adjustments.values_list("net_amount", "tax_amount")]
    order.net_total, order.tax_total = sum((net for net, _ in rows), ZERO), sum((tax for _, tax in rows), ZERO)
    order.total = order.net_total + order.tax_total
    order.save(update_fields=["net_total", "tax_total", "total"])


def sales_order_place(*, order: SalesOrder) -> SalesOrder:
    """The cart gets its number and its goods. Raises Conflict where goods are short and nobody may wait for them."""
    row = locked(order)
    lines = list(row.lines.select_related("variant").order_by("line"))
    if not lines:
        raise Invalid("The cart is empty: say what is ordered.", fields={"lines": "empty"})
    number = row.number or numbered()
    step(SALES_ORDERS, row, "place", number=number, placed_at=timezone.now())
    stock_reserve(
        lines=[Wanted(line.variant_id, row.warehouse_id, line.quantity, demand_line_id=line.pk) for line in lines],
        demand=Demand(DOCUMENT, row.pk), shortage=Shortage.BACKORDER if row.channel.backorders else Shortage.REFUSE,
    )
    told(SALES_ORDERS, "place", OrderPlaced(
        order=row.pk, number=number, channel=row.channel_id, customer=row.customer_id, warehouse=row.warehouse_id,
        currency=row.currency, net_total=row.net_total, tax_total=row.tax_total, total=row.total,
        lines=[order_line(line) for line in lines],
    ), aggregate_id=row.pk)
    return row


def order_line(line: SalesOrderItem) -> OrderLine:
    return OrderLine(
        line=line.pk, variant=line.variant_id, sku=line.sku, name=line.name, quantity=line.quantity - line.cancelled_quantity,
        unit_price=line.unit_price,
    )


def sales_order_cancel(*, order: SalesOrder, reason: str = "") -> SalesOrder:
    """What is reserved is free again."""
    row = locked(order)
    step(SALES_ORDERS, row, "cancel", note=reason, closed_at=timezone.now())
    demand_release(demand=Demand(DOCUMENT, row.pk))
    told(SALES_ORDERS, "cancel", OrderCancelled(
        order=row.pk, number=row.number, channel=row.channel_id, customer=row.customer_id, warehouse=row.warehouse_id,
        reason=reason,
    ), aggregate_id=row.pk)
    return row


def locked(order: SalesOrder) -> SalesOrder:
    row: SalesOrder | None = SalesOrder.objects.select_for_update(of=("self",), no_key=True).select_related(
        "channel", "customer",
    ).filter(pk=order.pk).first()
    if row is None:
        raise NotFound("There is no such sales order.")
    return row


def numbered() -> str:
    try:
        return number_next(document_type=DOCUMENT)
    except Invalid:  # the first one, unless somebody has chosen a pattern
        sequences_create(**{DOCUMENT: NUMBERS})
        return number_next(document_type=DOCUMENT)
