"""How long goods were out of stock: the time during which nothing was on hand, of goods that are kept in a warehouse.

Kept are those that were there or moved in the span, from their first receipt on, and those with an active reorder rule, from the
day of the rule. What a warehouse gave up before the span, and has no rule for, does not count.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection

from inventory.queries.analytics_sources import GROUPINGS, KEEPING, STOCK, TOTAL, WHOLE, Goods, Grouping, Page, Report
from inventory.queries.spans import Span
from inventory.queries.stock_totals import absence, reading

DAYS = Decimal("0.01")

# `at` is when its totals begin to count: at once, or with the first entry. Until then, since it is kept, it is out. What was gone
# before and did not come has none.
KEPT = """
    {absence}, known AS (
        SELECT variant_id, warehouse_id, min(began_at) AS began_at, max(last_seq) AS seq,
               max(last_seq) FILTER (WHERE n = 0) AS seq_before, sum(quantity) FILTER (WHERE n = 0) AS quantity_before
        FROM absence WHERE n = 0 OR n = %(last)s GROUP BY variant_id, warehouse_id
    ), rules AS (
        SELECT r.variant_id, r.warehouse_id, min(r.created_at) AS since FROM inventory_reorderrule AS r
        WHERE r.organization_id = %(organization)s AND r.is_active AND r.created_at < %(until)s AND {chosen_r}
        GROUP BY r.variant_id, r.warehouse_id
    ), chosen AS (
        SELECT variant_id, warehouse_id, r.since,
               CASE WHEN k.seq_before IS NULL THEN k.began_at
                    WHEN k.quantity_before <> 0 OR k.seq > k.seq_before THEN %(first)s::timestamptz END AS at
        FROM known AS k FULL JOIN rules AS r USING (variant_id, warehouse_id)
        JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = variant_id
            AND v.archived_at IS NULL AND NOT v.is_kit
        {keeping}
    ), kept AS MATERIALIZED (
        SELECT variant_id, warehouse_id, at, LEAST(at, CASE WHEN since IS NOT NULL THEN GREATEST(since, %(first)s) END) AS since
        FROM chosen WHERE at IS NOT NULL OR since IS NOT NULL
    )
"""
# Of the whole span.
BY_GROUP = """
    , items AS (
        SELECT k.variant_id, k.warehouse_id, NULL::uuid AS everything,
               EXTRACT(epoch FROM %(until)s::timestamptz - k.since) / 86400 AS days_kept,
               EXTRACT(epoch FROM COALESCE(k.at, %(until)s::timestamptz) - k.since) / 86400 + COALESCE(a.days, 0) AS days_out
        FROM kept AS k LEFT JOIN (
            SELECT variant_id, warehouse_id, sum(CASE n WHEN 0 THEN -out_seconds ELSE out_seconds END) / 86400 AS days
            FROM absence GROUP BY variant_id, warehouse_id
        ) AS a ON a.variant_id = k.variant_id AND a.warehouse_id = k.warehouse_id AND k.at IS NOT NULL
    ), found AS (
        SELECT {keys}, sum(s.days_out) AS days_out, sum(s.days_kept) AS days_kept,
               count(*) FILTER (WHERE s.days_out > 0) AS items_out, count(*) AS items
        FROM items AS s {inner} GROUP BY {keys}
    ), page AS (
        SELECT g.*, count(*) OVER () AS rows, sum(g.days_out) OVER () AS all_out, sum(g.days_kept) OVER () AS all_kept
        FROM found AS g ORDER BY g.days_out DESC, {keys_of_g} LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT {columns}g.days_out, g.days_kept, g.items_out, g.items, g.rows, g.all_out, g.all_kept
    FROM page AS g {joins} ORDER BY g.days_out DESC, {keys_of_g}
"""
# In each period: the totals at its end; what begins to be kept, or ends to be out before its first entry, and for how long it
# then is, or is no longer. What is not kept is joined as nothing, so that the planner does not take what is grouped to be little.
BY_PERIOD = """
    , turns AS (
        SELECT variant_id, warehouse_id, since AS at, 1 AS kept, CASE WHEN at IS NULL OR since < at THEN 1 ELSE 0 END AS waits
        FROM kept
        UNION ALL
        SELECT variant_id, warehouse_id, at, 0, -1 FROM kept WHERE since < at
    ), placed AS (
        SELECT t.variant_id, t.warehouse_id, t.kept, t.waits, width_bucket(t.at, %(bounds)s::timestamptz[]) AS period, t.at,
               0 AS out_seconds, 0 AS is_out
        FROM turns AS t
        UNION ALL
        SELECT a.variant_id, a.warehouse_id, 0, 0, a.n, NULL, CASE WHEN k.at IS NULL THEN 0 ELSE a.out_seconds END,
               CASE WHEN k.at IS NOT NULL AND a.quantity <= 0 THEN 1 ELSE 0 END
        FROM absence AS a LEFT JOIN kept AS k USING (variant_id, warehouse_id)
    ), flow AS (
        SELECT p.*, NULL::uuid AS everything, COALESCE(EXTRACT(epoch FROM (%(bounds)s::timestamptz[])[p.period + 1] - p.at), 0)
            AS seconds
        FROM placed AS p
    ), found AS (
        SELECT {keys}, s.period, sum(s.waits) AS waits, sum(s.waits * s.seconds) / 86400 AS waits_for, sum(s.kept) AS kept,
               sum(s.kept * s.seconds) / 86400 AS kept_for, sum(s.out_seconds) / 86400 AS days_out, sum(s.is_out) AS items_out
        FROM flow AS s {inner} GROUP BY {keys}, s.period
    )
    SELECT {columns}g.period, g.waits, g.waits_for, g.kept, g.kept_for, g.days_out, g.items_out
    FROM found AS g {joins} ORDER BY {keys_of_g}, g.period
"""
NOT_ONE = (0, Decimal(0), 0, Decimal(0), Decimal(0), 0)
MEASURES = ("days_out", "days_kept", "items_out", "items")

type Row = dict[str, Any]


def stock_outs(goods: Goods, span: Span, *, group_by: str = STOCK, page: Page = WHOLE) -> Report:
    """The longest first; `availability` is the share of the time, in percent, in which there was stock."""
    grouping = GROUPINGS[group_by]
    found = _rows(BY_GROUP, goods, span, grouping, span.ends, page)
    if not found and page.offset:  # beyond the last row, which the totals do not mind
        first = stock_outs(goods, span, group_by=group_by, page=Page(1))
        return Report([], first.count, first.totals)
    names = (*grouping.names, *MEASURES)
    rows = [_rated(dict(zip(names, row, strict=False))) for row in found]
    count, out, kept = found[0][len(names):] if found else (0, Decimal(0), Decimal(0))
    return Report(rows, count, _rated({"days_out": out, "days_kept": kept}))


def stock_outs_over_time(goods: Goods, span: Span, *, group_by: str = TOTAL) -> list[Row]:
    """The same of each period; `items_out` and `items` at its end."""
    grouping, bounds = GROUPINGS[group_by], span.bounds
    found: list[Row] = []
    width = len(grouping.names)
    for key, of_group in groupby(_rows(BY_PERIOD, goods, span, grouping, bounds), key=lambda row: row[:width]):
        changes = {row[width]: row[width + 1:] for row in of_group}
        waiting, kept, out_before, rows = 0, 0, changes.get(0, NOT_ONE)[4], []
        for number, period in enumerate(span.periods, 1):
            days = Decimal((bounds[number] - bounds[number - 1]).total_seconds()) / 86_400
            waits, waits_for, more, kept_for, out, items_out = changes.get(number, NOT_ONE)
            measured = {"days_out": waiting * days + waits_for + out - out_before, "days_kept": kept * days + kept_for}
            waiting, kept, out_before = waiting + waits, kept + more, out
            rows.append(_rated({
                **dict(zip(grouping.names, key, strict=True)), "from_day": period.first, "to_day": period.last, **measured,
                "items_out": waiting + items_out, "items": kept,
            }))
        found += rows if kept else []
    return found


def _rows(
    sql: str, goods: Goods, span: Span, grouping: Grouping, ends: Sequence[datetime], page: Page = WHOLE,
) -> list[tuple[Any, ...]]:
    text = f"WITH {KEPT}{sql}".format(
        absence=absence(goods.chosen("s"), goods.chosen("e")), keeping=KEEPING, chosen_r=goods.chosen("r"), keys=grouping.keys,
        keys_of_g=grouping.keys_of_g, inner=grouping.inner, joins=grouping.joins,
        columns="".join(f"{column}, " for column in grouping.columns),
    )
    values = goods.values(span) | reading(ends).values
    with connection.cursor() as cursor:
        cursor.execute(text, values | {"last": len(ends) - 1, "limit": page.limit, "offset": page.offset})
        return list(cursor.fetchall())


def _rated(row: Row) -> Row:
    out, kept = row["days_out"], row["days_kept"]
    row["availability"] = (100 * (1 - out / kept)).quantize(DAYS) if kept else None
    return {**row, "days_out": out.quantize(DAYS), "days_kept": kept.quantize(DAYS)}
