"""Sales orders leave the warehouse: packed, shipped, delivered, completed, or failed.

Partners say so by calls that may come twice: what is true already is answered as before, and nothing is told again. The
order is locked before any stock. They move its shipments, which shipments.py also moves one by one.
"""

from uuid import UUID

from django.utils import timezone

from inventory.services.reservations import Demand, demand_keep
from orders.events import OrderCompleted, OrderFailed
from orders.machines import SALES_ORDERS
from orders.models import SalesOrder
from orders.queries.to_ship import on_the_way
from orders.services.order_follows import order_delivered, order_packed, order_shipped
from orders.services.order_locking import locked_alone
from orders.services.order_telling import parts
from orders.services.sales_orders import DOCUMENT
from orders.services.shipments import delivered, packed_hand_over, packed_rest
from orders.services.stepping import allow, step

S = SalesOrder.Status
AFTER_PACKING = (S.PACKED, S.SHIPPED, S.DELIVERED, S.COMPLETED)
AFTER_SHIPPING = (S.SHIPPED, S.DELIVERED, S.COMPLETED)
AFTER_DELIVERY = (S.DELIVERED, S.COMPLETED)


def sales_order_pack(*, order: SalesOrder) -> SalesOrder:
    """All its goods are picked and packed, in one shipment unless it has several, and stay promised to it.

    Raises Conflict where some are not there.
    """
    row = locked_alone(order)
    if row.status in AFTER_PACKING:
        return row
    allow(SALES_ORDERS, row, "pack")
    packed_rest(row)
    order_packed(row, some_shipped=row.shipped_at is not None)
    return row


def sales_order_ship(*, order: SalesOrder) -> SalesOrder:
    """Its packed shipments leave the stock: the goods issue is posted by its reservations."""
    row = locked_alone(order)
    if row.status not in AFTER_SHIPPING:
        allow(SALES_ORDERS, row, "ship")
        _ship(row)
    return row


def sales_order_deliver(*, order: SalesOrder) -> SalesOrder:
    """The customer has the goods. What was packed is shipped first, so that the ledger is right."""
    row = locked_alone(order)
    if row.status in AFTER_DELIVERY:
        return row
    allow(SALES_ORDERS, row, "deliver")
    if row.status == S.PACKED:
        _ship(row)
    for shipment in on_the_way(row):
        delivered(row, shipment)
    order_delivered(row)
    return row


def sales_order_complete(*, order: SalesOrder) -> SalesOrder:
    row = locked_alone(order)
    if row.status == S.COMPLETED:
        return row
    step(SALES_ORDERS, row, "complete", event=OrderCompleted(**parts(row)), closed_at=timezone.now())
    return row


def sales_order_fail(*, order: SalesOrder, code: str, reason: str = "") -> SalesOrder:
    """It keeps its goods, without an end, until somebody releases it, to where it was, or cancels it."""
    row = locked_alone(order)
    allow(SALES_ORDERS, row, "fail")
    demand_keep(demand=Demand(DOCUMENT, row.pk))
    event = OrderFailed(**parts(row), code=code, reason=reason)
    step(SALES_ORDERS, row, "fail", event=event, note=reason, error_code=code, held_from=row.status)
    return row


def partner_told(*, order_id: UUID, before: str, after: str) -> bool:
    """A partner has taken the news; a partner that was quicker to act on it than we to note it has gone further already."""
    told_now = SalesOrder.objects.filter(pk=order_id, fulfilment_status=before).exclude(status__in=SalesOrder.OVER)
    return bool(told_now.update(fulfilment_status=after))


def _ship(row: SalesOrder) -> None:
    packed_hand_over(row)
    order_shipped(row)
