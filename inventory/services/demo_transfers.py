"""What is on its way between the demo's warehouses, an order that waits to be shipped, and a pallet that is packed."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from inventory.models import Location, LogisticUnit, StockItem, TransferOrder, Warehouse
from inventory.services.demo_parts import LISBON, PORTO
from inventory.services.logistic_units import unit_create
from inventory.services.packing import unit_pack
from inventory.services.posting import Line
from inventory.services.transfer_moves import transfer_order_ship
from inventory.services.transfers import TransferLine, transfer_order_confirm, transfer_order_create

PLENTY = 10  # pieces: then two are sent, or six packed
PALLET, PARCEL = "056011110000000016", "056011110000000023"


def transfers_create(*, today: date) -> None:
    source, branch = Warehouse.objects.get(code=PORTO), Warehouse.objects.get(code=LISBON)
    plenty = StockItem.objects.filter(
        warehouse=source, quantity__gte=PLENTY, lot=None, location__kind=Location.Kind.STORAGE,
    ).order_by("variant__sku", "pk")
    items = list(plenty[:6])

    def order(chosen: Sequence[StockItem], days: int, note: str) -> TransferOrder:
        lines = [TransferLine(item.variant_id, Decimal(2), from_location_id=item.location_id) for item in chosen]
        return transfer_order_create(
            source=source, destination=branch, lines=lines, expected_on=today + timedelta(days), note=note,
        )

    transfer_order_ship(order=order(items[:3], 1, "On the night truck"))
    transfer_order_confirm(order=order(items[3:5], 4, "For the brake campaign"))
    _pallet(items[5])


def _pallet(item: StockItem) -> None:
    """Six pieces: two of them in a parcel on it."""
    pallet = unit_create(sscc=PALLET, kind=LogisticUnit.Kind.PALLET, location_id=item.location_id)
    parcel = unit_create(sscc=PARCEL, parent_id=pallet.pk)
    for unit, quantity in ((pallet, 4), (parcel, 2)):
        unit_pack(unit_id=unit.pk, lines=[Line(item.variant_id, Decimal(quantity))])
