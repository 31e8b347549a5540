"""What the stock was worth over time, how often it turned, and which goods move."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection

from inventory.queries.analytics_sources import (
    GROUPINGS,
    TOTAL,
    VARIANT,
    WHOLE,
    Goods,
    Grouping,
    Page,
    Report,
    changes_by_day,
    flows,
    flows_by_day,
)
from inventory.queries.spans import DAY, YEAR, Span
from inventory.queries.stock_totals import FIGURES, totals

SECONDS = 86_400
SIX, TWO, NOTHING = Decimal("0.000001"), Decimal("0.01"), Decimal("0.000000")

type Row = dict[str, Any]
type Group = tuple[Row, dict[int, Row]]  # what its columns say, and what there was when the span began (0) and came in each period

SERIES = """
    , found AS (
        SELECT {keys}, s.period, {sums} FROM flow AS s {inner} GROUP BY {keys}, s.period
    )
    SELECT {columns}g.period, {names} FROM found AS g {joins} ORDER BY {order}g.period
"""
BY_BOUND = ", flow AS (SELECT t.*, t.n AS period, NULL::uuid AS everything FROM total AS t)"
HELD = ("quantity", "value")
SUMS = (*HELD, "received", "issued", "issued_value", "weighted")

# Of the whole span: what there is at its end, and on average.
ITEMS = """
    , found AS (
        SELECT {keys}, sum(s.quantity) AS quantity, sum(s.value) AS value, sum(s.received) AS received, sum(s.issued) AS issued,
               sum(s.issued_value) AS issued_value,
               sum(s.value_seconds) / %(seconds)s AS average_value
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
    groups = _by_days if period == DAY else _by_bounds
    found = groups(goods, span, GROUPINGS[group_by], HELD)
    return _over_time(found, span, lambda held, *_: {name: held[name] for name in HELD})


def turnover_over_time(goods: Goods, span: Span, *, period: str, group_by: str = TOTAL) -> list[Row]:
    """Of each period what `turnover` says of the whole span."""
    groups, bounds = _by_days if period == DAY else _by_bounds, span.bounds

    def turned(held: Row, change: Row, number: int) -> Row:
        seconds = _seconds(bounds[number - 1], bounds[number])
        average = held["value"] - change["value"] + change["weighted"] / seconds
        found = {name: change[name] for name in ("received", "issued", "issued_value")}
        return _turned({**held, **found, "average_value": average}, seconds)

    return _over_time(groups(goods, span, GROUPINGS[group_by], SUMS), span, turned)


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
    sql = f"WITH {flows(goods)}" + ITEMS.format(
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


def _by_days(goods: Goods, span: Span, grouping: Grouping, sums: Sequence[str]) -> Iterator[Group]:
    """From the entries of the span."""
    source = changes_by_day(goods) if sums is HELD else flows_by_day(goods, span)
    yield from _series(source, grouping, sums, goods.values(span))


def _by_bounds(goods: Goods, span: Span, grouping: Grouping, sums: Sequence[str]) -> Iterator[Group]:
    """From the totals where the periods begin and end."""
    bounds, flown = span.bounds, sums is not HELD
    source = totals(goods.chosen("s"), goods.chosen("e"), flown=flown) + BY_BOUND
    nothing = dict.fromkeys(sums, NOTHING)
    for named, at in _series(source, grouping, FIGURES[:len(sums)], goods.values(span) | {"ends": bounds}, sums):
        changes, before = {0: nothing | {name: at.get(0, nothing)[name] for name in HELD}}, at.get(0, nothing)
        for number in range(1, len(bounds)):
            now = at.get(number, nothing)
            change = {name: now[name] - before[name] for name in sums}
            if flown:  # the total counts what was there before, too
                change["weighted"] -= before["value"] * _seconds(bounds[number - 1], bounds[number])
            changes[number], before = change, now
        yield named, changes


def _series(
    source: str, grouping: Grouping, figures: Sequence[str], values: Row, names: Sequence[str] = (),
) -> Iterator[Group]:
    rows = _fetch(f"WITH {source}" + SERIES.format(
        keys=grouping.keys, inner=grouping.inner, joins=grouping.joins, columns=_listed(grouping.columns),
        sums=", ".join(f"sum(s.{name}) AS {name}" for name in figures), names=", ".join(f"g.{name}" for name in figures),
        order="" if not grouping.columns else f"{grouping.keys_of_g}, ",
    ), values)
    width = len(grouping.names)
    for key, of_group in groupby(rows, key=lambda row: row[:width]):
        named = dict(zip(grouping.names, key, strict=True))
        yield named, {row[width]: dict(zip(names or figures, row[width + 1:], strict=True)) for row in of_group}


def _over_time(groups: Iterable[Group], span: Span, tell: Any) -> list[Row]:
    """`tell` makes a row of what there is at the end of a period, what happened in it, and its number."""
    found = []
    for named, by_period in groups:
        held, steps = dict.fromkeys(HELD, NOTHING), []
        nothing = dict.fromkeys(SUMS, NOTHING)
        for number in range(len(span.periods) + 1):
            change = by_period.get(number, nothing)
            held = {name: amount + change[name] for name, amount in held.items()}
            if number:
                period = span.periods[number - 1]
                steps.append({"from_day": period.first, "to_day": period.last, **tell(held, change, number)})
        found.append((steps[-1]["value"], [{**named, **step} for step in steps]))
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
