"""Receiving without an order: a grid that scans fill, line by line, and that Ctrl+Enter posts."""

import re
from calendar import monthrange
from datetime import date
from decimal import Decimal
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from core.errors import Invalid
from core.limits import OutsideWarehouses, reach, within
from inventory.admin.clerk.card import RECEIVE
from inventory.admin.clerk.pages import key_or_none, part, text_of, too_full, whole
from inventory.admin.clerk.scanning import BY_HAND, Found, by_words, choices, found_in
from inventory.admin.clerk.undoing import undo_of
from inventory.models import Location, ReceiptDraft
from inventory.queries.barcodes import LONGEST, Scan, UnknownCode, scan_resolve
from inventory.queries.drafts import ReceiptLine, line_key, receipt_lines
from inventory.services.receiving import (
    Goods,
    receipt_add,
    receipt_draft,
    receipt_note,
    receipt_place,
    receipt_post,
    receipt_replace,
    receipt_undo,
)

NUMBER = re.compile(r"\d{1,9}(?:[.,]\d{1,6})?")
NEGATIVE = re.compile(r"-[\d.,]+")
DAY = re.compile(r"(\d{4})-(\d\d)(?:-(\d\d))?")
HOW = "Scan the goods; type the quantity, or quantity, lot and expiry, such as 12 L77 2027-03-31. Ctrl+Enter posts."


def receive_view(site: Any, request: Any) -> HttpResponse:
    """By POST from a card: its article is the first line."""
    if request.method == "POST":
        _scanned(request, receipt_draft())
        return HttpResponseRedirect(reverse("admin:receive"))
    return whole(site, request, "receive", title="Receive", how=HOW, **_context(request, receipt_draft()))


def receive_scan_view(site: Any, request: Any) -> HttpResponse:
    draft = receipt_draft()
    return _scanned(request, draft) or grid(request, draft)


def receive_line_view(site: Any, request: Any) -> HttpResponse:
    """What was typed into a line: its quantity, perhaps with lot and expiry."""
    draft, key, step = receipt_draft(), request.GET.get("line", ""), _step(request)
    if draft.entries.filter(step=step).exists():  # its answer was lost
        return grid(request, draft)
    line = next((line for line in receipt_lines(draft) if line.key == key), None)
    if line is None:
        raise Invalid("This line is gone: somebody else works on it as you.")
    goods = typed(text_of(request.POST, "entry"), line)
    receipt_replace(draft=draft, line=line, goods=goods, step=step)
    return grid(request, draft)


def receive_note_view(site: Any, request: Any) -> HttpResponse:
    draft = receipt_draft()
    receipt_note(draft=draft, note=text_of(request.POST, "note"))
    return grid(request, draft)


def receive_undo_view(site: Any, request: Any) -> HttpResponse:
    draft = receipt_draft()
    undone = receipt_undo(draft=draft, step=text_of(request.POST, "step", longest=40))
    return grid(request, draft, done="The last step is taken back." if undone else "This step is taken back already.")


def receive_post_view(site: Any, request: Any) -> HttpResponse:
    draft = receipt_draft()
    _refuse_outside(request, draft.location)
    key = f"scan:{_step(request)}"
    posted = receipt_post(draft=draft, key=key)
    many = f"{len(posted.moves)} line{'' if len(posted.moves) == 1 else 's'}"
    done = f"Received {many} at {draft.location}.{too_full(posted.overfull)}"
    return grid(request, draft, done=done, undo=undo_of(request, key))


def grid(request: Any, draft: ReceiptDraft, **more: Any) -> HttpResponse:
    return part(request, "receive_grid", **_context(request, draft), **more)


def _context(request: Any, draft: ReceiptDraft) -> dict[str, Any]:
    if draft.location_id is None and (only := _usual_place(request)):
        receipt_place(draft=draft, location=only)
    lines = receipt_lines(draft)
    last = draft.entries.order_by("-pk").values_list("step", "variant_id", "lot", "expires_on").first()
    return {
        "draft": draft, "lines": lines, "fresh": line_key(*last[1:]) if last else "", "last_step": last[0] if last else "",
        "has_lots": any(line.tracking != "none" for line in lines),
    }


# --- Scans ---------------------------------------------------------------------------------------------------
def _scanned(request: Any, draft: ReceiptDraft) -> HttpResponse | None:
    """None once it stands in the draft; otherwise a question."""
    step, text = _step(request), text_of(request.POST, "text", longest=LONGEST, is_scan=True)
    if not text and (variant := key_or_none(request.POST, "variant")):
        receipt_add(draft=draft, goods=Goods(variant, Decimal(1)), step=step)
        return None
    try:
        scan = scan_resolve(text=text, holder=request.principal, today=timezone.localdate())
    except UnknownCode:
        if request.POST.get("by") != BY_HAND or not (found := by_words(text)):
            raise
        scan = Scan(text, None)
    else:
        found = found_in(scan)
    wanted = key_or_none(request.POST, "chosen")
    found = [one for one in found if wanted in (None, one.key)]
    if len(found) != 1:
        return choices(text, found, request, send=reverse("admin:receive_scan"), into="#receipt")
    [one] = found
    if one.place:
        _take_place(request, draft, one)
    else:
        receipt_add(draft=draft, goods=_goods(one, scan), step=step)
    return None


def _take_place(request: Any, draft: ReceiptDraft, found: Found) -> None:
    location = Location.objects.select_related("warehouse").filter(pk=found.key).first()
    if location is None:
        raise Invalid("This is no location: scan the one where the goods go.")
    _refuse_outside(request, location)
    receipt_place(draft=draft, location=location)


def _goods(found: Found, scan: Scan) -> Goods:
    """As many as the pack has, or as the symbol counts; the lot is that of the symbol, or the one whose code was scanned."""
    said = scan.reading.goods if scan.reading else None
    match = next((match for match in scan.matches if match.variant == found.key), None)
    pack = (match.quantity if match else None) or Decimal(1)
    count = (said.quantity if said else None) or Decimal(1)
    lot = (said.lot or said.serial or "") if said else ""
    if match and match.kind == "lot" and not lot:
        lot = match.title
    return Goods(found.key, pack * count, lot, said.expires_on if said else None)


def typed(text: str, line: ReceiptLine) -> Goods:
    """"12", "12 L77", "12 L77 2027-03-31", "L77". Raises Invalid."""
    words, quantity, lot, expires_on = text.split(), line.quantity, line.lot, line.expires_on
    if words and NUMBER.fullmatch(words[0]):
        quantity = Decimal(words.pop(0).replace(",", "."))
    for word in words:
        if NEGATIVE.fullmatch(word):
            raise Invalid("Nobody receives less than nothing.")
        if DAY.fullmatch(word):
            expires_on = _day(word)
        elif line.tracking == "none":
            raise Invalid(f"{line.sku} has no lots: type the quantity alone.")
        else:
            lot = word
    if len(lot) > 80:
        raise Invalid("A lot has at most 80 characters.")
    return Goods(line.variant, quantity, lot, expires_on)


def _day(word: str) -> date:
    """A month ends on its last day. Raises Invalid."""
    year, month, day = (int(part) if part else 0 for part in DAY.fullmatch(word).groups())  # type: ignore[union-attr]  # the caller has looked
    try:
        return date(year, month, day) if day else _last_of(year, month)
    except ValueError as error:
        raise Invalid(f"{word} is no day.") from error


def _last_of(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _usual_place(request: Any) -> Location | None:
    """Where goods come in, if it is but one."""
    reached = Location.objects.select_related("warehouse").filter(within(Location, reach(request.principal, RECEIVE)))
    found = list(reached.filter(kind=Location.Kind.RECEIVING)[:2]) or list(reached[:2])
    return found[0] if len(found) == 1 else None


def _refuse_outside(request: Any, location: Location | None) -> None:
    allowed = reach(request.principal, RECEIVE)
    if location is not None and allowed is not None and location.warehouse_id not in allowed:
        raise OutsideWarehouses


def _step(request: Any) -> str:
    if not (step := text_of(request.POST, "id", longest=40)):
        raise Invalid("Reload the page: this came without its number.")
    return step
