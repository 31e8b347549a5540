"""A shipment and its goods are written in one statement, and where it is packed at once, all that this means along with them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.services.documents import number_next
from core.arrays import array
from core.kept import Beside, Kept, Together
from core.tenancy import active_organization_id
from notifications.services.events import PUBLISH, published
from orders.machines import SHIPMENTS
from orders.models import SalesOrder, Shipment, ShipmentItem
from orders.services.carrying import carried
from orders.services.stepping import ENTERED, entered

DOCUMENT_TYPE = "shipment"
NUMBERS = "SH-{number:06}"
Status = Shipment.Status

GOODS = ("order_item_id", "variant_id", "lot_id", "stock_item_id", "reservation_id", "quantity")
SHIPMENT = Kept("shipment_made", """
    INSERT INTO orders_shipment (
        id, organization_id, number, order_id, warehouse_id, status, packed_at, carrier, tracking_number, tracking_url
    )
    SELECT %s::uuid, %s::uuid, %s::text, %s::uuid, %s::uuid, %s::text, %s::timestamptz, %s::text, %s::text, %s::text
""")
ITEMS = Kept("shipment_items_made", """
    INSERT INTO orders_shipmentitem (
        id, organization_id, shipment_id, line, order_item_id, variant_id, lot_id, stock_item_id, reservation_id, quantity
    )
    SELECT i.id, %s::uuid, %s::uuid, i.line,
           i.order_item_id, i.variant_id, i.lot_id, i.stock_item_id, i.reservation_id, i.quantity
    FROM unnest(%s::uuid[], %s::int[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::numeric[])
        AS i(id, line, order_item_id, variant_id, lot_id, stock_item_id, reservation_id, quantity)
""")
# Of lines whose goods are all in packed shipments, which picked and allocated them, whoever of the others is late to say so.
PACKED = Kept("lines_packed", """
    UPDATE orders_salesorderitem AS l
    SET picked_quantity = GREATEST(l.picked_quantity, l.shipped_quantity + p.quantity),
        allocated_quantity = GREATEST(l.allocated_quantity, l.shipped_quantity + p.quantity)
    FROM unnest(%s::uuid[], %s::numeric[]) AS p(id, quantity)
    WHERE l.organization_id = %s::uuid AND l.id = p.id
""")
Together(ITEMS, [SHIPMENT])
Together(PACKED, [SHIPMENT, ITEMS, ENTERED, PUBLISH])


def made(order: SalesOrder, shares: Sequence[ShipmentItem], **values: Any) -> Shipment:
    """With its number, not written yet. `values` are columns."""
    number = number_next(document_type=DOCUMENT_TYPE, first=NUMBERS)
    row = Shipment(order=order, warehouse_id=order.warehouse_id, number=number, **carried(order, values))
    for line, one in enumerate(shares):
        one.shipment, one.line = row, line
    return row


def written(row: Shipment, shares: Sequence[ShipmentItem]) -> list[Beside]:
    organization = active_organization_id()
    return [
        Beside(SHIPMENT, [
            row.pk, organization, row.number, row.order_id, row.warehouse_id, row.status, row.packed_at, row.carrier,
            row.tracking_number, row.tracking_url,
        ]),
        Beside(ITEMS, [
            organization, row.pk, array(one.pk for one in shares), array(one.line for one in shares),
            *(array(getattr(one, name) for one in shares) for name in GOODS),
        ]),
    ]


def written_packed(row: Shipment, shares: Sequence[ShipmentItem], event: object, whole: Mapping[UUID, Decimal]) -> list[Beside]:
    """Of one that is made as packed, which has a timeline too. `whole` is, by line, what is in packed shipments then."""
    _, told = published([(event, row.pk)])
    return [
        *written(row, shares), entered(SHIPMENTS, row.pk, Status.DRAFT, Status.PACKED), told,
        Beside(PACKED, [array(whole), array(whole.values()), active_organization_id()]),
    ]
