"""The pages on which a landed cost is posted, after showing what comes to which goods, and reversed."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from core.errors import DomainError
from orders.models import LandedCost
from orders.services.landed_cost_states import landed_cost_post, landed_cost_reverse


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
