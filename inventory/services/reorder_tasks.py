"""What people decide about reorder tasks, many at once: all or none.

The rules of the goods are locked first, by id, and the tasks after them, as postings do (see levels.py).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.models import Membership
from core.errors import Conflict, Invalid, NotFound
from core.tenancy import active_organization_id
from inventory.events_replenishment import (
    ReorderTaskAssigned,
    ReorderTaskDismissed,
    ReorderTaskOrdered,
    ReorderTaskReopened,
    ReorderTaskSnoozed,
)
from inventory.models import ExpectedReceipt, ReorderTask, Supplier
from inventory.queries.closings import today
from inventory.services.levels import levels_follow
from inventory.services.reorder_drafts import transfers_draft, transfers_undo
from notifications.services.events import publish_all

Status = ReorderTask.Status

LOCK_RULES = """
    SELECT FROM inventory_reorderrule AS r
    WHERE r.organization_id = %(organization)s AND EXISTS (
        SELECT FROM inventory_reordertask AS t WHERE t.organization_id = r.organization_id AND t.id = ANY (%(tasks)s)
            AND t.variant_id = r.variant_id AND t.warehouse_id = r.warehouse_id)
    ORDER BY r.id FOR NO KEY UPDATE OF r
"""

# Without a day, when the lead time is over: that of the rule, of the supplier's item or of the supplier.
ORDER = """
    UPDATE inventory_reordertask AS t
    SET status = 'ordered', ordered_quantity = o.quantity, received_quantity = 0, ordered_at = now(), snoozed_until = NULL,
        supplier_id = o.supplier_id, transfer_order_id = o.transfer_order_id,
        source_warehouse_id = CASE WHEN o.transfer_order_id IS NOT NULL THEN t.source_warehouse_id END,
        due_on = COALESCE(o.due_on, (
            SELECT (now() AT TIME ZONE own.timezone)::date FROM accounts_organization AS own WHERE own.id = %(organization)s
        ) + COALESCE(r.lead_time_days, u.days))
    FROM unnest(%(tasks)s::uuid[], %(quantities)s::numeric[], %(suppliers)s::uuid[], %(days)s::date[], %(transfers)s::uuid[])
        AS o(id, quantity, supplier_id, due_on, transfer_order_id)
    JOIN inventory_reordertask AS before ON before.organization_id = %(organization)s AND before.id = o.id
    JOIN inventory_reorderrule AS r ON r.organization_id = before.organization_id AND r.id = before.rule_id
    LEFT JOIN LATERAL (
        SELECT COALESCE((
            SELECT i.lead_time_days FROM inventory_supplierproduct AS i
            WHERE i.organization_id = s.organization_id AND i.variant_id = before.variant_id AND i.supplier_id = s.id
            ORDER BY i.is_preferred DESC, i.id LIMIT 1
        ), s.lead_time_days) AS days
        FROM inventory_supplier AS s WHERE s.organization_id = before.organization_id AND s.id = o.supplier_id
    ) AS u ON true
    WHERE t.organization_id = %(organization)s AND t.id = o.id
    RETURNING t.id, t.due_on
"""

# Dismissed, the need is not told again until the stock falls further; reopened, it may be.
QUIET = """
    UPDATE inventory_reorderrule AS r SET quiet_at = CASE WHEN %(quiet)s THEN r.level END
    WHERE r.organization_id = %(organization)s AND EXISTS (
        SELECT FROM inventory_reordertask AS t WHERE t.organization_id = r.organization_id AND t.id = ANY (%(tasks)s)
            AND t.variant_id = r.variant_id AND t.warehouse_id = r.warehouse_id)
"""


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """Without a quantity as much as the task suggests, without a supplier from the one that it names, without a day when that
    supplier's lead time is over.
    """

    task_id: UUID
    quantity: Decimal | None = None
    supplier_id: UUID | None = None
    due_on: date | None = None


def tasks_order(*, orders: Sequence[TaskOrder]) -> None:
    """From now on what they ask for is on its way. Raises Conflict for a task that is not open or snoozed."""
    found = _locked([one.task_id for one in orders], ReorderTask.UNDECIDED)
    if wrong := [one for one in orders if one.quantity is not None and one.quantity <= 0]:
        detail = f"Order more than nothing of {found[wrong[0].task_id].variant.sku}, or dismiss the task."
        raise Invalid(detail, fields={"quantity": detail})
    _refuse_blocked({one.supplier_id for one in orders if one.supplier_id})
    days = [one.due_on for one in orders]
    day = today() if any(days) else None
    if early := [one for one in orders if day and one.due_on and one.due_on < day]:
        detail = f"{early[0].due_on} is over: goods that are ordered now come later."
        raise Invalid(detail, fields={"due_on": detail})
    tasks = [found[one.task_id] for one in orders]
    quantities = {one.task_id: one.quantity or found[one.task_id].suggested_quantity for one in orders}
    suppliers = {one.task_id: one.supplier_id or found[one.task_id].supplier_id for one in orders}
    fetched = [task for task in tasks if task.source_warehouse_id and not suppliers[task.pk]]
    transfers = transfers_draft(tasks=fetched, quantities=quantities)
    with connection.cursor() as cursor:
        cursor.execute(ORDER, {
            "organization": active_organization_id(), "tasks": [task.pk for task in tasks],
            "quantities": list(quantities.values()), "suppliers": list(suppliers.values()),
            "days": days, "transfers": [transfers.get(task.pk) for task in tasks],
        })
        due = dict(cursor.fetchall())
    bought = [task for task in tasks if task.pk not in transfers]
    levels_follow([], coming=[(task.variant_id, task.warehouse_id, quantities[task.pk]) for task in bought])
    publish_all([
        (ReorderTaskOrdered(
            supplier=suppliers[task.pk], transfer_order=transfers.get(task.pk), quantity=quantities[task.pk],
            due_on=due[task.pk], **_told(task),
        ), task.pk)
        for task in tasks
    ])


def tasks_snooze(*, tasks: Collection[UUID], until: date) -> None:
    """They are open again on that day. Raises Conflict for a task that is not open or snoozed."""
    if until <= today():
        detail = "Snooze until a day to come."
        raise Invalid(detail, fields={"until": detail})
    found = _locked(tasks, ReorderTask.UNDECIDED)
    _write(found, status=Status.SNOOZED, snoozed_until=until)
    publish_all([(ReorderTaskSnoozed(until=until, **_told(task)), task.pk) for task in found.values()])


def tasks_assign(*, tasks: Collection[UUID], assignee_id: UUID | None) -> None:
    """To a member, or to nobody. Raises Conflict for a task that is finished."""
    if assignee_id and not Membership.objects.filter(pk=assignee_id, status=Membership.Status.ACTIVE).exists():
        detail = "There is no such active member in this organization."
        raise Invalid(detail, code="does_not_exist", fields={"assignee": detail})
    found = _locked(tasks, ReorderTask.UNFINISHED)
    _write(found, assignee_id=assignee_id)
    publish_all([(ReorderTaskAssigned(assignee=assignee_id, **_told(task)), task.pk) for task in found.values()])


def tasks_dismiss(*, tasks: Collection[UUID], reason: str = "") -> None:
    """The need is told again when the stock has fallen further, or was replenished in between. What was ordered and has not
    come is not waited for any longer. Raises Conflict for a task that is finished.
    """
    found = _locked(tasks, ReorderTask.UNFINISHED)
    for task in found.values():
        if task.transfer_order:
            raise Conflict(
                f"Transfer order {task.transfer_order.number} is to bring the {task.variant.sku}: cancel that first.",
                code="on_transfer_order",
            )
    _refuse_expected(found)
    _write(found, status=Status.DISMISSED, dismissed_because=reason, snoozed_until=None, closed=True)
    levels_follow([], coming=[(task.variant_id, task.warehouse_id, -outstanding(task)) for task in found.values()])
    _hush([task.pk for task in found.values() if task.status in ReorderTask.UNDECIDED], quiet=True)
    publish_all([(ReorderTaskDismissed(reason=reason, **_told(task)), task.pk) for task in found.values()])


def tasks_reopen(*, tasks: Collection[UUID]) -> None:
    """Takes back that they were ordered, snoozed or dismissed. Raises Conflict for others, for a task of whose order goods have
    come, and where there is another task by now. A draft of a transfer order that they are on is canceled.
    """
    undone = transfers_undo(tasks=tasks)
    publish_all([(ReorderTaskReopened(because="undone", **_told(task)), task.pk) for task in undone])
    if not (others := [key for key in tasks if key not in {task.pk for task in undone}]):
        return
    found = _locked(others, (Status.ORDERED, Status.SNOOZED, Status.DISMISSED))
    _refuse_expected(found)
    for task in found.values():
        if task.status == Status.ORDERED and task.received_quantity > 0:
            raise Conflict(
                f"Some of the {task.variant.sku} that were ordered has come: dismiss the task if the rest does not.",
                code="received",
            )
    _refuse_twins([task for task in found.values() if task.status == Status.DISMISSED])
    _write(
        found, status=Status.OPEN, snoozed_until=None, dismissed_because="", ordered_quantity=None, received_quantity=0,
        ordered_at=None, closed=False,
    )
    levels_follow([], coming=[(task.variant_id, task.warehouse_id, -outstanding(task)) for task in found.values()])
    _hush(list(found), quiet=False)
    publish_all([(ReorderTaskReopened(because="undone", **_told(task)), task.pk) for task in found.values()])


def _refuse_expected(tasks: Mapping[UUID, ReorderTask]) -> None:
    """What a document is to bring is decided there."""
    if expected := ExpectedReceipt.objects.filter(reorder_task__in=tasks).order_by("pk").first():
        sku = tasks[expected.reorder_task_id].variant.sku
        raise Conflict(
            f"{expected.document_number} is to bring the {sku}: cancel it, or take the line off it.",
            code=f"on_{expected.document_type}",
        )


def outstanding(task: ReorderTask) -> Decimal:
    """What was ordered and has not come."""
    if task.status != Status.ORDERED or task.ordered_quantity is None or task.transfer_order_id:
        return Decimal(0)
    return max(task.ordered_quantity - task.received_quantity, Decimal(0))


def _locked(tasks: Collection[UUID], allowed: Collection[str]) -> dict[UUID, ReorderTask]:
    """As they are once locked, in the order of their SKUs."""
    if not tasks:
        raise Invalid("Choose at least one task.", fields={"tasks": "empty"})
    if len(set(tasks)) != len(tasks):
        raise Invalid("Name each task once.", fields={"tasks": "twice"})
    with connection.cursor() as cursor:
        cursor.execute(LOCK_RULES, {"organization": active_organization_id(), "tasks": list(tasks)})
    rows = ReorderTask.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "variant", "warehouse", "transfer_order",
    )
    found = {task.pk: task for task in rows.filter(pk__in=tasks).order_by("pk")}
    if len(found) != len(tasks):
        raise NotFound("There is no such task.")
    for task in found.values():
        if task.status not in allowed:
            finished = task.status not in ReorderTask.UNFINISHED
            raise Conflict(
                f"The task of {task.variant.sku} in {task.warehouse.code} is {task.status} already.",
                code="finished" if finished else f"is_{task.status}",
            )
    return dict(sorted(found.items(), key=lambda pair: pair[1].variant.sku))


def _write(tasks: Collection[UUID], *, closed: bool | None = None, **values: Any) -> None:
    if closed is not None:
        values["closed_at"] = timezone.now() if closed else None
    ReorderTask.objects.filter(pk__in=tasks).update(**values)


def _hush(tasks: Collection[UUID], *, quiet: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(QUIET, {"organization": active_organization_id(), "tasks": list(tasks), "quiet": quiet})


def _refuse_blocked(suppliers: Collection[UUID]) -> None:
    known = Supplier.objects.filter(pk__in=suppliers, status=Supplier.Status.ACTIVE, archived_at=None)
    if suppliers and known.count() != len(suppliers):
        detail = "There is no such supplier in this organization from whom one may order."
        raise Invalid(detail, code="does_not_exist", fields={"supplier": detail})


def _refuse_twins(tasks: Sequence[ReorderTask]) -> None:
    variants = {task.variant_id for task in tasks}
    unfinished = ReorderTask.objects.filter(status__in=ReorderTask.UNFINISHED, variant__in=variants)
    taken = set(unfinished.values_list("variant_id", "warehouse_id"))
    for task in tasks:
        if (task.variant_id, task.warehouse_id) in taken:
            raise Conflict(f"There is another task of {task.variant.sku} in {task.warehouse.code} by now.", code="another_task")


def _told(task: ReorderTask) -> dict[str, Any]:
    return {
        "task": task.pk, "variant": task.variant_id, "sku": task.variant.sku, "warehouse": task.warehouse_id,
        "warehouse_code": task.warehouse.code,
    }
