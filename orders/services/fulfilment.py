"""Sales orders leave the warehouse: packed, shipped, delivered, completed, or failed.

Partners say so by calls that may come twice: what is true already is answered as before, and nothing is told again. The
order is locked before any stock.
"""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet, Sum
from django.utils import timezone

from core.errors import Conflict
from inventory.models import Reservation
from inventory.services.reservations import Demand, Pick, demand_keep, stock_pick
from orders.events import OrderCompleted, OrderDelivered, OrderFailed, OrderPacked, OrderShipped
from orders.machines import SALES_ORDERS
from orders.models import SalesOrder
from orders.services.sales_orders import DOCUMENT, locked
from orders.services.stepping import allow, step, told

S, F_STATUS = SalesOrder.Status, SalesOrder.FulfilmentStatus
AFTER_PACKING = (S.PACKED, S.SHIPPED, S.DELIVERED, S.COMPLETED)
AFTER_SHIPPING = (S.SHIPPED, S.DELIVERED, S.COMPLETED)
AFTER_DELIVERY = (S.DELIVERED, S.COMPLETED)


def sales_order_pack(*, order: SalesOrder) -> SalesOrder:
    """All its goods are picked and packed, and stay promised to it. Raises Conflict where some are not there."""
    row = locked(order)
    if row.status in AFTER_PACKING:
        return row
    step(SALES_ORDERS, row, "pack", packed_at=timezone.now(), fulfilment_status=F_STATUS.PACKED)
    demand_keep(demand=Demand(DOCUMENT, row.pk))  # goods in a parcel are nobody else's when time is up
    held = _held(row)
    short = [
        f"{(wanted - held.get(key, Decimal(0))).normalize():f} of {sku}" for key, sku, wanted in _wanted(row)
        if held.get(key, Decimal(0)) < wanted
    ]
    if short:
        raise Conflict(f"Not all of its goods are allocated, {', '.join(short)} are missing.", code="not_allocated")
    whole = F("quantity") - F("cancelled_quantity")
    row.lines.update(allocated_quantity=whole, picked_quantity=whole)
    told(SALES_ORDERS, "pack", OrderPacked(**_named(row)), aggregate_id=row.pk)
    return row


def sales_order_ship(*, order: SalesOrder) -> SalesOrder:
    """Its goods leave the stock: the goods issue is posted by its reservations."""
    row = locked(order)
    if row.status not in AFTER_SHIPPING:
        _ship(row)
    return row


def sales_order_deliver(*, order: SalesOrder) -> SalesOrder:
    """The customer has the goods. What was packed is shipped first, so that the ledger is right."""
    row = locked(order)
    if row.status in AFTER_DELIVERY:
        return row
    if row.status == S.PACKED:
        _ship(row)
    step(SALES_ORDERS, row, "deliver", delivered_at=timezone.now(), fulfilment_status=F_STATUS.DELIVERED)
    told(SALES_ORDERS, "deliver", OrderDelivered(**_named(row)), aggregate_id=row.pk)
    return row


def sales_order_complete(*, order: SalesOrder) -> SalesOrder:
    row = locked(order)
    if row.status == S.COMPLETED:
        return row
    step(SALES_ORDERS, row, "complete", closed_at=timezone.now())
    told(SALES_ORDERS, "complete", OrderCompleted(**_named(row)), aggregate_id=row.pk)
    return row


def sales_order_fail(*, order: SalesOrder, code: str, reason: str = "") -> SalesOrder:
    """It keeps its goods, without an end, until somebody releases it, to where it was, or cancels it."""
    row = locked(order)
    allow(SALES_ORDERS, row, "fail")
    demand_keep(demand=Demand(DOCUMENT, row.pk))
    step(SALES_ORDERS, row, "fail", note=reason, error_code=code, held_from=row.status)
    told(SALES_ORDERS, "fail", OrderFailed(**_named(row), code=code, reason=reason), aggregate_id=row.pk)
    return row


def partner_told(*, order_id: UUID, before: str, after: str) -> bool:
    """A partner has taken the news; a partner that was quicker to act on it than we to note it has gone further already."""
    told_now = SalesOrder.objects.filter(pk=order_id, fulfilment_status=before).exclude(status__in=SalesOrder.OVER)
    return bool(told_now.update(fulfilment_status=after))


def _ship(row: SalesOrder) -> None:
    step(SALES_ORDERS, row, "ship", shipped_at=timezone.now(), fulfilment_status=F_STATUS.SHIPPED)
    packed = row.lines.annotate(left=F("picked_quantity") - F("shipped_quantity")).filter(left__gt=0)
    if dict(packed.values_list("pk", "left")) != _held(row):
        raise Conflict("What is reserved for this order is not what was packed: look at its reservations.", code="not_allocated")
    stock_pick(picks=[Pick(key) for key in _allocated(row).order_by("pk").values_list("pk", flat=True)])
    row.lines.update(shipped_quantity=F("picked_quantity"))
    told(SALES_ORDERS, "ship", OrderShipped(**_named(row)), aggregate_id=row.pk)


def _promised(row: SalesOrder) -> QuerySet[Reservation]:
    found: QuerySet[Reservation] = Reservation.objects.filter(
        demand_type=DOCUMENT, demand_id=row.pk, status=Reservation.Status.ACTIVE,
    )
    return found


def _allocated(row: SalesOrder) -> QuerySet[Reservation]:
    return _promised(row).filter(stock_item__isnull=False)


def _held(row: SalesOrder) -> dict[UUID, Decimal]:
    """By line, what is reserved and still there."""
    left = Sum(F("quantity") - F("picked_quantity"))
    return dict(_allocated(row).order_by().values_list("demand_line_id").annotate(left=left))


def _wanted(row: SalesOrder) -> list[tuple[UUID, str, Decimal]]:
    whole = F("quantity") - F("cancelled_quantity")
    return list(row.lines.annotate(wanted=whole).order_by("line").values_list("pk", "sku", "wanted"))


def _named(row: SalesOrder) -> dict[str, Any]:
    return {
        "order": row.pk, "number": row.number, "channel": row.channel_id, "customer": row.customer_id,
        "warehouse": row.warehouse_id,
    }
