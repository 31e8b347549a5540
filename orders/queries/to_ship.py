"""What of an order may go into a shipment, what its packed shipments hold, and which are under way."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from core.rows import Columns
from core.tenancy import active_organization_id
from orders.models import SalesOrder, Shipment, ShipmentItem

# Each line, once for each reservation of it that holds goods, in the order in which these were made, or once without any.
PROMISED = """
    SELECT l.id, l.sku, l.quantity - l.cancelled_quantity - l.shipped_quantity, r.id, r.variant_id, r.lot_id, r.stock_item_id,
           COALESCE(r.quantity - r.picked_quantity, 0), r.expires_at, COALESCE(inside.quantity, 0)
    FROM orders_salesorderitem AS l
    LEFT JOIN inventory_reservation AS r ON r.organization_id = l.organization_id AND r.demand_id = l.order_id
        AND r.demand_line_id = l.id AND r.demand_type = 'sales_order' AND r.status = 'active' AND r.stock_item_id IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT sum(i.quantity) AS quantity FROM orders_shipmentitem AS i
        JOIN orders_shipment AS s ON s.organization_id = i.organization_id AND s.id = i.shipment_id
        WHERE i.organization_id = r.organization_id AND i.reservation_id = r.id AND s.status IN ('draft', 'packed')
    ) AS inside ON true
    WHERE l.organization_id = %s AND l.order_id = %s AND NOT l.sold_by_components
    ORDER BY l.line, r.id
"""

ITEM, SHIPMENT = Columns(ShipmentItem, "i"), Columns(Shipment, "s")
# Each line, once for each of its goods in a packed shipment, or once without any.
PACKED = f"""
    SELECT l.id, l.quantity - l.cancelled_quantity - l.shipped_quantity, {ITEM}, {SHIPMENT}
    FROM orders_salesorderitem AS l
    LEFT JOIN (
        orders_shipmentitem AS i
        JOIN orders_shipment AS s ON s.organization_id = i.organization_id AND s.id = i.shipment_id AND s.status = 'packed'
    ) ON i.organization_id = l.organization_id AND i.order_item_id = l.id
    WHERE l.organization_id = %s AND l.order_id = %s AND NOT l.sold_by_components
    ORDER BY s.id, i.line
"""


class Promised(NamedTuple):
    """Of a line, what of one of its reservations is `left`, and how much of that is in a shipment that has not left yet."""

    line_id: UUID
    sku: str
    open: Decimal  # of the line
    reservation_id: UUID  # None, as the next three, where nothing is left
    variant_id: UUID
    lot_id: UUID | None
    stock_item_id: UUID
    left: Decimal
    expires_at: datetime | None
    in_shipments: Decimal


@dataclass(frozen=True, slots=True)
class Packed:
    """The goods of the packed shipments, which they know, and by line of the order what is open of it and in none of them."""

    items: Collection[ShipmentItem]
    missing: dict[UUID, Decimal]

    @property
    def is_all(self) -> bool:
        return all(quantity <= 0 for quantity in self.missing.values())


def promised(order: SalesOrder) -> list[Promised]:
    return [Promised(*row) for row in _rows(PROMISED, order)]


def packed(order: SalesOrder) -> Packed:
    items: list[ShipmentItem] = []
    missing: dict[UUID, Decimal] = {}
    shipments: dict[UUID, Shipment] = {}
    for line, is_open, *values in _rows(PACKED, order):
        missing.setdefault(line, is_open)
        item, shipment = ITEM.make_joined(values[:len(ITEM)]), SHIPMENT.make_joined(values[len(ITEM):])
        if item is not None and shipment is not None:
            item.shipment = shipments.setdefault(shipment.pk, shipment)
            missing[line] -= item.quantity
            items.append(item)
    return Packed(items, missing)


def on_the_way(order: SalesOrder) -> list[Shipment]:
    return SHIPMENT.fetch("s.order_id = %s AND s.status = ANY (%s) ORDER BY s.id", [order.pk, list(Shipment.ON_THE_WAY)])


def _rows(sql: str, order: SalesOrder) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, [active_organization_id(), order.pk])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
