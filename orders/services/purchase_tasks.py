"""The reorder tasks that lines of purchase orders come from: on an order they are ordered, else open again."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from core.errors import Conflict, Invalid
from inventory.models import ReorderTask
from inventory.queries.closings import today
from inventory.services.reorder_tasks import TaskOrder, tasks_dismiss, tasks_order, tasks_reopen
from orders.models import PurchaseOrder


def tasks_check(order: PurchaseOrder, wanted: Sequence[tuple[UUID, UUID]]) -> None:
    """Pairs of task and variant. Raises Invalid for a task of other goods, or of another warehouse."""
    tasks = [task for task, _ in wanted]
    if len(set(tasks)) != len(tasks):
        raise Invalid("Name each reorder task once.", fields={"reorder_task": "twice"})
    found = set(ReorderTask.objects.filter(pk__in=tasks, warehouse=order.warehouse_id).values_list("pk", "variant_id"))
    if found != set(wanted):
        detail = "There is no such reorder task of this variant for this warehouse."
        raise Invalid(detail, code="does_not_exist", fields={"reorder_task": detail})


def tasks_follow(order: PurchaseOrder, *, before: Mapping[UUID, Decimal], after: Mapping[UUID, Decimal]) -> None:
    """The quantity of each task. Raises Conflict for a task that is ordered elsewhere, or finished."""
    tasks_let_go([task for task, quantity in before.items() if after.get(task) != quantity])
    if added := {task: quantity for task, quantity in after.items() if before.get(task) != quantity}:
        day = order.expected_on if order.expected_on and order.expected_on >= today() else None
        tasks_order(orders=[TaskOrder(task, quantity, order.supplier_id, day) for task, quantity in added.items()])


def tasks_let_go(tasks: Collection[UUID]) -> None:
    """Open again, unless somebody has decided otherwise in between. Of what has come in part, the rest is not waited for."""
    still = ReorderTask.objects.filter(pk__in=tasks, status=ReorderTask.Status.ORDERED, transfer_order=None)
    ordered = dict(still.values_list("pk", "received_quantity"))
    if untouched := [task for task, received in ordered.items() if not received]:
        tasks_reopen(tasks=untouched)
    tasks_give_up([task for task, received in ordered.items() if received], reason="The purchase order was canceled.")


def tasks_give_up(tasks: Collection[UUID], *, reason: str) -> None:
    """What was ordered and has not come is not waited for any longer."""
    still = ReorderTask.objects.filter(pk__in=tasks, status=ReorderTask.Status.ORDERED, transfer_order=None)
    if left := list(still.values_list("pk", flat=True)):
        tasks_dismiss(tasks=left, reason=reason)


def tasks_to_buy(tasks: Collection[UUID] | None, warehouses: Collection[UUID] | None) -> list[ReorderTask]:
    """Those, or all open ones with a supplier. Raises Conflict, naming what is wrong with which."""
    rows = ReorderTask.objects.select_related("variant", "warehouse", "supplier")
    if tasks is None:
        found = rows.filter(status=ReorderTask.Status.OPEN, supplier__status="active", supplier__archived_at=None)
        found = found if warehouses is None else found.filter(warehouse__in=warehouses)
        return list(found.order_by("supplier__code", "warehouse__code", "variant__sku"))
    chosen = list(rows.filter(pk__in=tasks).order_by("supplier__code", "warehouse__code", "variant__sku"))
    if len(chosen) != len(set(tasks)):
        raise Invalid("There is no such reorder task.", code="does_not_exist", fields={"tasks": "does not exist"})
    if lacking := [task.variant.sku for task in chosen if task.supplier is None]:
        raise Conflict(f"Nobody is named to buy {', '.join(lacking)} from: give these tasks a supplier.", code="no_supplier")
    return chosen
