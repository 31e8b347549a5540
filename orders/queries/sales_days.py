"""What orders add up to: kept for each day that is over, and read of the orders themselves for what is since, and for days of
which an order has changed since they were summed.

An order counts on the day on which it was placed, in the organization's time zone. `orders/services/sales_days.py` keeps the
days.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from core.tenancy import active_organization_id
from inventory.queries.dashboard import IN_SOME
from inventory.queries.spans import Span

# A cart is no order yet. The planner guesses of one stretch of time how many orders it has; of several it takes each to be short.
PLACED = """
    placed AS MATERIALIZED (
        SELECT o.id, o.channel_id, o.warehouse_id, o.customer_id, o.status, o.currency, o.total,
               (o.placed_at AT TIME ZONE own.timezone)::date AS day{more}
        FROM accounts_organization AS own
        CROSS JOIN unnest(%(open_since)s::timestamptz[], %(open_until)s::timestamptz[]) AS r (since, until)
        CROSS JOIN LATERAL (
            SELECT o.* FROM orders_salesorder AS o
            WHERE o.organization_id = %(organization)s AND {between} AND o.status <> 'draft' AND {chosen} {apart}
        ) AS o
        WHERE own.id = %(organization)s
    )
"""
ONE = "o.placed_at >= %(first)s AND o.placed_at < %(until)s"
APART = "OFFSET 0"
SEVERAL = "o.placed_at >= r.since AND o.placed_at < r.until"
# Of several stretches lines and moves are looked up order by order, whatever the planner makes of them. A full join is never made
# by comparing each line with each cost, of which the planner takes one to be there; a cost without its line belongs to no order.
# Cost is what the goods issues of the order took off the stock's value, so it is known of what was shipped alone. That of a
# kit is what its components cost, which are not sold by themselves.
LINES = """
    , moves AS MATERIALIZED (
        SELECT m.id, m.document_line_id FROM placed AS p CROSS JOIN LATERAL (
            SELECT m.* FROM inventory_stockmove AS m
            WHERE m.organization_id = %(organization)s AND m.document_id = p.id AND m.document_type = 'sales_order' {apart}
        ) AS m
    ), costs AS (
        SELECT COALESCE(l.kit_id, m.document_line_id) AS id, -sum(e.value) AS cost
        FROM moves AS m
        LEFT JOIN orders_salesorderitem AS l ON l.organization_id = %(organization)s AND l.id = m.document_line_id
        CROSS JOIN LATERAL (
            SELECT sum(e.value) AS value FROM inventory_valueentry AS e
            WHERE e.organization_id = %(organization)s AND e.move_id = m.id
        ) AS e
        WHERE e.value IS NOT NULL GROUP BY 1
    ), lines AS (
        SELECT l.order_id, {of} sum(l.quantity - l.cancelled_quantity) AS quantity,
               sum(l.net_amount * (l.quantity - l.cancelled_quantity) / l.quantity) AS revenue,
               sum(CASE WHEN c.id IS NOT NULL THEN l.net_amount * (l.shipped_quantity - l.returned_quantity) / l.quantity
                   END) AS costed_revenue, sum(c.cost) AS cost
        FROM placed AS p CROSS JOIN LATERAL (
            SELECT l.* FROM orders_salesorderitem AS l
            WHERE l.organization_id = %(organization)s AND l.order_id = p.id AND l.kit_id IS NULL {apart}
        ) AS l FULL JOIN costs AS c ON c.id = l.id
        GROUP BY {by} l.order_id
    )
"""
SOLD = """
    , sold AS (
        SELECT p.*, 1 AS orders, COALESCE(l.quantity, 0) AS quantity, COALESCE(l.revenue, 0) AS revenue,
               COALESCE(a.amount, 0) AS adjustments, l.costed_revenue, l.cost
        FROM placed AS p
        LEFT JOIN lines AS l ON l.order_id = p.id
        LEFT JOIN (
            SELECT a.order_id, sum(a.net_amount) AS amount FROM orders_orderadjustment AS a
            WHERE a.organization_id = %(organization)s AND a.order_id IN (SELECT id FROM placed) GROUP BY a.order_id
        ) AS a ON a.order_id = p.id
    )
"""
PRODUCTS_SOLD = """
    , sold AS (
        SELECT p.*, l.variant_id, 1 AS orders, l.quantity, l.revenue, 0 AS adjustments, l.costed_revenue, l.cost
        FROM placed AS p JOIN lines AS l ON l.order_id = p.id
    )
"""
KEPT = """
    , kept AS (
        SELECT d.* FROM orders_salesday AS d
        WHERE d.organization_id = %(organization)s AND d.until > %(kept_since)s AND d.until <= %(kept_until)s
            AND d.timezone = %(timezone)s AND d.day <> ALL (%(open_days)s::date[]) AND {chosen}
    )
"""
CHOSEN = IN_SOME.format("o.warehouse_id") + " AND (%(channel)s::uuid IS NULL OR o.channel_id = %(channel)s)"
CHOSEN_KEPT = IN_SOME.format("d.warehouse_id") + " AND (%(channel)s::uuid IS NULL OR d.channel_id = %(channel)s)"

SUMS = ("orders", "total", "quantity", "revenue", "adjustments", "costed_revenue", "cost")
SUMMED = ", ".join(f"sum(s.{name}) AS {name}" for name in SUMS)

# Up to which day they are kept, and of which days orders have changed since.
STANDING = """
    SELECT o.timezone, (
        SELECT max(d.until) FROM orders_salesday AS d
        WHERE d.organization_id = o.id AND d.timezone = o.timezone AND d.until > %(first)s AND d.until <= %(until)s
    ), (
        SELECT array_agg(DISTINCT (c.placed_at AT TIME ZONE o.timezone)::date) FROM orders_salesdaychange AS c
        WHERE c.organization_id = o.id AND c.placed_at >= %(first)s AND c.placed_at < %(until)s
    )
    FROM accounts_organization AS o WHERE o.id = %(organization)s
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Of a span: what is kept of it, and what is to be read of its orders, as stretches of time."""

    values: dict[str, Any]
    is_whole: bool = False


def placed(is_whole: bool, chosen: str = "true", more: str = "") -> str:
    """`placed`: the orders of one long stretch of time, or of several."""
    if is_whole:
        return PLACED.format(between=ONE, apart="", chosen=chosen, more=more)
    return PLACED.format(between=SEVERAL, apart=APART, chosen=chosen, more=more)


def sold(is_whole: bool, chosen: str = "true") -> str:
    """`placed`, and `sold`, of each order."""
    return placed(is_whole, chosen) + LINES.format(of="", by="", apart="" if is_whole else APART) + SOLD


def standing(span: Span) -> Standing:
    """One statement. The span begins with a day of the organization."""
    first, until = span.ends
    with connection.cursor() as cursor:
        cursor.execute(STANDING, {"organization": active_organization_id(), "first": first, "until": until})
        zone, kept, changed = cursor.fetchone()
    if kept is None:
        return Standing(_read([(first, until)]) | _kept(zone, first, first, []), is_whole=True)
    days = sorted(day for day in changed or () if day_bounds(day, zone)[1] <= kept)
    stretches = [*(day_bounds(day, zone) for day in days), (kept, until)]
    return Standing(_read(_joined(stretches)) | _kept(zone, first, kept, days))


def whole(span: Span) -> Standing:
    """All is read of the orders."""
    return Standing(_read([span.ends]), is_whole=True)


def day_values(day: date, zone: str) -> dict[str, Any]:
    """Of the statement that sums a day."""
    since, until = day_bounds(day, zone)
    return _read([(since, until)]) | {"organization": active_organization_id(), "timezone": zone, "day": day, "since": since}


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """When it begins and ends. Where a clock shows midnight twice, the first one counts."""
    since, until = (datetime.combine(one, time(), ZoneInfo(zone)).astimezone(UTC) for one in (day, day + timedelta(1)))
    return since, until


def _joined(stretches: Iterable[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    """Those that follow each other, as one."""
    last: tuple[datetime, datetime] | None = None
    for since, until in stretches:
        if last and last[1] == since:
            since = last[0]
        elif last:
            yield last
        last = since, until
    if last:
        yield last


def _read(stretches: Iterable[tuple[datetime, datetime]]) -> dict[str, Any]:
    found = list(stretches)
    return {
        "open_since": [since for since, _ in found], "open_until": [until for _, until in found],
        "first": found[0][0], "until": found[-1][1],
    }


def _kept(zone: str, since: datetime, until: datetime, open_days: list[date]) -> dict[str, Any]:
    return {"timezone": zone, "kept_since": since, "kept_until": until, "open_days": open_days}
