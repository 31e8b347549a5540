"""The page on which what is low is bought: everything ticked, by keyboard, first shown and then done, and undone."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Context, Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from core.errors import DomainError
from core.limits import reach, refuse_outside, within
from inventory.models import ReorderTask, Supplier, TransferOrder
from inventory.queries.closings import today
from inventory.queries.reorder_work import work_list
from inventory.services.reorder_tasks import TaskOrder, tasks_reopen, tasks_snooze
from orders.models import PurchaseOrder
from orders.services.purchase_batches import purchase_orders_buy, purchase_orders_undo
from orders.services.purchase_proposals import below_minimum, offered, whole_packs

ORDER, BUY = "inventory.order_reordertask", "orders.add_purchaseorder"
CHANGE, CANCEL, UNDO = "inventory.change_reordertask", "orders.change_purchaseorder", "reorder-undo"
QUANTITY = forms.DecimalField(max_digits=19, decimal_places=6, min_value=Decimal("0.000001"))
CHECK = "inventory.run_reorder_check"
SNOOZE, CENT = timedelta(days=7), Decimal("0.01")
EXACT = Context(prec=80)

type Line = dict[str, Any]


def reorder_view(site: Any, request: Any) -> HttpResponse:
    posted = request.POST
    try:
        if "undo" in posted:
            return _undo(request)
        if "snooze" in posted:
            return _snooze(request, posted["snooze"])
        lines = _lines(request)
        wrong = any(line["error"] for line in lines)
        if "confirmed" in posted and not wrong:
            return _order(request, [line for line in lines if line["ticked"]])
    except DomainError as error:
        messages.error(request, error.detail)
        return HttpResponseRedirect(reverse("admin:reorder"))
    ticked = [line for line in lines if line["ticked"]]
    is_preview = "preview" in posted and bool(ticked) and not wrong
    groups = _groups(ticked if is_preview else lines)
    return TemplateResponse(request, "admin/desk/reorder.html", {
        **site.each_context(request), "title": "Reorder",
        "groups": groups, "is_preview": is_preview, "lines": len(ticked), "may_undo": UNDO in request.session,
        "orders": len(groups), "may_snooze": request.user.has_perm(CHANGE), "may_check": request.user.has_perm(CHECK),
    })


def _lines(request: Any) -> list[Line]:
    """As the page shows them: as they were typed, or everything ticked."""
    tasks = ReorderTask.objects.filter(
        within(ReorderTask, reach(request.principal, ORDER)), within(ReorderTask, reach(request.principal, BUY)),
    )
    chosen = [found for text in request.GET.getlist("task") if (found := _key(text))]
    posted = request.POST
    ticked = set(posted.getlist("task"))
    lines, rows = [], work_list(tasks, chosen=chosen)
    items = offered([(row["task"].supplier_id, row["task"].variant_id) for row in rows if row["task"].supplier_id])
    for row in rows:
        key = str(row["task"].pk)
        line: Line = {**row, "ticked": not posted or key in ticked, "error": "", "supplier": row["task"].supplier}
        line["quantity"] = whole_packs(line["quantity"], items.get((row["task"].supplier_id, row["task"].variant_id)))
        if f"quantity-{key}" in posted:
            line["supplier"] = _seller(row, posted.get(f"supplier-{key}", ""))
            try:
                line["quantity"] = QUANTITY.clean(posted[f"quantity-{key}"])
            except forms.ValidationError as error:
                said = error.messages[0] if line["ticked"] else ""
                line |= {"quantity": None, "typed": posted[f"quantity-{key}"], "error": said}
        line["source"] = None if line["supplier"] else row["task"].source_warehouse
        line["ticked"] = line["ticked"] and bool(line["supplier"] or line["source"])
        price = row["prices"].get(line["supplier"].pk) if line["supplier"] else None
        is_known = price is not None and line["quantity"] is not None
        lines.append({**line, "amount": (price * line["quantity"]).quantize(CENT, context=EXACT) if is_known else None})
    return lines


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _seller(row: Line, text: str) -> Supplier | None:
    found: Supplier | None = next((one for one in row["sellers"] if str(one.pk) == text), row["task"].supplier)
    return found


def _groups(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """By supplier; with what an order comes to, where prices are known, beside the least that the supplier takes one for."""
    groups = []
    for _, found in groupby(sorted(lines, key=_whence), key=_whence):
        members = list(found)
        supplier = members[0]["supplier"]
        total = sum((line["amount"] for line in members if line["ticked"] and line["amount"]), Decimal(0))
        groups.append({
            "supplier": supplier, "source": members[0]["source"], "lines": members, "total": total,
            "is_short": bool(supplier) and total < supplier.min_order_value,
            "is_partial": any(line["amount"] is None for line in members if line["ticked"]),
        })
    return groups


def _whence(line: Line) -> tuple[str, str]:
    """Transfers first, then the suppliers by their codes."""
    return line["source"].code if line["source"] else "~", line["supplier"].code if line["supplier"] else ""


def _order(request: Any, lines: list[Line]) -> HttpResponse:
    orders = [
        TaskOrder(line["task"].pk, line["quantity"], line["supplier"] and line["supplier"].pk) for line in lines
    ]
    with transaction.atomic():
        made = purchase_orders_buy(choices=orders)
    keys = [str(one.task_id) for one in orders]
    drafts = TransferOrder.objects.filter(pk__in=ReorderTask.objects.filter(
        pk__in=keys, transfer_order__isnull=False,
    ).values("transfer_order"))
    fetched = [line for line in lines if line["source"]]
    request.session[UNDO] = {
        "orders": [str(order.pk) for order in made], "tasks": [str(line["task"].pk) for line in fetched],
    }
    numbers = [f"{order.number} ({order.net_total.normalize():f} {order.currency})" for order in made]
    numbers += drafts.order_by("number").values_list("number", flat=True) if fetched else []
    messages.success(request, f"Ordered: {len(orders)} line{'s' if len(orders) > 1 else ''}, as drafts {', '.join(numbers)}.")
    for order in made:
        if lack := below_minimum(order):
            detail = f"{order.number}: {order.supplier} takes an order for {lack.normalize():f} {order.currency} more."
            messages.warning(request, detail)
    return HttpResponseRedirect(reverse("admin:reorder"))


def _snooze(request: Any, text: str) -> HttpResponse:
    key = _key(text)
    if not key or not request.user.has_perm(CHANGE):
        raise PermissionDenied
    refuse_outside(ReorderTask, [key], reach(request.principal, CHANGE))
    until = today() + SNOOZE
    tasks_snooze(tasks=[key], until=until)
    messages.success(request, f"Snoozed until {until}.")
    return HttpResponseRedirect(request.get_full_path())


def _undo(request: Any) -> HttpResponse:
    batch = request.session.pop(UNDO, {"orders": [], "tasks": []})
    orders, tasks = ([UUID(key) for key in batch[name]] for name in ("orders", "tasks"))
    if not request.user.has_perm(CANCEL):
        raise PermissionDenied
    refuse_outside(PurchaseOrder, orders, reach(request.principal, CANCEL))
    refuse_outside(ReorderTask, tasks, reach(request.principal, ORDER))
    with transaction.atomic():
        purchase_orders_undo(orders=orders)
        if tasks:
            tasks_reopen(tasks=tasks)
    messages.success(request, "Undone: the orders are canceled, and their tasks are open again.")
    return HttpResponseRedirect(reverse("admin:reorder"))
