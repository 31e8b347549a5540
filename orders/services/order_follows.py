"""An order is packed, shipped and delivered as its shipments are."""

from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from core.tenancy import active_organization_id
from orders.events import OrderDelivered, OrderPacked, OrderShipped, OrderUnpacked
from orders.machines import SALES_ORDERS
from orders.models import SalesOrder
from orders.services.order_picking import picking_follows, still_picking
from orders.services.order_telling import parts
from orders.services.stepping import step
from orders.services.stopping import picks_stopped, shipments_stop

S, F_STATUS = SalesOrder.Status, SalesOrder.FulfilmentStatus

PROGRESS = """
    SELECT bool_and(l.shipped_quantity + COALESCE(p.packed, 0) >= l.quantity - l.cancelled_quantity),
           bool_and(l.shipped_quantity >= l.quantity - l.cancelled_quantity), bool_or(l.shipped_quantity > 0),
           NOT EXISTS (SELECT FROM orders_shipment AS s WHERE s.organization_id = %(organization)s AND s.order_id = %(order)s
                       AND s.status NOT IN ('delivered', 'cancelled', 'draft'))
    FROM orders_salesorderitem AS l LEFT JOIN (
        SELECT i.order_item_id AS id, sum(i.quantity) AS packed FROM orders_shipment AS s
        JOIN orders_shipmentitem AS i ON i.organization_id = s.organization_id AND i.shipment_id = s.id
        WHERE s.organization_id = %(organization)s AND s.order_id = %(order)s AND s.status = 'packed' GROUP BY i.order_item_id
    ) AS p ON p.id = l.id
    WHERE l.organization_id = %(organization)s AND l.order_id = %(order)s AND NOT l.sold_by_components
"""


@dataclass(frozen=True, slots=True)
class Progress:
    all_packed: bool
    all_shipped: bool
    some_shipped: bool
    all_delivered: bool


def order_follows(row: SalesOrder) -> None:
    """Of a locked order, after one of its shipments went on, or something that is open was canceled."""
    now = progress(row)
    if now.all_packed and row.status in SalesOrder.UNDER_WAY:
        order_packed(row, some_shipped=now.some_shipped)
    if row.status == S.PACKED and not now.all_packed:
        status = F_STATUS.PARTLY_SHIPPED if now.some_shipped else F_STATUS.NOT_STARTED
        target = S.PICKING if still_picking(row) else S.CONFIRMED
        event = OrderUnpacked(**parts(row))
        step(SALES_ORDERS, row, "unpack", event=event, target=target, packed_at=None, fulfilment_status=status)
    if row.status == S.PACKED and now.all_shipped:
        order_shipped(row)
    elif now.some_shipped and not now.all_shipped and row.fulfilment_status != F_STATUS.PARTLY_SHIPPED:
        row.fulfilment_status, row.shipped_at = F_STATUS.PARTLY_SHIPPED, row.shipped_at or timezone.now()
        row.save(update_fields=["fulfilment_status", "shipped_at"])
    if row.status == S.SHIPPED and now.all_delivered:
        order_delivered(row)
    picking_follows(row)


def order_needs_no_more(row: SalesOrder) -> None:
    """Of a locked order that asks for less than before: what is left of it may have left already, or be delivered."""
    if row.status not in SalesOrder.UNDER_WAY or row.shipped_at is None:
        return
    now = progress(row)
    if not (now.all_shipped and now.some_shipped):
        return
    shipments_stop(row, "Nothing is left to send.")
    step(
        SALES_ORDERS, row, "need_no_more", event=OrderShipped(**parts(row)), besides=[picks_stopped(row)],
        fulfilment_status=F_STATUS.SHIPPED,
    )
    if now.all_delivered:
        order_delivered(row)


def progress(row: SalesOrder) -> Progress:
    with connection.cursor() as cursor:
        cursor.execute(PROGRESS, {"organization": active_organization_id(), "order": row.pk})
        return Progress(*(bool(value) for value in cursor.fetchone()))


def order_packed(row: SalesOrder, *, some_shipped: bool = False) -> None:
    """Nobody goes round for its goods any more."""
    status = F_STATUS.PARTLY_SHIPPED if some_shipped else F_STATUS.PACKED
    step(
        SALES_ORDERS, row, "pack", event=OrderPacked(**parts(row)), besides=[picks_stopped(row)], packed_at=timezone.now(),
        fulfilment_status=status,
    )


def order_shipped(row: SalesOrder) -> None:
    event = OrderShipped(**parts(row))
    step(SALES_ORDERS, row, "ship", event=event, shipped_at=timezone.now(), fulfilment_status=F_STATUS.SHIPPED)


def order_delivered(row: SalesOrder) -> None:
    event = OrderDelivered(**parts(row))
    step(SALES_ORDERS, row, "deliver", event=event, delivered_at=timezone.now(), fulfilment_status=F_STATUS.DELIVERED)
