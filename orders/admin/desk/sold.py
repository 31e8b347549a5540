"""A sales order by a scanned paper: what of it was sent and came back, and the key by which goods are taken back."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from core.limits import reach, within
from orders.models import Invoice, SalesOrder, Shipment

LOOK, TAKE_BACK = "orders.view_salesorder", "orders.add_returnauthorization"


def sold_view(
    site: Any, request: Any, *, order: UUID | None = None, shipment: UUID | None = None, invoice: UUID | None = None,
) -> HttpResponse:
    if shipment is not None:
        order = Shipment.objects.filter(pk=shipment).values_list("order", flat=True).first()
    elif invoice is not None:
        order = Invoice.objects.filter(pk=invoice).values_list("order", flat=True).first()
    orders = SalesOrder.objects.filter(within(SalesOrder, reach(request.principal, LOOK)))
    if (found := orders.select_related("customer__party", "warehouse").filter(pk=order).first()) is None:
        raise Http404
    return TemplateResponse(request, "admin/desk/sold.html", {
        **site.each_context(request), "title": "Sales order", "subtitle": found, "order": found,
        "lines": found.lines.order_by("line"), "may_take_back": request.user.has_perm(TAKE_BACK),
    })


def return_view(site: Any, request: Any, *, authorization: UUID) -> HttpResponse:
    """What was asked for beforehand, to be taken in."""
    return HttpResponseRedirect(f"{reverse('admin:take_back')}?{urlencode({'return': authorization})}")
