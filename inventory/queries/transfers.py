"""What is under way between warehouses, by document and as what a warehouse may expect."""

from collections.abc import Collection
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Case, IntegerField, Value, When

from core.tenancy import active_organization_id
from inventory.models import Location, TransferOrder

DOCUMENT = "transfer_order"

# Of confirmed orders, by variant and warehouse, all that has not come and is not lost: shipped or still to be shipped.
# Parameters: organization; under_way, the statuses.
INCOMING = """
    SELECT l.variant_id, t.destination_id AS warehouse_id,
           sum(l.quantity - l.cancelled_quantity - l.received_quantity - l.lost_quantity) AS quantity,
           min(t.expected_on) AS expected_on
    FROM inventory_transferorder AS t
    JOIN inventory_transferorderline AS l ON l.organization_id = t.organization_id AND l.order_id = t.id
    WHERE t.organization_id = %(organization)s AND t.status = ANY (%(under_way)s)
        AND l.quantity > l.cancelled_quantity + l.received_quantity + l.lost_quantity
"""
OF_PAIRS = f"""
    {INCOMING} AND (%(variants)s::uuid[] IS NULL OR l.variant_id = ANY (%(variants)s::uuid[]))
        AND (%(warehouses)s::uuid[] IS NULL OR t.destination_id = ANY (%(warehouses)s::uuid[]))
    GROUP BY l.variant_id, t.destination_id
"""

# The ledger knows which lots of a line have left and not come: those that expire first come first.
IN_TRANSIT = """
    SELECT m.document_line_id, m.lot_id,
           sum(CASE WHEN m.to_location_id = %(transit)s THEN m.quantity ELSE -m.quantity END) AS quantity
    FROM inventory_stockmove AS m
    LEFT JOIN inventory_lot AS l ON l.organization_id = m.organization_id AND l.id = m.lot_id
    WHERE m.organization_id = %(organization)s AND m.document_id = %(order)s AND m.document_type = %(document)s
        AND %(transit)s IN (m.to_location_id, m.from_location_id)
    GROUP BY m.document_line_id, m.lot_id, l.expires_on
    HAVING sum(CASE WHEN m.to_location_id = %(transit)s THEN m.quantity ELSE -m.quantity END) > 0
    ORDER BY m.document_line_id, l.expires_on NULLS LAST, m.lot_id
"""


class UnderWay(NamedTuple):
    line_id: UUID
    lot_id: UUID | None
    quantity: Decimal


def incoming(
    *, variants: Collection[UUID] | None = None, warehouses: Collection[UUID] | None = None,
) -> dict[tuple[UUID, UUID], Decimal]:
    """How much comes by transfer orders, by (variant, warehouse); without either, of all."""
    with connection.cursor() as cursor:
        cursor.execute(OF_PAIRS, {
            "organization": active_organization_id(), "under_way": list(TransferOrder.UNDER_WAY),
            "variants": None if variants is None else list(variants),
            "warehouses": None if warehouses is None else list(warehouses),
        })
        return {(variant, warehouse): quantity for variant, warehouse, quantity, _ in cursor.fetchall()}


def in_transit(order: TransferOrder) -> list[UnderWay]:
    """The goods of the order between its warehouses, by line and lot."""
    if order.transit_location_id is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(IN_TRANSIT, {
            "organization": active_organization_id(), "order": order.pk, "transit": order.transit_location_id,
            "document": DOCUMENT,
        })
        return [UnderWay(*row) for row in cursor.fetchall()]


def usual_entrance(warehouse_id: UUID) -> Location | None:
    """Where goods come in if nobody says where: a place for receiving, else the first one for storage."""
    first = Case(When(kind=Location.Kind.RECEIVING, then=Value(0)), default=Value(1), output_field=IntegerField())
    rows = Location.objects.filter(warehouse_id=warehouse_id, kind__in=[Location.Kind.RECEIVING, Location.Kind.STORAGE])
    found: Location | None = rows.order_by(first, "pick_sequence", "pk").first()
    return found
