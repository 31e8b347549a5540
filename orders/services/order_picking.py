"""An order is being picked while somebody goes round for it, and until what was picked for it is packed."""

from django.db import connection

from core.tenancy import active_organization_id
from orders.events import OrderPickingStarted, OrderPickingStopped
from orders.machines import SALES_ORDERS
from orders.models import SalesOrder
from orders.services.order_telling import parts
from orders.services.stepping import step, told

S = SalesOrder.Status

STILL = """
    SELECT EXISTS (
        SELECT FROM orders_salesorderitem AS l
        JOIN orders_picklistitem AS i ON i.organization_id = l.organization_id AND i.order_item_id = l.id
        JOIN orders_picklist AS p ON p.organization_id = i.organization_id AND p.id = i.pick_list_id
        WHERE l.organization_id = %s AND l.order_id = %s AND (i.is_open AND p.status = 'picking'
            OR p.status <> 'cancelled' AND i.picked_quantity > 0 AND l.picked_quantity > l.shipped_quantity)
    )
"""


def still_picking(order: SalesOrder) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(STILL, [active_organization_id(), order.pk])
        return bool(cursor.fetchone()[0])


def picking_start(order: SalesOrder) -> None:
    """Of a locked order."""
    step(SALES_ORDERS, order, "start_picking")
    told(SALES_ORDERS, "start_picking", OrderPickingStarted(**parts(order)), aggregate_id=order.pk)


def picking_follows(order: SalesOrder) -> None:
    """Of a locked order, after a list of it ended or goods left; one that is held goes back to what is true then."""
    is_held = order.status in (S.ON_HOLD, S.ERROR) and order.held_from == S.PICKING
    if (order.status != S.PICKING and not is_held) or still_picking(order):
        return
    if is_held:
        order.held_from = S.CONFIRMED
        order.save(update_fields=["held_from"])
        return
    step(SALES_ORDERS, order, "stop_picking")
    told(SALES_ORDERS, "stop_picking", OrderPickingStopped(**parts(order)), aggregate_id=order.pk)
