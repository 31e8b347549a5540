"""The pages on which lines of a pick list are picked, or said to be short."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from core.errors import DomainError
from orders.admin.invoice_pages import QuantitiesForm, Row
from orders.models import PickList
from orders.services.pick_lists import pick_list_pick, pick_list_short


class PickForm(QuantitiesForm):
    note: Any = None

    def act(self, pick_list: PickList) -> None:
        for key, quantity in self.quantities():
            pick_list_pick(pick_list=pick_list, line_id=key, quantity=quantity)


class ShortForm(QuantitiesForm):
    note: Any = None
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget, help_text="Such as: the bin is empty.")

    def act(self, pick_list: PickList) -> None:
        for key, quantity in self.quantities():
            pick_list_short(pick_list=pick_list, line_id=key, quantity=quantity, reason=self.cleaned_data["reason"])


def pick_page(page: Any, request: HttpRequest) -> Callable[[PickList], HttpResponse]:
    return lambda row: _page(page, request, row, PickForm(_rows(row, offered=True), request.POST or None), "Picked")


def short_page(page: Any, request: HttpRequest) -> Callable[[PickList], HttpResponse]:
    return lambda row: _page(page, request, row, ShortForm(_rows(row, offered=False), request.POST or None), "Short")


def _rows(row: PickList, *, offered: bool) -> list[Row]:
    found: list[tuple[UUID, str, Decimal]] = [
        (line.pk, " ".join(filter(None, (
            f"{line.stock_item.location.code}:", line.order_item.sku, line.order_item.name,
            f"lot {line.lot.code}" if line.lot else "", f"for {line.order_item.order.number}",
        ))), line.quantity - line.picked_quantity - line.short_quantity)
        for line in row.lines.filter(is_open=True).select_related("order_item__order", "lot", "stock_item__location")
        .order_by("line")
    ]
    return [(key, name, left, left if offered else Decimal(0)) for key, name, left in found if left]


def _page(page: Any, request: HttpRequest, row: PickList, form: Any, title: str) -> HttpResponse:
    back = reverse("admin:orders_picklist_change", args=[row.pk])
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                form.act(row)
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            page.message_user(request, f"{row}: written.", messages.SUCCESS)
            return HttpResponseRedirect(back)
    return TemplateResponse(request, "admin/orders/invoice/draft.html", {
        **page.admin_site.each_context(request), "title": title, "subtitle": str(row), "opts": page.opts, "of": row,
        "form": form, "back": back, "button": title, "media": page.media + form.media,
    })
