"""Orders that stand still for longer than their channel allows: each is told once, until it moves and stands still again."""

from datetime import datetime
from uuid import UUID

from django.db import connection, connections
from django.utils import timezone

from core.in_turn import in_turn
from core.tenancy import active_organization_id, organization_scope
from notifications.services.events import publish_all
from notifications.services.messages import notify
from orders.events import OrderStuck

STUCK_ORDERS = "stuck-orders"
SHOWN = 50  # orders in a message

LIMIT = """
    CASE o.status WHEN 'placed' THEN c.placed_hours WHEN 'confirmed' THEN c.confirmed_hours
        WHEN 'picking' THEN c.picking_hours WHEN 'packed' THEN c.packed_hours
        WHEN 'shipped' THEN c.shipped_hours WHEN 'on_hold' THEN c.on_hold_hours WHEN 'error' THEN c.error_hours END
"""
# Orders of before there was `moved_at` have the time of their last step.
SINCE = "COALESCE(o.moved_at, o.shipped_at, o.packed_at, o.placed_at, o.created_at)"
STUCK = f"""
    orders_salesorder AS o JOIN orders_channel AS c ON c.organization_id = o.organization_id AND c.id = o.channel_id
    WHERE o.stuck_at IS NULL AND o.status IN ('placed', 'confirmed', 'picking', 'packed', 'shipped', 'on_hold', 'error')
        AND now() - {SINCE} > make_interval(hours => {LIMIT})
"""
WHERE = f"SELECT DISTINCT o.organization_id FROM {STUCK}"

# Who is at an order just now moves it.
FIND = f"""
    WITH stuck AS MATERIALIZED (
        SELECT o.id, {SINCE} AS since FROM {STUCK} AND o.organization_id = %(organization)s
        ORDER BY o.id FOR NO KEY UPDATE OF o SKIP LOCKED
    )
    UPDATE orders_salesorder AS o SET stuck_at = now() FROM stuck
    WHERE o.organization_id = %(organization)s AND o.id = stuck.id
    RETURNING o.id, o.number, o.channel_id, o.customer_id, o.warehouse_id, o.status, stuck.since
"""


def stuck_orders_find_everywhere() -> int:
    """One organization after the other, each in a transaction of its own; returns how many were found."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(WHERE)
        organizations: list[UUID] = [row[0] for row in cursor.fetchall()]
    return in_turn(organizations, _find_in)


def _find_in(organization: UUID) -> int:
    with organization_scope(organization):
        return stuck_orders_find()


def stuck_orders_find() -> int:
    """Of the active organization: an event for each, and one message to the topic for all."""
    with connection.cursor() as cursor:
        cursor.execute(FIND, {"organization": active_organization_id()})
        rows = sorted(cursor.fetchall(), key=lambda row: row[-1])
    if not rows:
        return 0
    now = timezone.now()
    publish_all([
        (OrderStuck(
            order=key, number=number, channel=channel, customer=customer, warehouse=warehouse, status=status, since=since,
        ), key)
        for key, number, channel, customer, warehouse, status, since in rows
    ])
    lines = [f"{row[1]}: {row[5].replace('_', ' ')} for {_hours(now, row[-1])} hours" for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        lines.append(f"and {len(rows) - SHOWN} more")
    what = "1 order stands still" if len(rows) == 1 else f"{len(rows)} orders stand still"
    body = "\n".join(["These orders stand still for longer than their channel allows:", "", *lines, ""])
    notify(topic=STUCK_ORDERS, subject=what, body=body, dedupe_key=f"stuck {now.isoformat()}")
    return len(rows)


def _hours(now: datetime, since: datetime) -> int:
    return int((now - since).total_seconds() // 3600)
