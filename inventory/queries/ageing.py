"""How long the goods that are here have been here.

FIFO layers know when they came. Of goods in a pool (average and standard cost) those that came last are taken to be still here:
their receipts of the last year are read, the newest first, until they make up what there is; the rest is older.
"""

from decimal import Decimal
from typing import Any

from django.db import connection

from inventory.queries.analytics_sources import GROUPINGS, VARIANT, WHOLE, Goods, Page, Report

BOUNDS = (30, 60, 90, 180, 365)  # days
NAMES = ("0-30", "31-60", "61-90", "91-180", "181-365", "over 365")

AGEING = """
    WITH pool AS (
        SELECT c.variant_id, c.warehouse_id, c.remaining, c.value FROM inventory_costlayer AS c
        WHERE c.organization_id = %(organization)s AND c.is_open AND c.kind = 'pool' AND {chosen_c}
    ), came AS (
        SELECT e.variant_id, e.warehouse_id, e.quantity, e.occurred_at, pool.remaining, pool.value AS worth,
               sum(e.quantity) OVER (PARTITION BY e.variant_id, e.warehouse_id ORDER BY e.occurred_at DESC, e.seq DESC)
                   - e.quantity AS newer
        FROM inventory_valueentry AS e JOIN pool USING (variant_id, warehouse_id)
        WHERE e.organization_id = %(organization)s AND e.created_at >= now() - make_interval(days => %(oldest)s)
            AND e.occurred_at >= now() - make_interval(days => %(oldest)s)
            AND e.quantity > 0 AND e.kind = 'cost' AND e.move_id IS NOT NULL
    ), here AS (
        SELECT c.variant_id, c.warehouse_id, c.received_at AS since, c.remaining AS quantity, c.value
        FROM inventory_costlayer AS c
        WHERE c.organization_id = %(organization)s AND c.is_open AND c.kind = 'receipt' AND {chosen_c}
        UNION ALL
        SELECT variant_id, warehouse_id, occurred_at, LEAST(quantity, remaining - newer),
               worth * LEAST(quantity, remaining - newer) / remaining
        FROM came WHERE newer < remaining
        UNION ALL
        SELECT pool.variant_id, pool.warehouse_id, '-infinity'::timestamptz, pool.remaining - COALESCE(known.quantity, 0),
               pool.value - pool.value * COALESCE(known.quantity, 0) / pool.remaining
        FROM pool LEFT JOIN (
            SELECT variant_id, warehouse_id, sum(LEAST(quantity, remaining - newer)) AS quantity FROM came
            WHERE newer < remaining GROUP BY variant_id, warehouse_id
        ) AS known USING (variant_id, warehouse_id)
        WHERE pool.remaining > COALESCE(known.quantity, 0)
    ), aged AS (
        SELECT s.variant_id, s.warehouse_id, s.quantity, s.value, NULL::uuid AS everything,
               CASE WHEN s.since = '-infinity' THEN {buckets} ELSE width_bucket(
                   EXTRACT(epoch FROM now() - s.since) / 86400, %(bounds)s::numeric[]) + 1 END AS bucket
        FROM here AS s
    ), found AS (
        SELECT {keys}, sum(s.quantity) AS quantity, sum(s.value) AS value, {sums}
        FROM aged AS s {inner} GROUP BY {keys}
    ), page AS (
        SELECT g.*, count(*) OVER () AS rows, {totals} FROM found AS g ORDER BY g.{last} DESC, g.value DESC, {keys_of_g}
        LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT {columns}g.quantity, g.value, {figures}, g.rows, {all_totals} FROM page AS g {joins}
    ORDER BY g.{last} DESC, g.value DESC, {keys_of_g}
"""
_EACH = range(1, len(NAMES) + 1)
_SIX = Decimal("0.000001")
NOTHING = [Decimal("0.000000")] * 2 * len(NAMES)


def ageing(goods: Goods, *, group_by: str = VARIANT, page: Page = WHOLE) -> Report:
    """Quantity and value by age in days, what has most of the oldest first; `totals` by age. Goods that are short have no age."""
    grouping = GROUPINGS[group_by]
    sql = AGEING.format(
        chosen_c=goods.chosen("c"), buckets=len(NAMES), keys=grouping.keys, keys_of_g=grouping.keys_of_g, inner=grouping.inner,
        columns="".join(f"{column}, " for column in grouping.columns), joins=grouping.joins, last=f"value_{len(NAMES)}",
        sums=", ".join(
            f"COALESCE(sum(s.{what}) FILTER (WHERE s.bucket = {n}), 0.000000) AS {what}_{n}" for n in _EACH for what in _WHAT
        ),
        totals=", ".join(f"sum(g.{what}_{n}) OVER () AS all_{what}_{n}" for n in _EACH for what in _WHAT),
        figures=", ".join(f"g.{what}_{n}" for n in _EACH for what in _WHAT),
        all_totals=", ".join(f"g.all_{what}_{n}" for n in _EACH for what in _WHAT),
    )
    values = goods.values() | {"oldest": BOUNDS[-1], "bounds": list(BOUNDS), "limit": page.limit, "offset": page.offset}
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found = cursor.fetchall()
    if not found and page.offset:  # beyond the last row, which the totals do not mind
        first = ageing(goods, group_by=group_by, page=Page(1))
        return Report([], first.count, first.totals)
    width = len(grouping.names)
    rows = [
        {**dict(zip((*grouping.names, "quantity", "value"), row, strict=False)), "ages": _ages(row[width + 2:])} for row in found
    ]
    for row in rows:
        row["value"] = row["value"].quantize(_SIX)
    count, totals = (found[0][-len(NOTHING) - 1], found[0][-len(NOTHING):]) if found else (0, NOTHING)
    return Report(rows, count, {"ages": _ages(totals)})


_WHAT = ("quantity", "value")


def _ages(figures: Any) -> list[dict[str, Any]]:
    pairs = zip(figures[0::2], figures[1::2], strict=False)
    return [
        {"days": name, "quantity": quantity, "value": value.quantize(_SIX)}
        for name, (quantity, value) in zip(NAMES, pairs, strict=False)
    ]
