"""The pages on which goods are packed into a parcel or a pallet, unpacked, and moved with it. Their fields take scans."""

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
from django.utils import timezone
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from core.errors import DomainError, Invalid
from core.limits import Holder, reach, refuse_outside
from inventory.models import Location, LogisticUnit
from inventory.queries.barcodes import LONGEST, Match, scan_resolve
from inventory.queries.logistic_units import contents_of
from inventory.services.packing import unit_move, unit_pack, unit_unpack
from inventory.services.posting import Line, LotCode
from inventory.services.stock import Circumstances

MOST_SHOWN = 200
MOVE, PACK_UNIT = "inventory.move_stock", "inventory.pack_logisticunit"


class CodeForm(forms.Form):
    code = forms.CharField(max_length=LONGEST, strip=True, widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}))


class GoodsForm(CodeForm):
    quantity = forms.DecimalField(
        max_digits=19, decimal_places=6, initial=1, widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    )
    lot = forms.CharField(
        required=False, max_length=80, widget=UnfoldAdminTextInputWidget, help_text="Of tracked goods, unless the code says it.",
    )
    field_order = ("code", "lot", "quantity")

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["code"].label, self.fields["code"].help_text = "Goods", "A SKU, or the barcode of the goods or of their lot."


class PlaceForm(CodeForm):
    """The token makes a form that is sent twice count once."""

    note = forms.CharField(required=False, max_length=500, widget=UnfoldAdminTextInputWidget)
    token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"token": uuid4()})
        self.fields["code"].label, self.fields["code"].help_text = "Location", "Its code or barcode."


@dataclass(frozen=True, slots=True)
class Verb:
    """`act` does it, and says what was done."""

    title: str
    form: Callable[..., Any]
    act: Callable[[LogisticUnit, dict[str, Any], Holder], str]
    again: bool = False  # the page stays, for the next scan


def _pack(unit: LogisticUnit, values: dict[str, Any], holder: Holder) -> str:
    line, sku = _line(values, holder)
    unit_pack(unit_id=unit.pk, lines=[line])
    return f"Packed {line.quantity.normalize():f} of {sku} into {unit}."


def _unpack(unit: LogisticUnit, values: dict[str, Any], holder: Holder) -> str:
    line, sku = _line(values, holder)
    unit_unpack(unit_id=unit.pk, lines=[line])
    return f"Took {line.quantity.normalize():f} of {sku} out of {unit}."


def _move(unit: LogisticUnit, values: dict[str, Any], holder: Holder) -> str:
    location = _place(unit, values["code"], holder)
    refuse_outside(Location, [location.pk], reach(holder, MOVE))
    circumstances = Circumstances(note=values["note"], idempotency_key=f"admin:{values['token']}")
    done = unit_move(unit_id=unit.pk, location_id=location.pk, circumstances=circumstances)
    return f"{unit} is at {location}.{''.join(f' But {one.detail}' for one in done.overfull)}"


PACK = Verb("Pack", GoodsForm, _pack, again=True)
UNPACK = Verb("Unpack", GoodsForm, _unpack, again=True)
MOVE_UNIT = Verb("Move", PlaceForm, _move)


def _matches(text: str, holder: Holder) -> list[Match]:
    return scan_resolve(text=text, holder=holder, today=timezone.localdate()).matches


def _line(values: dict[str, Any], holder: Holder) -> tuple[Line, str]:
    """With the SKU. A code of several pieces, such as a box's, stands for as many."""
    found = [match for match in _matches(values["code"], holder) if match.variant]
    variants = {match.variant for match in found}
    if len(variants) != 1:
        raise Invalid(f"{values['code']} is no goods." if not found else f"{values['code']} is several goods: give the SKU.")
    [variant] = variants
    lot: UUID | None = next((match.id for match in found if match.kind == "lot"), None)
    pieces = found[0].quantity or Decimal(1)
    label = LotCode(values["lot"]) if values["lot"] else None
    line = Line(variant, values["quantity"] * pieces, lot_id=None if label else lot, lot=label)  # type: ignore[arg-type]  # has one
    return line, found[0].sku or ""


def _place(unit: LogisticUnit, text: str, holder: Holder) -> Location:
    """Of several with the code, the one in the unit's own warehouse."""
    keys = [match.id for match in _matches(text, holder) if match.kind == "location"]
    found: list[Location] = list(Location.objects.filter(pk__in=keys))
    here = [one for one in found if unit.location and one.warehouse_id == unit.location.warehouse_id]
    if len(here or found) != 1:
        raise Invalid(
            f"{text} is a location of several warehouses: scan its barcode."
            if found else f"{text} is no location.",
        )
    return (here or found)[0]


def unit_page(page: Any, request: Any, unit: LogisticUnit, verb: Verb) -> HttpResponse:
    form = verb.form(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                done = verb.act(unit, form.cleaned_data, request.principal)
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            page.message_user(request, done, messages.SUCCESS)
            there = reverse("admin:inventory_logisticunit_change", args=[unit.pk])
            return HttpResponseRedirect(request.path if verb.again else there)
    contents = contents_of(unit.pk, most=MOST_SHOWN + 1)
    context = {
        **page.admin_site.each_context(request), "title": verb.title, "subtitle": str(unit), "opts": page.opts, "unit": unit,
        "form": form, "contents": contents[:MOST_SHOWN], "more": len(contents) > MOST_SHOWN, "media": page.media + form.media,
    }
    return TemplateResponse(request, "admin/inventory/logisticunit/goods.html", context)
