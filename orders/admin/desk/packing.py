"""Packing after a round: cartons by their labels, and Ctrl+Enter hands the order over."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse

from core.admin_pages import key_of, text_of
from core.errors import Invalid
from inventory.queries.barcodes import LONGEST
from inventory.services.receipt_reading import NUMBER
from orders.admin.desk.cartons import carton_add, carton_drop, cartons, cartons_forget, label_of
from orders.admin.desk.rounds import SHIP, pick_list_of, plain, round_of
from orders.models import PickList, Shipment
from orders.queries.picking import OrderToPack, to_pack
from orders.services.packing_up import picked_goods_ship


def pack_scan(request: Any, row: PickList) -> HttpResponse:
    """The label of a carton, or its weight."""
    packing = _first(row)
    found = carton_add(request, row, packing, label_of(text_of(request.POST, "text", longest=LONGEST, is_scan=True)))
    last = found[-1]
    weight = f", {plain(last.weight)} kg" if last.weight else ""
    return round_of(request, row, done=f"Carton {last.sscc}{weight}.")


def pack_drop_view(site: Any, request: Any, pick_list: UUID) -> HttpResponse:
    row = pick_list_of(request, pick_list, SHIP)
    carton_drop(request, row, _first(row), text_of(request.POST, "sscc"))
    return round_of(request, row, done="The carton is taken back.")


def pack_ship_view(site: Any, request: Any, pick_list: UUID) -> HttpResponse:
    """One order leaves; the next one of the list is packed then."""
    row, key = pick_list_of(request, pick_list, SHIP), key_of(request.POST, "order")
    packing = next((one for one in to_pack(row) if one.order.pk == key), None)
    if packing is None:
        return _left(request, row, key)
    values = {name: text for name in ("carrier", "tracking_number") if (text := text_of(request.POST, name, longest=80))}
    shipment = picked_goods_ship(
        pick_list=row, order=packing.order, parcels=cartons(request, row, packing), weight=_weight(request), **values,
    )
    cartons_forget(request)
    return round_of(request, row, done=f"{packing.order} has left by {shipment.number}.", shipment=shipment)


def _left(request: Any, row: PickList, key: UUID) -> HttpResponse:
    """Its answer was lost, or somebody else was quicker."""
    shipment = Shipment.objects.filter(order=key, status__in=Shipment.LEFT).order_by("-pk").first()
    if shipment is None:
        raise Invalid("Reload the page: this order is not to be packed now.")
    return round_of(request, row, done=f"It has left by {shipment.number}.", shipment=shipment)


def _first(row: PickList) -> OrderToPack:
    if not (found := to_pack(row)):
        raise Invalid("Nothing of this list is left to pack.")
    return found[0]


def _weight(request: Any) -> Decimal | None:
    text = text_of(request.POST, "weight")
    if not text:
        return None
    if not NUMBER.fullmatch(text) or not (weight := Decimal(text.replace(",", "."))):
        raise Invalid(f"{text} is no weight in kilograms.")
    return weight
