"""Purchase orders that wait for who looks at the page: one key approves, another one refuses with a reason."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.template.response import TemplateResponse

from core.admin_pages import key_of, text_of
from core.errors import Invalid
from core.limits import reach, refuse_outside
from orders.models import PurchaseOrder
from orders.queries.approvals import approvals
from orders.services.purchase_states import purchase_order_approve, purchase_order_reject, purchase_order_withdraw_approval

APPROVE = "orders.approve_purchaseorder"
MOST = 50


def approvals_view(site: Any, request: Any) -> HttpResponse:
    context = {**site.each_context(request), "title": "Approvals", **_context(request)}
    return TemplateResponse(request, "admin/desk/approvals.html", context)


def approve_view(site: Any, request: Any) -> HttpResponse:
    """The row's own order, or else all that are marked: all or none."""
    orders = _orders(request, _marked(request) or [key_of(request.POST, "order")])
    for order in orders:
        if not _is_done(request, order):  # else its answer was lost
            purchase_order_approve(order=order)
    return _list(request, f"Approved: {_named(orders)}.", undo=" ".join(str(order.pk) for order in orders))


def withdraw_view(site: Any, request: Any) -> HttpResponse:
    """What was approved last was a mistake: all or none."""
    orders = _orders(request, _marked(request))
    for order in orders:
        if order.status != PurchaseOrder.Status.PENDING_APPROVAL:  # else its answer was lost
            purchase_order_withdraw_approval(order=order)
    return _list(request, f"Undone: {_named(orders)} waits for approval again.")


def refuse_view(site: Any, request: Any) -> HttpResponse:
    """First the line in which one says why."""
    [order] = _orders(request, [key_of(request.GET if request.method == "GET" else request.POST, "order")])
    if request.method == "GET":
        return TemplateResponse(request, "admin/desk/refuse_line.html", {"order": order})
    purchase_order_reject(order=order, reason=text_of(request.POST, "reason", longest=500))
    return _list(request, f"Refused: {order.number}. It is a draft again.")


def _list(request: Any, done: str, **more: Any) -> HttpResponse:
    return TemplateResponse(request, "admin/desk/approval_list.html", {**_context(request), "done": done, **more})


def _context(request: Any) -> dict[str, Any]:
    return {"rows": approvals(request.user.pk, reach(request.principal, APPROVE)), "approver": request.user}


def _marked(request: Any) -> list[UUID]:
    try:
        return [UUID(text) for text in request.POST.get("marked", "").split()]
    except ValueError as error:
        raise Invalid("Reload the page: what is marked cannot be read.") from error


def _orders(request: Any, keys: list[UUID]) -> list[PurchaseOrder]:
    """In the order in which services lock them."""
    if len(keys) > MOST:
        raise Invalid(f"At most {MOST} at once.")
    refuse_outside(PurchaseOrder, keys, reach(request.principal, APPROVE))
    found = list(PurchaseOrder.objects.filter(pk__in=keys).order_by("pk"))
    if len(found) != len(set(keys)):
        raise Invalid("There is no such purchase order.")
    return found


def _is_done(request: Any, order: PurchaseOrder) -> bool:
    return order.status == PurchaseOrder.Status.APPROVED and order.decided_by == request.user.pk


def _named(orders: list[PurchaseOrder]) -> str:
    return ", ".join(sorted(order.number for order in orders))
