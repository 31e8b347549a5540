"""The page on which what is low is ordered: everything ticked, by keyboard, first shown and then done, and undone."""

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
from django.urls import path, reverse

from core.errors import DomainError
from core.limits import reach, refuse_outside, within
from inventory.admin.value_pages import answer, page
from inventory.models import ReorderTask, Supplier, TransferOrder
from inventory.queries.closings import today
from inventory.queries.reorder_work import work_list
from inventory.services.reorder_tasks import TaskOrder, tasks_order, tasks_reopen, tasks_snooze

ORDER, CHANGE, UNDO = "inventory.order_reordertask", "inventory.change_reordertask", "reorder-undo"
QUANTITY = forms.DecimalField(max_digits=19, decimal_places=6, min_value=Decimal("0.000001"))
SNOOZE, CENT = timedelta(days=7), Decimal("0.01")
EXACT = Context(prec=80)

type Line = dict[str, Any]


def urls(site: Any) -> list[Any]:
    return [path("reorder/", page(site, _reorder), name="inventory_reorder")]


def _reorder(site: Any, request: Any) -> HttpResponse:
    if not request.user.has_perm(ORDER):
        raise PermissionDenied
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
        return HttpResponseRedirect(reverse("admin:inventory_reorder"))
    ticked = [line for line in lines if line["ticked"]]
    is_preview = "preview" in posted and bool(ticked) and not wrong
    groups = _groups(ticked if is_preview else lines)
    return answer(site, request, "reordertask/reorder", {
        "title": "Reorder", "groups": groups, "is_preview": is_preview, "lines": len(ticked), "may_undo": UNDO in request.session,
        "orders": len(groups), "may_snooze": request.user.has_perm(CHANGE),
    })


def _lines(request: Any) -> list[Line]:
    """As the page shows them: as they were typed, or everything ticked."""
    tasks = ReorderTask.objects.filter(within(ReorderTask, reach(request.principal, ORDER)))
    chosen = [found for text in request.GET.getlist("task") if (found := _key(text))]
    posted = request.POST
    ticked = set(posted.getlist("task"))
    lines = []
    for row in work_list(tasks, chosen=chosen):
        key = str(row["task"].pk)
        line: Line = {**row, "ticked": not posted or key in ticked, "error": "", "supplier": row["task"].supplier}
        if f"quantity-{key}" in posted:
            line["supplier"] = _seller(row, posted.get(f"supplier-{key}", ""))
            try:
                line["quantity"] = QUANTITY.clean(posted[f"quantity-{key}"])
            except forms.ValidationError as error:
                said = error.messages[0] if line["ticked"] else ""
                line |= {"quantity": None, "typed": posted[f"quantity-{key}"], "error": said}
        line["source"] = None if line["supplier"] else row["task"].source_warehouse
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
        tasks_order(orders=orders)
    request.session[UNDO] = [str(one.task_id) for one in orders]
    drafts = TransferOrder.objects.filter(pk__in=ReorderTask.objects.filter(
        pk__in=request.session[UNDO], transfer_order__isnull=False,
    ).values("transfer_order"))
    numbers = ", ".join(drafts.order_by("number").values_list("number", flat=True))
    messages.success(
        request, f"Ordered: {len(orders)} line{'s' if len(orders) > 1 else ''}."
        + (f" Drafts of transfer orders: {numbers}." if numbers else ""),
    )
    return HttpResponseRedirect(reverse("admin:inventory_reorder"))


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
    keys = [UUID(key) for key in request.session.pop(UNDO, [])]
    refuse_outside(ReorderTask, keys, reach(request.principal, ORDER))
    with transaction.atomic():
        tasks_reopen(tasks=keys)
    messages.success(request, f"Undone: {len(keys)} tasks are open again.")
    return HttpResponseRedirect(reverse("admin:inventory_reorder"))
