"""Delivery notes on paper. fpdf2 takes a second to import, so it waits for the first note."""

import unicodedata
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Sum

from accounts.models import Organization
from core.errors import Conflict
from core.limits import Holder
from core.tenancy import active_organization_id
from inventory.labels.layouts import DEFAULT
from inventory.queries.labels import Wanted, labels_of, labels_pdf
from orders.models import Shipment

WIDTHS = (14, 40, 74, 34, 20)  # mm
HEAD = ("Line", "Article", "Name", "Lot", "Quantity")


def delivery_note_pdf(shipment: Shipment) -> bytes:
    """What is in the shipment, for whom, and what of the order is still to come."""
    from fpdf import FPDF  # noqa: PLC0415  # 1.2 s, for papers alone

    pdf: Any = FPDF(unit="mm", format="A4")
    family = "paper" if settings.LABEL_FONT else "helvetica"
    if settings.LABEL_FONT:
        pdf.add_font(family, fname=settings.LABEL_FONT)
    pdf.add_page()
    order = shipment.order
    _head(pdf, family, shipment)
    _rows(pdf, family, HEAD, [
        (str(line["order_item__line"] + 1), line["order_item__sku"], line["order_item__name"], line["lot__code"] or "",
         _number(line["whole"]))
        for line in shipment.lines.order_by("order_item__line", "lot__code")
        .values("order_item__line", "order_item__sku", "order_item__name", "lot__code").annotate(whole=Sum("quantity"))
    ])
    here: dict[UUID, Decimal] = {} if shipment.status in Shipment.LEFT else dict(
        shipment.lines.order_by().values_list("order_item").annotate(Sum("quantity")),
    )
    to_come = [
        ("", line.sku, line.name, "", _number(left)) for line in order.lines.order_by("line")
        if (left := line.quantity - line.cancelled_quantity - line.shipped_quantity - here.get(line.pk, Decimal(0))) > 0
    ]
    if to_come:
        _text(pdf, family, "Not in this delivery:", 11)
        _rows(pdf, family, HEAD, to_come)
    return bytes(pdf.output())


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
    _text(pdf, family, Organization.objects.get(pk=active_organization_id()).name, 11)
    _text(pdf, family, f"Delivery note {shipment.number}", 18)
    to = [address.get("name"), address.get("street1"), address.get("street2"), town, address.get("country")]
    for line in filter(None, to):
        _text(pdf, family, line, 11)
    pdf.ln(3)
    facts = {
        "Order": order.number, "Carrier": shipment.carrier, "Tracking number": shipment.tracking_number,
        "Parcels": ", ".join(shipment.parcels.order_by("pk").values_list("unit__sscc", flat=True)),
        "Handed over": shipment.handed_over_at and shipment.handed_over_at.date().isoformat(),
    }
    for name, value in facts.items():
        if value:
            _text(pdf, family, f"{name}: {value}", 10)
    pdf.ln(3)


def _rows(pdf: Any, family: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    pdf.set_font(family, size=9)
    with pdf.table(col_widths=WIDTHS, text_align=("LEFT", "LEFT", "LEFT", "LEFT", "RIGHT"), first_row_as_headings=False) as table:
        for row in (head, *rows):
            cells = table.row()
            for value in row:
                cells.cell(_plain(value))
    pdf.ln(4)


def _text(pdf: Any, family: str, text: str, size: int) -> None:
    pdf.set_font(family, size=size)
    pdf.multi_cell(0, size / 2, _plain(text), new_x="LMARGIN", new_y="NEXT")


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _plain(text: str) -> str:
    """Without a font of one's own, in the letters that the built-in one has."""
    shown = "".join(one for one in unicodedata.normalize("NFC", text) if one.isprintable())
    if settings.LABEL_FONT:
        return shown
    return "".join(
        one if one.encode("latin-1", "ignore") else unicodedata.normalize("NFKD", one)[0] for one in shown
    ).encode("latin-1", "replace").decode("latin-1")
