"""How long goods were out of stock: the time during which nothing was on hand, of goods that are kept in a warehouse.

Kept are those that were there or moved in the span, from their first receipt on, and those with an active reorder rule, from the
day of the rule. What a warehouse gave up before the span, and has no rule for, does not count.
"""

from decimal import Decimal
from typing import Any

from django.db import connection

from inventory.queries.analytics_sources import GROUPINGS, STOCK, TOTAL, WHOLE, Goods, Page, Report, opening
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
        WHERE r.organization_id = %(organization)s AND r.is_active AND {chosen_r} GROUP BY r.variant_id, r.warehouse_id
    ), begun AS (
        SELECT variant_id, warehouse_id, min(at) AS at FROM steps GROUP BY variant_id, warehouse_id
    ), kept AS MATERIALIZED (
        SELECT variant_id, warehouse_id, COALESCE(b.at, %(until)s::timestamptz) AS at,
               LEAST(b.at, CASE WHEN b.at > %(first)s AND EXISTS (
                   SELECT FROM inventory_valueentry AS e
                   WHERE e.organization_id = %(organization)s AND e.variant_id = b.variant_id
                       AND e.warehouse_id = b.warehouse_id AND e.created_at < %(first)s
               ) THEN %(first)s WHEN r.since IS NOT NULL THEN GREATEST(r.since, %(first)s) END) AS since
        FROM begun AS b FULL JOIN rules AS r USING (variant_id, warehouse_id)
        JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = variant_id
            AND v.archived_at IS NULL AND NOT v.is_kit
    ), stretches AS (
        SELECT variant_id, warehouse_id, false AS is_out, since AS at, %(until)s::timestamptz AS until FROM kept
        UNION ALL
        SELECT variant_id, warehouse_id, true, since, at FROM kept WHERE since < at
        UNION ALL
        SELECT l.variant_id, l.warehouse_id, true, l.at, l.until FROM levels AS l
        JOIN kept USING (variant_id, warehouse_id) WHERE l.quantity <= 0 AND l.at < l.until
    ), lengths AS (
        SELECT s.variant_id, s.warehouse_id, p.n::int AS period, s.is_out,
               EXTRACT(epoch FROM LEAST(s.until, p.until) - GREATEST(s.at, p.first)) / 86400 AS days
        FROM stretches AS s
        JOIN unnest(%(firsts)s::timestamptz[], %(untils)s::timestamptz[]) WITH ORDINALITY AS p (first, until, n)
            ON s.at < p.until AND s.until > p.first
    ), items AS (
        SELECT variant_id, warehouse_id, period, NULL::uuid AS everything,
               COALESCE(sum(days) FILTER (WHERE is_out), 0) AS days_out, sum(days) FILTER (WHERE NOT is_out) AS days_kept
        FROM lengths GROUP BY variant_id, warehouse_id, period
    )
"""
# Without a key for the period, of the whole span.
BY_GROUP = """
    , found AS (
        SELECT {keys}, {period}sum(s.days_out) AS days_out, sum(s.days_kept) AS days_kept,
               count(*) FILTER (WHERE s.days_out > 0) AS items_out, count(*) AS items
        FROM items AS s {inner} GROUP BY {keys}{and_period}
    ), page AS (
        SELECT g.*, count(*) OVER () AS rows, sum(g.days_out) OVER () AS all_out, sum(g.days_kept) OVER () AS all_kept
        FROM found AS g ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT {columns}{g_period}g.days_out, g.days_kept, g.items_out, g.items, g.rows, g.all_out, g.all_kept
    FROM page AS g {joins} ORDER BY {order}
"""
MEASURES = ("days_out", "days_kept", "items_out", "items")

type Row = dict[str, Any]


def stock_outs(goods: Goods, span: Span, *, group_by: str = STOCK, page: Page = WHOLE) -> Report:
    """The longest first; `availability` is the share of the time, in percent, in which there was stock."""
    grouping = GROUPINGS[group_by]
    found = _rows(goods, span, group_by, {
        "period": "", "and_period": "", "g_period": "",
        "order": f"g.days_out DESC, {grouping.keys_of_g}",
    }, page, whole=True)
    if not found and page.offset:  # beyond the last row, which the totals do not mind
        first = stock_outs(goods, span, group_by=group_by, page=Page(1))
        return Report([], first.count, first.totals)
    names = (*grouping.names, *MEASURES)
    rows = [_rated(dict(zip(names, row, strict=False))) for row in found]
    count, out, kept = found[0][len(names):] if found else (0, Decimal(0), Decimal(0))
    return Report(rows, count, _rated({"days_out": out or Decimal(0), "days_kept": kept or Decimal(0)}))


def stock_outs_over_time(goods: Goods, span: Span, *, group_by: str = TOTAL) -> list[Row]:
    """The same of each period."""
    grouping = GROUPINGS[group_by]
    found = _rows(goods, span, group_by, {
        "period": "s.period, ", "and_period": ", s.period", "g_period": "g.period, ",
        "order": f"{grouping.keys_of_g}, g.period",
    }, Page(), whole=False)
    width, rows = len(grouping.names), []
    for row in found:
        period = span.periods[row[width] - 1]
        days = {"from_day": period.first, "to_day": period.last}
        named = dict(zip(grouping.names, row, strict=False))
        rows.append(_rated({**named, **days, **dict(zip(MEASURES, row[width + 1:], strict=False))}))
    return rows


def _rows(goods: Goods, span: Span, group_by: str, parts: dict[str, str], page: Page, *, whole: bool) -> list[tuple[Any, ...]]:
    grouping, bounds = GROUPINGS[group_by], span.bounds
    sql = f"WITH {OUT}{BY_GROUP}".format(
        opening=opening(goods), chosen_e=goods.chosen("e"), chosen_r=goods.chosen("r"), keys=grouping.keys,
        inner=grouping.inner, joins=grouping.joins, columns="".join(f"{column}, " for column in grouping.columns), **parts,
    )
    firsts, untils = ([bounds[0]], [bounds[-1]]) if whole else (bounds[:-1], bounds[1:])
    values = goods.values(span) | {"firsts": firsts, "untils": untils, "limit": page.limit, "offset": page.offset}
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _rated(row: Row) -> Row:
    out, kept = row["days_out"], row["days_kept"] or Decimal(0)
    row["availability"] = (100 * (1 - out / kept)).quantize(DAYS) if kept else None
    return {**row, "days_out": out.quantize(DAYS), "days_kept": kept.quantize(DAYS)}
