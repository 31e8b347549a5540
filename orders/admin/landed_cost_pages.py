"""The pages on which a landed cost is posted, after showing what comes to which goods, and reversed; and the way to a new one."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin_pages import key_or_none
from core.errors import DomainError
from core.limits import reach, within
from orders.models import GoodsReceipt, LandedCost
from orders.services.landed_cost_states import landed_cost_post, landed_cost_reverse
from orders.services.landed_costs import MOST_RECEIPTS

ADD = "orders.add_landedcost"


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget, help_text="Its timeline says it.")


def post_page(page: Any, request: HttpRequest, cost: LandedCost) -> HttpResponse:
    """Opened, it shows what would be; posted, it is."""
    is_preview = request.method != "POST"
    try:
        with transaction.atomic():
            posting = landed_cost_post(cost=cost, is_preview=is_preview)
    except DomainError as error:
        page.message_user(request, error.detail, messages.ERROR)
        return _back(cost)
    stock, gone = _plain(posting.to_stock), _plain(posting.to_sold)
    if is_preview:
        return _shown(
            page, request, cost, "Post", form=forms.Form(), stock=stock, gone=gone, base=_plain(posting.base_amount), shares=[
                {**one, "quantity": _plain(one["quantity"]), "amount": _plain(one["amount"])} for one in posting.shares
            ],
        )
    said = f"{cost.number} is posted: {stock} to goods in stock, {gone} to the cost of those that are gone."
    page.message_user(request, said, messages.SUCCESS)
    return _back(cost)


def reverse_page(page: Any, request: HttpRequest, cost: LandedCost) -> HttpResponse:
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                landed_cost_reverse(cost=cost, reason=form.cleaned_data["reason"])
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            page.message_user(request, f"{cost.number} is reversed.", messages.SUCCESS)
            return _back(cost)
    return _shown(page, request, cost, "Reverse", form=form)


def landable(request: Any, receipts: QuerySet[GoodsReceipt]) -> QuerySet[GoodsReceipt]:
    """Those of these goods receipts for which the person may add a landed cost."""
    if not request.user.has_perm(ADD):
        return receipts.none()
    return receipts.filter(within(GoodsReceipt, reach(request.principal, ADD)), kind=GoodsReceipt.Kind.RECEIPT)


def new_cost(request: Any, receipts: QuerySet[GoodsReceipt]) -> HttpResponse:
    """To the page of a new landed cost, with these receipts in it. Raises PermissionDenied."""
    found = list(landable(request, receipts).order_by("pk").values_list("pk", "warehouse")[:MOST_RECEIPTS])
    if not found:
        raise PermissionDenied
    query = urlencode([("warehouse", found[0][1]), *(("receipt", key) for key, _ in found)])
    return HttpResponseRedirect(f"{reverse('admin:orders_landedcost_add')}?{query}")


def receipts_asked_for(request: HttpRequest) -> Sequence[UUID]:
    """Those that the address of a new landed cost names."""
    given = request.GET.getlist("receipt")[:MOST_RECEIPTS]
    return [key for one in given if (key := key_or_none({"receipt": one}, "receipt"))]


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _back(cost: LandedCost) -> HttpResponse:
    return HttpResponseRedirect(_url(cost))


def _url(cost: LandedCost) -> str:
    return reverse("admin:orders_landedcost_change", args=[cost.pk])


def _shown(page: Any, request: HttpRequest, cost: LandedCost, title: str, **context: Any) -> HttpResponse:
    return TemplateResponse(request, "admin/orders/landedcost/verb.html", {
        **page.admin_site.each_context(request), "title": title, "subtitle": str(cost), "opts": page.opts, "cost": cost,
        "amount": "" if cost.amount is None else _plain(cost.amount), "back": _url(cost),
        "media": page.media + context["form"].media, **context,
    })
