"""Purchase orders out of reorder tasks: one for each supplier and warehouse, in one action."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from decimal import ROUND_CEILING, Decimal, localcontext
from math import lcm
from uuid import UUID

from accounts.queries.rates import DIGITS, convert
from core.errors import Conflict, Invalid
from inventory.models import ReorderTask, Supplier, SupplierProduct, Warehouse
from inventory.queries.closings import today
from orders.models import PurchaseOrder
from orders.services.purchase_tasks import tasks_to_buy
from orders.services.purchasing import MOST_LINES, PurchaseLine, purchase_order_create

WHOLE = Decimal(1_000_000)  # quantities have six decimals
type Goods = tuple[UUID, UUID]


def purchase_orders_from_tasks(
    *, tasks: Collection[UUID] | None = None, warehouses: Collection[UUID] | None = None,
) -> list[PurchaseOrder]:
    """Drafts, and their tasks are ordered from then on. All open tasks of these warehouses, unless some are named.

    Raises Conflict where somebody else has ordered one of them in between, and then makes none.
    """
    found = tasks_to_buy(tasks, warehouses)[:MOST_LINES if tasks is None else None]
    if len(found) > MOST_LINES:
        raise Invalid(f"At most {MOST_LINES} tasks at once.", fields={"tasks": "too many"})
    if not found:
        raise Conflict("No reorder task with a supplier is open: there is nothing to buy.", code="nothing_to_buy")
    items = offered([(task.supplier.pk, task.variant_id) for task in found if task.supplier])
    groups: dict[tuple[UUID | None, UUID], list[ReorderTask]] = defaultdict(list)
    for task in found:
        groups[task.supplier_id, task.warehouse_id].append(task)
    return [
        _order(supplier, warehouse, group, items)
        for group in groups.values() if (supplier := group[0].supplier) and (warehouse := group[0].warehouse)
    ]


def below_minimum(order: PurchaseOrder) -> Decimal | None:
    """How much is missing to what the supplier takes an order for, in the order's currency; None where nothing is."""
    least = order.supplier.min_order_value
    if least and order.currency != order.supplier.currency:
        least = convert(least, order.supplier.currency, order.currency, today())
    missing: Decimal = least - order.net_total
    return missing if missing > 0 else None


def whole_packs(quantity: Decimal, item: SupplierProduct | None) -> Decimal:
    """At least that much, and as much as the supplier takes: whole packs and multiples."""
    if item is None:
        return quantity
    multiple = _common(item.order_multiple, item.pack_size)
    with localcontext(prec=DIGITS):
        times = (max(quantity, item.min_order_quantity) / multiple).to_integral_value(ROUND_CEILING)
        return times * multiple


def _common(one: Decimal, other: Decimal) -> Decimal:
    """Of one each they are no condition."""
    if one == 1 or other == 1:
        return other if one == 1 else one
    return Decimal(lcm(int(one * WHOLE), int(other * WHOLE))) / WHOLE


def offered(pairs: Collection[Goods]) -> dict[Goods, SupplierProduct]:
    """As what each supplier sells each variant."""
    rows = SupplierProduct.objects.filter(
        variant__in={variant for _, variant in pairs}, supplier__in={supplier for supplier, _ in pairs},
    ).order_by("is_preferred", "-pk")
    return {(row.supplier_id, row.variant_id): row for row in rows}


def _order(
    supplier: Supplier, warehouse: Warehouse, tasks: Sequence[ReorderTask], items: dict[Goods, SupplierProduct],
) -> PurchaseOrder:
    lines = [
        PurchaseLine(
            task.variant_id, whole_packs(task.suggested_quantity, items.get((supplier.pk, task.variant_id))),
            reorder_task_id=task.pk,
        )
        for task in tasks
    ]
    return purchase_order_create(supplier=supplier, warehouse=warehouse, lines=lines)
