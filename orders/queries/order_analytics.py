"""What orders brought, in which state they are, and how well and how soon they were fulfilled. One statement for each report.

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
from inventory.queries.dashboard import IN_SOME
from inventory.queries.spans import Span

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

# The orders of the span, each with the rate of its day, which is looked up rather than joined: of a join by two computed columns
# the planner takes one row of thousands to be left.
CHOSEN = f"""
    placed AS MATERIALIZED (
        SELECT o.*, (o.placed_at AT TIME ZONE own.timezone)::date AS day, own.base_currency AS own,
               width_bucket(o.placed_at, %(bounds)s::timestamptz[]) AS period
        FROM orders_salesorder AS o JOIN accounts_organization AS own ON own.id = %(organization)s
        WHERE o.organization_id = %(organization)s AND o.placed_at >= %(first)s AND o.placed_at < %(until)s
            AND {IN_SOME.format("o.warehouse_id")} AND (%(channel)s::uuid IS NULL OR o.channel_id = %(channel)s)
    ), rates AS MATERIALIZED (
        SELECT jsonb_object_agg(d.currency || d.day, CASE WHEN d.currency = d.own THEN 1 ELSE (
            SELECT CASE WHEN x.base = d.currency THEN x.rate ELSE 1 / x.rate END FROM accounts_exchangerate AS x
            WHERE x.organization_id = %(organization)s AND x.valid_on <= d.day
                AND ((x.base = d.currency AND x.quote = d.own) OR (x.base = d.own AND x.quote = d.currency))
            ORDER BY x.valid_on DESC, x.base = d.currency DESC LIMIT 1
        ) END) AS by_day
        FROM (SELECT DISTINCT currency, day, own FROM placed) AS d
    ), chosen AS MATERIALIZED (
        SELECT p.id, p.channel_id, p.warehouse_id, p.customer_id, p.status, p.currency, p.period, p.total, p.requested_on,
               p.placed_at, p.shipped_at, p.delivered_at, (p.shipped_at AT TIME ZONE own.timezone)::date AS shipped_on,
               (r.by_day ->> (p.currency || p.day))::numeric AS rate
        FROM placed AS p CROSS JOIN rates AS r
        JOIN accounts_organization AS own ON own.id = %(organization)s
        WHERE p.status <> ALL (%(without)s)
    )
"""

# Cost is what the goods issues of the order took off the stock's value, so it is known of what was shipped alone. That of a kit
# is what its components cost, which are not sold by themselves.
SOLD = f"""
    WITH {CHOSEN}, moves AS MATERIALIZED (
        SELECT m.id, m.document_line_id FROM inventory_stockmove AS m
        WHERE m.organization_id = %(organization)s AND m.document_type = 'sales_order'
            AND m.document_id IN (SELECT id FROM chosen)
    ), costs AS (
        SELECT COALESCE(l.kit_id, m.document_line_id) AS id, -sum(e.value) AS cost
        FROM moves AS m
        LEFT JOIN orders_salesorderitem AS l ON l.organization_id = %(organization)s AND l.id = m.document_line_id
        CROSS JOIN LATERAL (
            SELECT sum(e.value) AS value FROM inventory_valueentry AS e
            WHERE e.organization_id = %(organization)s AND e.move_id = m.id
        ) AS e
        WHERE e.value IS NOT NULL GROUP BY 1
    ), sold AS (
        SELECT s.*, l.variant_id, l.quantity - l.cancelled_quantity AS quantity, 0.000000 AS adjustment, c.cost,
               l.net_amount * (l.quantity - l.cancelled_quantity) / l.quantity AS revenue,
               CASE WHEN c.id IS NOT NULL THEN l.net_amount * (l.shipped_quantity - l.returned_quantity) / l.quantity
               END AS costed
        FROM chosen AS s
        JOIN orders_salesorderitem AS l ON l.organization_id = %(organization)s AND l.order_id = s.id AND l.kit_id IS NULL
        LEFT JOIN costs AS c ON c.id = l.id
        {{adjustments}}
    ), found AS (
        SELECT {{key}} AS key{{period}}, count(DISTINCT s.id) AS orders, sum(s.quantity) AS quantity,
               COALESCE(sum(s.revenue * s.rate), 0) AS revenue, COALESCE(sum(s.adjustment * s.rate), 0) AS adjustments,
               sum(s.costed * s.rate) AS costed_revenue, sum(s.cost) FILTER (WHERE s.rate IS NOT NULL) AS cost
        FROM sold AS s GROUP BY 1{{second}}
    ), apart AS (
        SELECT json_agg(json_build_object('currency', a.currency, 'orders', a.orders, 'revenue', a.revenue::text)
                        ORDER BY a.currency) AS currencies
        FROM (SELECT currency, count(DISTINCT id) AS orders, round(sum(revenue), 6) AS revenue FROM sold
              WHERE rate IS NULL GROUP BY currency) AS a
    ), whole AS (
        SELECT count(DISTINCT id) AS orders, sum(quantity) AS quantity, COALESCE(sum(revenue * rate), 0) AS revenue,
               COALESCE(sum(adjustment * rate), 0) AS adjustments, sum(costed * rate) AS costed_revenue,
               sum(cost) FILTER (WHERE rate IS NOT NULL) AS cost FROM sold
    ), page AS (
        SELECT * FROM found ORDER BY {{order}} LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT whole.orders, whole.quantity, round(whole.revenue, 6), round(whole.adjustments, 6), round(whole.costed_revenue, 6),
           round(whole.cost, 6), apart.currencies, (SELECT count(*) FROM found), g.orders IS NOT NULL, {{columns}}
           {{g_period}}g.orders, g.quantity, round(g.revenue, 6), round(g.adjustments, 6), round(g.costed_revenue, 6),
           round(g.cost, 6)
    FROM whole CROSS JOIN apart LEFT JOIN page AS g ON true {{join}} ORDER BY {{g_order}}
"""
ADJUSTMENTS = """
        UNION ALL
        SELECT s.*, NULL, 0, a.net_amount, NULL, 0, NULL
        FROM chosen AS s JOIN orders_orderadjustment AS a ON a.organization_id = %(organization)s AND a.order_id = s.id
"""
MEASURES = ("orders", "quantity", "revenue", "adjustments", "costed_revenue", "cost")

STATES = f"""
    WITH {CHOSEN}
    SELECT s.status, count(*), round(COALESCE(sum(s.total * s.rate), 0), 6), count(*) FILTER (WHERE s.rate IS NULL)
    FROM chosen AS s GROUP BY s.status ORDER BY 2 DESC, 1
"""

# Of the orders that were placed and not canceled. A line is filled by what was shipped of it.
SERVED = f"""
    WITH {CHOSEN}, filled AS (
        SELECT s.*, sum(l.quantity - l.cancelled_quantity) AS ordered, sum(l.shipped_quantity) AS shipped,
               count(*) AS lines, count(*) FILTER (WHERE l.shipped_quantity >= l.quantity - l.cancelled_quantity) AS lines_filled
        FROM chosen AS s
        JOIN orders_salesorderitem AS l ON l.organization_id = %(organization)s AND l.order_id = s.id AND l.kit_id IS NULL
        GROUP BY s.id, s.channel_id, s.warehouse_id, s.customer_id, s.status, s.currency, s.period, s.total, s.requested_on,
                 s.placed_at, s.shipped_at, s.delivered_at, s.shipped_on, s.rate
    ), found AS (
        SELECT {{key}} AS key{{period}}, count(*) AS orders, sum(s.ordered) AS ordered, sum(s.shipped) AS shipped,
               sum(s.lines) AS lines, sum(s.lines_filled) AS lines_filled, count(s.shipped_at) AS orders_shipped,
               count(*) FILTER (WHERE s.requested_on IS NOT NULL AND s.shipped_on IS NOT NULL) AS dated,
               count(*) FILTER (WHERE s.shipped_on <= s.requested_on) AS on_time,
               {{times}}
        FROM filled AS s GROUP BY 1{{second}}
    ), page AS (
        SELECT *, count(*) OVER () AS rows FROM found ORDER BY {{order}} LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT g.rows, {{columns}} {{g_period}}g.orders, g.ordered, g.shipped, g.lines, g.lines_filled, g.orders_shipped, g.dated,
           g.on_time, g.to_ship, g.median_to_ship, g.to_deliver, g.median_to_deliver
    FROM page AS g {{join}} ORDER BY {{g_order}}
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

    def values(self, span: Span, page: Page, *without: str) -> Row:
        bounds = span.bounds
        return {
            "organization": active_organization_id(), "channel": self.channel, "bounds": bounds, "first": bounds[0],
            "until": bounds[-1], "warehouses": None if self.warehouses is None else list(self.warehouses),
            "without": list(without), "limit": page.limit, "offset": page.offset,
        }


def revenue(sales: Sales, span: Span, *, group_by: str = TOTAL, by_period: bool = False, page: Page = WHOLE) -> Report:
    """Net of tax, of what was ordered and not canceled; what brought most first, or by time."""
    grouping = GROUPINGS[group_by]
    sql = SOLD.format(
        adjustments="" if group_by == PRODUCT else ADJUSTMENTS, **_parts(grouping, by_period, "revenue DESC"),
    )
    found = _fetch(sql, sales.values(span, page, "draft", "cancelled"))
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
    rows = [
        {"status": status, "orders": orders, "total": total, "unconverted": apart}
        for status, orders, total, apart in _fetch(STATES, sales.values(span, WHOLE, "draft"))
    ]
    return Report(rows, len(rows), {"orders": sum(row["orders"] for row in rows)})


def service(sales: Sales, span: Span, *, group_by: str = TOTAL, by_period: bool = False, page: Page = WHOLE) -> Report:
    """How much of what was ordered was shipped, how many orders in time, and after how many days."""
    grouping = GROUPINGS[group_by]
    sql = SERVED.format(times=TIMES, **_parts(grouping, by_period, "orders DESC"))
    found = _fetch(sql, sales.values(span, page, "draft", "cancelled"))
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
