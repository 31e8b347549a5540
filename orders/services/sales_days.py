"""Days of which nothing is placed any more are summed once, and again when one of their orders has changed, so that reports of a
year read days and not orders. The database notes the changes (`orders/database_sales_days.py`)."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, connections
from django.utils import timezone

from accounts.models import Organization
from core.in_turn import in_turn
from core.tenancy import active_organization_id, organization_scope
from orders.database_sales_days import RECENT
from orders.queries.sales_days import SUMMED, SUMS, day_values, sold

# Orders of the last two hours note no changes, so a day is summed when none of its orders can be of them.
SETTLING = RECENT + timedelta(hours=1)
MOST_DAYS = 60  # at a time

# Where days have changed, or where orders were placed that are in none. Days of another time zone are of no use.
DUE = """
    WITH last AS MATERIALIZED (
        SELECT o.id, o.timezone, GREATEST('-infinity', (
            SELECT max(d.until) FROM orders_salesday AS d WHERE d.organization_id = o.id AND d.timezone = o.timezone
        )) AS until FROM accounts_organization AS o
    )
    SELECT o.id FROM last AS o
    WHERE EXISTS (SELECT FROM orders_salesdaychange AS c WHERE c.organization_id = o.id) OR EXISTS (
        SELECT FROM orders_salesorder AS s
        WHERE s.organization_id = o.id AND s.placed_at >= o.until AND s.status <> 'draft'
            AND s.placed_at < date_trunc('day', now() - %(settling)s, o.timezone))
    ORDER BY o.id
"""
LAST = """
    SELECT GREATEST('-infinity', max(until))::text FROM orders_salesday
    WHERE organization_id = %(organization)s AND timezone = %(timezone)s
"""
NEXT = """
    SELECT (min(placed_at) AT TIME ZONE %(timezone)s)::date FROM orders_salesorder
    WHERE organization_id = %(organization)s AND status <> 'draft' AND placed_at >= %(last)s
        AND placed_at < date_trunc('day', now() - %(settling)s, %(timezone)s)
"""
CHANGED = """
    SELECT (min(placed_at) AT TIME ZONE %(timezone)s)::date FROM orders_salesdaychange WHERE organization_id = %(organization)s
"""
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('sales days ' || %s, 0))"
FORGET_CHANGES = """
    DELETE FROM orders_salesdaychange
    WHERE organization_id = %(organization)s AND placed_at >= %(first)s AND placed_at < %(until)s
"""
FORGET = "DELETE FROM orders_salesday WHERE organization_id = %(organization)s AND until = %(until)s"
FORGET_OTHERS = "DELETE FROM orders_salesday WHERE organization_id = %s AND timezone <> %s"
SUM = f"""
    WITH {sold(is_whole=True)}
    INSERT INTO orders_salesday (
        id, organization_id, timezone, day, since, until, channel_id, warehouse_id, currency, status, {", ".join(SUMS)}
    )
    SELECT uuid7(), %(organization)s, %(timezone)s, %(day)s, %(since)s, %(until)s, s.channel_id, s.warehouse_id, s.currency,
           s.status, {SUMMED}
    FROM sold AS s GROUP BY s.channel_id, s.warehouse_id, s.currency, s.status
"""


def sales_days_follow_everywhere() -> int:
    """As the worker; returns how many days were summed."""
    with connections["worker"].cursor() as cursor:
        values: dict[str, Any] = {"settling": SETTLING}
        cursor.execute(DUE, values)
        due: list[UUID] = [key for (key,) in cursor.fetchall()]
    return in_turn(due, _follow)


def _follow(organization: UUID) -> int:
    """Each day in a transaction of its own: those that have changed, then those that are missing, in their order."""
    for done in range(MOST_DAYS):
        with organization_scope(organization):
            if not sales_day_sum():
                return done
    return MOST_DAYS


def sales_day_sum() -> bool:
    """The first day that has changed, or the first that is over and in no sum; whether there was any."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [active_organization_id()])
        zone: str = Organization.objects.values_list("timezone", flat=True).get()
        values: dict[str, Any] = {"organization": active_organization_id(), "timezone": zone, "settling": SETTLING}
        cursor.execute(CHANGED, values)
        [day] = cursor.fetchone()
        if day is None:
            cursor.execute(LAST, values)
            cursor.execute(NEXT, values | {"last": cursor.fetchone()[0]})
            [day] = cursor.fetchone()
    if day:
        _sum(day, zone)
    return bool(day)


def _sum(day: date, zone: str) -> None:
    """Of one that is not over it only forgets the changes: it will be summed with them."""
    values = day_values(day, zone)
    with connection.cursor() as cursor:
        cursor.execute(FORGET_OTHERS, [active_organization_id(), zone])
        for statement in (FORGET_CHANGES, FORGET):
            cursor.execute(statement, values)
        if values["until"] <= timezone.now() - SETTLING:
            cursor.execute(SUM, values)
