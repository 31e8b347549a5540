"""What left by the lines of an order and came back: how much, of which lots, at what cost, for what money."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.queries.rates import minor_unit
from core.fields import MoneyField
from core.tenancy import active_organization_id
from inventory.services.costing import rounded, share
from orders.models import Invoice, InvoiceItem, ReturnAuthorization, ReturnItem, SalesOrder, Shipment, ShipmentItem
from orders.queries.kits import as_sold

ZERO = Decimal(0)

# Goods leave by the document of the order; what was reversed has not left. Value entries of what leaves are below zero.
LEFT = """
    SELECT m.document_line_id, m.lot_id, sum(m.sign * m.quantity), -sum(e.value)
    FROM (
        SELECT id, document_line_id, lot_id, quantity, CASE WHEN to_location_id IS NULL THEN 1 ELSE -1 END AS sign
        FROM inventory_stockmove
        WHERE organization_id = %(organization)s AND document_id = %(order)s AND document_line_id IS NOT NULL AND kind = 'issue'
    ) AS m
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(v.value), 0) AS value FROM inventory_valueentry AS v
        WHERE v.organization_id = %(organization)s AND v.move_id = m.id AND v.kind = 'cost'
    ) AS e
    GROUP BY m.document_line_id, m.lot_id
"""


# A return that is refunded keeps the reference when it is closed. A credit note's line without a quantity takes back money alone:
# its goods are not invoiced again.
CREDITED = """
    SELECT (SELECT COALESCE(sum(refund_amount), 0) FROM orders_returnauthorization
            WHERE organization_id = %(organization)s AND order_id = %(order)s AND refund_reference <> '')
         + (SELECT COALESCE(sum(t.net_amount + t.tax_amount), 0) FROM orders_invoice AS i
            JOIN orders_invoiceitem AS t ON t.organization_id = i.organization_id AND t.invoice_id = i.id
            WHERE i.organization_id = %(organization)s AND i.order_id = %(order)s AND i.kind = 'credit_note'
                AND i.status = 'issued' AND t.quantity = 0)
"""


class Left(NamedTuple):
    quantity: Decimal
    cost: Decimal

    @property
    def unit_cost(self) -> Decimal | None:
        return rounded(self.cost / self.quantity) if self.quantity > 0 and self.cost > 0 else None


NOTHING = Left(ZERO, ZERO)


def goods_left(order: SalesOrder) -> dict[tuple[UUID, UUID | None], Left]:
    """By line and lot."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT, {"organization": active_organization_id(), "order": order.pk})
        return {(line, lot): Left(quantity, cost) for line, lot, quantity, cost in cursor.fetchall()}


def goods_delivered(order: SalesOrder) -> dict[tuple[UUID, UUID | None], Decimal]:
    """By line and lot, what the customer has by shipments that were delivered."""
    rows = ShipmentItem.objects.filter(shipment__order=order, shipment__status=Shipment.Status.DELIVERED).order_by()
    sums = rows.values_list("order_item_id", "lot_id").annotate(sum=Sum("quantity"))
    return {(line, lot): quantity for line, lot, quantity in sums}


def claimed(order: SalesOrder) -> dict[tuple[UUID, UUID | None], Decimal]:
    """What is asked for or came back already, by line and lot: of what was inspected, that which came."""
    found: dict[tuple[UUID, UUID | None], Decimal] = {}
    rows = ReturnItem.objects.filter(authorization__order=order).exclude(
        authorization__status=ReturnAuthorization.Status.REJECTED,
    ).values_list("order_item_id", "lot_id", "quantity", "received_quantity", "authorization__inspected_at")
    for line, lot, quantity, received, inspected in rows:
        counts = received if received or inspected else quantity
        found[line, lot] = found.get((line, lot), ZERO) + counts
    return found


def refundable(order: SalesOrder, *returned: Mapping[UUID, Decimal]) -> list[Decimal]:
    """For each of these: what so much of each line has cost, with tax, its discount and its share of the order's discounts, in
    whole cents.

    What came back of a kit's components is the part of the kit that they are. What promotions take off belongs to the lines that
    they take it off. What credit notes of money alone took off is not given back again.

    Of everything it is exactly the goods' part of the total, less that. Shipping stays paid.
    """
    lines: list[Any] = list(order.lines.annotate(credited=_credited_alone("order_item")))
    costs = {line.pk: line.net_amount + line.tax_amount - line.credited for line in lines}
    goods = sum(costs.values(), ZERO)
    promoted = sum((line.promotion_discount for line in lines), ZERO)
    (by_promotions, by_others), cent = _discounts(order), minor_unit(order.currency)
    found = []
    for came in returned:
        quantities = as_sold(came, lines)
        chosen = [line for line in lines if quantities.get(line.pk)]
        part = sum((share(costs[line.pk], quantities[line.pk], line.quantity) for line in chosen), ZERO)
        off = sum((share(line.promotion_discount, quantities[line.pk], line.quantity) for line in chosen), ZERO)
        whole = part + share(by_others, part, goods) if goods else ZERO
        whole += share(by_promotions, off, promoted) if promoted else ZERO
        found.append(max(whole, ZERO).quantize(cent, ROUND_HALF_UP))
    return found


def credited_amount(order: SalesOrder) -> Decimal:
    """What its refunded returns and its credit notes of money alone take off what the order costs, whether money was given back
    or is owed no more.
    """
    with connection.cursor() as cursor:
        cursor.execute(CREDITED, {"organization": active_organization_id(), "order": order.pk})
        return Decimal(cursor.fetchone()[0])


def _credited_alone(name: str) -> Coalesce:
    """Of lines or adjustments, which an invoice's lines call so: the money alone that issued credit notes took off, with tax."""
    rows = InvoiceItem.objects.filter(
        quantity=0, invoice__kind=Invoice.Kind.CREDIT_NOTE, invoice__status=Invoice.Status.ISSUED, **{name: OuterRef("pk")},
    ).order_by().values(name).annotate(whole=Sum(F("net_amount") + F("tax_amount")))
    return Coalesce(Subquery(rows.values("whole")), ZERO, output_field=MoneyField())


def _discounts(order: SalesOrder) -> tuple[Decimal, Decimal]:
    """Those of promotions, and the others, with tax."""
    rows = order.adjustments.filter(kind="discount").annotate(credited=_credited_alone("adjustment"))
    found = [
        (source == "promotion", net + tax - credited)
        for source, net, tax, credited in rows.values_list("source_type", "net_amount", "tax_amount", "credited")
    ]
    return sum((amount for own, amount in found if own), ZERO), sum((amount for own, amount in found if not own), ZERO)


def refund_of(authorization: ReturnAuthorization, came: Iterable[ReturnItem]) -> Decimal:
    """All returns of an order together give back to the cent what its goods had cost."""
    others = ReturnItem.objects.filter(
        authorization__order=authorization.order_id, authorization__inspected_at__isnull=False,
    ).exclude(authorization=authorization.pk)
    amounts, quantities = dict[UUID, Decimal](), defaultdict[UUID, Decimal](Decimal)
    for other, amount, line, quantity in others.values_list(
        "authorization_id", "authorization__refund_amount", "order_item_id", "received_quantity",
    ):
        amounts[other] = amount
        quantities[line] += quantity
    for item in came:
        quantities[item.order_item_id] += item.received_quantity
    [whole] = refundable(authorization.order, quantities)
    return max(whole - sum(amounts.values(), ZERO), ZERO)
