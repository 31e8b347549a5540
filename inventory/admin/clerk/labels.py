"""Labels of what is on the card, or of a logistic unit: paper and copies are asked for, then the PDF is shown."""

from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from unfold.widgets import UnfoldAdminTextInputWidget

from core.errors import Invalid
from core.limits import reach, within
from inventory.admin.clerk.pages import SEE, key_or_none, text_of, whole
from inventory.admin.labels import LabelsForm
from inventory.models import Location, ProductBarcode, ProductVariant, StockItem
from inventory.queries.labels import Wanted, labels_of, labels_pdf


class UnitForm(LabelsForm):
    sscc = forms.RegexField(
        r"\d{18}", label="SSCC", widget=UnfoldAdminTextInputWidget, help_text="Eighteen digits, with the check digit.",
        error_messages={"invalid": "An SSCC has 18 digits."},
    )

    field_order = ("sscc",)


def labels_view(site: Any, request: Any) -> HttpResponse:
    about, said = _about(request)
    form_class = LabelsForm if about else UnitForm
    form = form_class(request.POST or None, initial={} if about else {"sscc": text_of(request.GET, "sscc")})
    if form.is_bound and form.is_valid():
        chosen = form.cleaned_data
        more = about or {"sscc": chosen["sscc"]}
        try:
            wanted = Wanted(**more, copies=chosen["copies"], symbol=chosen["symbol"])
            pdf = labels_pdf(labels_of([wanted], request.principal), layout=chosen["layout"], skip=chosen["skip"])
        except Invalid as error:
            form.add_error(None, error.detail)
        else:
            disposition = {"Content-Disposition": 'inline; filename="labels.pdf"'}
            return HttpResponse(pdf, content_type="application/pdf", headers=disposition)
    return whole(site, request, "labels", title="Print labels", subtitle=said, said=said, form=form)


def _about(request: Any) -> tuple[dict[str, Any], str]:
    """Of the stock that was chosen with its lot, where the variant has a number that such a symbol begins with."""
    if key := key_or_none(request.GET, "location"):
        location = Location.objects.filter(within(Location, reach(request.principal, "inventory.view_location")), pk=key).first()
        return {"location": _there(location).pk}, f"Location {location}"
    if not (key := key_or_none(request.GET, "variant")):
        return {}, "A logistic unit"
    variant = _there(ProductVariant.objects.filter(pk=key).first())
    seen = StockItem.objects.filter(within(StockItem, reach(request.principal, SEE)), variant=variant)
    item = seen.select_related("lot", "variant__product").filter(pk=key_or_none(request.GET, "item")).first()
    if not (item and item.lot and ProductBarcode.objects.filter(variant=variant, gtin__isnull=False).exists()):
        return {"variant": variant.pk}, str(variant)
    is_serial = item.variant.product.tracking == "serial"
    lot = {"serial" if is_serial else "lot": item.lot.code, "expires_on": item.lot.expires_on}
    return {"variant": variant.pk, **lot}, f"{variant}, {'serial number' if is_serial else 'lot'} {item.lot}"


def _there(row: Any) -> Any:
    if row is None:
        raise Http404
    return row
