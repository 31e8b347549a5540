"""Receiving without an order: a grid that scans fill, line by line, and that Ctrl+Enter posts."""

from decimal import Decimal
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from core.errors import Invalid
from core.limits import OutsideWarehouses, reach, within
from inventory.admin.clerk.card import RECEIVE
from inventory.admin.clerk.coming import coming
from inventory.admin.clerk.pages import key_or_none, part, text_of, too_full, whole
from inventory.admin.clerk.scanning import BY_HAND, Found, by_words, choices, found_in, go_to, page_of
from inventory.admin.clerk.undoing import undo_of
from inventory.models import Location, ReceiptDraft
from inventory.queries.barcodes import LONGEST, Scan, UnknownCode, scan_resolve
from inventory.queries.drafts import line_key, receipt_lines
from inventory.services.receipt_reading import goods_scanned, goods_typed
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
from inventory.services.stock import Document

HOW = "Scan the goods; type the quantity, or quantity, lot and expiry, such as 12 L77 2027-03-31. Ctrl+Enter posts."


def receive_view(site: Any, request: Any) -> HttpResponse:
    """By POST from a card: its article is the first line, of the document that is to bring it, where there is one."""
    if request.method == "POST":
        documents = coming(request)
        if len(documents) > 1:
            return whole(site, request, "receive_which", title="Receive", documents=documents, sent=request.POST)
        if documents:
            [one] = documents
            _scanned(request, receipt_draft(Document(one.document_type, one.document_id)))
            return HttpResponseRedirect(page_of(one.document_type, one.document_id))
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
    goods = goods_typed(text_of(request.POST, "entry"), line)
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
    if one.page:
        return go_to(one.page)
    if one.place:
        _take_place(request, draft, one)
    else:
        receipt_add(draft=draft, goods=goods_scanned(one.key, scan), step=step)
    return None


def _take_place(request: Any, draft: ReceiptDraft, found: Found) -> None:
    location = Location.objects.select_related("warehouse").filter(pk=found.key).first()
    if location is None:
        raise Invalid("This is no location: scan the one where the goods go.")
    _refuse_outside(request, location)
    receipt_place(draft=draft, location=location)


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
