"""Adding landed cost in the admin: say what and to which receipts, see where it goes, and then write it."""

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.errors import DomainError
from core.limits import reach
from inventory.admin.value_pages import answer, page, plain
from inventory.services.landed_costs import By, Landed, landed_cost_add
from inventory.services.stock import Document

ADD = "inventory.add_landed_cost"
# Where nobody names the document that the cost is on: a form that is sent twice counts once nevertheless.
OWN_DOCUMENT = "landed_cost_form"
BASES = {
    By.VALUE: "their value", By.QUANTITY: "their quantity", By.WEIGHT: "their weight (of the variant, times the quantity)",
    By.VOLUME: "their volume (length, width and height of the variant, times the quantity)",
}


class LandedCostForm(forms.Form):
    amount = forms.DecimalField(
        max_digits=19, decimal_places=6, widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
        help_text="In the base currency. Below zero takes back what was added.",
    )
    by = forms.ChoiceField(
        label="Spread by", choices=[(one.value, text) for one, text in BASES.items()], widget=UnfoldAdminSelectWidget,
    )
    receipt_type = forms.CharField(
        label="Document of the receipts: type", required=False, max_length=40, widget=UnfoldAdminTextInputWidget,
        help_text="Unless you came here with chosen entries: all receipts that this document caused.",
    )
    receipt_id = forms.UUIDField(label="Document of the receipts: id", required=False, widget=UnfoldAdminTextInputWidget)
    note = forms.CharField(
        required=False, max_length=200, widget=UnfoldAdminTextInputWidget, help_text="Such as the number of the carrier's bill.",
    )
    token = forms.UUIDField(widget=forms.HiddenInput)

    def add(self, moves: list[str], warehouses: Any, *, is_preview: bool) -> Landed:
        """Raises DomainError."""
        values = self.cleaned_data
        receipt = Document(values["receipt_type"], values["receipt_id"]) if values["receipt_id"] else None
        return landed_cost_add(
            amount=values["amount"], by=values["by"], moves=[] if receipt else [UUID(move) for move in moves],
            receipt=receipt, document=Document(OWN_DOCUMENT, values["token"]), note=values["note"], warehouses=warehouses,
            is_preview=is_preview,
        )


def urls(site: Any) -> list[Any]:
    return [path("landed-cost/", page(site, _add), name="inventory_landed_cost")]


def _add(site: Any, request: Any) -> HttpResponse:
    """Posted, it shows what would be; posted again with `confirmed`, it is."""
    if not request.user.has_perm(ADD):
        raise PermissionDenied
    chosen = request.GET.get("chosen", "")
    moves: list[str] = request.session.get(chosen, []) if chosen.startswith("landed-") else []
    form, landed = LandedCostForm(request.POST or None, initial={"token": uuid4()}), None
    if moves:
        del form.fields["receipt_type"], form.fields["receipt_id"]
    if request.method == "POST" and form.is_valid():
        form.cleaned_data = {"receipt_type": "", "receipt_id": None, **form.cleaned_data}
        is_preview = "confirmed" not in request.POST
        try:
            landed = form.add(moves, reach(request.principal, ADD), is_preview=is_preview)
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            if not is_preview:
                request.session.pop(chosen, None)
                stock, gone = plain(landed.to_stock), plain(landed.to_sold)
                messages.success(request, f"Added: {stock} to goods in stock, {gone} to the cost of those that are gone.")
                return HttpResponseRedirect(reverse("admin:inventory_value"))
    return answer(site, request, "landed_cost", {
        "title": "Add landed cost", "form": form, "chosen": len(moves), "media": form.media,
        "landed": landed and {
            "spread": [{"sku": one.sku, "amount": plain(one.amount)} for one in landed.spread],
            "to_stock": plain(landed.to_stock), "to_sold": plain(landed.to_sold),
        },
    })
