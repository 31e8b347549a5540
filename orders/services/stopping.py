"""What is under way for an order that is canceled, or needs it no longer."""

from collections.abc import Sequence

from django.db.models import Sum

from core.errors import Conflict
from core.kept import Beside, Kept, send_alone
from core.tenancy import active_organization_id
from orders.events_shipments import ShipmentCancelled
from orders.machines import SHIPMENTS
from orders.models import (
    Invoice,
    InvoiceItem,
    PickListItem,
    SalesOrder,
    SalesOrderItem,
    Shipment,
    ShipmentItem,
    ShipmentParcel,
)
from orders.services.stepping import step, told

MOST_NAMED = 5

UNPICKED = Kept("unpicked", """
    UPDATE orders_picklistitem AS i SET is_open = false
    FROM orders_salesorderitem AS l
    WHERE i.organization_id = %s::uuid AND i.is_open
        AND l.organization_id = i.organization_id AND l.id = i.order_item_id AND l.order_id = %s::uuid
""")


def shipments_stop(order: SalesOrder, reason: str) -> None:
    """Of a locked order: those that have not left do not leave."""
    for row in Shipment.objects.filter(order=order, status__in=Shipment.OPEN).order_by("pk"):
        _stop(order, row, reason)


def shipments_forget(order: SalesOrder, lines: Sequence[SalesOrderItem]) -> None:
    """Of a locked order's lines that are about to go: what of them is in drafts, or was in what is canceled."""
    unpacked = Shipment.objects.filter(order=order, status__in=[Shipment.Status.DRAFT, Shipment.Status.CANCELLED])
    gone = ShipmentItem.objects.filter(order_item__in=[line.pk for line in lines], shipment__in=unpacked)
    if lines and gone.delete()[0]:
        for row in unpacked.filter(status=Shipment.Status.DRAFT, lines=None).order_by("pk"):
            _stop(order, row, "Nothing is left in it.")


def _stop(order: SalesOrder, row: Shipment, reason: str) -> None:
    step(SHIPMENTS, row, "cancel", note=reason)
    ShipmentParcel.objects.filter(shipment=row).delete()
    told(SHIPMENTS, "cancel", ShipmentCancelled(
        shipment=row.pk, number=row.number, order=order.pk, order_number=order.number or "", warehouse=row.warehouse_id,
        carrier=row.carrier, tracking_number=row.tracking_number, tracking_url=row.tracking_url, reason=reason,
    ), aggregate_id=row.pk)


def invoices_stop(order: SalesOrder) -> None:
    """Of a locked order: drafts go. Raises Conflict where goods are asked for by an invoice that is issued, and not credited."""
    if not Invoice.objects.filter(order=order).exists():
        return
    drafts = Invoice.objects.filter(order=order, kind=Invoice.Kind.INVOICE, status=Invoice.Status.DRAFT)
    items = InvoiceItem.objects.filter(invoice__in=drafts).exclude(order_item=None).order_by()
    drafted = dict(items.values_list("order_item_id").annotate(Sum("quantity")))
    lines = [line for line in order.lines.all() if line.invoiced_quantity]
    if any(line.invoiced_quantity > drafted.get(line.pk, 0) for line in lines):
        issued = Invoice.objects.filter(order=order, kind=Invoice.Kind.INVOICE, status=Invoice.Status.ISSUED).order_by("number")
        numbers = ", ".join(number or "" for number in issued.values_list("number", flat=True)[:MOST_NAMED])
        raise Conflict(
            f"{numbers} asks for goods of {order.number}: credit it and issue the credit note, then cancel.", code="invoiced",
        )
    for line in lines:
        line.invoiced_quantity -= drafted.get(line.pk, 0)
    SalesOrderItem.objects.bulk_update(lines, ["invoiced_quantity"])
    drafts.delete()


def picks_stop(order: SalesOrder) -> None:
    """Of a locked order: nobody goes round for its goods any more."""
    send_alone([picks_stopped(order)])


def picks_stopped(order: SalesOrder) -> Beside:
    """The same, to go along with another statement."""
    return Beside(UNPICKED, [active_organization_id(), order.pk])


def billed_refuse(lines: Sequence[SalesOrderItem]) -> None:
    """Of lines that are to go: what an invoice names stays named, though it was credited. Raises Conflict."""
    items = InvoiceItem.objects.filter(order_item__in=[line.pk for line in lines]).order_by("pk")
    if lines and (named := items.values_list("sku", "invoice__number").first()):
        raise Conflict(
            f"{named[0]} is on the invoice {named[1]}, though it may be credited: its line cannot go. Leave some of it, or cancel"
            " the order.", code="invoiced",
        )


def lines_forget(order: SalesOrder, lines: Sequence[SalesOrderItem]) -> None:
    """Of a locked order: they go, with what was to be picked and sent of them."""
    if lines:
        picks_forget(lines)
        shipments_forget(order, lines)
        order.lines.filter(pk__in=[line.pk for line in lines]).delete()


def picks_forget(lines: Sequence[SalesOrderItem]) -> None:
    """Of lines that are about to go."""
    if lines:
        PickListItem.objects.filter(order_item__in=[line.pk for line in lines]).delete()
