"""What the stock was worth over time, how often it turned, and which goods move."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection

from inventory.queries.analytics_sources import GROUPINGS, TOTAL, VARIANT, WHOLE, Goods, Grouping, Page, Report, changes, flows
from inventory.queries.spans import MONTH, YEAR, Span

SECONDS = 86_400
SIX, TWO, NOTHING = Decimal("0.000001"), Decimal("0.01"), Decimal("0.000000")

type Row = dict[str, Any]

# The value at the end of each period, each from the last snapshot before: for long periods, of which the snapshots are few.
ANCHORED = """
    WITH ends AS MATERIALIZED (
        SELECT e.n::int AS period, e.until, COALESCE((
            SELECT max(until) FROM inventory_stocksnapshot WHERE organization_id = %(organization)s AND until <= e.until
        ), '-infinity') AS since
        FROM unnest(%(ends)s::timestamptz[]) WITH ORDINALITY AS e (until, n)
    ), flow AS (
        SELECT s.variant_id, s.warehouse_id, ends.period, s.quantity, s.value, NULL::uuid AS everything
        FROM inventory_stocksnapshot AS s JOIN ends ON ends.since = s.until
        WHERE s.organization_id = %(organization)s AND s.until = ANY (ARRAY(SELECT since FROM ends)) AND {chosen}
        UNION ALL
        SELECT s.variant_id, s.warehouse_id, ends.period, s.quantity, s.value, NULL
        FROM ends JOIN inventory_valueentry AS s ON s.created_at >= ends.since AND s.created_at < ends.until
        WHERE s.organization_id = %(organization)s AND {chosen}
    )
"""
SERIES = """
    , found AS (
        SELECT {keys}, s.period, {sums} FROM flow AS s {inner} GROUP BY {keys}, s.period
    )
    SELECT {columns}g.period, {names} FROM found AS g {joins} ORDER BY {order}g.period
"""
SUMS = ("quantity", "value", "received", "issued", "issued_value", "weighted")

# Of the whole span: what there is at its end, and on average.
ITEMS = """
    , found AS (
        SELECT {keys}, sum(s.quantity) AS quantity, sum(s.value) AS value, sum(s.received) AS received, sum(s.issued) AS issued,
               sum(s.issued_value) AS issued_value,
               COALESCE(sum(s.value) FILTER (WHERE s.period = 0), 0) + sum(s.weighted) / %(seconds)s AS average_value
        FROM flow AS s {inner} GROUP BY {keys}
    ), page AS (
        SELECT g.*, count(*) OVER () AS rows, sum(g.value) OVER () AS all_value, sum(g.issued_value) OVER () AS all_issued_value,
               sum(g.average_value) OVER () AS all_average_value
        FROM found AS g WHERE {which} ORDER BY {order}, {keys_of_g} LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT {columns}g.quantity, g.value, g.received, g.issued, g.issued_value, g.average_value,
           g.rows, g.all_value, g.all_issued_value, g.all_average_value
    FROM page AS g {joins} ORDER BY {order}, {keys_of_g}
"""
MEASURES = ("quantity", "value", "received", "issued", "issued_value", "average_value")
FASTEST, SLOWEST = "fastest", "slowest"
ORDERS = {
    "value": ("g.value <> 0 OR g.issued_value <> 0", "g.issued_value DESC, g.value DESC"),
    FASTEST: ("g.issued > 0", "g.issued DESC"),
    SLOWEST: ("g.quantity > 0", "g.issued, g.value DESC"),
}


def value_over_time(goods: Goods, span: Span, *, period: str, group_by: str = TOTAL) -> list[Row]:
    """`quantity` and `value` at the end of each period, of the group with the highest value now first."""
    grouping = GROUPINGS[group_by]
    if period == MONTH:
        sql, values = ANCHORED.format(chosen=goods.chosen("s")), goods.values(span) | {"ends": span.bounds[1:]}
        rows = _series(sql, grouping, SUMS[:2], values)
        return _by_group(rows, grouping, span, lambda _, change, __: {name: change[name] for name in SUMS[:2]})
    rows = _series(f"WITH {changes(goods, span)}", grouping, SUMS[:2], goods.values(span))
    return _by_group(rows, grouping, span, lambda held, _, __: held)


def turnover_over_time(goods: Goods, span: Span, *, group_by: str = TOTAL) -> list[Row]:
    """Of each period what `turnover` says of the whole span."""
    grouping = GROUPINGS[group_by]
    rows = _series(f"WITH {flows(goods, span)}", grouping, SUMS, goods.values(span))
    bounds = span.bounds

    def turned(held: Row, change: Row, number: int) -> Row:
        seconds = _seconds(bounds[number - 1], bounds[number])
        average = held["value"] - change["value"] + change["weighted"] / seconds
        found = {name: change[name] for name in ("received", "issued", "issued_value")}
        return _turned({**held, **found, "average_value": average}, seconds)

    return _by_group(rows, grouping, span, turned)


def turnover(goods: Goods, span: Span, *, group_by: str = VARIANT, page: Page = WHOLE) -> Report:
    """How often a year the stock is issued at this pace, and how many days what is there lasts; at cost."""
    return _items(goods, span, group_by, "value", page)


def movers(goods: Goods, span: Span, *, order: str = FASTEST, page: Page = WHOLE) -> Report:
    """Variants by what was issued of them; the slowest are those in stock of which the least was. Days of stock by quantity."""
    report = _items(goods, span, VARIANT, order, page)
    days = Decimal(_length(span)) / SECONDS
    for row in report.rows:
        row["days_of_stock"] = _days(row["quantity"], row["issued"], days)
    return report


def _items(goods: Goods, span: Span, group_by: str, order: str, page: Page) -> Report:
    grouping, (which, ranks), length = GROUPINGS[group_by], ORDERS[order], _length(span)
    sql = f"WITH {flows(goods, span)}" + ITEMS.format(
        keys=grouping.keys, keys_of_g=grouping.keys_of_g, inner=grouping.inner, columns=_listed(grouping.columns),
        joins=grouping.joins, which=which, order=ranks,
    )
    values = goods.values(span) | {"seconds": length, "limit": page.limit, "offset": page.offset}
    found = _fetch(sql, values)
    if not found and page.offset:  # beyond the last row, which the totals do not mind
        first = _items(goods, span, group_by, order, Page(1))
        return Report([], first.count, first.totals)
    names = (*grouping.names, *MEASURES)
    rows = [_turned(dict(zip(names, row, strict=False)), length) for row in found]
    count, totals = (found[0][len(names)], found[0][len(names) + 1:]) if found else (0, [NOTHING] * 3)
    return Report(rows, count, _turned(dict(zip(("value", "issued_value", "average_value"), totals, strict=True)), length))


def _turned(row: Row, seconds: Decimal) -> Row:
    """Adds turnover and days of stock, and leaves out what only they need."""
    days, average, issued = seconds / SECONDS, row["average_value"], row["issued_value"]
    row["average_value"] = average.quantize(SIX)
    row["turnover"] = (issued / average * YEAR / days).quantize(TWO) if average > 0 else None
    row["days_of_stock"] = _days(row["value"], issued, days)
    return row


def _days(left: Decimal, issued: Decimal, days: Decimal) -> Decimal | None:
    return (left / (issued / days)).quantize(TWO) if issued > 0 and left >= 0 else None


def _series(source: str, grouping: Grouping, sums: tuple[str, ...], values: Row) -> list[tuple[Any, ...]]:
    return _fetch(source + SERIES.format(
        keys=grouping.keys, inner=grouping.inner, joins=grouping.joins, columns=_listed(grouping.columns),
        sums=", ".join(f"sum(s.{name}) AS {name}" for name in sums), names=", ".join(f"g.{name}" for name in sums),
        order="" if not grouping.columns else f"{grouping.keys_of_g}, ",
    ), values)


def _by_group(rows: Iterable[tuple[Any, ...]], grouping: Grouping, span: Span, tell: Any) -> list[Row]:
    """`tell` makes a row of what there is at the end of a period, what happened in it, and its number."""
    width, found = len(grouping.names), []
    sums = SUMS
    for key, of_group in groupby(rows, key=lambda row: row[:width]):
        held, steps = {"quantity": NOTHING, "value": NOTHING}, []
        by_period = {row[width]: dict(zip(sums, row[width + 1:], strict=False)) for row in of_group}
        nothing = dict.fromkeys(sums, NOTHING)
        for number in range(len(span.periods) + 1):
            change = by_period.get(number, nothing)
            held = {name: amount + change[name] for name, amount in held.items()}
            if number:
                period = span.periods[number - 1]
                steps.append({"from_day": period.first, "to_day": period.last, **tell(held, change, number)})
        found.append((steps[-1]["value"], [{**dict(zip(grouping.names, key, strict=True)), **step} for step in steps]))
    found.sort(key=lambda group: -group[0])
    return [row for _, group in found for row in group]


def _length(span: Span) -> Decimal:
    bounds = span.bounds
    return _seconds(bounds[0], bounds[-1])


def _seconds(first: datetime, last: datetime) -> Decimal:
    return Decimal(max((last - first).total_seconds(), 1))


def _listed(columns: Iterable[str]) -> str:
    return "".join(f"{column}, " for column in columns)


def _fetch(sql: str, values: Row) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
