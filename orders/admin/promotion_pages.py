"""The page on which a cart gets a promotion code, or loses it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from core.errors import DomainError
from orders.models import SalesOrder
from orders.services.promotions import promotion_code_apply, promotion_code_remove


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Promotion code", max_length=40, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="In small letters or capitals.",
    )


def code_page(page: Any, request: HttpRequest, order: SalesOrder) -> HttpResponse:
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        verb = promotion_code_remove if "remove" in request.POST else promotion_code_apply
        try:
            with transaction.atomic():
                done = verb(order=order, code=form.cleaned_data["code"])
        except DomainError as error:
            form.add_error("code", error.detail)
        else:
            page.message_user(request, f"The cart costs {done.total.normalize():f} {done.currency}.", messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:orders_salesorder_change", args=[order.pk]))
    uses = order.promotion_uses.select_related("promotion").order_by("pk")
    return TemplateResponse(request, "admin/orders/salesorder/code.html", {
        **page.admin_site.each_context(request), "title": "Promotion code", "subtitle": str(order), "opts": page.opts,
        "order": order, "total": f"{order.total.normalize():f}", "form": form, "media": page.media + form.media,
        "uses": [(use, f"{use.amount.normalize():f}") for use in uses],
    })
