"""Which orders wait for goods of which there are some now."""

from typing import Any
from uuid import UUID

from django.db import connection, connections

from core.tenancy import active_organization_id
from inventory.models import Location
from orders.models import SalesOrder

MOST = 500  # orders at a time: the next tick takes the others

WAITING = """
    SELECT o.id FROM accounts_organization AS o
    WHERE EXISTS (
        SELECT FROM inventory_reservation AS r
        WHERE r.organization_id = o.id AND r.stock_item_id IS NULL AND r.status = 'active' AND r.demand_type = 'sales_order')
    ORDER BY o.id
"""

# An order is due if there is more of a variant than those that came before it wait for. A kit of which a component is short
# waits for nothing else, so that the others are not kept from whoever needs them alone.
DUE = """
    WITH every AS MATERIALIZED (
        SELECT r.id, r.demand_id, r.variant_id, r.warehouse_id, r.quantity, o.id AS order_id, o.placed_at, l.kit_id,
               LEAST(COALESCE(l.per_kit, 0), r.quantity) AS least
        FROM inventory_reservation AS r
        JOIN orders_salesorder AS o ON o.organization_id = r.organization_id AND o.id = r.demand_id
        LEFT JOIN orders_salesorderitem AS l ON l.organization_id = r.organization_id AND l.id = r.demand_line_id
        WHERE r.organization_id = %(organization)s AND r.stock_item_id IS NULL AND r.status = 'active'
            AND r.demand_type = 'sales_order' AND o.status = ANY (%(states)s)
    ), free AS (
        SELECT s.variant_id, s.warehouse_id, sum(s.quantity - s.reserved) AS quantity
        FROM (SELECT DISTINCT variant_id, warehouse_id FROM every) AS w
        JOIN accounts_organization AS o ON o.id = %(organization)s
        JOIN inventory_stockitem AS s ON s.organization_id = o.id
            AND s.warehouse_id = w.warehouse_id AND s.variant_id = w.variant_id
        JOIN inventory_location AS place ON place.organization_id = o.id AND place.id = s.location_id
        LEFT JOIN inventory_lot AS l ON l.organization_id = o.id AND l.id = s.lot_id
        WHERE NOT s.is_held AND s.quantity > s.reserved AND place.kind = ANY (%(kinds)s)
            AND (l.expires_on IS NULL OR l.expires_on >= (now() AT TIME ZONE o.timezone)::date)
        GROUP BY s.variant_id, s.warehouse_id
    ), waiting AS (
        SELECT e.*, sum(e.quantity) OVER (
                   PARTITION BY e.variant_id, e.warehouse_id ORDER BY e.placed_at, e.order_id, e.id ROWS UNBOUNDED PRECEDING
               ) - e.quantity AS before
        FROM every AS e
        WHERE e.kit_id IS NULL OR e.kit_id NOT IN (
            SELECT x.kit_id FROM every AS x
            LEFT JOIN free AS f ON f.variant_id = x.variant_id AND f.warehouse_id = x.warehouse_id
            WHERE x.kit_id IS NOT NULL AND COALESCE(f.quantity, 0) < x.least)
    )
    SELECT w.demand_id, array_agg(w.id ORDER BY w.id)
    FROM waiting AS w JOIN free AS f ON f.variant_id = w.variant_id AND f.warehouse_id = w.warehouse_id
    WHERE w.before < f.quantity
    GROUP BY w.demand_id ORDER BY min(w.placed_at), w.demand_id LIMIT %(most)s
"""


def organizations_waiting() -> list[UUID]:
    """As the worker, who sees them all."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(WAITING)
        return [row[0] for row in cursor.fetchall()]


def orders_due() -> list[tuple[UUID, list[UUID]]]:
    """Of the active organization, in the order in which they were placed, each with its reservations that wait."""
    values: dict[str, Any] = {
        "organization": active_organization_id(), "states": list(SalesOrder.FILLED), "most": MOST,
        "kinds": list(Location.AVAILABLE),
    }
    with connection.cursor() as cursor:
        cursor.execute(DUE, values)
        return list(cursor.fetchall())
