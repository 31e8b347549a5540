"""Orders that are imported: of the past, but for what still waits (ADR 50)."""

from collections.abc import Sequence

from django.db.models import Sum

from inventory.models import Reservation
from orders.models import SalesOrder, SalesOrderItem
from orders.services.promising import DOCUMENT, goods_promise


def orders_promise(orders: Sequence[tuple[SalesOrder, Sequence[SalesOrderItem]]]) -> None:
    """Goods of now, for orders that still wait. What they got is read at once: these tables have no statistics yet."""
    for order, lines in orders:
        goods_promise(order, {line: line.quantity for line in lines}, expires_at=None)
    held = Reservation.objects.filter(
        demand_type=DOCUMENT, demand_id__in=[order.pk for order, _ in orders], status=Reservation.Status.ACTIVE,
        stock_item__isnull=False,
    )
    allocated = dict(held.order_by().values_list("demand_line_id").annotate(Sum("quantity")))
    got = [line for _, lines in orders for line in lines if line.pk in allocated]
    for line in got:
        line.allocated_quantity = allocated[line.pk]
    SalesOrderItem.objects.bulk_update(got, ["allocated_quantity"])
