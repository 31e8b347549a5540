from datetime import timedelta

from django.utils import timezone

from core.errors import Conflict
from core.tenancy import active_scope
from orders.models import Customer, PurchaseOrder, SalesOrder

UNDONE_WITHIN = timedelta(seconds=15)  # ten on the page, and the way to the server


def may_be_cancelled(order: SalesOrder) -> None:
    """Raises Conflict once goods have left: the order is delivered, or stays in error until they are back."""
    if order.shipped_at is not None:
        raise Conflict(
            f"Goods of {order.number} have left the warehouse: take what is not to be delivered out of its lines. An order"
            " that is held or in error is released first.", code="goods_have_left",
        )


def may_be_placed(order: SalesOrder) -> None:
    """Raises Conflict where the channel, the customer or the warehouse does not take part any more."""
    channel, customer, warehouse = order.channel, order.customer, order.warehouse
    if not channel.is_active:
        raise Conflict(f"Channel {channel.code} takes no orders: it is not active.", code="channel_inactive")
    if customer is not None and (customer.status == Customer.Status.BLOCKED or customer.archived_at):
        state = "archived" if customer.archived_at else "blocked"
        raise Conflict(f"Customer {customer.code} is {state}, and orders nothing.", code="customer_blocked")
    if warehouse.archived_at:
        raise Conflict(f"Warehouse {warehouse.code} is archived: send the goods from another.", code="warehouse_archived")


def approved_just_now(order: PurchaseOrder) -> None:
    """Raises Conflict for what is to be revised instead."""
    if order.decided_at is None or order.decided_by != active_scope().origin.actor_id:
        raise Conflict("Who approved an order takes that back; others revise it.", code="not_approved_by_you")
    if timezone.now() - order.decided_at > UNDONE_WITHIN:
        detail = f"{order.number} was approved too long ago to take that back: revise it, which makes it a draft again."
        raise Conflict(detail, code="too_late")
