"""Where a lot came from and where it went, through everything that was made of it."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from orjson import loads

from core.tenancy import active_organization_id

MOST_MOVES = 5_000

# An assembly is a document of its own: what left by it became what came by it. Reversed moves made nothing.
TRACE = """
    WITH RECURSIVE used AS NOT MATERIALIZED (
        SELECT m.lot_id, m.document_id, m.from_location_id IS NOT NULL AS went_in
        FROM inventory_stockmove AS m
        WHERE m.organization_id = %(organization)s AND m.kind = 'assembly' AND m.lot_id IS NOT NULL AND m.reverses_id IS NULL
            AND NOT EXISTS (
                SELECT FROM inventory_stockmove AS r WHERE r.organization_id = m.organization_id AND r.reverses_id = m.id)
    ), forwards (lot_id, depth) AS (
        SELECT %(lot)s::uuid, 0
        UNION
        SELECT made.lot_id, f.depth + 1 FROM forwards AS f
        JOIN used AS gone ON gone.lot_id = f.lot_id AND gone.went_in
        JOIN used AS made ON made.document_id = gone.document_id AND NOT made.went_in
        WHERE f.depth < %(deepest)s
    ), backwards (lot_id, depth) AS (
        SELECT %(lot)s::uuid, 0
        UNION
        SELECT gone.lot_id, b.depth + 1 FROM backwards AS b
        JOIN used AS made ON made.lot_id = b.lot_id AND NOT made.went_in
        JOIN used AS gone ON gone.document_id = made.document_id AND gone.went_in
        WHERE b.depth < %(deepest)s
    ), concerned AS (
        SELECT lot_id, min(depth) AS depth, 'forwards' AS direction FROM forwards WHERE lot_id <> %(lot)s::uuid GROUP BY lot_id
        UNION ALL
        SELECT lot_id, min(depth), 'backwards' FROM backwards WHERE lot_id <> %(lot)s::uuid GROUP BY lot_id
        UNION ALL
        SELECT %(lot)s::uuid, 0, 'itself'
    ), moves AS (
        SELECT m.* FROM (SELECT DISTINCT lot_id FROM concerned) AS c
        JOIN inventory_stockmove AS m ON m.organization_id = %(organization)s AND m.lot_id = c.lot_id
        WHERE (%(warehouses)s::uuid[] IS NULL OR EXISTS (
            SELECT FROM inventory_location AS p WHERE p.organization_id = m.organization_id
                AND p.id IN (m.from_location_id, m.to_location_id) AND p.warehouse_id = ANY (%(warehouses)s::uuid[])))
        ORDER BY m.seq LIMIT %(most)s + 1
    )
    SELECT
        (SELECT json_agg(json_build_object(
            'lot', l.id, 'code', l.code, 'kind', l.kind, 'variant', v.id, 'sku', v.sku, 'status', l.status,
            'expires_on', l.expires_on, 'direction', c.direction, 'depth', c.depth) ORDER BY c.direction DESC, c.depth, l.id)
         FROM concerned AS c
         JOIN inventory_lot AS l ON l.organization_id = %(organization)s AND l.id = c.lot_id
         JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = l.variant_id),
        (SELECT json_agg(json_build_object(
            'lot', s.lot_id, 'warehouse', s.warehouse_id, 'warehouse_code', w.code, 'location', s.location_id,
            'location_code', p.code, 'quantity', s.quantity::text, 'reserved', s.reserved::text) ORDER BY s.lot_id, s.id)
         FROM (SELECT DISTINCT lot_id FROM concerned) AS c
         JOIN inventory_stockitem AS s ON s.organization_id = %(organization)s AND s.lot_id = c.lot_id AND s.quantity <> 0
         JOIN inventory_location AS p ON p.organization_id = %(organization)s AND p.id = s.location_id
         JOIN inventory_warehouse AS w ON w.organization_id = %(organization)s AND w.id = s.warehouse_id
         WHERE %(warehouses)s::uuid[] IS NULL OR s.warehouse_id = ANY (%(warehouses)s::uuid[])),
        (SELECT json_agg(json_build_object(
            'move', m.id, 'seq', m.seq, 'kind', m.kind, 'lot', m.lot_id, 'quantity', m.quantity::text,
            'from_location', m.from_location_id, 'from_code', f.code, 'to_location', m.to_location_id, 'to_code', t.code,
            'document_type', m.document_type, 'document_id', m.document_id, 'document_line_id', m.document_line_id,
            'reverses', m.reverses_id, 'note', m.note, 'occurred_at', m.occurred_at) ORDER BY m.seq)
         FROM moves AS m
         LEFT JOIN inventory_location AS f ON f.organization_id = %(organization)s AND f.id = m.from_location_id
         LEFT JOIN inventory_location AS t ON t.organization_id = %(organization)s AND t.id = m.to_location_id)
"""
DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Trace:
    """`lots`: itself, those that went into it, those that it went into. `moves` in the order of the ledger, the first ones if
    there are more than MOST_MOVES; `places`: where what is left of them lies."""

    lots: list[dict[str, Any]]
    places: list[dict[str, Any]]
    moves: list[dict[str, Any]]
    is_cut: bool


def lot_trace(*, lot_id: UUID, warehouses: Collection[UUID] | None = None) -> Trace:
    """In all warehouses, or as far as some show."""
    with connection.cursor() as cursor:
        cursor.execute(TRACE, {
            "organization": active_organization_id(), "lot": lot_id, "deepest": DEEPEST, "most": MOST_MOVES,
            "warehouses": None if warehouses is None else list(warehouses),
        })
        lots, places, moves = (_rows(part) for part in cursor.fetchone())
    return Trace(lots, places, moves[:MOST_MOVES], len(moves) > MOST_MOVES)


def _rows(part: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = loads(part) if isinstance(part, str) else part or []
    return rows
