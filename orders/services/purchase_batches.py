"""Purchase orders out of the reorder tasks that somebody has gone through, all at once; and the whole batch taken back."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from accounts.services.documents import numbers_next
from core.errors import Conflict, Invalid
from inventory.models import ReorderTask, Supplier, Warehouse
from inventory.services.reorder_tasks import TaskOrder, tasks_order
from orders.models import PurchaseOrder, PurchaseOrderItem
from orders.services.purchase_expected import DOCUMENT, all_expected_follow
from orders.services.purchase_proposals import offered
from orders.services.purchase_states import purchase_order_cancel
from orders.services.purchasing import (
    MOST_LINES,
    NUMBERS,
    Known,
    PurchaseLine,
    lines_priced,
    parties_check,
    totals_follow,
)

Status = PurchaseOrder.Status
UNSENT = (Status.DRAFT, Status.PENDING_APPROVAL, Status.APPROVED)


@dataclass(frozen=True, slots=True)
class Wish:
    """A task, the supplier who is to bring its goods, and what the task becomes."""

    task: ReorderTask
    supplier: Supplier
    order: TaskOrder


def purchase_orders_buy(*, choices: Sequence[TaskOrder]) -> list[PurchaseOrder]:
    """Drafts, one for each supplier and warehouse; what another warehouse has to spare goes on drafts of transfer orders.

    A few statements, however many tasks. Raises Conflict where a task has nobody to bring its goods, or is ordered already.
    """
    if not choices:
        raise Invalid("Choose at least one task.", fields={"tasks": "empty"})
    if len(choices) > MOST_LINES:
        raise Invalid(f"At most {MOST_LINES} tasks at once.", fields={"tasks": "too many"})
    wishes, fetched = _wishes(choices)
    groups: dict[tuple[Supplier, Warehouse], list[Wish]] = defaultdict(list)
    for wish in wishes:
        groups[wish.supplier, wish.task.warehouse].append(wish)
    orders = _orders(list(groups)) if groups else []
    items = offered([(wish.supplier.pk, wish.task.variant_id) for wish in wishes]) if groups else {}
    lines: dict[UUID, list[PurchaseOrderItem]] = {}
    for order, group in zip(orders, groups.values(), strict=True):
        known = Known({wish.task.variant_id: wish.task.variant for wish in group}, {
            variant: item for (supplier, variant), item in items.items() if supplier == order.supplier_id
        })
        made = lines_priced(order, [_line(wish) for wish in group], known)
        totals_follow(order, made)
        lines[order.pk] = made
    PurchaseOrder.objects.bulk_create(orders)
    PurchaseOrderItem.objects.bulk_create(line for made in lines.values() for line in made)
    tasks_order(orders=[*(wish.order for wish in wishes), *fetched])
    if orders:
        all_expected_follow({order: lines[order.pk] for order in orders})
    return orders


def purchase_orders_undo(*, orders: Collection[UUID]) -> list[PurchaseOrder]:
    """Cancels them, and their tasks are open again. Raises Conflict as soon as a supplier has one of them."""
    rows = list(PurchaseOrder.objects.select_for_update(no_key=True).filter(pk__in=orders).order_by("pk"))
    if gone := [row for row in rows if row.status not in (*UNSENT, Status.CANCELLED)]:
        state = gone[0].get_status_display().lower()
        raise Conflict(f"{gone[0].number} is {state}: cancel what can be canceled one by one.", code="sent")
    return [purchase_order_cancel(order=row, reason="Undone") for row in rows if row.status != Status.CANCELLED]


def _wishes(choices: Sequence[TaskOrder]) -> tuple[list[Wish], list[TaskOrder]]:
    """What is bought, and what is fetched from another warehouse."""
    rows = ReorderTask.objects.select_related("variant__product", "warehouse", "supplier")
    tasks = rows.in_bulk([one.task_id for one in choices])
    others = {one.supplier_id for one in choices if one.supplier_id} - {task.supplier_id for task in tasks.values()}
    suppliers = {task.supplier.pk: task.supplier for task in tasks.values() if task.supplier}
    if others:
        suppliers |= Supplier.objects.in_bulk(others)
    wishes, fetched = [], []
    for one in choices:
        if (task := tasks.get(one.task_id)) is None:
            raise Invalid("There is no such reorder task.", code="does_not_exist", fields={"tasks": "does not exist"})
        supplier = suppliers.get(one.supplier_id or task.supplier_id)
        if one.supplier_id is None and task.source_warehouse_id:
            fetched.append(one)
        elif supplier is None:
            raise Conflict(f"Nobody is named to buy {task.variant.sku} from: give it a supplier.", code="no_supplier")
        else:
            is_other = supplier.pk != task.supplier_id
            said = replace(one, supplier_id=supplier.pk if is_other else None)
            wishes.append(Wish(task, supplier, said))
    return sorted(wishes, key=lambda wish: (wish.supplier.code, wish.task.warehouse.code, wish.task.variant.sku)), fetched


def _orders(ends: Sequence[tuple[Supplier, Warehouse]]) -> list[PurchaseOrder]:
    for supplier, warehouse in ends:
        parties_check(supplier, warehouse)
    numbers = numbers_next(document_type=DOCUMENT, count=len(ends), first=NUMBERS)
    return [
        PurchaseOrder(number=number, supplier=supplier, warehouse=warehouse, currency=supplier.currency)
        for number, (supplier, warehouse) in zip(numbers, ends, strict=True)
    ]


def _line(wish: Wish) -> PurchaseLine:
    quantity = wish.order.quantity or wish.task.suggested_quantity
    return PurchaseLine(wish.task.variant_id, quantity, reorder_task_id=wish.task.pk)
