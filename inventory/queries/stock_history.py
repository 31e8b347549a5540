"""Why there is so much of a variant: its moves, the newest first, with what was there after each."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id

PAGE, LATELY = 50, 10_000
COUNTED = ("stock_count",)  # documents whose adjustments are counts, as those with the reason COUNT are

# A move between two places that are both looked at changes nothing together.
IS_IN = """
    (%(location)s::uuid IS NULL OR {0}.id = %(location)s::uuid) AND {0}.id IS NOT NULL
    AND (%(warehouses)s::uuid[] IS NULL OR {0}.warehouse_id = ANY (%(warehouses)s::uuid[]))
"""
MOVES = f"""
    inventory_stockmove AS m
    LEFT JOIN inventory_location AS f ON f.organization_id = m.organization_id AND f.id = m.from_location_id
    LEFT JOIN inventory_location AS t ON t.organization_id = m.organization_id AND t.id = m.to_location_id
    CROSS JOIN LATERAL (SELECT {IS_IN.format("t")} AS comes, {IS_IN.format("f")} AS goes) AS side
    CROSS JOIN LATERAL (SELECT CASE WHEN side.comes THEN m.quantity ELSE 0 END - CASE WHEN side.goes THEN m.quantity ELSE 0 END
        AS change) AS c
"""
CHOSEN = """
    m.organization_id = %(organization)s AND m.variant_id = %(variant)s
    AND (%(lot)s::uuid IS NULL OR m.lot_id = %(lot)s::uuid) AND (side.comes OR side.goes)
"""

ROWS = f"""
    SELECT m.seq, m.id, m.kind, m.quantity, c.change, f.code, t.code, lot.code, r.code, r.name, m.note,
        m.document_type, m.document_id, m.occurred_at, m.created_at, m.actor_id, m.api_key_id, m.reverses_id, undone.seq
    FROM {MOVES}
    LEFT JOIN inventory_lot AS lot ON lot.organization_id = m.organization_id AND lot.id = m.lot_id
    LEFT JOIN inventory_reasoncode AS r ON r.organization_id = m.organization_id AND r.id = m.reason_id
    LEFT JOIN inventory_stockmove AS undone ON undone.organization_id = m.organization_id AND undone.reverses_id = m.id
    WHERE {CHOSEN} AND (%(before)s::bigint IS NULL OR m.seq < %(before)s::bigint)
        AND (%(actors)s::uuid[] IS NULL OR m.actor_id = ANY (%(actors)s::uuid[]))
        AND (%(document)s::text IS NULL OR m.document_type = %(document)s::text OR m.document_id::text = %(document)s::text)
    ORDER BY m.seq DESC LIMIT %(limit)s
"""
BALANCE = f"""
    SELECT (
        SELECT COALESCE(sum(s.quantity), 0) FROM inventory_stockitem AS s
        WHERE s.organization_id = %(organization)s AND s.variant_id = %(variant)s
            AND (%(lot)s::uuid IS NULL OR s.lot_id = %(lot)s::uuid)
            AND (%(location)s::uuid IS NULL OR s.location_id = %(location)s::uuid)
            AND (%(warehouses)s::uuid[] IS NULL OR s.warehouse_id = ANY (%(warehouses)s::uuid[]))
    ) - (SELECT COALESCE(sum(c.change), 0) FROM {MOVES} WHERE {CHOSEN} AND m.seq >= %(before)s::bigint)
"""
# Of the last moves, however long the ledger is.
SINCE = f"""
    WITH lately AS MATERIALIZED (
        SELECT m.id, m.seq, m.created_at, m.occurred_at, m.actor_id, m.api_key_id, m.reverses_id, c.change,
            m.kind = 'adjustment' AND m.reverses_id IS NULL AND (m.document_type = ANY (%(counts)s) OR EXISTS (
                SELECT FROM inventory_reasoncode AS r
                WHERE r.organization_id = m.organization_id AND r.id = m.reason_id AND r.code = 'COUNT')) AS is_count
        FROM {MOVES} WHERE {CHOSEN} ORDER BY m.seq DESC LIMIT %(lately)s
    ), counted AS (SELECT seq, occurred_at, actor_id, change FROM lately WHERE is_count ORDER BY seq DESC LIMIT 1)
    SELECT (SELECT occurred_at FROM counted), (SELECT actor_id FROM counted), (SELECT change FROM counted), count(*),
        COALESCE(sum(change) FILTER (WHERE change > 0), 0), COALESCE(-sum(change) FILTER (WHERE change < 0), 0),
        count(*) FILTER (WHERE created_at - occurred_at > interval '1 hour'), count(*) FILTER (WHERE reverses_id IS NOT NULL),
        count(*) FILTER (WHERE api_key_id IS NOT NULL), (SELECT count(*) FROM lately) = %(lately)s
    FROM lately WHERE seq > COALESCE((SELECT seq FROM counted), 0)
"""
PROOF = """
    WITH moved AS (
        SELECT location_id, lot_id, sum(quantity) AS quantity, count(*) AS moves FROM (
            SELECT to_location_id AS location_id, lot_id, quantity FROM inventory_stockmove
            WHERE organization_id = %(organization)s AND variant_id = %(variant)s AND to_location_id IS NOT NULL
            UNION ALL
            SELECT from_location_id, lot_id, -quantity FROM inventory_stockmove
            WHERE organization_id = %(organization)s AND variant_id = %(variant)s AND from_location_id IS NOT NULL
        ) AS sides GROUP BY location_id, lot_id
    )
    SELECT l.code, lot.code, COALESCE(s.quantity, 0), COALESCE(m.quantity, 0), COALESCE(m.moves, 0)
    FROM moved AS m
    FULL JOIN (SELECT * FROM inventory_stockitem WHERE organization_id = %(organization)s AND variant_id = %(variant)s) AS s
        ON s.location_id = m.location_id AND s.lot_id IS NOT DISTINCT FROM m.lot_id
    JOIN inventory_location AS l ON l.organization_id = %(organization)s AND l.id = COALESCE(s.location_id, m.location_id)
    LEFT JOIN inventory_lot AS lot ON lot.organization_id = %(organization)s AND lot.id = COALESCE(s.lot_id, m.lot_id)
    WHERE %(warehouses)s::uuid[] IS NULL OR l.warehouse_id = ANY (%(warehouses)s::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """`warehouses`: those that the asker sees, None for all. `actors` and `document` leave moves out of the list alone."""

    variant: UUID
    warehouses: Collection[UUID] | None = None
    location: UUID | None = None
    lot: UUID | None = None
    actors: Collection[UUID] | None = None
    document: str | None = None
    before: int | None = None

    def values(self) -> dict[str, Any]:
        listed = {"warehouses": self.warehouses, "actors": self.actors}
        return {
            "organization": active_organization_id(), "variant": self.variant, "location": self.location, "lot": self.lot,
            "document": self.document, "before": self.before,
            **{name: None if given is None else list(given) for name, given in listed.items()},
        }


@dataclass(slots=True)
class MoveLine:
    """`change` is what the move did to the places that are looked at, `after` what was there then."""

    seq: int
    move: UUID
    kind: str
    quantity: Decimal
    change: Decimal
    from_code: str | None
    to_code: str | None
    lot: str | None
    reason_code: str | None
    reason: str | None
    note: str
    document_type: str
    document_id: UUID | None
    occurred_at: datetime
    created_at: datetime
    actor_id: UUID | None
    api_key_id: UUID | None
    reverses_id: UUID | None
    reversed_by: int | None
    after: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Since:
    """Since the last count, or of the last 10,000 moves where `is_cut`."""

    counted_at: datetime | None
    counted_by: UUID | None
    difference: Decimal | None
    moves: int
    came: Decimal
    went: Decimal
    late: int
    reversals: int
    by_programs: int
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """A place whose balance was compared with the sum of its moves."""

    location: str
    lot: str | None
    balance: Decimal
    moved: Decimal
    moves: int


def stock_history(asked: Asked) -> tuple[list[MoveLine], int | None]:
    """A page, and where the next one begins. What was there after each move is known if no move is left out."""
    values = asked.values()
    with connection.cursor() as cursor:
        cursor.execute(ROWS, {**values, "limit": PAGE + 1})
        lines = [MoveLine(*row) for row in cursor.fetchall()]
        is_whole = asked.actors is None and asked.document is None
        if is_whole:
            cursor.execute(BALANCE, values)
            [left] = cursor.fetchone()
    more, lines = len(lines) > PAGE, lines[:PAGE]
    if is_whole:
        for line in lines:
            line.after = left
            left -= line.change
    return lines, lines[-1].seq if more else None


def stock_since(asked: Asked) -> Since:
    with connection.cursor() as cursor:
        cursor.execute(SINCE, {**asked.values(), "counts": list(COUNTED), "lately": LATELY})
        return Since(*cursor.fetchone())


def stock_proof(asked: Asked) -> list[Proof]:
    """Each place of the variant, of all its moves."""
    with connection.cursor() as cursor:
        cursor.execute(PROOF, asked.values())
        return [Proof(*row) for row in cursor.fetchall()]
