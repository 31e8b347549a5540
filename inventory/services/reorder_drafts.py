"""Reorder tasks that propose a transfer are put on drafts of transfer orders, which the warehouses then work off."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from decimal import Decimal
from uuid import UUID

from core.errors import Conflict
from inventory.models import ReorderTask, TransferOrder, Warehouse
from inventory.services.transfers import TransferLine, transfer_order_cancel, transfer_order_create


def transfers_draft(*, tasks: Collection[ReorderTask], quantities: Mapping[UUID, Decimal]) -> dict[UUID, UUID]:
    """The transfer order of each task: one for each pair of warehouses. A draft reserves nothing, so it locks no stock."""
    routes: dict[tuple[UUID, UUID], list[ReorderTask]] = defaultdict(list)
    for task in tasks:
        if task.source_warehouse_id:
            routes[task.source_warehouse_id, task.warehouse_id].append(task)
    warehouses = Warehouse.objects.in_bulk({key for pair in routes for key in pair})
    found = {}
    for (source, destination), together in sorted(routes.items(), key=str):
        order = transfer_order_create(
            source=warehouses[source], destination=warehouses[destination],
            lines=[TransferLine(task.variant_id, quantities[task.pk]) for task in together], note="Reordered",
        )
        found.update({task.pk: order.pk for task in together})
    return found


def transfers_undo(*, tasks: Collection[UUID]) -> list[ReorderTask]:
    """Cancels the drafts that the tasks are on, which opens the tasks again; returns those. Orders are locked before tasks.

    Raises Conflict where the order is a draft no longer, or brings goods of other tasks too.
    """
    rows = ReorderTask.objects.filter(status=ReorderTask.Status.ORDERED, transfer_order__isnull=False)
    undone = list(rows.filter(pk__in=tasks).select_related("variant", "warehouse", "transfer_order").order_by("variant__sku"))
    orders: dict[UUID, TransferOrder] = {task.transfer_order_id: task.transfer_order for task in undone}
    if rows.filter(transfer_order__in=orders).exclude(pk__in=tasks).exists():
        detail = "Other tasks are on the same transfer order: choose them too, or change the order."
        raise Conflict(detail, code="on_transfer_order")
    for _, order in sorted(orders.items()):
        if order.status != TransferOrder.Status.DRAFT:
            raise Conflict(
                f"Transfer order {order.number} is {order.get_status_display().lower()}: cancel it, and its tasks are open"
                " again.", code="on_transfer_order",
            )
        transfer_order_cancel(order=order)
    return undone
