"""Goods of a purchase order are scanned in, line by line, and Ctrl+Enter posts them."""

from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery
from django.http import Http404, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from core.admin_pages import text_of
from core.errors import Conflict, Invalid
from core.limits import OutsideWarehouses, reach, within
from inventory.models import ExpectedReceipt, Location, ReceiptDraft, StockItem
from inventory.queries.drafts import line_key
from inventory.services.receipt_reading import goods_scanned, goods_typed
from inventory.services.receiving import receipt_note, receipt_undo
from orders.admin.desk.scans import Scanned, go_to, question, scanned, step_of
from orders.machines import PURCHASE_ORDERS
from orders.models import GoodsReceipt, GoodsReceiptItem, PurchaseOrder
from orders.services.purchase_receiving import (
    awaited,
    purchase_draft,
    purchase_draft_add,
    purchase_draft_place,
    purchase_draft_post,
    purchase_draft_replace,
)

SEE, RECEIVE = "orders.view_purchaseorder", "orders.receive_purchaseorder"
HOW = (
    "Scan the goods; type the quantity, or quantity, lot and expiry, such as 12 L77 2027-03-31, with + for all that is left."
    " Ctrl+Enter posts."
)


def receive_order_view(site: Any, request: Any, order: UUID) -> HttpResponse:
    row = _order(request, order, SEE)
    more = {**site.each_context(request), "title": "Receive", "subtitle": row.number, "how": HOW}
    if not _may_receive(request, row):
        return TemplateResponse(request, "admin/desk/receive_nothing.html", {**more, "order": row})
    return TemplateResponse(request, "admin/desk/receive.html", {**more, **_context(row, purchase_draft(order=row))})


def receive_order_scan_view(site: Any, request: Any, order: UUID) -> HttpResponse:
    row = _order(request, order, RECEIVE)
    draft = purchase_draft(order=row)
    found = scanned(request, set(row.lines.values_list("variant", flat=True)))
    if len(found.articles) > 1:
        return question(request, found.articles, send=reverse("admin:receive_order_scan", args=[row.pk]), into="#receipt")
    if found.articles:
        goods = goods_scanned(found.articles[0].key, found.scan)
        purchase_draft_add(order=row, draft=draft, goods=goods, step=step_of(request))
    elif found.location:
        purchase_draft_place(order=row, draft=draft, location=_location(found.location))
    elif found.page:
        return go_to(found.page)
    else:
        raise Conflict(_is_none_of_it(row, found), code="not_on_order")
    return _grid(request, row, draft)


def receive_order_line_view(site: Any, request: Any, order: UUID) -> HttpResponse:
    """What was typed into a row: its quantity, perhaps with lot and expiry."""
    row, key, step = _order(request, order, RECEIVE), request.GET.get("line", ""), step_of(request)
    draft = purchase_draft(order=row)
    if draft.entries.filter(step=step).exists():  # its answer was lost
        return _grid(request, row, draft)
    for one in awaited(row, draft).values():
        if line := one.row(key):
            rest = max(one.expected - one.now + line.quantity, one.now - one.now)
            goods = goods_typed(text_of(request.POST, "entry"), line, rest)
            purchase_draft_replace(order=row, draft=draft, row=line, goods=goods, step=step)
            return _grid(request, row, draft)
    raise Invalid("This line is gone: somebody else works on it as you.")


def receive_order_note_view(site: Any, request: Any, order: UUID) -> HttpResponse:
    row = _order(request, order, RECEIVE)
    draft = purchase_draft(order=row)
    receipt_note(draft=draft, note=text_of(request.POST, "note"))
    return _grid(request, row, draft)


def receive_order_undo_view(site: Any, request: Any, order: UUID) -> HttpResponse:
    row = _order(request, order, RECEIVE)
    draft = purchase_draft(order=row)
    undone = receipt_undo(draft=draft, step=text_of(request.POST, "step", longest=40))
    return _grid(request, row, draft, done="The last step is taken back." if undone else "This step is taken back already.")


def receive_order_post_view(site: Any, request: Any, order: UUID) -> HttpResponse:
    row = _order(request, order, RECEIVE)
    draft = purchase_draft(order=row)
    made = purchase_draft_post(order=row, draft=draft, key=f"scan:{step_of(request)}")
    came = _came(made.receipt)
    done = f"Received {len(came)} line{'' if len(came) == 1 else 's'} at {draft.location} by {made.receipt.number}."
    done += "".join(f" But {one.detail}" for one in made.overfull)
    return _grid(request, made.order, draft, done=done, came=came, receipt=made.receipt)


def _came(receipt: GoodsReceipt) -> list[GoodsReceiptItem]:
    """With the stock that the labels are of."""
    lies = StockItem.objects.filter(
        variant=OuterRef("variant"), location=OuterRef("location"), lot=OuterRef("lot"),
    ).order_by().values("pk")[:1]
    return list(receipt.lines.select_related("variant", "lot").annotate(stock_item=Subquery(lies)).order_by("line"))


def _grid(request: Any, order: PurchaseOrder, draft: ReceiptDraft, **more: Any) -> HttpResponse:
    return TemplateResponse(request, "admin/desk/receive_grid.html", {**_context(order, draft), **more})


def _context(order: PurchaseOrder, draft: ReceiptDraft) -> dict[str, Any]:
    articles = list(awaited(order, draft).values())
    last = draft.entries.order_by("-pk").values_list("step", "variant_id", "lot", "expires_on").first()
    return {
        "order": order, "draft": draft, "articles": articles, "fresh": line_key(*last[1:]) if last else "",
        "last_step": last[0] if last else "", "has_lots": any(one.tracking != "none" for one in articles),
        "scanned": sum(1 for one in articles if one.entries), "open": sum(1 for one in articles if one.expected > one.now),
    }


def _order(request: Any, key: UUID, permission: str) -> PurchaseOrder:
    """Raises Http404 for one that the person may not see, OutsideWarehouses where they may do less."""
    seen = PurchaseOrder.objects.filter(within(PurchaseOrder, reach(request.principal, SEE)))
    found: PurchaseOrder | None = seen.select_related("supplier__party", "warehouse").filter(pk=key).first()
    if found is None:
        raise Http404
    allowed = reach(request.principal, permission)
    if allowed is not None and found.warehouse_id not in allowed:
        raise OutsideWarehouses
    return found


def _may_receive(request: Any, order: PurchaseOrder) -> bool:
    allowed = reach(request.principal, RECEIVE)
    return order.status in PURCHASE_ORDERS.by_verb["receive"].sources and (allowed is None or order.warehouse_id in allowed)


def _location(key: UUID) -> Location:
    found: Location = Location.objects.select_related("warehouse").get(pk=key)
    return found


def _is_none_of_it(order: PurchaseOrder, found: Scanned) -> str:
    """And which order it is on, where there is one for the same warehouse."""
    if not (match := found.other):
        return f"This is nothing of {order.number}."
    other = ExpectedReceipt.objects.filter(
        variant=match.variant, warehouse=order.warehouse_id, quantity__gt=0, document_type="purchase_order",
    ).exclude(document_id=order.pk).order_by("expected_on", "pk").first()
    hint = f" {other.document_number} is to bring it: scan its number." if other else ""
    return f"{match.sku} is not on {order.number}.{hint}"
