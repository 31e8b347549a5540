"""What documents of the apps above are still to bring, so that nobody orders it again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connection
from uuid_utils.compat import uuid7

from core.arrays import array
from core.tenancy import active_organization_id
from inventory.models import ReorderTask
from inventory.services.levels import Coming
from inventory.services.stock import Document

# What is left of a task that was ordered by itself; it counts as long as no document answers it.
OUTSTANDING = """CASE WHEN t.status = %(ordered)s AND t.ordered_quantity IS NOT NULL AND t.transfer_order_id IS NULL
        THEN GREATEST(t.ordered_quantity - t.received_quantity, 0) ELSE 0 END"""

# The count makes the new lines wait for those that go: a task may stand on one line alone.
EXPECT = f"""
    WITH document AS (
        SELECT * FROM unnest(%(documents)s::uuid[], %(numbers)s::text[], %(warehouses)s::uuid[], %(days)s::date[])
            AS d(id, number, warehouse_id, expected_on)
    ), wanted AS (
        SELECT w.*, d.number, d.warehouse_id, d.expected_on
        FROM unnest(%(ids)s::uuid[], %(lines)s::uuid[], %(of)s::uuid[], %(variants)s::uuid[], %(quantities)s::numeric[],
            %(tasks)s::uuid[]) AS w(id, line_id, document_id, variant_id, quantity, reorder_task_id)
        JOIN document AS d ON d.id = w.document_id
    ), before AS (
        SELECT e.* FROM inventory_expectedreceipt AS e
        WHERE e.organization_id = %(organization)s AND e.document_type = %(type)s AND e.document_id IN (SELECT id FROM document)
    ), gone AS (
        DELETE FROM inventory_expectedreceipt AS e USING before AS b
        WHERE e.organization_id = %(organization)s AND e.id = b.id
            AND b.document_line_id NOT IN (SELECT line_id FROM wanted)
        RETURNING e.variant_id, e.warehouse_id, e.reorder_task_id
    ), written AS (
        INSERT INTO inventory_expectedreceipt AS e (
            id, organization_id, variant_id, warehouse_id, quantity, expected_on, document_type, document_id, document_number,
            document_line_id, reorder_task_id
        )
        SELECT w.id, %(organization)s, w.variant_id, w.warehouse_id, w.quantity, w.expected_on, %(type)s, w.document_id, w.number,
               w.line_id, w.reorder_task_id
        FROM wanted AS w WHERE (SELECT count(*) FROM gone) IS NOT NULL
        ON CONFLICT (organization_id, document_line_id) DO UPDATE
        SET variant_id = excluded.variant_id, warehouse_id = excluded.warehouse_id, quantity = excluded.quantity,
            expected_on = excluded.expected_on, document_number = excluded.document_number,
            reorder_task_id = excluded.reorder_task_id
        WHERE (e.variant_id, e.warehouse_id, e.quantity, e.expected_on, e.document_number, e.reorder_task_id)
            IS DISTINCT FROM (excluded.variant_id, excluded.warehouse_id, excluded.quantity, excluded.expected_on,
                              excluded.document_number, excluded.reorder_task_id)
    ), change AS (
        SELECT variant_id, warehouse_id, -quantity AS quantity FROM before
        UNION ALL SELECT variant_id, warehouse_id, quantity FROM wanted
        UNION ALL SELECT t.variant_id, t.warehouse_id, {OUTSTANDING}
        FROM gone JOIN inventory_reordertask AS t ON t.organization_id = %(organization)s AND t.id = gone.reorder_task_id
        UNION ALL SELECT t.variant_id, t.warehouse_id, -{OUTSTANDING}
        FROM wanted AS w JOIN inventory_reordertask AS t ON t.organization_id = %(organization)s AND t.id = w.reorder_task_id
        WHERE w.line_id NOT IN (SELECT document_line_id FROM before)
    )
    SELECT variant_id, warehouse_id, sum(quantity) FROM change GROUP BY variant_id, warehouse_id HAVING sum(quantity) <> 0
"""

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


@dataclass(frozen=True, slots=True)
class Bringing:
    """A document and all that it is to bring from now on."""

    document_id: UUID
    number: str
    warehouse_id: UUID
    lines: Sequence[Expected]
    expected_on: date | None = None


def receipts_expect(*, document_type: str, documents: Sequence[Bringing]) -> list[Coming]:
    """From now on the documents are to bring this, and nothing else. Their caller holds their locks.

    The change of what is on its way, for `levels_follow` or the posting by which goods come. Goods of a document are posted by
    lines that are awaited.
    """
    lines = [(one.document_id, line) for one in documents for line in one.lines]
    with connection.cursor() as cursor:
        cursor.execute(EXPECT, {
            "organization": active_organization_id(), "type": document_type, "ordered": ReorderTask.Status.ORDERED,
            "documents": array(one.document_id for one in documents), "numbers": [one.number for one in documents],
            "warehouses": array(one.warehouse_id for one in documents), "days": [one.expected_on for one in documents],
            "ids": array(uuid7() for _ in lines), "lines": array(line.line_id for _, line in lines),
            "of": array(document for document, _ in lines), "variants": array(line.variant_id for _, line in lines),
            "quantities": array(line.quantity for _, line in lines),
            "tasks": array(line.reorder_task_id for _, line in lines),
        })
        return list(cursor.fetchall())


def awaited_tasks_follow(*, document: Document) -> None:
    """After goods of the document were posted: tasks are locked after the rules."""
    with connection.cursor() as cursor:
        cursor.execute(TASKS, {"organization": active_organization_id(), "document": document.id})
