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

# What is still here is mostly of the last receipts, so those are looked up first. Among them is every receipt that occurred since
# the first of them was posted; where these do not suffice, all receipts of the year are read.
NEWEST = 3
CAME = """
    FROM inventory_valueentry AS e
    WHERE e.organization_id = %(organization)s AND e.created_at >= now() - make_interval(days => %(oldest)s)
        AND e.occurred_at >= now() - make_interval(days => %(oldest)s)
        AND e.quantity > 0 AND e.kind = 'cost' AND e.move_id IS NOT NULL
"""
AGEING = """
    WITH pool AS (
        SELECT c.variant_id, c.warehouse_id, c.remaining, c.value FROM inventory_costlayer AS c
        WHERE c.organization_id = %(organization)s AND c.is_open AND c.kind = 'pool' AND {chosen_c}
    ), newest AS MATERIALIZED (
        SELECT pool.variant_id, pool.warehouse_id, pool.remaining, pool.value AS worth, e.quantity, e.occurred_at, e.seq,
               min(e.created_at) OVER pools AS since, count(*) OVER pools < %(newest)s AS is_all
        FROM pool CROSS JOIN LATERAL (
            SELECT e.quantity, e.occurred_at, e.created_at, e.seq {came} AND e.variant_id = pool.variant_id
                AND e.warehouse_id = pool.warehouse_id
            ORDER BY e.seq DESC LIMIT %(newest)s
        ) AS e WINDOW pools AS (PARTITION BY pool.variant_id, pool.warehouse_id)
    ), enough AS MATERIALIZED (
        SELECT variant_id, warehouse_id FROM newest WHERE is_all OR occurred_at >= since
        GROUP BY variant_id, warehouse_id, remaining HAVING bool_and(is_all) OR sum(quantity) >= remaining
    ), short AS MATERIALIZED (
        SELECT variant_id, warehouse_id FROM newest GROUP BY variant_id, warehouse_id
        EXCEPT
        SELECT variant_id, warehouse_id FROM enough
    ), receipt AS (
        SELECT n.variant_id, n.warehouse_id, n.remaining, n.worth, n.quantity, n.occurred_at, n.seq
        FROM newest AS n JOIN enough USING (variant_id, warehouse_id) WHERE n.is_all OR n.occurred_at >= n.since
        UNION ALL
        SELECT variant_id, warehouse_id, pool.remaining, pool.value, e.quantity, e.occurred_at, e.seq
        FROM (
            SELECT e.variant_id, e.warehouse_id, e.quantity, e.occurred_at, e.seq {came} AND {chosen_e}
        ) AS e JOIN pool USING (variant_id, warehouse_id)
        WHERE EXISTS (SELECT FROM short) AND (variant_id, warehouse_id) IN (SELECT variant_id, warehouse_id FROM short)
    ), came AS (
        SELECT r.*, sum(r.quantity) OVER (PARTITION BY r.variant_id, r.warehouse_id ORDER BY r.occurred_at DESC, r.seq DESC)
                   - r.quantity AS newer
        FROM receipt AS r
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
               {buckets} - width_bucket(s.since, (
                   SELECT array_agg(now() - make_interval(days => b) ORDER BY b DESC) FROM unnest(%(bounds)s::int[]) AS b
               )) AS bucket
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
        came=CAME, chosen_c=goods.chosen("c"), chosen_e=goods.chosen("e"), buckets=len(NAMES),
        keys=grouping.keys, keys_of_g=grouping.keys_of_g, inner=grouping.inner, joins=grouping.joins,
        columns="".join(f"{column}, " for column in grouping.columns), last=f"value_{len(NAMES)}",
        sums=", ".join(
            f"COALESCE(sum(s.{what}) FILTER (WHERE s.bucket = {n}), 0.000000) AS {what}_{n}" for n in _EACH for what in _WHAT
        ),
        totals=", ".join(f"sum(g.{what}_{n}) OVER () AS all_{what}_{n}" for n in _EACH for what in _WHAT),
        figures=", ".join(f"g.{what}_{n}" for n in _EACH for what in _WHAT),
        all_totals=", ".join(f"g.all_{what}_{n}" for n in _EACH for what in _WHAT),
    )
    asked = {"oldest": BOUNDS[-1], "newest": NEWEST, "bounds": list(BOUNDS), "limit": page.limit, "offset": page.offset}
    values = goods.values() | asked
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
