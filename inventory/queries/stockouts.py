"""How long goods were out of stock: the time during which nothing was on hand, of goods that are kept in a warehouse.

Kept are those that were there or moved in the span, from their first receipt on, and those with an active reorder rule, from the
day of the rule. What a warehouse gave up before the span, and has no rule for, does not count.
"""

from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection

from inventory.queries.analytics_sources import GROUPINGS, KEEPING, STOCK, TOTAL, WHOLE, Goods, Grouping, Page, Report, opening
from inventory.queries.spans import Span

DAYS = Decimal("0.01")

OUT = """
    {opening}, steps AS MATERIALIZED (
        SELECT variant_id, warehouse_id, %(first)s::timestamptz AS at, quantity, 0 AS seq FROM opening
        WHERE quantity <> 0
        UNION ALL
        SELECT e.variant_id, e.warehouse_id, e.created_at, e.quantity, e.seq FROM inventory_valueentry AS e
        WHERE e.organization_id = %(organization)s AND e.created_at >= %(first)s AND e.created_at < %(until)s
            AND {chosen_e}
    ), levels AS (
        SELECT variant_id, warehouse_id, at, sum(quantity) OVER steps_of_it AS quantity,
               COALESCE(lead(at) OVER steps_of_it, %(until)s::timestamptz) AS until
        FROM steps WINDOW steps_of_it AS (PARTITION BY variant_id, warehouse_id ORDER BY at, seq)
    ), rules AS (
        SELECT r.variant_id, r.warehouse_id, min(r.created_at) AS since FROM inventory_reorderrule AS r
        WHERE r.organization_id = %(organization)s AND r.is_active AND r.created_at < %(until)s AND {chosen_r}
        GROUP BY r.variant_id, r.warehouse_id
    ), begun AS (
        SELECT variant_id, warehouse_id, min(at) AS at FROM steps GROUP BY variant_id, warehouse_id
    ), kept AS MATERIALIZED (
        SELECT variant_id, warehouse_id, COALESCE(b.at, %(until)s::timestamptz) AS at,
               LEAST(b.at, CASE WHEN b.at > %(first)s AND EXISTS (
                   SELECT FROM inventory_valueentry AS e
                   WHERE e.organization_id = %(organization)s AND e.variant_id = b.variant_id
                       AND e.warehouse_id = b.warehouse_id AND e.created_at < %(first)s
                   OFFSET 0  -- keeps the planner from reading all that was before
               ) THEN %(first)s WHEN r.since IS NOT NULL THEN GREATEST(r.since, %(first)s) END) AS since
        FROM begun AS b FULL JOIN rules AS r USING (variant_id, warehouse_id)
        JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = variant_id
            AND v.archived_at IS NULL AND NOT v.is_kit
        {keeping}
    ), stretches AS (
        SELECT variant_id, warehouse_id, false AS is_out, since AS at, %(until)s::timestamptz AS until FROM kept
        UNION ALL
        SELECT variant_id, warehouse_id, true, since, at FROM kept WHERE since < at
        UNION ALL
        SELECT l.variant_id, l.warehouse_id, true, l.at, l.until FROM levels AS l
        JOIN kept USING (variant_id, warehouse_id) WHERE l.quantity <= 0 AND l.at < l.until
    )
"""
# Of the whole span. All stretches lie in it.
BY_GROUP = """
    , items AS (
        SELECT variant_id, warehouse_id, NULL::uuid AS everything, COALESCE(sum(days) FILTER (WHERE is_out), 0) AS days_out,
               COALESCE(sum(days) FILTER (WHERE NOT is_out), 0) AS days_kept
        FROM (SELECT s.*, EXTRACT(epoch FROM s.until - s.at) / 86400 AS days FROM stretches AS s) AS lengths
        GROUP BY variant_id, warehouse_id
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
# What begins and ends in each period, and for how long it then is, or is no longer: a stretch is read twice, however many
# periods it lasts.
BY_PERIOD = """
    , turns AS (
        SELECT variant_id, warehouse_id, NULL::uuid AS everything, is_out, at, 1 AS sign FROM stretches WHERE at < until
        UNION ALL
        SELECT variant_id, warehouse_id, NULL, is_out, until, -1 FROM stretches WHERE at < until AND until < %(until)s
    ), placed AS (
        SELECT t.*, width_bucket(t.at, %(bounds)s::timestamptz[]) AS period FROM turns AS t
    ), found AS (
        SELECT {keys}, s.period, {sums} FROM placed AS s {inner} GROUP BY {keys}, s.period
    )
    SELECT {columns}g.period, g.out, g.out_for, g.kept, g.kept_for FROM found AS g {joins} ORDER BY {keys_of_g}, g.period
"""
SUMS = """
    COALESCE(sum(s.sign) FILTER (WHERE {which}), 0) AS {name},
    COALESCE(sum(s.sign * EXTRACT(epoch FROM (%(bounds)s::timestamptz[])[s.period + 1] - s.at)) FILTER (WHERE {which}), 0) / 86400
        AS {name}_for
"""
MEASURES = ("days_out", "days_kept", "items_out", "items")

type Row = dict[str, Any]


def stock_outs(goods: Goods, span: Span, *, group_by: str = STOCK, page: Page = WHOLE) -> Report:
    """The longest first; `availability` is the share of the time, in percent, in which there was stock."""
    grouping = GROUPINGS[group_by]
    found = _rows(BY_GROUP, goods, span, grouping, {"limit": page.limit, "offset": page.offset})
    if not found and page.offset:  # beyond the last row, which the totals do not mind
        first = stock_outs(goods, span, group_by=group_by, page=Page(1))
        return Report([], first.count, first.totals)
    names = (*grouping.names, *MEASURES)
    rows = [_rated(dict(zip(names, row, strict=False))) for row in found]
    count, out, kept = found[0][len(names):] if found else (0, Decimal(0), Decimal(0))
    return Report(rows, count, _rated({"days_out": out, "days_kept": kept}))


def stock_outs_over_time(goods: Goods, span: Span, *, group_by: str = TOTAL) -> list[Row]:
    """The same of each period; `items_out` and `items` at its end."""
    grouping, bounds, rows = GROUPINGS[group_by], span.bounds, []
    sums = ", ".join(SUMS.format(name=name, which=which) for name, which in (("out", "s.is_out"), ("kept", "NOT s.is_out")))
    width = len(grouping.names)
    found = _rows(BY_PERIOD, goods, span, grouping, {}, sums=sums)
    for key, of_group in groupby(found, key=lambda row: row[:width]):
        changes, out, kept = {row[width]: row[width + 1:] for row in of_group}, 0, 0
        for number, period in enumerate(span.periods, 1):
            days = Decimal((bounds[number] - bounds[number - 1]).total_seconds()) / 86_400
            more_out, out_for, more_kept, kept_for = changes.get(number, (0, Decimal(0), 0, Decimal(0)))
            measured = {"days_out": out * days + out_for, "days_kept": kept * days + kept_for}
            out, kept = out + more_out, kept + more_kept
            rows.append(_rated({
                **dict(zip(grouping.names, key, strict=True)), "from_day": period.first, "to_day": period.last, **measured,
                "items_out": out, "items": kept,
            }))
    return rows


def _rows(sql: str, goods: Goods, span: Span, grouping: Grouping, more: Row, **parts: str) -> list[tuple[Any, ...]]:
    text = f"WITH {OUT}{sql}".format(
        opening=opening(goods), keeping=KEEPING, chosen_e=goods.chosen("e"), chosen_r=goods.chosen("r"), keys=grouping.keys,
        keys_of_g=grouping.keys_of_g, inner=grouping.inner, joins=grouping.joins,
        columns="".join(f"{column}, " for column in grouping.columns), **parts,
    )
    with connection.cursor() as cursor:
        cursor.execute(text, goods.values(span) | more)
        return list(cursor.fetchall())


def _rated(row: Row) -> Row:
    out, kept = row["days_out"], row["days_kept"]
    row["availability"] = (100 * (1 - out / kept)).quantize(DAYS) if kept else None
    return {**row, "days_out": out.quantize(DAYS), "days_kept": kept.quantize(DAYS)}
