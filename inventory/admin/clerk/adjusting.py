"""A balance is corrected in one line: "-2 da fell down" takes two away as DAMAGED, "=17 c" says that 17 are there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.http import Http404, HttpResponse

from core.errors import DomainError, Invalid
from core.limits import reach, within
from inventory.admin.clerk.card import ADJUST, card
from inventory.admin.clerk.pages import key_of, part, text_of
from inventory.admin.clerk.undoing import undo_of
from inventory.models import Location, ReasonCode, StockAdjustment, StockItem
from inventory.queries.reasons import reasons_by_use
from inventory.services.adjustments import adjustment_post
from inventory.services.stock import Adjustment, Circumstances

ENTRY = re.compile(r"(?P<sign>[-+=])\s*(?P<number>\d{1,13}(?:[.,]\d{1,6})?)(?![\d.,])\s*(?P<code>[^\s\d]\S*)?\s*(?P<note>.*)")
HOW = "Type -2, +2 or =17, then the reason by its first letters, then a note."


@dataclass(frozen=True, slots=True)
class Entry:
    change: Decimal | None
    counted: Decimal | None
    reason: ReasonCode
    note: str

    def after(self, have: Decimal) -> Decimal:
        return self.counted if self.counted is not None else have + (self.change or Decimal(0))


def entry_of(text: str, reasons: Sequence[ReasonCode]) -> Entry:
    """Raises Invalid."""
    if (found := ENTRY.fullmatch(text)) is None:
        raise Invalid(HOW)
    number = Decimal(found["number"].replace(",", "."))
    reason = _reason(found["code"] or "", reasons)
    note = found["note"].strip()
    if reason.requires_note and not note:
        raise Invalid(f"{reason.code} demands a note: type it after the reason.")
    if found["sign"] == "=":
        return Entry(None, number, reason, note)
    return Entry(-number if found["sign"] == "-" else number, None, reason, note)


def _reason(letters: str, reasons: Sequence[ReasonCode]) -> ReasonCode:
    """The code itself, or the only one that begins so."""
    if not letters:
        raise Invalid(f"Say why: {', '.join(reason.code for reason in reasons)}.")
    typed = letters.upper()
    found = [one for one in reasons if one.code.upper().startswith(typed)]
    found = [one for one in found if one.code.upper() == typed] or found
    if not found:
        raise Invalid(f"No reason begins with {letters}: {', '.join(reason.code for reason in reasons)}.")
    if len(found) > 1:
        raise Invalid(f"{' or '.join(reason.code for reason in found)}? Type a letter more.")
    return found[0]


def adjust_view(site: Any, request: Any) -> HttpResponse:
    item = _item(request.POST if request.method == "POST" else request.GET, request)
    if request.method == "GET":
        return _line(request, item)
    reasons, text = reasons_by_use(ReasonCode.Kind.ADJUSTMENT), text_of(request.POST, "entry", longest=600)
    key = f"admin:{key_of(request.POST, 'token')}"
    try:
        entry, expected = entry_of(text, reasons), _expected(request.POST)
        with transaction.atomic():
            done = adjustment_post(
                adjustments=[Adjustment(
                    item.variant_id, item.location_id, change=entry.change, counted=entry.counted, expected=expected,
                    lot_id=item.lot_id,
                )],
                circumstances=Circumstances(reason_id=entry.reason.pk, note=entry.note, idempotency_key=key),
            )
    except DomainError as error:
        return _line(request, item, reasons, entry=text, problem=error.detail)
    if isinstance(done, StockAdjustment):
        said, undo = f"{entry.reason.code}: over the limit of its reason, so it waits for somebody's approval.", None
    else:
        said = f"{expected.normalize():f} → {entry.after(expected).normalize():f}, {entry.reason.code}."
        undo = undo_of(request, key) if done.moves else None
    return card(request, item.variant_id, item.lot_id, chosen=item.pk, done=said, undo=undo)


def preview_view(site: Any, request: Any) -> HttpResponse:
    item = _item(request.GET, request)
    try:
        entry = entry_of(text_of(request.GET, "entry", longest=600), reasons_by_use(ReasonCode.Kind.ADJUSTMENT))
    except Invalid as error:
        return part(request, "adjust_preview", problem=error.detail)
    after = entry.after(item.quantity)
    is_free = not item.is_held and item.location.kind in Location.AVAILABLE
    is_short = after < item.reserved and after < item.quantity
    return part(
        request, "adjust_preview", entry=entry, have=item.quantity, after=after,
        available=after - item.reserved if is_free else Decimal(0),
        problem="There is not so much to take away." if is_short else "",
    )


def _line(request: Any, item: StockItem, reasons: Sequence[ReasonCode] | None = None, **more: Any) -> HttpResponse:
    """Also after a refusal: with the balance of now, which the next Enter is about, and a new token."""
    response = part(
        request, "adjust_line", item=item, reasons=reasons or reasons_by_use(ReasonCode.Kind.ADJUSTMENT), token=uuid4(),
        how=HOW, **more,
    )
    response.headers["HX-Retarget"] = "#card-line"
    return response


def _item(given: Any, request: Any) -> StockItem:
    """Raises Http404 for what the person may not adjust."""
    reached = StockItem.objects.filter(within(StockItem, reach(request.principal, ADJUST)))
    found: StockItem | None = reached.select_related("location").filter(pk=key_of(given, "item")).first()
    if found is None:
        raise Http404
    return found


def _expected(given: Any) -> Decimal:
    if not re.fullmatch(r"-?\d{1,13}(\.\d{1,6})?", text := given.get("expected", "")):
        raise Invalid("Open the line again: it has lost what it was about.")
    return Decimal(text)
