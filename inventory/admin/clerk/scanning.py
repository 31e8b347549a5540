"""Where every scan goes: what the code is, and the card of it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from inventory.admin.clerk.card import card, card_url
from inventory.admin.clerk.pages import part, text_of
from inventory.admin.clerk.places import place
from inventory.models import ProductVariant
from inventory.queries.barcodes import LONGEST, Match, Scan, UnknownCode, scan_resolve
from inventory.queries.search import variant_search

BY_HAND, MOST_CHOICES = "hand", 9  # a digit each


@dataclass(frozen=True, slots=True)
class Found:
    """What a scan may stand for: a variant, perhaps of a lot, or a place."""

    variant: UUID | None
    lot: UUID | None
    place: Match | None
    title: str
    kind: str

    @property
    def url(self) -> str:
        if self.place:
            return f"{reverse('admin:stock_place')}?{urlencode({self.place.kind: self.place.id})}"
        return card_url(self.variant, self.lot)


def scan_view(site: Any, request: Any) -> HttpResponse:
    text = text_of(request.POST, "text", longest=LONGEST)
    try:
        found = found_in(scan_resolve(text=text, holder=request.principal, today=timezone.localdate()))
    except UnknownCode:
        found = by_words(text) if request.POST.get("by") == BY_HAND else []
        if not found:
            raise
    if len(found) > 1:
        choices, more = list(enumerate(found[:MOST_CHOICES], 1)), len(found) - MOST_CHOICES
        return part(request, "choices", text=text, choices=choices, more=more)
    [one] = found
    if one.place:
        return place(request, one.place.kind, one.place.id)
    return card(request, one.variant, one.lot)


def found_in(scan: Scan) -> list[Found]:
    """One for each variant and place, however many codes of it match. A lot counts with its own variant alone."""
    lots = {match.variant: match.id for match in scan.matches if match.kind == "lot"}
    found: dict[UUID, Found] = {}
    for match in scan.matches:
        if match.variant is None:
            found.setdefault(match.id, Found(None, None, match, match.title, match.kind.capitalize()))
        else:
            kind, title = "Lot" if match.kind == "lot" else "Variant", f"{match.sku} {match.name}"
            found.setdefault(match.variant, Found(match.variant, lots.get(match.variant), None, title, kind))
    return list(found.values())


def by_words(text: str) -> list[Found]:
    rows = variant_search(text).narrow(ProductVariant.objects.filter(archived_at=None))[: MOST_CHOICES + 1]
    return [Found(row.pk, None, None, str(row), "Variant") for row in rows]
