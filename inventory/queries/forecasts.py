"""Demand is what was issued: not what was corrected, taken back, scrapped or sent back to where it came from."""

from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id
from inventory.queries.closings import today
from inventory.queries.dashboard import IN_SOME

HISTORY = 52  # weeks that a forecast looks back
WEEK = timedelta(days=7)

# By the week in which it happened, counted from `first`, a Monday, in the organization's time zone. `{0}` chooses moves.
DEMAND = f"""
    SELECT m.variant_id, l.warehouse_id,
           ((m.occurred_at AT TIME ZONE o.timezone)::date - %(first)s::date) / 7 AS week, sum(m.quantity) AS quantity
    FROM accounts_organization AS o
    JOIN inventory_stockmove AS m ON m.organization_id = o.id
    JOIN inventory_location AS l ON l.organization_id = m.organization_id AND l.id = m.from_location_id
    LEFT JOIN inventory_reasoncode AS c ON c.organization_id = m.organization_id AND c.id = m.reason_id
    WHERE o.id = %(organization)s AND m.organization_id = %(organization)s AND m.kind = 'issue' AND m.reverses_id IS NULL
        AND NOT COALESCE(c.takes_held, false) AND {IN_SOME.format("l.warehouse_id")} AND {{0}}
        AND NOT EXISTS (SELECT FROM inventory_stockmove AS r
                        WHERE r.organization_id = m.organization_id AND r.reverses_id = m.id)
    GROUP BY 1, 2, 3
"""
OF_ONE = """
    m.variant_id = %(variant)s
    AND m.occurred_at >= (SELECT %(first)s::date::timestamp AT TIME ZONE timezone FROM accounts_organization
                          WHERE id = %(organization)s)
    AND m.occurred_at < (SELECT %(until)s::date::timestamp AT TIME ZONE timezone FROM accounts_organization
                         WHERE id = %(organization)s)
"""

# The last variant of a portion of the goods after %(after)s, counted in balances, since goods of one balance have one demand;
# null for all that are left. And when the weeks began: a statement is planned by what it is told, not by what it would find out.
PORTION = """
    SELECT (SELECT s.variant_id FROM inventory_stockitem AS s
            WHERE s.organization_id = o.id AND (%(after)s::uuid IS NULL OR s.variant_id > %(after)s::uuid)
            ORDER BY s.variant_id OFFSET %(size)s LIMIT 1),
           %(first)s::date::timestamp AT TIME ZONE o.timezone, %(late)s::date::timestamp AT TIME ZONE o.timezone,
           %(until)s::date::timestamp AT TIME ZONE o.timezone
    FROM accounts_organization AS o WHERE o.id = %(organization)s
"""

# Variants after the one, up to the other; null is without an end.
BETWEEN = "(%(after)s::uuid IS NULL OR {0} > %(after)s::uuid) AND (%(last)s::uuid IS NULL OR {0} <= %(last)s::uuid)"


class Week(NamedTuple):
    period_start: date
    quantity: Decimal


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def this_week() -> date:
    """Its Monday, in the organization's time zone."""
    return monday_of(today())


def demand_history(*, variant_id: UUID, warehouse_id: UUID, until: date) -> list[Week]:
    """What a forecast of the week that begins on `until` looked at, the oldest week first."""
    first = until - HISTORY * WEEK
    with connection.cursor() as cursor:
        cursor.execute(DEMAND.format(OF_ONE), {
            "organization": active_organization_id(), "first": first, "until": until, "warehouses": [warehouse_id],
            "variant": variant_id,
        })
        found = {week: quantity for _, _, week, quantity in cursor.fetchall()}
    begun = min(found, default=HISTORY)
    return [Week(first + week * WEEK, found.get(week, Decimal(0))) for week in range(begun, HISTORY)]
