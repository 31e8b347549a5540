"""Purchase orders that wait for somebody's approval, with what one has to know to decide."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from uuid import UUID

from django.db import connection
from django.db.models import Q

from accounts.models import Membership, Organization
from accounts.queries.rates import DIGITS, convert
from core.limits import Warehouses, within
from core.tenancy import active_organization_id
from inventory.queries.closings import today
from orders.models import PurchaseOrder, PurchaseOrderItem

SHOWN = 50

# What was paid for the same goods to the same supplier, in the same currency, the last time before.
LAST_PRICES = """
    SELECT l.id, before.unit_price
    FROM orders_purchaseorderitem AS l
    JOIN orders_purchaseorder AS o ON o.organization_id = l.organization_id AND o.id = l.order_id
    CROSS JOIN LATERAL (
        SELECT i.unit_price
        FROM orders_purchaseorderitem AS i
        JOIN orders_purchaseorder AS p ON p.organization_id = i.organization_id AND p.id = i.order_id
        WHERE i.organization_id = l.organization_id AND i.variant_id = l.variant_id AND p.supplier_id = o.supplier_id
            AND p.currency = o.currency AND p.sent_at IS NOT NULL AND p.id <> o.id AND i.unit_price > 0
        ORDER BY p.sent_at DESC, i.line LIMIT 1
    ) AS before
    WHERE l.organization_id = %(organization)s AND l.order_id = ANY (%(orders)s) AND l.unit_price IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class WaitingLine:
    item: PurchaseOrderItem
    last_price: Decimal | None

    @property
    def change(self) -> Decimal | None:
        """Per cent, against the last purchase."""
        if self.last_price is None or self.item.unit_price is None:
            return None
        with localcontext(prec=DIGITS):
            percent = (self.item.unit_price - self.last_price) * 100 / self.last_price
            return percent.quantize(Decimal("0.1"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Waiting:
    order: PurchaseOrder
    lines: list[WaitingLine]
    requester: str
    limit: Decimal | None
    over: Decimal | None  # how much more than the limit, in the organization's currency
    currency: str  # the organization's

    @property
    def steepest(self) -> WaitingLine | None:
        """The line whose price has risen or fallen most."""
        changed = [line for line in self.lines if line.change]
        return max(changed, key=lambda line: abs(line.change or Decimal(0)), default=None)


def waits_for(actor_id: UUID) -> Q:
    """Nobody decides on what they asked for themselves."""
    return Q(status=PurchaseOrder.Status.PENDING_APPROVAL) & ~Q(requested_by=actor_id)


def approvals(actor_id: UUID, warehouses: Warehouses) -> list[Waiting]:
    """Those that have waited longest first, 50 at most: a few statements, however many there are."""
    found = PurchaseOrder.objects.filter(waits_for(actor_id), within(PurchaseOrder, warehouses))
    orders = list(found.select_related("supplier__party", "warehouse").order_by("submitted_at", "pk")[:SHOWN])
    if not orders:
        return []
    keys = [order.pk for order in orders]
    lines: dict[UUID, list[WaitingLine]] = defaultdict(list)
    prices = _last_prices(keys)
    for item in PurchaseOrderItem.objects.filter(order__in=keys).order_by("order", "line"):
        lines[item.order_id].append(WaitingLine(item, prices.get(item.pk)))
    members = Membership.objects.filter(user__in={order.requested_by for order in orders if order.requested_by})
    names = dict(members.values_list("user", "user__name"))
    limit, currency = Organization.objects.values_list("purchase_approval_over", "base_currency").get(pk=active_organization_id())
    day = today()
    return [
        Waiting(
            order, lines[order.pk], names.get(order.requested_by, "a program"), limit,
            None if limit is None else convert(order.net_total, order.currency, currency, day) - limit, currency,
        )
        for order in orders
    ]


def _last_prices(orders: Collection[UUID]) -> dict[UUID, Decimal]:
    with connection.cursor() as cursor:
        cursor.execute(LAST_PRICES, {"organization": active_organization_id(), "orders": list(orders)})
        return dict(cursor.fetchall())
