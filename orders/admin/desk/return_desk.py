"""Goods that customers bring or send back: scan a paper or the goods, one key for each line, and Ctrl+Enter takes them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from core.admin_pages import key_or_none, text_of
from core.errors import Invalid
from core.limits import reach, refuse_outside, within
from inventory.queries.barcodes import LONGEST, scan_resolve
from orders.models import ReturnAuthorization, SalesOrder
from orders.queries.return_desk import (
    Meant,
    SoldRow,
    asked_rows,
    meant_by,
    meant_by_lots,
    reason_meant,
    reasons,
    sold_rows,
)
from orders.services.order_entry import NUMBER
from orders.services.return_desk import Back, Taken, return_take, return_take_in

ADD, APPROVE = "orders.add_returnauthorization", "orders.approve_returnauthorization"
RECEIVE, LOOK = "orders.receive_returnauthorization", ("orders.view_salesorder", "inventory.view_stockitem")
DISPOSITIONS = (("R", "restock", "Restock"), ("Q", "quarantine", "Quarantine"), ("S", "scrap", "Scrap"))


def take_back_view(site: Any, request: Any) -> HttpResponse:
    goods = _goods(request, request.GET)
    context = {**site.each_context(request), "title": "Take back", **goods, "problem": _refusal(goods)}
    return TemplateResponse(request, "admin/desk/take_back.html", context)


def scan_view(site: Any, request: Any) -> HttpResponse:
    """The goods of the order that is shown, one more of them; or else another order."""
    text = text_of(request.POST, "text", longest=LONGEST, is_scan=True)
    if found := meant_by(text, _orders(request)):
        return _shown(request, text, found)
    scan = scan_resolve(text=text, holder=request.principal, today=timezone.localdate())
    lots = {match.id for match in scan.matches if match.kind == "lot"}
    variants = {match.variant for match in scan.matches if match.variant}
    rows = _goods(request, request.POST).get("rows", [])
    if hits := [row for row in rows if row.lot in lots] or [row for row in rows if row.variant in variants]:
        match = next((one for one in scan.matches if one.variant == hits[0].variant), None)
        return _came(request, hits[0], (match and match.quantity) or Decimal(1))
    if lots and (found := meant_by_lots(lots, _orders(request))):
        return _shown(request, text, found)
    if rows and variants:
        raise Invalid("This article has not left by this order.")
    raise Invalid("This leads to no order that was sent: scan its number, its shipment's, its invoice's or a serial number.")


def choose_view(site: Any, request: Any) -> HttpResponse:
    return _sheet(request, _goods(request, request.POST))


def post_view(site: Any, request: Any) -> HttpResponse:
    context = _goods(request, request.POST)
    if "order" not in context:
        raise Invalid("Scan first what the goods belong to.")
    order, goods = context["order"], _taken(request, context["rows"])
    if asked := context.get("authorization"):
        refuse_outside(ReturnAuthorization, [asked.pk], reach(request.principal, RECEIVE))
        taken = return_take_in(
            authorization=asked, goods={row.line: one for row, one in goods}, may_approve=_may(request, APPROVE, order),
        )
    else:
        reason, note = reason_meant(text_of(request.POST, "reason", longest=500))
        taken = return_take(
            order=order, goods={(row.line, row.lot): one for row, one in goods}, key=_step(request),
            reason_id=reason.pk if reason else None, note=note,
            may_finish=_may(request, APPROVE, order) and _may(request, RECEIVE, order),
        )
    return _done(request, taken)


# --- What they share -----------------------------------------------------------------------------------------
def _orders(request: Any) -> QuerySet[SalesOrder]:
    found: QuerySet[SalesOrder] = SalesOrder.objects.filter(within(SalesOrder, reach(request.principal, ADD)))
    return found


def _goods(request: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Of the order or the return that is given, without rows where none is. Raises Http404."""
    shown: dict[str, Any] = {"dispositions": DISPOSITIONS, "reasons": reasons(), "first": key_or_none(given, "lot")}
    order, asked = key_or_none(given, "order"), key_or_none(given, "return")
    if asked is not None:
        rows = ReturnAuthorization.objects.filter(order__in=_orders(request)).select_related("order__customer__party")
        if (authorization := rows.filter(pk=asked).first()) is None:
            raise Http404
        return shown | {"order": authorization.order, "authorization": authorization, "rows": asked_rows(authorization)}
    if order is None:
        return shown
    if (found := _orders(request).select_related("customer__party").filter(pk=order).first()) is None:
        raise Http404
    return shown | {"order": found, "rows": sold_rows(found)}


def _shown(request: Any, text: str, found: list[Meant]) -> HttpResponse:
    """The goods, or a question where there are several orders."""
    if len(found) > 1:
        choices = [(digit, one, urlencode(_names(one))) for digit, one in enumerate(found, 1)]
        return _part(request, "take_back_choices", "#scan-panel", text=text, choices=choices)
    return _sheet(request, _goods(request, _names(found[0])))


def _sheet(request: Any, context: dict[str, Any]) -> HttpResponse:
    if problem := _refusal(context):
        raise Invalid(problem)
    return _part(request, "take_back_sheet", "#goods-back", **context)


def _refusal(goods: dict[str, Any]) -> str:
    """Why goods of this return do not come any more."""
    asked = goods.get("authorization")
    if asked is None or asked.status in (ReturnAuthorization.Status.REQUESTED, ReturnAuthorization.Status.APPROVED):
        return ""
    return f"{asked} is {asked.get_status_display().lower()} already: its page says what may follow."


def _came(request: Any, row: SoldRow, many: Decimal) -> HttpResponse:
    return _part(request, "take_back_came", "#just-came", row=row, many=many)


def _done(request: Any, taken: Taken) -> HttpResponse:
    row = taken.authorization
    lines = row.lines.select_related("order_item", "location").order_by("line")
    return _part(request, "take_back_done", "#goods-back", authorization=row, lines=lines, taken=taken)


def _part(request: Any, name: str, into: str, **context: Any) -> HttpResponse:
    response = TemplateResponse(request, f"admin/desk/{name}.html", context)
    response.headers["X-Into"] = into
    return response


def _names(one: Meant) -> dict[str, str]:
    names = {"return": one.authorization, "order": None if one.authorization else one.order, "lot": one.lot}
    return {name: str(key) for name, key in names.items() if key}


def _taken(request: Any, rows: list[SoldRow]) -> list[tuple[SoldRow, Back]]:
    """Raises Invalid for a quantity of which nobody says what becomes of it, and the other way round."""
    found = []
    for row in rows:
        text = text_of(request.POST, f"quantity_{row.key}", longest=20)
        disposition = text_of(request.POST, f"disposition_{row.key}", longest=20)
        if not text and not disposition:
            continue
        if text and not NUMBER.fullmatch(text):
            raise Invalid(f"{text} is no quantity of {row.sku}.")
        quantity = Decimal(text.replace(",", ".")) if text else row.quantity
        if disposition not in {name for _, name, _ in DISPOSITIONS}:
            raise Invalid(f"Say what becomes of {row.sku}: R, Q or S in its row.")
        if quantity <= 0:
            raise Invalid(f"Nothing of {row.sku} is left to come back: take it out by pressing its letter again.")
        found.append((row, Back(quantity, disposition)))
    return found


def _may(request: Any, permission: str, order: SalesOrder) -> bool:
    where = reach(request.principal, permission)
    return where is None or order.warehouse_id in where


def _step(request: Any) -> UUID:
    """The id that the page gave what it sends is that of the return. Raises Invalid."""
    if (found := key_or_none(request.POST, "id")) is None:
        raise Invalid("Reload the page: this came without its number.")
    return found
