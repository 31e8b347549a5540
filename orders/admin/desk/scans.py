"""What is scanned on a page that is about a document."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from core.admin_pages import key_or_none, text_of
from core.errors import Invalid
from inventory.models import ProductVariant
from inventory.queries.barcodes import LONGEST, SOURCES, Match, Scan, UnknownCode, scan_resolve
from inventory.queries.search import variant_search

BY_HAND, MOST_CHOICES = "hand", 9  # a digit each
PAGES = {source.kind: source.page for source in SOURCES if source.page}


@dataclass(frozen=True, slots=True)
class Choice:
    key: UUID
    title: str
    kind: str


@dataclass(frozen=True, slots=True)
class Scanned:
    """What it is of what the document is about; or else a place, another document, or something that is none of these."""

    scan: Scan
    articles: Sequence[Choice]

    @property
    def location(self) -> UUID | None:
        return next((match.id for match in self.scan.matches if match.kind == "location"), None)

    @property
    def page(self) -> str:
        found = next((match for match in self.scan.matches if match.kind in PAGES), None)
        return reverse(f"admin:{PAGES[found.kind]}", args=[found.id]) if found else ""

    @property
    def other(self) -> Match | None:
        """An article that has nothing to do with the document."""
        return next((match for match in self.scan.matches if match.variant), None)

    def lot_of(self, variant_id: UUID) -> str:
        """The lot or the serial number that the symbol names, or whose code was scanned."""
        said = self.scan.reading.goods if self.scan.reading else None
        lot = next((match.title for match in self.scan.matches if match.kind == "lot" and match.variant == variant_id), "")
        return (said.lot or said.serial if said else "") or lot


def scanned(request: Any, articles: Collection[UUID]) -> Scanned:
    """`articles` of the document. What is typed by hand may be words. Raises UnknownCode."""
    text = text_of(request.POST, "text", longest=LONGEST, is_scan=True)
    try:
        scan = scan_resolve(text=text, holder=request.principal, today=timezone.localdate())
    except UnknownCode:
        if request.POST.get("by") != BY_HAND:
            raise
        rows: Any = variant_search(text).narrow(ProductVariant.objects.filter(pk__in=articles))
        if not (found := [Choice(row.pk, str(row), "Variant") for row in rows[:MOST_CHOICES]]):
            raise
        return Scanned(Scan(text, None), _chosen(request, found))
    named = {match.variant: f"{match.sku} {match.name}" for match in scan.matches if match.variant in articles}
    return Scanned(scan, _chosen(request, [Choice(key, name, "Variant") for key, name in named.items() if key]))


def question(request: Any, found: Sequence[Choice], *, send: str, into: str) -> HttpResponse:
    """Which of them? The answer is sent in line with the scans."""
    text = text_of(request.POST, "text", longest=LONGEST, is_scan=True)
    choices = [
        (digit, one, urlencode({"text": text, "chosen": str(one.key)})) for digit, one in enumerate(found[:MOST_CHOICES], 1)
    ]
    response = TemplateResponse(request, "admin/clerk/choices.html", {
        "text": text, "choices": choices, "more": len(found) - MOST_CHOICES, "send": send, "into": into,
    })
    response.headers["X-Into"] = "#scan-panel"
    return response


def go_to(url: str) -> HttpResponse:
    """The answer to a scan that leads to another page."""
    return HttpResponse(headers={"X-Go": url})


def step_of(request: Any) -> str:
    """The number of the request, which stays when it is sent again. Raises Invalid."""
    if not (step := text_of(request.POST, "id", longest=40)):
        raise Invalid("Reload the page: this came without its number.")
    return step


def _chosen(request: Any, found: list[Choice]) -> list[Choice]:
    wanted = key_or_none(request.POST, "chosen")
    return [one for one in found if wanted in (None, one.key)]
