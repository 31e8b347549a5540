"""The pages on which goods of a purchase order are received or sent back, and on which somebody says why."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.errors import DomainError
from inventory.models import Location
from inventory.services.posting import LotCode
from orders.models import PurchaseOrder, PurchaseOrderItem
from orders.queries.purchase_papers import address_to_mail
from orders.services.purchase_expected import open_quantity
from orders.services.purchase_goods import (
    Delivery,
    Done,
    Part,
    purchase_order_receive,
    purchase_order_send_back,
)
from orders.services.purchase_states import (
    BY_MAIL,
    BY_OTHER,
    purchase_order_cancel,
    purchase_order_reject,
    purchase_order_revise,
    purchase_order_send,
)

RECEIVE, SEND_BACK = "Receive", "Send back"
REVISE, CANCEL = "Revise", "Cancel"


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget, help_text="Who asked will read it.")

    def act(self, order: PurchaseOrder) -> str:
        purchase_order_reject(order=order, reason=self.cleaned_data["reason"])
        return f"Purchase order {order.number} is a draft again."


class SendForm(forms.Form):
    """By mail where somebody at the supplier has an address."""

    by = forms.ChoiceField(widget=UnfoldAdminSelectWidget, label="How the supplier gets it")

    def __init__(self, order: PurchaseOrder, data: Any = None) -> None:
        super().__init__(data)
        address, by = address_to_mail(order.supplier), self.fields["by"]
        mailed = [(BY_MAIL, f"By mail to {address}, with the PDF")] if address else []
        by.choices = [*mailed, (BY_OTHER, "I tell them myself")]  # type: ignore[attr-defined]  # a choice has them
        by.help_text = "It waits for goods then, and an event tells of it." if address else (
            f"Nobody at {order.supplier} has an e-mail address: give its party a contact with one to have it mailed."
        )

    def act(self, order: PurchaseOrder) -> str:
        purchase_order_send(order=order, by=self.cleaned_data["by"])
        return f"Purchase order {order.number} is sent."


class WithdrawForm(forms.Form):
    """A supplier who was sent the order is told: as it was sent, unless somebody says otherwise."""

    reason = forms.CharField(required=False, max_length=500, widget=UnfoldAdminTextInputWidget, help_text="Its timeline says it.")

    def __init__(self, verb: str, order: PurchaseOrder, data: Any = None) -> None:
        super().__init__(data)
        self.verb = verb
        if not (order.sent_by and (verb == CANCEL or order.status == PurchaseOrder.Status.SENT)):
            return
        address = address_to_mail(order.supplier)
        mailed = [(BY_MAIL, f"By mail to {address}")] if address else []
        self.fields["by"] = forms.ChoiceField(
            choices=[*mailed, (BY_OTHER, "I tell them myself")], initial=order.sent_by, widget=UnfoldAdminSelectWidget,
            label="How the supplier hears of it",
        )

    def act(self, order: PurchaseOrder) -> str:
        act, said = WITHDRAW[self.verb]
        act(order=order, reason=self.cleaned_data["reason"], by=self.cleaned_data.get("by", ""))
        return f"Purchase order {order.number} {said}."


WITHDRAW = {
    REVISE: (purchase_order_revise, "is a draft again: submit and send it anew"),
    CANCEL: (purchase_order_cancel, "is canceled, and its reorder tasks are open again"),
}


class GoodsForm(forms.Form):
    """A row for each line. The token makes a form that is sent twice count once."""

    location = forms.ModelChoiceField(Location.objects.none(), required=False, widget=UnfoldAdminSelectWidget)
    delivery_note = forms.CharField(required=False, max_length=80, widget=UnfoldAdminTextInputWidget)
    note = forms.CharField(required=False, max_length=500, widget=UnfoldAdminTextInputWidget)
    token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, verb: str, order: PurchaseOrder, data: Any = None) -> None:
        super().__init__(data, initial={"token": uuid4()})
        self.verb, self.comes = verb, verb == RECEIVE
        places: Any = self.fields["location"]
        places.queryset = Location.objects.filter(warehouse=order.warehouse_id).exclude(kind="transit").order_by("code")
        if self.comes:
            places.empty_label = "Where the warehouse receives goods"
        places.required = not self.comes
        lines = order.lines.select_related("variant__product").order_by("line")
        self.rows = [(line, self._left(line)) for line in lines if self.comes or self._left(line)]
        for line, left in self.rows:
            self._add(line, left)

    def _left(self, line: PurchaseOrderItem) -> Decimal:
        return open_quantity(line) if self.comes else line.received_quantity - line.returned_quantity

    def _add(self, line: PurchaseOrderItem, left: Decimal) -> None:
        def number(name: str, label: str, initial: str = "") -> None:
            self.fields[f"{name}-{line.line}"] = forms.DecimalField(
                required=False, min_value=0, max_digits=19, decimal_places=6, initial=initial,
                widget=UnfoldAdminDecimalFieldWidget(attrs={"aria-label": f"{label} of line {line.line}", "step": "any"}),
            )

        def words(name: str, label: str, longest: int) -> None:
            widget = UnfoldAdminTextInputWidget(attrs={"aria-label": f"{label} of line {line.line}"})
            self.fields[f"{name}-{line.line}"] = forms.CharField(required=False, max_length=longest, widget=widget)

        number("quantity", self.verb, f"{left.normalize():f}" if self.comes and left else "")
        if line.variant.product.tracking != "none":
            words("lot", "Lot", 80)
        if self.comes:
            number("rejected", "Rejected")
            words("because", "Why rejected", 200)

    @property
    def shared(self) -> list[Any]:
        return [self["location"], self["delivery_note"], self["note"]]

    @property
    def table(self) -> list[dict[str, Any]]:
        return [
            {
                "line": line, "left": f"{left.normalize():f}",
                **{name: self[f"{name}-{line.line}"] for name in ("quantity", "lot", "rejected", "because")
                   if f"{name}-{line.line}" in self.fields},
            }
            for line, left in self.rows
        ]

    def act(self, order: PurchaseOrder) -> Done:
        """Raises DomainError."""
        values = self.cleaned_data
        delivery = Delivery(values["delivery_note"], values["note"], idempotency_key=f"admin:{values['token']}")
        parts = [part for line, _ in self.rows if (part := self._part(line)).quantity or part.rejected_quantity]
        if not self.comes:
            return purchase_order_send_back(order=order, parts=parts, delivery=delivery)
        return purchase_order_receive(order=order, parts=parts, location=values["location"], delivery=delivery)

    def _part(self, line: PurchaseOrderItem) -> Part:
        said = {name: self.cleaned_data.get(f"{name}-{line.line}") for name in ("quantity", "lot", "rejected", "because")}
        place = self.cleaned_data["location"]
        return Part(
            line.pk, said["quantity"] or Decimal(0), None if self.comes or place is None else place.pk,
            lot=LotCode(said["lot"]) if said["lot"] else None, rejected_quantity=said["rejected"] or Decimal(0),
            rejected_because=said["because"] or "",
        )


def goods_page(page: Any, request: HttpRequest, order: PurchaseOrder, verb: str) -> HttpResponse:
    form = GoodsForm(verb, order, request.POST or None)
    if request.method == "POST" and form.is_valid() and (done := _tried(form, order)):
        page.message_user(request, f"{done.receipt.number} is booked, for {order.number}.", messages.SUCCESS)
        for one in done.overfull:
            page.message_user(request, one.detail, messages.WARNING)
        return _back(order)
    return _shown(page, request, order, form, verb)


def reject_page(page: Any, request: HttpRequest, order: PurchaseOrder) -> HttpResponse:
    return _verb_page(page, request, order, ReasonForm(request.POST or None), "Reject")


def send_page(page: Any, request: HttpRequest, order: PurchaseOrder) -> HttpResponse:
    return _verb_page(page, request, order, SendForm(order, request.POST or None), "Send")


def withdraw_page(page: Any, request: HttpRequest, order: PurchaseOrder, verb: str) -> HttpResponse:
    return _verb_page(page, request, order, WithdrawForm(verb, order, request.POST or None), verb)


def _verb_page(page: Any, request: HttpRequest, order: PurchaseOrder, form: Any, title: str) -> HttpResponse:
    if request.method == "POST" and form.is_valid() and (done := _tried(form, order)):
        page.message_user(request, done, messages.SUCCESS)
        return _back(order)
    return _shown(page, request, order, form, title)


def _tried(form: Any, order: PurchaseOrder) -> Any:
    try:
        with transaction.atomic():
            return form.act(order)
    except DomainError as error:
        form.add_error(None, error.detail)
        return None


def _back(order: PurchaseOrder) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:orders_purchaseorder_change", args=[order.pk]))


def _shown(page: Any, request: HttpRequest, order: PurchaseOrder, form: Any, title: str) -> HttpResponse:
    return TemplateResponse(request, "admin/orders/purchaseorder/verb.html", {
        **page.admin_site.each_context(request), "title": title, "subtitle": str(order), "opts": page.opts, "order": order,
        "form": form, "shared": getattr(form, "shared", form), "media": page.media + form.media,
    })
