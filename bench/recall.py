"""Where a lot came from and went to, of as many moves as there are products; beside reading the moves of its lots alone.

Lots are threes: the first goes into the second, the second into the third, each with 100 moves. So a trace has three lots and
300 moves at either size, and what it costs may depend on those alone.
"""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from bench.database import TENANT, member_of
from bench.filling import bare_tables
from bench.floors import Floor
from bench.measuring import Result, statements, times
from bench.requests import Client
from core.supervisor import progress
from core.tenancy import organization_scope
from inventory.queries.lots import lot_trace

ROUNDS, EACH = 100, 100
CODE = "RECALL-"

FILL = (
    """
    CREATE TEMP TABLE made ON COMMIT DROP AS
    SELECT n, uuid7() AS id, uuid7() AS document, v.ids[1 + n %% array_length(v.ids, 1)] AS variant_id
    FROM generate_series(0, %(lots)s - 1) AS n, (
        SELECT array_agg(id ORDER BY id) AS ids FROM inventory_productvariant WHERE organization_id = %(organization)s
    ) AS v
    """,
    "CREATE UNIQUE INDEX ON made (n)",
    "ANALYZE made",
    """
    INSERT INTO inventory_lot (id, organization_id, variant_id, kind, code, supplier_lot, status)
    SELECT id, %(organization)s, variant_id, 'lot', 'RECALL-' || n, '', 'released' FROM made
    """,
    # Came by a receipt or was made of the lot before it; went by issues, and the first two of three into the next one as well.
    """
    INSERT INTO inventory_stockmove (id, organization_id, kind, variant_id, lot_id, quantity, from_location_id, to_location_id,
                                     note, document_type, document_id, occurred_at, idempotency_key, line)
    SELECT uuid7(), %(organization)s,
           CASE WHEN k = 0 THEN CASE WHEN m.n %% 3 = 0 THEN 'receipt' ELSE 'assembly' END
                WHEN k = 1 AND m.n %% 3 < 2 THEN 'assembly' ELSE 'issue' END,
           m.variant_id, m.id, CASE WHEN k = 0 THEN 99 ELSE 1 END, CASE WHEN k > 0 THEN l.id END, CASE WHEN k = 0 THEN l.id END,
           '', 'bench-recall', CASE WHEN k = 0 THEN m.document WHEN k = 1 AND m.n %% 3 < 2 THEN following.document END,
           now() - make_interval(mins => %(lots)s - m.n::int), '', 0
    FROM made AS m
    LEFT JOIN made AS following ON following.n = m.n + 1
    CROSS JOIN generate_series(0, %(each)s - 1) AS k
    JOIN inventory_location AS l ON l.organization_id = %(organization)s AND l.code = 'BENCH'
    """,
)
MOVES = "SELECT * FROM inventory_stockmove WHERE organization_id = %s AND lot_id = ANY (%s) ORDER BY seq"


def run(size: int) -> Iterator[Result]:
    member = member_of(TENANT)
    _fill(member.organization_id, size // EACH // 3 * 3)
    lots = _three(member.organization_id, size // EACH // 6 * 3)
    floor, request = Floor(member.organization_id), Client(member).get(f"lots/{lots[1]}/trace/")

    def trace() -> Any:
        with organization_scope(member.organization_id):
            return lot_trace(lot_id=lots[1])

    if (found := trace()) and (len(found.lots), len(found.moves)) != (3, 3 * EACH):
        raise AssertionError("The lot in the middle should have been traced both ways.")
    bare: Callable[[], object] = floor.rows(MOVES, [member.organization_id, lots])
    lowest, ours, whole = times(ROUNDS, bare, trace, request)
    yield Result(f"trace a lot of {size:,} moves, both ways: 3 lots, 300 moves", size, ours, lowest, statements(trace))
    yield Result("the same, whole request", size, whole, lowest, statements(request))


def _fill(organization_id: UUID, lots: int) -> None:
    with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM inventory_stockmove WHERE document_type = 'bench-recall')")
        if cursor.fetchone()[0]:
            return
        values = {"organization": organization_id, "lots": lots, "each": EACH}
        with progress(f"  {lots * EACH:,} moves of {lots:,} lots"), bare_tables(cursor, ["inventory_lot", "inventory_stockmove"]):
            for statement in FILL:
                cursor.execute(statement, values)
    with connections["owner"].cursor() as cursor:
        cursor.execute("VACUUM ANALYZE inventory_stockmove, inventory_lot")


def _three(organization_id: UUID, first: int) -> list[UUID]:
    codes = [f"{CODE}{first + n}" for n in range(3)]
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT code, id FROM inventory_lot WHERE organization_id = %s AND code = ANY (%s)", [organization_id, codes],
        )
        found = dict(cursor.fetchall())
    return [found[code] for code in codes]
