"""What is under way for an order that is canceled, or needs it no longer."""

from collections.abc import Sequence

from core.tenancy import active_organization_id
from inventory.services.beside import Beside, send_alone
from orders.events_shipments import ShipmentCancelled
from orders.machines import SHIPMENTS
from orders.models import PickListItem, SalesOrder, SalesOrderItem, Shipment, ShipmentItem, ShipmentParcel
from orders.services.stepping import step, told

UNPICKED = """
    UPDATE orders_picklistitem AS i SET is_open = false
    FROM orders_salesorderitem AS l
    WHERE i.organization_id = %s AND i.is_open AND l.organization_id = %s AND l.id = i.order_item_id AND l.order_id = %s
"""


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


def picks_stop(order: SalesOrder) -> None:
    """Of a locked order: nobody goes round for its goods any more."""
    send_alone([picks_stopped(order)])


def picks_stopped(order: SalesOrder) -> Beside:
    """The same, to go along with another statement."""
    organization = active_organization_id()
    return Beside("unpicked", UNPICKED, [organization, organization, order.pk])


def picks_forget(lines: Sequence[SalesOrderItem]) -> None:
    """Of lines that are about to go."""
    if lines:
        PickListItem.objects.filter(order_item__in=[line.pk for line in lines]).delete()
