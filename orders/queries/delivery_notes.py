"""Delivery notes on paper."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Sum
from django.db.models.functions import Coalesce

from accounts.models import Organization
from core.errors import Conflict
from core.limits import Holder
from core.tenancy import active_organization_id
from inventory.labels.layouts import DEFAULT
from inventory.queries.labels import Wanted, labels_of, labels_pdf
from orders.models import Shipment
from orders.queries.papers import number, paper, rows, text

WIDTHS = (14, 40, 74, 34, 20)  # mm
HEAD = ("Line", "Article", "Name", "Lot", "Quantity")


def delivery_note_pdf(shipment: Shipment) -> bytes:
    """What is in the shipment, for whom, and what of the order is still to come."""
    pdf, family = paper()
    order = shipment.order
    _head(pdf, family, shipment)
    rows(pdf, family, WIDTHS, HEAD, goods_of(shipment))
    here: dict[UUID, Decimal] = {} if shipment.status in Shipment.LEFT else dict(
        shipment.lines.order_by().values_list("order_item").annotate(Sum("quantity")),
    )
    to_come = [
        ("", line.sku, line.name, "", number(left)) for line in order.lines.filter(sold_by_components=False).order_by("line")
        if (left := line.quantity - line.cancelled_quantity - line.shipped_quantity - here.get(line.pk, Decimal(0))) > 0
    ]
    if to_come:
        text(pdf, family, "Not in this delivery:", 11)
        rows(pdf, family, WIDTHS, HEAD, to_come)
    return bytes(pdf.output())


def goods_of(shipment: Shipment) -> list[tuple[str, ...]]:
    """Components stand below the kit that they are part of."""
    line, kit = "order_item__", "order_item__kit__"
    names = (f"{line}line", f"{line}sku", f"{line}name", "lot__code", f"{kit}line", f"{kit}sku", f"{kit}name")
    found = shipment.lines.order_by(Coalesce(f"{kit}line", f"{line}line"), f"{line}line", "lot__code")
    goods: list[tuple[str, ...]] = []
    above: str | None = None
    for place, sku, name, lot, kit_line, kit_sku, kit_name, whole in found.values_list(*names).annotate(whole=Sum("quantity")):
        if kit_line is not None and kit_line != above:
            goods.append((str(kit_line), kit_sku, kit_name, "", ""))
        above = kit_line
        goods.append((str(place) if kit_line is None else "", sku, name, lot or "", number(whole)))
    return goods


def parcel_labels_pdf(shipment: Shipment, holder: Holder) -> bytes:
    """A label for each parcel. Raises Conflict where it has none."""
    codes = list(shipment.parcels.order_by("pk").values_list("unit__sscc", flat=True))
    if not codes:
        raise Conflict(f"{shipment.number} has no parcels: name them as it is packed.", code="no_parcels")
    return labels_pdf(labels_of([Wanted(sscc=code) for code in codes], holder), layout=DEFAULT)


def _head(pdf: Any, family: str, shipment: Shipment) -> None:
    order = shipment.order
    address = order.shipping_address
    town = f"{address.get('postal_code', '')} {address.get('city', '')}".strip()
    text(pdf, family, Organization.objects.get(pk=active_organization_id()).name, 11)
    text(pdf, family, f"Delivery note {shipment.number}", 18)
    to = [address.get("name"), address.get("street1"), address.get("street2"), town, address.get("country")]
    for line in filter(None, to):
        text(pdf, family, line, 11)
    pdf.ln(3)
    facts = {
        "Order": order.number, "Carrier": shipment.carrier, "Tracking number": shipment.tracking_number,
        "Parcels": ", ".join(shipment.parcels.order_by("pk").values_list("unit__sscc", flat=True)),
        "Handed over": shipment.handed_over_at and shipment.handed_over_at.date().isoformat(),
    }
    for name, value in facts.items():
        if value:
            text(pdf, family, f"{name}: {value}", 10)
    pdf.ln(3)
