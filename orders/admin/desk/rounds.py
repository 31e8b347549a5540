"""A round with a pick list as its page shows it: the line to pick now, or the order to pack."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.template.response import TemplateResponse

from core.limits import OutsideWarehouses, reach, within
from orders.admin.desk.cartons import cartons
from orders.models import PickList
from orders.queries.picking import Stop, stops, to_pack

SEE, PICK, SHIP = "orders.view_picklist", "orders.pick_picklist", "orders.fulfil_salesorder"
PLACE = "picking-place"  # in the session: the location that was scanned last


def pick_list_of(request: Any, key: UUID, permission: str) -> PickList:
    """Raises Http404 for one that the person may not see, OutsideWarehouses where they may do less."""
    seen = PickList.objects.filter(within(PickList, reach(request.principal, SEE)))
    found: PickList | None = seen.select_related("warehouse").filter(pk=key).first()
    if found is None:
        raise Http404
    if not may(request, found, permission):
        raise OutsideWarehouses
    return found


def round_of(request: Any, row: PickList, **more: Any) -> HttpResponse:
    return TemplateResponse(request, "admin/desk/pick_round.html", {**context_of(request, row), **more})


def context_of(request: Any, row: PickList) -> dict[str, Any]:
    rows = stops(row)
    now = next((stop for stop in rows if stop.is_next), None) if row.status in PickList.ACTIVE else None
    packing = to_pack(row) if row.status == PickList.Status.DONE else []
    return {
        "pick_list": row, "stops": rows, "now": now, "number": rows.index(now) + 1 if now else 0,
        "lacks_place": now is not None and lacks_place(request, row, now), "is_open": row.status in PickList.ACTIVE,
        "packing": packing[0] if packing else None, "more": len(packing) - 1,
        "cartons": cartons(request, row, packing[0]) if packing else [],
        "may_pick": may(request, row, PICK), "may_ship": may(request, row, SHIP),
    }


def lacks_place(request: Any, row: PickList, stop: Stop) -> bool:
    return bool(row.warehouse.picks_by_place) and request.session.get(PLACE) != str(stop.line.stock_item.location_id)


def may(request: Any, row: PickList, permission: str) -> bool:
    allowed = reach(request.principal, permission)
    return allowed is None or row.warehouse_id in allowed


def plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
