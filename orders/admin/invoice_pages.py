"""The pages that draft an invoice of a sales order, and a credit note of an invoice."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from core.errors import DomainError
from orders.models import Invoice, SalesOrder
from orders.queries.invoices import creditable, lines_to_invoice
from orders.services.credit_notes import CreditLine, credit_note_draft
from orders.services.invoices import InvoiceLine, invoice_draft_from_order, open_quantity

type Row = tuple[UUID, str, Decimal, Decimal]  # a line: its id, what it is, how much is left, and how much is offered


class QuantitiesForm(forms.Form):
    """A quantity for each line."""

    note = forms.CharField(
        required=False, max_length=500, widget=UnfoldAdminTextInputWidget, help_text="It stands on the paper.",
    )

    def __init__(self, rows: Sequence[Row], data: Any = None) -> None:
        super().__init__(data)
        self.rows = rows
        for key, name, left, offered in rows:
            self.fields[f"quantity-{key}"] = forms.DecimalField(
                required=False, min_value=0, max_value=left, max_digits=19, decimal_places=6,
                initial=f"{offered.normalize():f}" if offered else "",
                widget=UnfoldAdminDecimalFieldWidget(attrs={"aria-label": f"Quantity of {name}", "step": "any"}),
            )

    @property
    def shared(self) -> list[Any]:
        return [self[name] for name in self.fields if not name.startswith("quantity-")]

    @property
    def table(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "left": f"{left.normalize():f}", "quantity": self[f"quantity-{key}"]}
            for key, name, left, _ in self.rows
        ]

    def quantities(self) -> list[tuple[UUID, Decimal]]:
        return [(key, found) for key, *_ in self.rows if (found := self.cleaned_data[f"quantity-{key}"])]


class InvoiceForm(QuantitiesForm):
    def act(self, order: SalesOrder) -> Invoice:
        lines = [InvoiceLine(key, quantity) for key, quantity in self.quantities()]
        return invoice_draft_from_order(order=order, lines=lines if self.rows else None, note=self.cleaned_data["note"])


class CreditForm(QuantitiesForm):
    amount = forms.DecimalField(
        required=False, min_value=0, max_digits=19, decimal_places=6, widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
        label="Or money alone", help_text="With tax, over all lines, instead of quantities.",
    )

    def act(self, invoice: Invoice) -> Invoice:
        amount, lines = self.cleaned_data["amount"], [CreditLine(key, quantity) for key, quantity in self.quantities()]
        note = self.cleaned_data["note"]
        return credit_note_draft(invoice=invoice, lines=lines if lines or amount is None else None, amount=amount, note=note)


def invoice_page(page: Any, request: HttpRequest, order: SalesOrder) -> HttpResponse:
    rows = [
        (line.pk, f"{line.sku} {line.name}", left, max(min(left, line.shipped_quantity - line.invoiced_quantity), Decimal(0)))
        for line in lines_to_invoice(order) if (left := open_quantity(line))
    ]
    return _page(page, request, order, InvoiceForm(rows, request.POST or None), "Invoice")


def credit_page(page: Any, request: HttpRequest, invoice: Invoice) -> HttpResponse:
    rows = [
        (item.pk, f"{item.sku} {item.name}".strip(), left, Decimal(0)) for item, left in creditable(invoice) if left
    ]
    return _page(page, request, invoice, CreditForm(rows, request.POST or None), "Credit")


def _page(page: Any, request: HttpRequest, of: Any, form: Any, title: str) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                made = form.act(of)
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            page.message_user(request, f"{made} is made: look at it, and issue it.", messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:orders_invoice_change", args=[made.pk]))
    back = reverse(f"admin:{of._meta.app_label}_{of._meta.model_name}_change", args=[of.pk])
    return TemplateResponse(request, "admin/orders/invoice/draft.html", {
        **page.admin_site.each_context(request), "title": title, "subtitle": str(of), "opts": page.opts, "of": of,
        "form": form, "back": back, "media": page.media + form.media,
    })
