"""A purchase order that is received whole follows its bills: billed, and received again when one is voided."""

from collections.abc import Iterable
from typing import Any

from orders import events_purchasing as events
from orders.machines import PURCHASE_ORDERS
from orders.models import PurchaseOrder, PurchaseOrderItem
from orders.queries.bill_matching import unbilled
from orders.services.stepping import step, told

Status = PurchaseOrder.Status


def purchase_order_follow_bills(*, order: PurchaseOrder, lines: Iterable[PurchaseOrderItem]) -> None:
    """The order is locked, and these are all its lines as they are now. What waits for goods, or is closed, stays what it is."""
    is_billed = all(unbilled(line) <= 0 for line in lines)
    named: dict[str, Any] = {
        "order": order.pk, "number": order.number, "supplier": order.supplier_id, "warehouse": order.warehouse_id,
    }
    if order.status == Status.RECEIVED and is_billed:
        step(PURCHASE_ORDERS, order, "bill")
        event = events.PurchaseOrderBilled(**named, currency=order.currency, net_total=order.net_total)
        told(PURCHASE_ORDERS, "bill", event, aggregate_id=order.pk)
    elif order.status == Status.BILLED and not is_billed:
        step(PURCHASE_ORDERS, order, "unbill")
        told(PURCHASE_ORDERS, "unbill", events.PurchaseOrderUnbilled(**named), aggregate_id=order.pk)
