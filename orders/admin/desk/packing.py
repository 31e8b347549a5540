"""Packing after a round: cartons by their labels, and Ctrl+Enter hands the order over."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse

from core.admin_pages import key_of, text_of
from core.errors import Invalid
from inventory.queries.barcodes import LONGEST
from inventory.services.receipt_reading import NUMBER
from orders.admin.desk.cartons import carton_add, carton_drop, cartons, cartons_forget, label_of
from orders.admin.desk.rounds import SHIP, pick_list_of, plain, round_of
from orders.models import PickList, Shipment
from orders.queries.picking import OrderToPack, to_pack
from orders.services.packing_up import picked_goods_ship
from orders.services.shipments import Parcel


def pack_scan(request: Any, row: PickList) -> HttpResponse:
    """The label of a carton, or its weight."""
    label = label_of(text_of(request.POST, "text", longest=LONGEST, is_scan=True))
    found = carton_add(request, row, _first(row), label)
    weight = f"{plain(label.weight)} kg." if label.weight else ""
    return _cartons(request, row, found, " ".join(filter(None, (label.sscc and f"Carton {label.sscc}.", weight))))


def pack_drop_view(site: Any, request: Any, pick_list: UUID) -> HttpResponse:
    row = pick_list_of(request, pick_list, SHIP)
    found = carton_drop(request, row, _first(row), text_of(request.POST, "sscc"))
    return _cartons(request, row, found, "The carton is taken back.")


def pack_ship_view(site: Any, request: Any, pick_list: UUID) -> HttpResponse:
    """One order leaves; the next one of the list is packed then."""
    row, key = pick_list_of(request, pick_list, SHIP), key_of(request.POST, "order")
    packing = next((one for one in to_pack(row) if one.order.pk == key), None)
    if packing is None:
        return _left(request, row, key)
    values = {name: text for name in ("carrier", "tracking_number") if (text := text_of(request.POST, name, longest=80))}
    shipment = picked_goods_ship(
        pick_list=row, order=packing.order, parcels=_weighed(cartons(request, row, packing), _weight(request)), **values,
    )
    cartons_forget(request)
    return round_of(request, row, done=f"{packing.order} has left by {shipment.number}.", shipment=shipment)


def _cartons(request: Any, row: PickList, found: list[Parcel], said: str) -> HttpResponse:
    """In their own part of the page: what is typed beside them stays."""
    response = TemplateResponse(request, "admin/desk/cartons.html", {"pick_list": row, "cartons": found, "said": said})
    response.headers["X-Into"] = "#cartons"
    return response


def _weighed(found: list[Parcel], weight: Decimal | None) -> list[Parcel]:
    """A weight that is typed is that of the last carton, or of the only one, which has no label."""
    if weight is None:
        return found
    return [*found[:-1], Parcel(found[-1].sscc if found else "", weight)]


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
