"""Why stock of a variant in a warehouse is worth what it is: its layers, and each entry with what was there after it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id
from inventory.models import CostLayer

LAYERS = 200

BEFORE = """
    SELECT COALESCE(sum(quantity), 0), COALESCE(sum(value), 0) FROM inventory_valueentry
    WHERE organization_id = %(organization)s AND variant_id = %(variant)s AND warehouse_id = %(warehouse)s
        AND (%(before)s::bigint IS NULL OR seq < %(before)s::bigint)
"""
ENTRIES = """
    SELECT e.seq, e.kind, e.quantity, e.value, e.layer_id, e.from_layer_id, e.note, e.document_type, e.document_id,
           e.occurred_at, e.created_at, e.move_id, m.kind AS move_kind, m.quantity AS move_quantity, m.unit_cost,
           COALESCE(NULLIF(m.note, ''), r.name, '') AS move_note, m.document_type AS move_document_type,
           m.document_id AS move_document_id
    FROM (
        SELECT * FROM inventory_valueentry
        WHERE organization_id = %(organization)s AND variant_id = %(variant)s AND warehouse_id = %(warehouse)s
            AND (%(before)s::bigint IS NULL OR seq < %(before)s::bigint)
        ORDER BY seq DESC LIMIT %(limit)s
    ) AS e
    LEFT JOIN inventory_stockmove AS m ON m.organization_id = e.organization_id AND m.id = e.move_id
    LEFT JOIN inventory_reasoncode AS r ON r.organization_id = m.organization_id AND r.id = m.reason_id
    ORDER BY e.seq DESC
"""
NAMES = (
    "seq", "kind", "quantity", "value", "layer", "from_layer", "note", "document_type", "document_id", "occurred_at",
    "created_at", "move", "move_kind", "move_quantity", "unit_cost", "move_note", "move_document_type", "move_document_id",
)


@dataclass(frozen=True, slots=True)
class History:
    """`quantity` and `value` are those of now, or before the entry `before`; `entries` the newest first, with what was then."""

    quantity: Decimal
    value: Decimal
    layers: list[CostLayer]
    entries: list[dict[str, Any]]
    next: int | None

    @classmethod
    def nothing(cls) -> "History":
        return cls(Decimal(0), Decimal(0), [], [], None)


def value_history(*, variant: UUID, warehouse: UUID, before: int | None = None, limit: int = 50) -> History:
    """The open layers (the first 200), the pool always."""
    values = {
        "organization": active_organization_id(), "variant": variant, "warehouse": warehouse, "before": before,
        "limit": limit + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(BEFORE, values)
        quantity, value = cursor.fetchone()
        cursor.execute(ENTRIES, values)
        entries = [dict(zip(NAMES, row, strict=True)) for row in cursor.fetchall()]
    more, entries = len(entries) > limit, entries[:limit]
    left, worth = quantity, value
    for entry in entries:
        entry["quantity_after"], entry["value_after"] = left, worth
        left, worth = left - entry["quantity"], worth - entry["value"]
    pair = CostLayer.objects.filter(variant_id=variant, warehouse_id=warehouse)
    layers = [*pair.filter(kind="pool"), *pair.filter(is_open=True, kind="receipt").order_by("received_at", "id")[:LAYERS]]
    return History(quantity, value, layers, entries, entries[-1]["seq"] if more else None)
