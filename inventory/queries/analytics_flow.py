"""What the stock was worth over time, how often it turned, and which goods move."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection

from inventory.queries.analytics_sources import GROUPINGS, TOTAL, VARIANT, WHOLE, Goods, Grouping, Page, Report, flows
from inventory.queries.spans import YEAR, Span
from inventory.queries.stock_totals import FIGURES, HELD, Total, reading, seconds, totals

SECONDS = 86_400
SIX, TWO, NOTHING = Decimal("0.000001"), Decimal("0.01"), Decimal("0.000000")

type Row = dict[str, Any]

SERIES = """
    , found AS (
        SELECT {keys}, s.period, {sums} FROM flow AS s {inner} GROUP BY {keys}, s.period
    )
    SELECT {columns}g.period, {names} FROM found AS g {joins} ORDER BY {order}g.period
"""
FLOW = ", flow AS (SELECT t.*, t.n AS period, NULL::uuid AS everything FROM total AS t)"

# Of the whole span: what there is at its end, and on average.
ITEMS = """
    , found AS (
        SELECT {keys}, sum(s.quantity) AS quantity, sum(s.value) AS value, sum(s.received) AS received, sum(s.issued) AS issued,
               sum(s.issued_value) AS issued_value, sum(s.value_seconds) / %(seconds)s AS average_value
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


def value_over_time(goods: Goods, span: Span, *, group_by: str = TOTAL) -> list[Row]:
    """`quantity` and `value` at the end of each period, of the group with the highest value now first."""
    return _over_time(goods, span, GROUPINGS[group_by], FIGURES[:HELD], lambda number, _, now: dict(now))


def turnover_over_time(goods: Goods, span: Span, *, group_by: str = TOTAL) -> list[Row]:
    """Of each period what `turnover` says of the whole span."""
    bounds = span.bounds

    def turned(number: int, before: Total, now: Total) -> Row:
        length = _length(bounds[number - 1], bounds[number])
        change = {name: now[name] - before[name] for name in FIGURES[HELD:]}
        average = change.pop("value_seconds") / length
        return _turned({"quantity": now["quantity"], "value": now["value"], **change, "average_value": average}, length)

    return _over_time(goods, span, GROUPINGS[group_by], FIGURES, turned)


def turnover(goods: Goods, span: Span, *, group_by: str = VARIANT, page: Page = WHOLE) -> Report:
    """How often a year the stock is issued at this pace, and how many days what is there lasts; at cost."""
    return _items(goods, span, group_by, "value", page)


def movers(goods: Goods, span: Span, *, order: str = FASTEST, page: Page = WHOLE) -> Report:
    """Variants by what was issued of them; the slowest are those in stock of which the least was. Days of stock by quantity."""
    report = _items(goods, span, VARIANT, order, page)
    days = _length(*span.ends) / SECONDS
    for row in report.rows:
        row["days_of_stock"] = _days(row["quantity"], row["issued"], days)
    return report


def _items(goods: Goods, span: Span, group_by: str, order: str, page: Page) -> Report:
    grouping, (which, ranks), length = GROUPINGS[group_by], ORDERS[order], _length(*span.ends)
    source, values = flows(goods, span)
    sql = f"WITH {source}" + ITEMS.format(
        keys=grouping.keys, keys_of_g=grouping.keys_of_g, inner=grouping.inner, columns=_listed(grouping.columns),
        joins=grouping.joins, which=which, order=ranks,
    )
    found = _fetch(sql, values | {"seconds": length, "limit": page.limit, "offset": page.offset})
    if not found and page.offset:  # beyond the last row, which the totals do not mind
        first = _items(goods, span, group_by, order, Page(1))
        return Report([], first.count, first.totals)
    names = (*grouping.names, *MEASURES)
    rows = [_turned(dict(zip(names, row, strict=False)), length) for row in found]
    count, sums = (found[0][len(names)], found[0][len(names) + 1:]) if found else (0, [NOTHING] * 3)
    return Report(rows, count, _turned(dict(zip(("value", "issued_value", "average_value"), sums, strict=True)), length))


def _turned(row: Row, length: Decimal) -> Row:
    """Adds turnover and days of stock, and leaves out what only they need."""
    days, average, issued = length / SECONDS, row["average_value"], row["issued_value"]
    row["average_value"] = average.quantize(SIX)
    row["turnover"] = (issued / average * YEAR / days).quantize(TWO) if average > 0 else None
    row["days_of_stock"] = _days(row["value"], issued, days)
    return row


def _days(left: Decimal, issued: Decimal, days: Decimal) -> Decimal | None:
    return (left / (issued / days)).quantize(TWO) if issued > 0 and left >= 0 else None


def _over_time(
    goods: Goods, span: Span, grouping: Grouping, figures: Sequence[str], tell: Callable[[int, Total, Total], Row],
) -> list[Row]:
    """`tell` makes a row of a period's number, the totals before it and those at its end."""
    read, found, width = reading(span.bounds), [], len(grouping.names)
    sql = f"WITH {totals(goods.chosen('s'), goods.chosen('e'), figures=figures)}{FLOW}" + SERIES.format(
        keys=grouping.keys, inner=grouping.inner, joins=grouping.joins, columns=_listed(grouping.columns),
        sums=", ".join(f"sum(s.{name}) AS {name}" for name in figures), names=", ".join(f"g.{name}" for name in figures),
        order="" if not grouping.columns else f"{grouping.keys_of_g}, ",
    )
    rows = _fetch(sql, goods.values(span) | read.values)
    for key, of_group in groupby(rows, key=lambda row: row[:width]):
        named = dict(zip(grouping.names, key, strict=True))
        at = read.summed({row[width]: dict(zip(figures, row[width + 1:], strict=True)) for row in of_group}, figures)
        steps = [
            {**named, "from_day": period.first, "to_day": period.last, **tell(number, at[number - 1], at[number])}
            for number, period in enumerate(span.periods, 1)
        ]
        found.append((steps[-1]["value"], steps))
    found.sort(key=lambda group: -group[0])
    return [row for _, steps in found for row in steps]


def _length(first: datetime, last: datetime) -> Decimal:
    return max(seconds(first, last), Decimal(1))


def _listed(columns: Iterable[str]) -> str:
    return "".join(f"{column}, " for column in columns)


def _fetch(sql: str, values: Row) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
