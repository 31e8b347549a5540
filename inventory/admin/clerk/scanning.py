"""Where every scan goes: what the code is, and what follows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from core.admin_pages import go_to
from core.limits import reach
from inventory.admin.clerk.card import MOVE, card, card_url
from inventory.admin.clerk.pages import SEE, part, text_of
from inventory.admin.clerk.places import place
from inventory.admin.clerk.transfers import transfer
from inventory.admin.clerk.tray import put, put_down
from inventory.admin.clerk.units import unit
from inventory.models import ProductVariant
from inventory.queries.barcodes import LONGEST, SOURCES, Scan, UnknownCode, scan_resolve
from inventory.queries.search import variant_search
from inventory.queries.stock_card import stock_of
from inventory.services.tray import tray_awake

BY_HAND, MOST_CHOICES = "hand", 9  # a digit each

# What is no variant: the address of its card, and the card, by the kind that `scan_resolve` gives.
CARDS: dict[str, tuple[str, Callable[[Any, UUID], HttpResponse]]] = {
    "location": ("stock_place", lambda request, key: place(request, "location", key)),
    "warehouse": ("stock_place", lambda request, key: place(request, "warehouse", key)),
    "logistic_unit": ("stock_unit", unit),
    "transfer_order": ("stock_transfer", transfer),
}
PAGES = {source.kind: source.page for source in SOURCES if source.page}


@dataclass(frozen=True, slots=True)
class Found:
    """What a scan may stand for: a variant, perhaps of a lot, or something else, whose kind `place` then says."""

    key: UUID
    title: str
    kind: str
    lot: UUID | None = None
    place: str = ""

    @property
    def page(self) -> str:
        return page_of(self.place, self.key) if self.place in PAGES else ""

    @property
    def url(self) -> str:
        if self.place:
            return f"{reverse(f'admin:{CARDS[self.place][0]}')}?{urlencode({self.place: str(self.key)})}"
        return card_url(self.key, self.lot)


def scan_view(site: Any, request: Any) -> HttpResponse:
    text = text_of(request.POST, "text", longest=LONGEST, is_scan=True)
    code = text
    try:
        found = found_in(scan_resolve(text=text, holder=request.principal, today=timezone.localdate()))
    except UnknownCode:
        found, code = by_words(text) if request.POST.get("by") == BY_HAND else [], ""
        if not found:
            raise
    if len(found) > 1:
        return choices(text, found, request)
    [one] = found
    if one.page:
        return go_to(one.page)
    is_carrying = request.user.has_perm(MOVE) and tray_awake()
    if one.place:
        if is_carrying and one.place == "location":
            return put_down(request, one.key, text_of(request.POST, "id", longest=40))
        return CARDS[one.place][1](request, one.key)
    if is_carrying and (only := _only_place(request, one)):
        return put(request, only)
    return card(request, one.key, one.lot, scanned=code)


def page_of(kind: str, key: UUID) -> str:
    """Of a document, which has more than a card."""
    return reverse(f"admin:{PAGES[kind]}", args=[key])


def choices(text: str, found: list[Found], request: Any, *, send: str = "", into: str = "") -> HttpResponse:
    """A question: which of them. With `send`, where the answer goes, in line with the scans."""
    shown = [
        (digit, one, urlencode({"text": text, "chosen": str(one.key)}))
        for digit, one in enumerate(found[:MOST_CHOICES], 1)
    ]
    more = len(found) - MOST_CHOICES
    response = part(request, "choices", text=text, choices=shown, more=more, send=send, into=into)
    if send:
        response.headers["X-Into"] = "#scan-panel"
    return response


def found_in(scan: Scan) -> list[Found]:
    """One for each variant and place, however many codes of it match. A lot counts with its own variant alone."""
    lots = {match.variant: match.id for match in scan.matches if match.kind == "lot"}
    found: dict[UUID, Found] = {}
    for match in scan.matches:
        if match.variant is None:
            title = " ".join(filter(None, (match.warehouse, match.title)))
            found.setdefault(match.id, Found(match.id, title, _words(match.kind), place=match.kind))
        else:
            kind = "Lot" if match.kind == "lot" else "Variant"
            found.setdefault(match.variant, Found(match.variant, f"{match.sku} {match.name}", kind, lots.get(match.variant)))
    return list(found.values())


def _words(kind: str) -> str:
    return kind.replace("_", " ").capitalize()


def by_words(text: str) -> list[Found]:
    rows = variant_search(text).narrow(ProductVariant.objects.filter(archived_at=None))[: MOST_CHOICES + 1]
    return [Found(row.pk, str(row), "Variant") for row in rows]


def _only_place(request: Any, found: Found) -> UUID | None:
    """Where it is taken from, if there is no choice."""
    stock = stock_of([found.key], warehouses=reach(request.principal, SEE), lot=found.lot)[found.key]
    places = [one for one in stock.places if one.loose > 0 and found.lot in (None, one.lot)]
    return places[0].item if len(places) == 1 else None
