"""What of orders is reserved, and neither picked nor on a pick list that is under way."""

from collections.abc import Collection
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Exists, F, OuterRef

from core.arrays import array
from core.tenancy import active_organization_id
from inventory.models import Reservation
from orders.models import PickListItem, SalesOrder, SalesOrderItem

# What a reservation has left, and what its line has left of all its reservations: what is packed counts as picked. In the
# order in which one passes the places.
TO_PICK = """
    SELECT r.id, l.id, r.variant_id, r.lot_id, r.stock_item_id,
           r.quantity - GREATEST(COALESCE(p.picked, 0), COALESCE(s.packed, 0), r.picked_quantity),
           l.allocated_quantity - l.picked_quantity - COALESCE(o.listed, 0)
    FROM unnest(%(orders)s::uuid[]) AS w(id)
    JOIN inventory_reservation AS r ON r.organization_id = %(organization)s AND r.demand_id = w.id
        AND r.demand_type = 'sales_order' AND r.status = 'active'
    JOIN orders_salesorderitem AS l ON l.organization_id = %(organization)s AND l.id = r.demand_line_id
    JOIN inventory_stockitem AS i ON i.organization_id = %(organization)s AND i.id = r.stock_item_id
    JOIN inventory_location AS place ON place.organization_id = %(organization)s AND place.id = i.location_id
    LEFT JOIN inventory_lot AS lot ON lot.organization_id = %(organization)s AND lot.id = r.lot_id
    LEFT JOIN LATERAL (
        SELECT sum(x.picked_quantity) FILTER (WHERE y.status <> 'cancelled') AS picked, bool_or(x.is_open) AS is_open
        FROM orders_picklistitem AS x
        JOIN orders_picklist AS y ON y.organization_id = %(organization)s AND y.id = x.pick_list_id
        WHERE x.organization_id = %(organization)s AND x.reservation_id = r.id
    ) AS p ON true
    LEFT JOIN LATERAL (
        SELECT sum(x.quantity) AS packed FROM orders_shipmentitem AS x
        JOIN orders_shipment AS y ON y.organization_id = %(organization)s AND y.id = x.shipment_id
        WHERE x.organization_id = %(organization)s AND x.reservation_id = r.id AND y.status NOT IN ('draft', 'cancelled')
    ) AS s ON true
    LEFT JOIN LATERAL (
        SELECT sum(x.quantity - x.picked_quantity - x.short_quantity) AS listed FROM orders_picklistitem AS x
        WHERE x.organization_id = %(organization)s AND x.order_item_id = l.id AND x.is_open
    ) AS o ON true
    WHERE p.is_open IS NOT TRUE
    ORDER BY place.pick_sequence, place.code, l.sku, lot.code, r.id
"""


class ToPick(NamedTuple):
    reservation_id: UUID
    order_item_id: UUID
    variant_id: UUID
    lot_id: UUID | None
    stock_item_id: UUID
    quantity: Decimal


def to_pick(orders: Collection[UUID]) -> list[ToPick]:
    with connection.cursor() as cursor:
        cursor.execute(TO_PICK, {"organization": active_organization_id(), "orders": array(orders)})
        rows = cursor.fetchall()
    open_of = {row[1]: row[6] for row in rows}
    found = []
    for reservation, item, variant, lot, stock_item, left, _ in rows:
        quantity = min(left, open_of[item])
        if quantity > 0:
            open_of[item] -= quantity
            found.append(ToPick(reservation, item, variant, lot, stock_item, quantity))
    return found


def waiting_to_be_picked(warehouse_id: UUID, most: int) -> list[UUID]:
    """Orders of a warehouse with goods that are reserved and neither picked nor on a list, first placed first."""
    listed = PickListItem.objects.filter(reservation=OuterRef("pk"), is_open=True)
    reserved = Reservation.objects.filter(
        ~Exists(listed), demand_type="sales_order", demand_id=OuterRef("pk"), status=Reservation.Status.ACTIVE,
        stock_item__isnull=False,
    )
    unpicked = SalesOrderItem.objects.filter(order=OuterRef("pk"), allocated_quantity__gt=F("picked_quantity"))
    return list(SalesOrder.objects.filter(
        Exists(reserved), Exists(unpicked), warehouse=warehouse_id, status__in=SalesOrder.UNDER_WAY,
    ).order_by("placed_at", "pk").values_list("pk", flat=True)[:most])
