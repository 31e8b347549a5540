"""Moving: what is scanned goes into the tray, and all of it to the location that is scanned then."""

from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse

from core.errors import Invalid
from core.limits import OutsideWarehouses, reach
from inventory.admin.clerk.card import MOVE
from inventory.admin.clerk.pages import key_of, key_or_none, part, text_of, whole
from inventory.admin.clerk.undoing import undo_of
from inventory.models import Location, StockItem
from inventory.queries.drafts import tray_of
from inventory.queries.stock import posted_with
from inventory.services.tray import tray_put, tray_put_down, tray_quantity, tray_take_out

MOST = Decimal(10) ** 12


def tray_view(site: Any, request: Any) -> HttpResponse:
    if "HX-Request" in request.headers:
        return tray(request)
    return whole(site, request, "tray_page", title="Tray", **_context(request))


def put_view(site: Any, request: Any) -> HttpResponse:
    return put(request, key_of(request.POST, "item"))


def quantity_view(site: Any, request: Any) -> HttpResponse:
    text = text_of(request.POST, "quantity").replace(",", ".")
    try:
        number = Decimal(text) if text else None
    except InvalidOperation:
        number = Decimal("NaN")
    if number is not None and not (number.is_finite() and number < MOST and number == round(number, 6)):
        raise Invalid(f"{text} is no quantity.")
    tray_quantity(line_id=key_of(request.GET, "line"), quantity=number)
    return tray(request)


def take_out_view(site: Any, request: Any) -> HttpResponse:
    tray_take_out(line_id=key_or_none(request.POST, "line"))
    return tray(request, done="Taken out of the tray.")


def put_down_view(site: Any, request: Any) -> HttpResponse:
    return put_down(request, key_of(request.POST, "location"), text_of(request.POST, "id", longest=40))


# --- Also for scans ------------------------------------------------------------------------------------------
def put(request: Any, item_id: UUID) -> HttpResponse:
    item = StockItem.objects.filter(pk=item_id).first()
    if item is None:
        raise Http404
    _refuse_outside(request, item.warehouse_id)
    line = tray_put(item_id=item.pk)
    return tray(request, fresh=line.pk)


def put_down(request: Any, location_id: UUID, scan_id: str) -> HttpResponse:
    """A location scanned once moves once, however often its scan is sent."""
    location = Location.objects.select_related("warehouse").filter(pk=location_id).first()
    if location is None:
        raise Http404
    key = f"scan:{scan_id}"
    if posted_with(key) is None:
        carried = tray_of(request.user.pk)
        for warehouse in {location.warehouse_id, *(line.stock_item.warehouse_id for line in carried)}:
            _refuse_outside(request, warehouse)
        moved = tray_put_down(location=location, key=key).quantities
        names = [f"{moved[line.stock_item_id].normalize():f} of {line.stock_item.variant.sku}" for line in reversed(carried)]
        done = f"Moved to {location.code}: {', '.join(names)}."
    else:
        done = f"Moved to {location.code}."
    return tray(request, done=done, undo=undo_of(request, key))


def tray(request: Any, **more: Any) -> HttpResponse:
    return part(request, "tray", is_part=True, **_context(request), **more)


def _context(request: Any) -> dict[str, Any]:
    return {"lines": tray_of(request.user.pk)}


def _refuse_outside(request: Any, warehouse_id: UUID) -> None:
    allowed = reach(request.principal, MOVE)
    if allowed is not None and warehouse_id not in allowed:
        raise OutsideWarehouses
