"""Reports on stock over time: as many moves as there are products, in 400 days, of 10,000 variants; beside bare SQL.

The floor of a report is the least that it has to read: the snapshot before its span and the value entries since, summed by
variant, or the snapshots at the ends of the months.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connections, transaction

from bench.database import TENANT, member_of
from bench.filling import bare_tables
from bench.floors import Floor
from bench.measuring import Result, statements, times
from bench.requests import Client
from bench.valuation import FILL as VALUE_FILL
from core.supervisor import progress
from core.tenancy import organization_scope
from inventory.services.snapshots import MOST_DAYS, snapshots_make

DAYS = 400
NAME = "bench-analytics"

# Receipts of two and two issues of one take turns; the variants follow each other.
MOVES = """
    CREATE TEMP TABLE made ON COMMIT DROP AS
    WITH l AS (
        SELECT c.id AS layer_id, c.variant_id, c.warehouse_id, row_number() OVER (ORDER BY c.id) - 1 AS number
        FROM inventory_costlayer AS c WHERE c.organization_id = %(organization)s AND c.kind = 'pool'
    ), total AS (SELECT count(*) AS layers FROM l)
    SELECT uuid7() AS id, n, l.*, now() - make_interval(secs => (%(moves)s - n) * %(days)s * 86400.0 / %(moves)s) AS at,
           CASE WHEN n / total.layers %% 3 = 0 THEN 2 ELSE -1 END AS quantity
    FROM generate_series(0, %(moves)s - 1) AS n, total JOIN l ON true WHERE l.number = n %% total.layers
"""
FILL = (
    """
    INSERT INTO inventory_stockmove (id, organization_id, kind, variant_id, quantity, from_location_id, to_location_id, note,
                                     document_type, occurred_at, created_at, unit_cost, idempotency_key, line)
    SELECT m.id, %(organization)s, CASE WHEN m.quantity > 0 THEN 'receipt' ELSE 'issue' END, m.variant_id, abs(m.quantity),
           CASE WHEN m.quantity < 0 THEN l.id END, CASE WHEN m.quantity > 0 THEN l.id END, '', 'bench-analytics',
           m.at, m.at, 12.5, '', 0
    FROM made AS m JOIN inventory_location AS l ON l.organization_id = %(organization)s AND l.code = 'BENCH' ORDER BY n
    """,
    """
    INSERT INTO inventory_valueentry (id, organization_id, kind, variant_id, warehouse_id, layer_id, move_id, quantity, value,
                                      note, document_type, created_at, occurred_at)
    SELECT uuid7(), %(organization)s, 'cost', variant_id, warehouse_id, layer_id, id, quantity, quantity * 12.5, '',
           'bench-analytics', at, at
    FROM made ORDER BY n
    """,
    """
    UPDATE inventory_costlayer AS c SET remaining = s.quantity, value = s.value FROM (
        SELECT layer_id, sum(quantity) AS quantity, sum(value) AS value FROM inventory_valueentry
        WHERE organization_id = %(organization)s GROUP BY layer_id
    ) AS s WHERE c.organization_id = %(organization)s AND c.id = s.layer_id AND s.quantity > 0
    """,
)

ENTRIES = """
    WITH last AS (
        SELECT max(until) AS until FROM inventory_stocksnapshot WHERE organization_id = %(organization)s AND until <= %(first)s
    )
    SELECT variant_id, warehouse_id, sum(quantity) AS quantity, sum(value) AS value FROM (
        SELECT variant_id, warehouse_id, quantity, value FROM inventory_stocksnapshot
        WHERE organization_id = %(organization)s AND until = (SELECT until FROM last)
        UNION ALL
        SELECT variant_id, warehouse_id, quantity, value FROM inventory_valueentry
        WHERE organization_id = %(organization)s AND created_at >= (SELECT until FROM last)
    ) AS s GROUP BY variant_id, warehouse_id ORDER BY 3 DESC LIMIT 100
"""
SNAPSHOTS = """
    SELECT until, sum(quantity) AS quantity, sum(value) AS value FROM inventory_stocksnapshot
    WHERE organization_id = %s AND until = ANY (%s) GROUP BY until
"""
BALANCES = """
    SELECT s.variant_id, s.warehouse_id, sum(s.quantity) AS quantity FROM inventory_stockitem AS s
    WHERE s.organization_id = %s GROUP BY s.variant_id, s.warehouse_id HAVING sum(s.quantity) <= 0 LIMIT 100
"""


def run(size: int) -> Iterator[Result]:
    member = member_of(TENANT)
    organization_id, today = member.organization_id, datetime.now(UTC).date()
    ends = _filled(organization_id, size, today)
    floor, client = Floor(organization_id), Client(member)
    month, year = today - timedelta(29), today - timedelta(364)

    def entries(first: date) -> tuple[str, Any]:
        return ENTRIES, {"organization": organization_id, "first": datetime.combine(first, time(), UTC)}

    long = f"from_day={year}"
    sides: dict[str, tuple[tuple[str, Any], str, float | None]] = {
        "value at the end of 12 months": ((SNAPSHOTS, [organization_id, ends]), "value/?period=month", 6),
        "value by day and warehouse, 30 days": (entries(month), "value/?group_by=warehouse", 6),
        "turnover by category, 30 days": (entries(month), "turnover/?group_by=category", 6),
        "turnover by day, 30 days": (entries(month), "turnover/?period=day", 6),
        "turnover by month, a year": (entries(year), f"turnover/?period=month&{long}", 6),
        "the 100 that move most, 30 days": (entries(month), "movers/", 6),
        "the 100 that move least, a year": (entries(year), f"movers/?order=slowest&{long}", 6),
        "ABC of a year": (entries(year), "abc/", 6),
        "ages of what is there, average cost": (entries(year), "ageing/", 6),
        "low and out of stock, the first 100": ((BALANCES, [organization_id]), "shortages/", 12),
        "stock-out days, 30 days": (entries(month), "stock-outs/", 8),
        "stock-out days by week, 12 weeks": (entries(today - timedelta(83)), "stock-outs/?group_by=total&period=week", 8),
        "stock-out days by week, a year": (entries(year), f"stock-outs/?group_by=total&period=week&{long}", 8),
        "statistics of now and of 30 days": (entries(month), "inventory/", None),
    }
    for name, ((sql, values), address, most) in sides.items():
        request = client.get(f"analytics/{address}")
        lowest, ours = times(40 if size <= 10_000 else 5, floor.rows(sql, values), request)
        target = ("ratio", most) if most else None
        yield Result(f"{name}, of {size:,} moves", size, ours, lowest, statements(request), target=target)


def _filled(organization_id: UUID, moves: int, today: date) -> list[datetime]:
    """Once; returns the ends of the months, of which there are snapshots."""
    lasts, day = [], today.replace(day=1)
    while day > today - timedelta(DAYS):
        lasts.append(day - timedelta(1))
        day = (day - timedelta(1)).replace(day=1)
    values: dict[str, Any] = {"organization": organization_id, "moves": moves, "days": DAYS}
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM inventory_valueentry WHERE document_type = %s)", [NAME])
        if not cursor.fetchone()[0]:
            with progress(f"  {moves:,} moves with their values"), transaction.atomic("owner"):
                cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
                cursor.execute(VALUE_FILL[0], values)
                cursor.execute(MOVES, values)
                with bare_tables(cursor, ["inventory_stockmove", "inventory_valueentry"]):
                    for statement in FILL:
                        cursor.execute(statement, values)
                cursor.execute("DELETE FROM inventory_stocksnapshot WHERE organization_id = %s", [organization_id])
        with progress(f"  a snapshot for each of {DAYS} days"):
            for ago in [*range(DAYS, 1, -MOST_DAYS), 1]:
                with organization_scope(organization_id):
                    snapshots_make(through=today - timedelta(ago))
        for table in ("stockmove", "valueentry", "stocksnapshot", "costlayer"):
            cursor.execute(f"VACUUM ANALYZE inventory_{table}")
        cursor.execute(
            "SELECT DISTINCT until FROM inventory_stocksnapshot WHERE organization_id = %s AND day = ANY (%s)",
            [organization_id, lasts],
        )
        return [until for (until,) in cursor.fetchall()]
