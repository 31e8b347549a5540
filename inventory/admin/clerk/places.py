"""What lies at a location or in a warehouse, as a scan of its label shows it."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse

from core.limits import reach, within
from inventory.admin.clerk.card import MOVE
from inventory.admin.clerk.pages import SEE, key_or_none, part, whole
from inventory.models import Location, StockItem, Warehouse
from inventory.queries.drafts import tray_size

MOST_ROWS = 100
COUNT = "inventory.add_stockcount"
KINDS: dict[str, Any] = {"location": Location, "warehouse": Warehouse}


def place_view(site: Any, request: Any) -> HttpResponse:
    """By the id of a location, a warehouse, or of stock that lies there."""
    item = StockItem.objects.filter(pk=key_or_none(request.GET, "item")).first()
    for kind in KINDS:
        if key := item.location_id if item else key_or_none(request.GET, kind):
            context = place_context(request, kind, key)
            if "HX-Request" in request.headers:
                return part(request, "place", **context)
            return whole(site, request, "place_page", title=kind.capitalize(), subtitle=str(context["place"]), **context)
    raise Http404


def place(request: Any, kind: str, key: UUID, **more: Any) -> HttpResponse:
    return part(request, "place", **place_context(request, kind, key), **more)


def place_context(request: Any, kind: str, key: UUID) -> dict[str, Any]:
    seen = reach(request.principal, SEE)
    model = KINDS[kind]
    rows = model.objects.filter(within(model, seen), pk=key)
    found = (rows.select_related("warehouse") if model is Location else rows).first()
    if found is None:
        raise Http404
    items = StockItem.objects.filter(within(StockItem, seen), **{kind: key}).exclude(quantity=0)
    lying = items.select_related("variant", "location", "lot").order_by("variant__sku", "lot__expires_on", "pk")[: MOST_ROWS + 1]
    return {
        "kind": kind, "place": found, "items": list(lying)[:MOST_ROWS], "more": len(lying) > MOST_ROWS,
        "may_count": request.user.has_perm(COUNT), "tray": tray_size(request.user.pk) if request.user.has_perm(MOVE) else 0,
    }
