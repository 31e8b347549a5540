"""Orders that are imported: of the past, but for what still waits (ADR 50)."""

from collections.abc import Sequence

from django.db.models import Sum

from inventory.models import ProductVariant, Reservation
from inventory.services.locks import lock_ahead, lock_pools_and_rules
from orders.models import SalesOrder, SalesOrderItem
from orders.services.kits import components_of
from orders.services.promising import DOCUMENT, goods_promise


def orders_promise(orders: Sequence[tuple[SalesOrder, Sequence[SalesOrderItem]]]) -> None:
    """Goods of now, for orders that still wait. What they got is read at once: these tables have no statistics yet."""
    orders = _with_components(orders)
    goods = {(line.variant_id, order.warehouse_id) for order, lines in orders for line in lines}
    lock_ahead(whole=goods)
    lock_pools_and_rules(goods)
    for order, lines in orders:
        goods_promise(order, {line: line.quantity for line in lines}, expires_at=None, waits_for_others=False)
    held = Reservation.objects.filter(
        demand_type=DOCUMENT, demand_id__in=[order.pk for order, _ in orders], status=Reservation.Status.ACTIVE,
        stock_item__isnull=False,
    )
    allocated = dict(held.order_by().values_list("demand_line_id").annotate(Sum("quantity")))
    got = [line for _, lines in orders for line in lines if line.pk in allocated]
    for line in got:
        line.allocated_quantity = allocated[line.pk]
    SalesOrderItem.objects.bulk_update(got, ["allocated_quantity"])


def _with_components(
    orders: Sequence[tuple[SalesOrder, Sequence[SalesOrderItem]]],
) -> list[tuple[SalesOrder, Sequence[SalesOrderItem]]]:
    """What waits of kits that are sold by their components waits for these."""
    variants = {line.variant_id for _, lines in orders for line in lines}
    kits = set(ProductVariant.objects.filter(pk__in=variants, sold_by_components=True).values_list("pk", flat=True))
    found: list[tuple[SalesOrder, Sequence[SalesOrderItem]]] = []
    for order, lines in orders:
        sold = [line for line in lines if line.variant_id in kits]
        for line in sold:
            line.sold_by_components = True
        components = components_of(sold, first=max((line.line for line in lines), default=0) + 1)
        SalesOrderItem.objects.bulk_update(sold, ["sold_by_components"])
        SalesOrderItem.objects.bulk_create(components)
        found.append((order, [*lines, *components]))
    return found
