"""What events say of a sales order."""

from typing import Any

from orders.events import OrderLine
from orders.models import SalesOrder, SalesOrderItem


def parts(order: SalesOrder) -> dict[str, Any]:
    """What every event of an order says."""
    return {
        "order": order.pk, "number": order.number, "channel": order.channel_id, "customer": order.customer_id,
        "warehouse": order.warehouse_id,
    }


def order_line(line: SalesOrderItem) -> OrderLine:
    return OrderLine(
        line=line.pk, variant=line.variant_id, sku=line.sku, name=line.name, quantity=line.quantity - line.cancelled_quantity,
        unit_price=line.unit_price, kit=line.kit_id,
    )
