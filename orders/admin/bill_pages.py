"""The pages on which a bill is entered from a purchase order, and on which somebody says why it is refused."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from core.admin_forms import refusal
from core.errors import DomainError
from inventory.queries.closings import today
from orders.models import PurchaseOrder, PurchaseOrderItem, SupplierBill
from orders.queries.bill_matching import on_open_bills, unbilled
from orders.services.bill_states import supplier_bill_reject, supplier_bill_void
from orders.services.bills import BillLine, supplier_bill_create

PRICED = ("unit_price", "discount_percent", "tax_rate")


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget, help_text="Who entered it will read it.")

    def act(self, bill: SupplierBill) -> SupplierBill:
        return supplier_bill_reject(bill=bill, reason=self.cleaned_data["reason"])


class VoidForm(ReasonForm):
    def act(self, bill: SupplierBill) -> SupplierBill:
        return supplier_bill_void(bill=bill, reason=self.cleaned_data["reason"])


class BillForm(forms.Form):
    """A row for each line of the order, with what is here and on no bill, at the order's price."""

    supplier_number = forms.CharField(
        label="Supplier's number", max_length=80, widget=UnfoldAdminTextInputWidget, help_text="As it stands on their paper.",
    )
    billed_on = forms.DateField(label="Day of the bill", widget=UnfoldAdminDateWidget)
    due_on = forms.DateField(
        required=False, label="Due on", widget=UnfoldAdminDateWidget, help_text="Empty: by the supplier's payment terms.",
    )
    note = forms.CharField(required=False, max_length=500, widget=UnfoldAdminTextInputWidget)

    def __init__(self, order: PurchaseOrder, data: Any = None) -> None:
        super().__init__(data, initial={"billed_on": today()})
        entered = on_open_bills(order)
        self.rows = [
            (line, max(unbilled(line) - entered.get(line.pk, Decimal(0)), Decimal(0))) for line in order.lines.order_by("line")
        ]
        for line, left in self.rows:
            self._add(line, "quantity", "Quantity", left, 19, 6)
            self._add(line, "unit_price", "Price", line.unit_price or Decimal(0), 19, 6)
            self._add(line, "discount_percent", "Discount", line.discount_percent, 7, 4, most=100)
            self._add(line, "tax_rate", "Tax", line.tax_rate, 7, 4, most=100)

    def _add(
        self, line: PurchaseOrderItem, name: str, label: str, value: Decimal, digits: int, places: int, most: int | None = None,
    ) -> None:
        self.fields[f"{name}-{line.line}"] = forms.DecimalField(
            required=False, min_value=0, max_value=most, max_digits=digits, decimal_places=places,
            initial=f"{value.normalize():f}" if value or name != "quantity" else "",
            widget=UnfoldAdminDecimalFieldWidget(attrs={"aria-label": f"{label} of line {line.line}", "step": "any"}),
        )

    @property
    def shared(self) -> list[Any]:
        return [self[name] for name in ("supplier_number", "billed_on", "due_on", "note")]

    @property
    def table(self) -> list[dict[str, Any]]:
        return [
            {
                "line": line, "left": f"{left.normalize():f}",
                "cells": [self[f"{name}-{line.line}"] for name in ("quantity", *PRICED)],
            }
            for line, left in self.rows
        ]

    def act(self, order: PurchaseOrder) -> SupplierBill:
        """Raises DomainError."""
        values = self.cleaned_data
        lines = [
            BillLine(line.pk, quantity, *(values[f"{name}-{line.line}"] for name in PRICED))
            for line, _ in self.rows if (quantity := values[f"quantity-{line.line}"])
        ]
        return supplier_bill_create(
            order=order, lines=lines, supplier_number=values["supplier_number"], billed_on=values["billed_on"],
            due_on=values["due_on"], note=values["note"],
        )


def bill_page(page: Any, request: HttpRequest, order: PurchaseOrder) -> HttpResponse:
    form = BillForm(order, request.POST or None)
    return _page(page, request, order, form, "Enter a bill")


def reject_page(page: Any, request: HttpRequest, bill: SupplierBill) -> HttpResponse:
    return _page(page, request, bill, ReasonForm(request.POST or None), "Reject")


def void_page(page: Any, request: HttpRequest, bill: SupplierBill) -> HttpResponse:
    return _page(page, request, bill, VoidForm(request.POST or None), "Void")


def _page(page: Any, request: HttpRequest, of: Any, form: Any, title: str) -> HttpResponse:
    if request.method == "POST" and form.is_valid() and (made := _tried(form, of)):
        page.message_user(request, f"Supplier bill {made}: {made.get_status_display().lower()}.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:orders_supplierbill_change", args=[made.pk]))
    back = reverse(f"admin:orders_{of._meta.model_name}_change", args=[of.pk])
    return TemplateResponse(request, "admin/orders/supplierbill/form.html", {
        **page.admin_site.each_context(request), "title": title, "subtitle": str(of), "opts": page.opts, "of": of, "form": form,
        "shared": getattr(form, "shared", form), "back": back, "media": page.media + form.media,
    })


def _tried(form: Any, of: Any) -> SupplierBill | None:
    try:
        with transaction.atomic():
            made: SupplierBill = form.act(of)
            return made
    except (DomainError, DatabaseError) as error:
        if (said := refusal(error)) is None:
            raise
        for text in said.values():
            form.add_error(None, text)
        return None
