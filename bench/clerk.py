"""The clerk's questions: where does it lie, and why is it this number, among as many moves as there are products.

One article has all the moves, of which the last ten thousand are looked at for the sentences and the bars above the ledger.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connections, transaction
from django.utils import timezone

from bench.database import TENANT, Member, member_of
from bench.filling import bare_tables
from bench.floors import Floor
from bench.measuring import Result, statements, times
from core.supervisor import progress
from core.tenancy import organization_scope
from inventory.models import ProductVariant
from inventory.queries.stock_card import stock_of
from inventory.queries.stock_days import stock_days
from inventory.queries.stock_history import Asked, stock_history, stock_proof, stock_since

ROUNDS = 100
FILL = """
    INSERT INTO inventory_stockmove (id, organization_id, kind, variant_id, quantity, to_location_id, from_location_id, note,
                                     document_type, occurred_at, idempotency_key, line)
    SELECT uuid7(), %(organization)s, CASE n %% 2 WHEN 0 THEN 'receipt' ELSE 'issue' END, %(variant)s, 1,
        CASE n %% 2 WHEN 0 THEN %(location)s::uuid END, CASE n %% 2 WHEN 1 THEN %(location)s::uuid END, '', '', now(), '', 0
    FROM generate_series(0, %(moves)s - 1) AS n
"""
LAST = """
    SELECT m.seq, m.kind, m.quantity, f.code AS from_code, t.code AS to_code, m.note, m.occurred_at
    FROM inventory_stockmove AS m
    LEFT JOIN inventory_location AS f ON f.organization_id = m.organization_id AND f.id = m.from_location_id
    LEFT JOIN inventory_location AS t ON t.organization_id = m.organization_id AND t.id = m.to_location_id
    WHERE m.organization_id = %s AND m.variant_id = %s ORDER BY m.seq DESC LIMIT 51
"""
SOME = "SELECT FROM inventory_stockmove WHERE organization_id = %s AND variant_id = %s LIMIT 5000"
SUM = """
    SELECT sum(CASE WHEN to_location_id IS NULL THEN -quantity ELSE quantity END) FROM inventory_stockmove
    WHERE organization_id = %s AND variant_id = %s
"""
PLACES = """
    SELECT s.id, l.code, w.code AS warehouse, s.quantity, s.reserved, s.available FROM inventory_stockitem AS s
    JOIN inventory_location AS l ON l.organization_id = s.organization_id AND l.id = s.location_id
    JOIN inventory_warehouse AS w ON w.organization_id = s.organization_id AND w.id = s.warehouse_id
    WHERE s.organization_id = %s AND s.variant_id = %s ORDER BY w.code, l.code
"""


def run(size: int) -> Iterator[Result]:
    member = member_of(TENANT)
    moved, lying = _filled(member.organization_id, size)
    floor, values = Floor(member.organization_id), [member.organization_id, moved]
    asked, today = Asked(moved), timezone.localdate()

    def ledger() -> None:
        lines, _ = stock_history(asked)
        stock_since(asked)
        stock_days(asked, first=today - timedelta(13), last=today, balance=lines[0].after or Decimal(0))

    sides: dict[str, tuple[str, Any, Callable[[], Any], tuple[str, float]]] = {
        f"the last 50 of {size:,} moves, with balances, bars, sentences": (LAST, moved, ledger, ("ours", 300)),
        f"proof of a balance by {size:,} moves": (SUM, moved, lambda: stock_proof(asked), ("ratio", 4)),
        "the places of a stock card": (PLACES, lying, lambda: stock_of([lying], warehouses=None), ("ratio", 3)),
    }
    for title, (sql, variant, ours, target) in sides.items():
        within = _within(member, ours)
        rounds = 5 if "proof" in title else ROUNDS
        lowest, taken = times(rounds, floor.rows(sql, [values[0], variant]), within)
        yield Result(title, size, taken, lowest, statements(within), target=target)  # type: ignore[arg-type]  # of a mapping


def _within(member: Member, do: Callable[[], Any]) -> Callable[[], None]:
    def call() -> None:
        with organization_scope(member.organization_id):
            do()

    return call


def _filled(organization_id: UUID, moves: int) -> tuple[UUID, UUID]:
    """An article with all the moves, and one that lies somewhere."""
    with organization_scope(organization_id):
        moved, lying = ProductVariant.objects.order_by("pk").values_list("pk", flat=True)[:2]
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({SOME}) AS m", [organization_id, moved])
        if cursor.fetchone()[0] < 5_000:
            with progress(f"  {moves:,} moves of one article"), transaction.atomic("owner"):
                cursor.execute("SELECT id FROM inventory_location WHERE organization_id = %s LIMIT 1", [organization_id])
                location = cursor.fetchone()[0]
                with bare_tables(cursor, ["inventory_stockmove"]):
                    cursor.execute(FILL, {
                        "organization": organization_id, "variant": moved, "location": location, "moves": moves,
                    })
            cursor.execute("VACUUM ANALYZE inventory_stockmove")
    return moved, lying
