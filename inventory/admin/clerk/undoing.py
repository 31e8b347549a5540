"""What was done by a key is undone by one: the ledger keeps both."""

from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from core.errors import Invalid
from core.limits import reach, refuse_outside
from inventory.admin.clerk.card import card
from inventory.admin.clerk.pages import text_of
from inventory.models import Location, StockMove
from inventory.services.tray import tray_undo

REVERSE = "inventory.reverse_stockmove"
MINE = ("admin:", "scan:")  # keys that these pages give; others belong to programs


def undo_of(request: Any, key: str) -> dict[str, str] | None:
    """For the button, which those see who may."""
    if not request.user.has_perm(REVERSE):
        return None
    return {"url": reverse("admin:stock_undo"), "fields": urlencode({"key": key})}


def undo_view(site: Any, request: Any) -> HttpResponse:
    key = text_of(request.POST, "key", longest=80)
    if not key.startswith(MINE) or not (moves := list(StockMove.objects.filter(idempotency_key=key))):
        raise Http404
    if any(move.actor_id != request.user.pk for move in moves):
        raise Invalid("Somebody else did this: reverse it in the history of the stock.")
    sides = {side for move in moves for side in (move.from_location_id, move.to_location_id) if side}
    refuse_outside(Location, sides, reach(request.principal, REVERSE))
    tray_undo(key=key)
    return card(request, moves[0].variant_id, moves[0].lot_id, done="Undone.")
