"""What a round took from the shelves is packed and leaves, one order after the other."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import Organization
from core.errors import Conflict
from orders.models import PickList, SalesOrder, Shipment
from orders.queries.picking import OrderToPack, to_pack
from orders.services.sales_orders import locked
from orders.services.shipments import Parcel, Part, shipment_create, shipment_hand_over, shipment_pack


def picked_goods_ship(
    *, pick_list: PickList, order: SalesOrder, parcels: Sequence[Parcel] = (), **values: Any,
) -> Shipment:
    """Packs what was picked of the order, and hands it over. A shipment that is begun goes first. `values` are columns.

    Without parcels all of it is in one, with the next SSCC where the company has a GS1 prefix. Raises Conflict where nothing is
    left to go.
    """
    locked(order)
    found = next((one for one in to_pack(pick_list) if one.order.pk == order.pk), None)
    if found is None:
        raise Conflict(f"Of {order} nothing that was picked is still here.", code="nothing_to_ship")
    shipment = found.shipment or shipment_create(order=order, parts=_parts(found), **values)
    if shipment.status == Shipment.Status.DRAFT:
        made = list(parcels) or ([Parcel()] if Organization.objects.get().gs1_company_prefix else [])
        shipment = shipment_pack(shipment=shipment, parcels=made)
    return shipment_hand_over(shipment=shipment, **values)


def _parts(found: OrderToPack) -> list[Part]:
    wanted: dict[tuple[UUID, UUID | None], Decimal] = defaultdict(Decimal)
    for one in found.goods:
        wanted[one.line.order_item_id, one.line.lot_id] += one.quantity
    return [Part(line, quantity, lot) for (line, lot), quantity in wanted.items()]
