"""What documents of the apps above are still to bring, so that nobody orders it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id
from inventory.models import ExpectedReceipt, ReorderTask
from inventory.services.levels import Coming
from inventory.services.reorder_tasks import outstanding
from inventory.services.stock import Document

CHANGING = ["variant_id", "warehouse_id", "quantity", "expected_on", "document_number", "reorder_task_id"]

# What came by the line of a task came for the task.
TASKS = """
    WITH changed AS (
        SELECT t.id, GREATEST(t.ordered_quantity - e.quantity, 0) AS received, e.quantity = 0 AS is_all
        FROM inventory_expectedreceipt AS e
        JOIN inventory_reordertask AS t ON t.organization_id = e.organization_id AND t.id = e.reorder_task_id
        WHERE e.organization_id = %(organization)s AND e.document_id = %(document)s AND t.status = 'ordered'
        ORDER BY t.id FOR NO KEY UPDATE OF t
    )
    UPDATE inventory_reordertask AS t
    SET received_quantity = c.received, status = CASE WHEN c.is_all THEN 'done' ELSE t.status END,
        closed_at = CASE WHEN c.is_all THEN now() END
    FROM changed AS c
    WHERE t.organization_id = %(organization)s AND t.id = c.id AND t.received_quantity <> c.received
"""


@dataclass(frozen=True, slots=True)
class Expected:
    """Of a line of a document. The reorder task that it answers must be ordered already."""

    line_id: UUID
    variant_id: UUID
    quantity: Decimal
    reorder_task_id: UUID | None = None


def receipts_expect(
    *, document: Document, number: str, warehouse_id: UUID, lines: Sequence[Expected], expected_on: date | None = None,
    is_new: bool = False,
) -> list[Coming]:
    """From now on the document is to bring this, and nothing else. Its caller holds the document's lock.

    The change of what is on its way, for `levels_follow` or the posting by which goods come. Goods of the document are posted
    by lines that are awaited. Of one that is new nothing was expected before.
    """
    before = {} if is_new else {row.document_line_id: row for row in ExpectedReceipt.objects.filter(
        document_id=document.id, document_type=document.type,
    ).select_related("reorder_task")}
    after = {
        line.line_id: ExpectedReceipt(
            variant_id=line.variant_id, warehouse_id=warehouse_id, quantity=line.quantity, expected_on=expected_on,
            document_type=document.type, document_id=document.id, document_number=number, document_line_id=line.line_id,
            reorder_task_id=line.reorder_task_id,
        )
        for line in lines
    }
    added = {row.reorder_task_id for key, row in after.items() if key not in before and row.reorder_task_id}
    tasks = ReorderTask.objects.in_bulk(added) if added else {}
    coming = [(row.variant_id, row.warehouse_id, -row.quantity) for row in before.values()]
    coming += [(row.variant_id, row.warehouse_id, row.quantity) for row in after.values()]
    for key, row in before.items():
        if key not in after and row.reorder_task:
            coming.append((row.variant_id, row.warehouse_id, outstanding(row.reorder_task)))
    coming += [(task.variant_id, task.warehouse_id, -outstanding(task)) for task in tasks.values()]
    _write(before, after)
    return coming


def awaited_tasks_follow(*, document: Document) -> None:
    """After goods of the document were posted: tasks are locked after the rules."""
    with connection.cursor() as cursor:
        cursor.execute(TASKS, {"organization": active_organization_id(), "document": document.id})


def _write(before: dict[UUID, ExpectedReceipt], after: dict[UUID, ExpectedReceipt]) -> None:
    if gone := [row.pk for key, row in before.items() if key not in after]:
        ExpectedReceipt.objects.filter(pk__in=gone).delete()
    changed = [
        row for key, row in after.items()
        if key not in before or any(getattr(row, name) != getattr(before[key], name) for name in CHANGING)
    ]
    for row in changed:
        if row.document_line_id in before:
            row.pk = before[row.document_line_id].pk
    ExpectedReceipt.objects.bulk_create([row for row in changed if row.document_line_id not in before])
    ExpectedReceipt.objects.bulk_update(
        [row for row in changed if row.document_line_id in before], [name.removesuffix("_id") for name in CHANGING],
    )
