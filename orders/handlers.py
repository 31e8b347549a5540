"""What orders do when something has happened."""

from uuid import UUID

from notifications.registry import Event, handles
from orders.services.promising import DOCUMENT
from orders.services.sales_orders import sales_order_allocated


@handles("reservation.ended")
def follow(event: Event) -> None:
    """The goods of an order were given up: by time, or by somebody in the stock."""
    if event["payload"]["demand_type"] == DOCUMENT:
        sales_order_allocated(order_id=UUID(event["payload"]["demand"]))


@handles("stock.reserved")
def follow_promises(event: Event) -> None:
    """Goods came for an order that waited for them."""
    if event["payload"]["demand_type"] == DOCUMENT:
        sales_order_allocated(order_id=UUID(event["payload"]["demand"]))
