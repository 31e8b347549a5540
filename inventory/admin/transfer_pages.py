"""The pages on which a transfer order's goods are shipped, received, taken back or written off: what is left stands there."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.errors import DomainError
from inventory.models import Location, Lot, ReasonCode, TransferOrder, TransferOrderLine
from inventory.queries.transfers import in_transit
from inventory.services.stock import Circumstances
from inventory.services.transfer_moves import (
    Part,
    transfer_order_close,
    transfer_order_receive,
    transfer_order_ship,
    transfer_order_take_back,
)
from inventory.services.transfer_states import to_ship


@dataclass(frozen=True, slots=True)
class Verb:
    title: str
    done: str
    act: Callable[..., TransferOrder]
    to: str  # the end that the goods come to, if one can say where


SHIP = Verb("Ship", "shipped", transfer_order_ship, "")
RECEIVE = Verb("Receive", "received", transfer_order_receive, "destination")
TAKE_BACK = Verb("Take back", "taken back", transfer_order_take_back, "source")


class GoingForm(forms.Form):
    """The token makes a form that is sent twice count once."""

    note = forms.CharField(required=False, max_length=500, widget=UnfoldAdminTextInputWidget)
    token = forms.UUIDField(widget=forms.HiddenInput)


class MovingForm(GoingForm):
    """A quantity for each line, or each of its lots in transit."""

    def __init__(self, verb: Verb, order: TransferOrder, data: Any = None) -> None:
        super().__init__(data, initial={"token": uuid4()})
        self.verb, self.order = verb, order
        self.rows = _rows(verb, order)
        for key, line, _, left in self.rows:
            self.fields[key] = forms.DecimalField(
                required=False, min_value=0, max_digits=19, decimal_places=6, initial=f"{left.normalize():f}",
                widget=UnfoldAdminDecimalFieldWidget(attrs={"aria-label": f"{verb.title} of line {line.line}", "step": "any"}),
            )
        if verb.to:
            places = Location.objects.filter(warehouse_id=getattr(order, f"{verb.to}_id")).order_by("code")
            self.fields["location"] = forms.ModelChoiceField(
                places, required=False, initial=order.to_location_id if verb is RECEIVE else None,
                empty_label="Where the warehouse receives goods", widget=UnfoldAdminSelectWidget,
            )
            self.order_fields(["location", "note", "token"])

    @property
    def shared(self) -> list[Any]:
        return [self[name] for name in ("location", "note") if name in self.fields]

    @property
    def table(self) -> list[dict[str, Any]]:
        codes = dict(Lot.objects.filter(pk__in=[lot for _, _, lot, _ in self.rows if lot]).values_list("pk", "code"))
        return [
            {"line": line, "lot": codes.get(lot_id, ""), "left": f"{left.normalize():f}", "field": self[key]}
            for key, line, lot_id, left in self.rows
        ]

    def act(self) -> TransferOrder:
        """Raises DomainError."""
        values = self.cleaned_data
        parts = [Part(line.pk, values[key], lot_id) for key, line, lot_id, _ in self.rows if values[key]]
        place = {"location": values["location"]} if self.verb.to else {}
        return self.verb.act(order=self.order, lines=parts, circumstances=_circumstances(values), **place)


def _rows(verb: Verb, order: TransferOrder) -> list[tuple[str, TransferOrderLine, UUID | None, Decimal]]:
    lines = {line.pk: line for line in order.lines.select_related("variant", "lot").order_by("line")}
    if verb is SHIP:
        return [(f"line-{line.line}", line, None, to_ship(line)) for line in lines.values() if to_ship(line)]
    return [
        (f"line-{lines[one.line_id].line}-{number}", lines[one.line_id], one.lot_id, one.quantity)
        for number, one in enumerate(sorted(in_transit(order), key=lambda one: lines[one.line_id].line))
    ]


class ClosingForm(GoingForm):
    reason = forms.ModelChoiceField(ReasonCode.objects.none(), required=False, widget=UnfoldAdminSelectWidget)
    field_order = ("reason", "note", "token")

    def __init__(self, order: TransferOrder, data: Any = None) -> None:
        super().__init__(data, initial={"token": uuid4()})
        self.order = order
        self.fields["reason"].queryset = ReasonCode.objects.filter(kind=ReasonCode.Kind.ADJUSTMENT).order_by("code")  # type: ignore[attr-defined]
        self.shared = [self["reason"], self["note"]]
        self.table = MovingForm(RECEIVE, order).table

    def act(self) -> TransferOrder:
        values = self.cleaned_data
        reason_id = values["reason"].pk if values["reason"] else None
        return transfer_order_close(order=self.order, circumstances=_circumstances(values, reason_id=reason_id))


def _circumstances(values: dict[str, Any], **others: Any) -> Circumstances:
    return Circumstances(note=values["note"], idempotency_key=f"admin:{values['token']}", **others)


def moving_page(page: Any, request: Any, order: TransferOrder, verb: Verb) -> HttpResponse:
    return _page(page, request, MovingForm(verb, order, request.POST or None), verb.title, verb.done)


def closing_page(page: Any, request: Any, order: TransferOrder) -> HttpResponse:
    return _page(page, request, ClosingForm(order, request.POST or None), "Close", "closed")


def _page(page: Any, request: Any, form: Any, title: str, done: str) -> HttpResponse:
    order = form.order
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                acted = form.act()
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            page.message_user(request, f"Transfer order {order.number}: goods {done}.", messages.SUCCESS)
            for one in acted.overfull:
                page.message_user(request, one.detail, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:inventory_transferorder_change", args=[order.pk]))
    context = {
        **page.admin_site.each_context(request), "title": title, "subtitle": str(order), "opts": page.opts, "order": order,
        "form": form, "closes": isinstance(form, ClosingForm), "media": page.media + form.media,
    }
    return TemplateResponse(request, "admin/inventory/transferorder/goods.html", context)
