"""What orders brought, in which state they are, and how well and how soon they were fulfilled. One statement for each report, and
one that asks what is kept (`sales_days.py`): reports by customer or product, and of how orders were fulfilled, read the orders.

An order counts on the day when it was placed. Amounts are in the organization's currency, by the rate of that day or the latest
before; amounts of a currency that has no such rate are told apart, as `unconverted`, and are in no sum.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id
from inventory.queries.analytics_sources import Page, Report
from inventory.queries.spans import Span
from orders.queries.sales_days import (
    CHOSEN,
    CHOSEN_KEPT,
    KEPT,
    LINES,
    PRODUCTS_SOLD,
    SUMMED,
    SUMS,
    Standing,
    placed,
    sold,
    standing,
    whole,
)

TOTAL, CHANNEL, WAREHOUSE, CUSTOMER, PRODUCT = "total", "channel", "warehouse", "customer", "product"
TWO = Decimal("0.01")
WHOLE = Page()

type Row = dict[str, Any]


class Grouping(NamedTuple):
    key: str  # of s
    names: tuple[str, ...]
    columns: str
    join: str = ""


def _joined(table: str) -> str:
    return f"LEFT JOIN {table} AS t ON t.organization_id = %(organization)s AND t.id = g.key"


GROUPINGS = {
    TOTAL: Grouping("NULL::uuid", (), ""),
    CHANNEL: Grouping("s.channel_id", ("channel", "code", "name"), "g.key, t.code, t.name,", _joined("orders_channel")),
    WAREHOUSE: Grouping(
        "s.warehouse_id", ("warehouse", "code", "name"), "g.key, t.code, t.name,", _joined("inventory_warehouse"),
    ),
    CUSTOMER: Grouping(
        "s.customer_id", ("customer", "code", "name"), "g.key, COALESCE(t.code, ''), COALESCE(p.name, ''),",
        _joined("orders_customer")
        + " LEFT JOIN accounts_party AS p ON p.organization_id = t.organization_id AND p.id = t.party_id",
    ),
    PRODUCT: Grouping("s.variant_id", ("variant", "sku", "name"), "g.key, t.sku, t.name,", _joined("inventory_productvariant")),
}
BY_ORDER = (TOTAL, CHANNEL, WAREHOUSE, CUSTOMER)
OF_ORDERS = (CUSTOMER, PRODUCT)  # which days do not tell apart

# The rate of each currency and day is looked up rather than joined: of a join by two computed columns the planner takes one row
# of thousands to be left.
RATED = """
    , rates AS MATERIALIZED (
        SELECT jsonb_object_agg(d.currency || d.day, CASE WHEN d.currency = own.base_currency THEN 1 ELSE (
            SELECT CASE WHEN x.base = d.currency THEN x.rate ELSE 1 / x.rate END FROM accounts_exchangerate AS x
            WHERE x.organization_id = %(organization)s AND x.valid_on <= d.day
                AND ((x.base = d.currency AND x.quote = own.base_currency)
                     OR (x.base = own.base_currency AND x.quote = d.currency))
            ORDER BY x.valid_on DESC, x.base = d.currency DESC LIMIT 1
        ) END) AS by_day
        FROM (SELECT DISTINCT currency, day FROM part) AS d
        JOIN accounts_organization AS own ON own.id = %(organization)s
    ), rated AS MATERIALIZED (
        SELECT p.*, width_bucket(p.day, %(days)s::date[]) AS period, (r.by_day ->> (p.currency || p.day))::numeric AS rate
        FROM part AS p CROSS JOIN rates AS r
    )
"""

# A part is of a day, a currency and a group. Of products an order has several, so orders are counted by themselves.
PARTS = """
    , part AS MATERIALIZED (
        SELECT {key} AS key, s.day, s.currency, {summed} FROM {source} AS s
        WHERE s.status <> 'cancelled' GROUP BY 1, 2, 3
    )
"""
BOTH = """
    , known AS (
        SELECT day, currency, status, channel_id, warehouse_id, {sums} FROM sold
        UNION ALL
        SELECT day, currency, status, channel_id, warehouse_id, {sums} FROM kept
    )
""".format(sums=", ".join(SUMS))
BROUGHT = """
    , found AS (
        SELECT s.key{period}, sum(s.orders)::bigint AS orders, sum(s.quantity) AS quantity,
               COALESCE(sum(s.revenue * s.rate), 0) AS revenue, COALESCE(sum(s.adjustments * s.rate), 0) AS adjustments,
               sum(s.costed_revenue * s.rate) AS costed_revenue, sum(s.cost) FILTER (WHERE s.rate IS NOT NULL) AS cost
        FROM rated AS s GROUP BY 1{second}
    ), counted AS (
        {counted}
    ), apart AS (
        SELECT json_agg(json_build_object('currency', a.currency, 'orders', c.orders, 'revenue', a.revenue::text)
                        ORDER BY a.currency) AS currencies
        FROM (SELECT currency, array_agg(DISTINCT day) AS days, round(sum(revenue), 6) AS revenue FROM rated
              WHERE rate IS NULL GROUP BY currency) AS a
        CROSS JOIN LATERAL (
            SELECT sum(c.orders)::bigint AS orders FROM counted AS c WHERE c.currency = a.currency AND c.day = ANY (a.days)
        ) AS c
    ), whole AS (
        SELECT (SELECT COALESCE(sum(orders), 0)::bigint FROM counted) AS orders, sum(quantity) AS quantity,
               COALESCE(sum(revenue * rate), 0) AS revenue, COALESCE(sum(adjustments * rate), 0) AS adjustments,
               sum(costed_revenue * rate) AS costed_revenue, sum(cost) FILTER (WHERE rate IS NOT NULL) AS cost
        FROM rated
    ), page AS (
        SELECT * FROM found ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT whole.orders, round(whole.quantity, 6), round(whole.revenue, 6), round(whole.adjustments, 6),
           round(whole.costed_revenue, 6), round(whole.cost, 6), apart.currencies,
           (SELECT count(*) FROM found), g.orders IS NOT NULL, {columns}
           {g_period}g.orders, round(g.quantity, 6), round(g.revenue, 6), round(g.adjustments, 6), round(g.costed_revenue, 6),
           round(g.cost, 6)
    FROM whole CROSS JOIN apart LEFT JOIN page AS g ON true {join} ORDER BY {g_order}
"""
PARTS_COUNTED = "SELECT currency, day, sum(orders) AS orders FROM part GROUP BY currency, day"
ORDERS_COUNTED = "SELECT currency, day, count(*) AS orders FROM placed WHERE status <> 'cancelled' GROUP BY currency, day"
OF_DAYS = KEPT.format(chosen=CHOSEN_KEPT) + BOTH
OF_PRODUCTS = LINES.format(of="l.variant_id,", by="l.variant_id,", apart="") + PRODUCTS_SOLD
MEASURES = ("orders", "quantity", "revenue", "adjustments", "costed_revenue", "cost")

STATES = f"""
    {KEPT.format(chosen=CHOSEN_KEPT)}, part AS (
        SELECT status, day, currency, count(*) AS orders, sum(total) AS total FROM placed GROUP BY status, day, currency
        UNION ALL
        SELECT status, day, currency, orders, total FROM kept
    ) {RATED}
    SELECT s.status, sum(s.orders)::bigint, round(COALESCE(sum(s.total * s.rate), 0), 6),
           COALESCE(sum(s.orders) FILTER (WHERE s.rate IS NULL), 0)::bigint
    FROM rated AS s GROUP BY s.status ORDER BY 2 DESC, 1
"""

# Of the orders that were placed and not canceled. A line is filled by what was shipped of it.
TIMES_OF = """,
    o.requested_on, o.placed_at, o.shipped_at, o.delivered_at, (o.shipped_at AT TIME ZONE own.timezone)::date AS shipped_on
"""
SERVED = """
    , lines AS (
        SELECT l.order_id, sum(l.quantity - l.cancelled_quantity) AS ordered, sum(l.shipped_quantity) AS shipped,
               count(*) AS lines, count(*) FILTER (WHERE l.shipped_quantity >= l.quantity - l.cancelled_quantity) AS lines_filled
        FROM orders_salesorderitem AS l
        WHERE l.organization_id = %(organization)s AND l.order_id IN (SELECT id FROM placed) AND l.kit_id IS NULL
        GROUP BY l.order_id
    ), filled AS (
        SELECT p.*, l.ordered, l.shipped, l.lines, l.lines_filled, width_bucket(p.day, %(days)s::date[]) AS period
        FROM placed AS p JOIN lines AS l ON l.order_id = p.id WHERE p.status <> 'cancelled'
    ), found AS (
        SELECT {key} AS key{period}, count(*) AS orders, sum(s.ordered) AS ordered, sum(s.shipped) AS shipped,
               sum(s.lines) AS lines, sum(s.lines_filled) AS lines_filled, count(s.shipped_at) AS orders_shipped,
               count(*) FILTER (WHERE s.requested_on IS NOT NULL AND s.shipped_on IS NOT NULL) AS dated,
               count(*) FILTER (WHERE s.shipped_on <= s.requested_on) AS on_time,
               {times}
        FROM filled AS s GROUP BY 1{second}
    ), page AS (
        SELECT *, count(*) OVER () AS rows FROM found ORDER BY {order} LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT g.rows, {columns} {g_period}g.orders, g.ordered, g.shipped, g.lines, g.lines_filled, g.orders_shipped, g.dated,
           g.on_time, g.to_ship, g.median_to_ship, g.to_deliver, g.median_to_deliver
    FROM page AS g {join} ORDER BY {g_order}
"""
TIMES = ",\n".join(
    f"extract(epoch FROM avg(s.{column} - s.placed_at)) AS {name},"
    f" extract(epoch FROM percentile_cont(0.5) WITHIN GROUP (ORDER BY s.{column} - s.placed_at)) AS median_{name}"
    for name, column in (("to_ship", "shipped_at"), ("to_deliver", "delivered_at"))
)
SERVICE = (
    "orders", "ordered", "shipped", "lines", "lines_filled", "orders_shipped", "dated", "on_time", "to_ship", "median_to_ship",
    "to_deliver", "median_to_deliver",
)


@dataclass(frozen=True, slots=True)
class Sales:
    """Which orders a report looks at: of some warehouses, or of all (None), and of a channel."""

    warehouses: Collection[UUID] | None = None
    channel: UUID | None = None

    def values(self, span: Span, page: Page, standing: Standing) -> Row:
        return standing.values | {
            "organization": active_organization_id(), "channel": self.channel, "days": [period.first for period in span.periods],
            "warehouses": None if self.warehouses is None else list(self.warehouses), "limit": page.limit, "offset": page.offset,
        }


def revenue(sales: Sales, span: Span, *, group_by: str = TOTAL, by_period: bool = False, page: Page = WHOLE) -> Report:
    """Net of tax, of what was ordered and not canceled; what brought most first, or by time."""
    grouping = GROUPINGS[group_by]
    known = whole(span) if group_by in OF_ORDERS else standing(span)
    if group_by == PRODUCT:
        source, parts_of, counted = placed(True, CHOSEN) + OF_PRODUCTS, "sold", ORDERS_COUNTED
    elif group_by == CUSTOMER:
        source, parts_of, counted = sold(True, CHOSEN), "sold", PARTS_COUNTED
    else:
        source, parts_of, counted = sold(known.is_whole, CHOSEN) + OF_DAYS, "known", PARTS_COUNTED
    parts = PARTS.format(key=grouping.key, source=parts_of, summed=SUMMED)
    brought = BROUGHT.format(counted=counted, **_parts(grouping, by_period, "revenue DESC"))
    sql = f"WITH {source} {parts} {RATED} {brought}"
    found = _fetch(sql, sales.values(span, page, known))
    totals = _margin(dict(zip(MEASURES, found[0][:6], strict=True)))
    totals |= {"quantity": totals["quantity"] or Decimal(0), "unconverted": found[0][6] or []}
    names = (*grouping.names, *(("period",) if by_period else ()), *MEASURES)
    rows = [_margin(_dated(dict(zip(names, row[9:], strict=True)), span)) for row in found if row[8]]
    if group_by == PRODUCT:
        for row in (*rows, totals):
            del row["adjustments"]
    return Report(rows, found[0][7], totals)


def states(sales: Sales, span: Span) -> Report:
    """In which state the orders of these days are now, canceled ones too."""
    known = standing(span)
    sql = f"WITH {placed(known.is_whole, CHOSEN)} {STATES}"
    rows = [
        {"status": status, "orders": orders, "total": total, "unconverted": apart}
        for status, orders, total, apart in _fetch(sql, sales.values(span, WHOLE, known))
    ]
    return Report(rows, len(rows), {"orders": sum(row["orders"] for row in rows)})


def service(sales: Sales, span: Span, *, group_by: str = TOTAL, by_period: bool = False, page: Page = WHOLE) -> Report:
    """How much of what was ordered was shipped, how many orders in time, and after how many days."""
    grouping, known = GROUPINGS[group_by], whole(span)
    served = SERVED.format(times=TIMES, **_parts(grouping, by_period, "orders DESC"))
    sql = f"WITH {placed(known.is_whole, CHOSEN, TIMES_OF)} {served}"
    found = _fetch(sql, sales.values(span, page, known))
    names = (*grouping.names, *(("period",) if by_period else ()), *SERVICE)
    rows = [_served(_dated(dict(zip(names, row[1:], strict=True)), span)) for row in found]
    return Report(rows, found[0][0] if found else 0, {})


def _parts(grouping: Grouping, by_period: bool, order: str) -> dict[str, str]:
    """Of a statement; ties in an order that stays."""
    ranks = "period, key" if by_period else f"{order}, key"
    return {
        "key": grouping.key, "period": ", s.period" if by_period else "", "second": ", 2" if by_period else "",
        "g_period": "g.period, " if by_period else "", "columns": grouping.columns, "join": grouping.join, "order": ranks,
        "g_order": ", ".join(f"g.{rank}" for rank in ranks.split(", ")),
    }


def _dated(row: Row, span: Span) -> Row:
    if (number := row.pop("period", None)) is not None:
        period = span.periods[number - 1]
        row |= {"from_day": period.first, "to_day": period.last}
    return row


def _margin(row: Row) -> Row:
    """Of the goods whose cost is known; null where there are none."""
    costed, cost = row["costed_revenue"], row["cost"]
    is_known = costed is not None and cost is not None
    row["margin"] = costed - cost if is_known else None
    row["margin_percent"] = ((costed - cost) * 100 / costed).quantize(TWO) if is_known and costed else None
    return row


def _served(row: Row) -> Row:
    row["fill_rate"] = _percent(row["shipped"], row["ordered"])
    row["line_fill_rate"] = _percent(row.pop("lines_filled"), row["lines"])
    row["on_time"] = _percent(row["on_time"], row.pop("dated"))
    for name in ("to_ship", "median_to_ship", "to_deliver", "median_to_deliver"):
        seconds = row.pop(name)
        row[f"days_{name}"] = None if seconds is None else _days(seconds)
    return row


def _percent(part: Any, whole: Any) -> Decimal | None:
    return (Decimal(part) * 100 / Decimal(whole)).quantize(TWO) if whole else None


def _days(seconds: Decimal) -> Decimal:
    return (Decimal(seconds) / Decimal(timedelta(days=1).total_seconds())).quantize(TWO)


def _fetch(sql: str, values: Row) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
