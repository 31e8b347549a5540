"""Moving: what is scanned goes into the tray, and all of it to the location that is scanned then."""

from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse

from core.errors import Forbidden, Invalid
from core.limits import OutsideWarehouses, reach
from inventory.admin.clerk.card import MOVE
from inventory.admin.clerk.pages import key_of, part, text_of, too_full, whole
from inventory.admin.clerk.undoing import undo_of
from inventory.models import Location, StockItem
from inventory.queries.drafts import tray_of
from inventory.queries.stock import posted_with
from inventory.services.tray import PutDown, tray_put, tray_put_down, tray_quantity, tray_take_out

MOST = Decimal(10) ** 12
SHIP = "inventory.ship_transferorder"


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
    tray_take_out(line_id=key_of(request.POST, "line"))
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
        _refuse_warehouses(request, location, {line.stock_item.warehouse_id for line in tray_of(request.user.pk)})
        done = _told(location, tray_put_down(location=location, key=key))
    else:
        done = f"Moved to {location.code}."
    return tray(request, done=done, undo=undo_of(request, key))


def _refuse_warehouses(request: Any, location: Location, sources: set[UUID]) -> None:
    """Within a warehouse one moves. To another one a transfer order is shipped, which others receive there."""
    others = sources - {location.warehouse_id}
    for warehouse in sources & {location.warehouse_id}:
        _refuse_outside(request, warehouse)
    if others and not request.user.has_perm(SHIP):
        raise Forbidden(f"This is in another warehouse, where a transfer order takes it: for that you need {SHIP}.")
    for warehouse in others:
        _refuse_outside(request, warehouse, SHIP)


def _told(location: Location, done: PutDown) -> str:
    names = [f"{line.takes.normalize():f} of {line.stock_item.variant.sku}" for line in reversed(done.carried)]
    if not done.orders:
        return f"Moved to {location.code}: {', '.join(names)}.{too_full(done.overfull)}"
    numbers = ", ".join(order.number for order in done.orders)
    return f"On the way to {location.warehouse} by {numbers}, whose number is scanned there: {', '.join(names)}."


def tray(request: Any, **more: Any) -> HttpResponse:
    return part(request, "tray", is_part=True, **_context(request), **more)


def _context(request: Any) -> dict[str, Any]:
    return {"lines": tray_of(request.user.pk)}


def _refuse_outside(request: Any, warehouse_id: UUID, permission: str = MOVE) -> None:
    allowed = reach(request.principal, permission)
    if allowed is not None and warehouse_id not in allowed:
        raise OutsideWarehouses
