"""What is under way for an order that is canceled."""

from orders.events_shipments import ShipmentCancelled
from orders.machines import SHIPMENTS
from orders.models import SalesOrder, Shipment, ShipmentParcel
from orders.services.stepping import step, told


def shipments_stop(order: SalesOrder, reason: str) -> None:
    """Of a locked order: those that have not left do not leave."""
    for row in Shipment.objects.filter(order=order, status__in=Shipment.OPEN).order_by("pk"):
        step(SHIPMENTS, row, "cancel", note=reason)
        ShipmentParcel.objects.filter(shipment=row).delete()
        told(SHIPMENTS, "cancel", ShipmentCancelled(
            shipment=row.pk, number=row.number, order=order.pk, order_number=order.number or "", warehouse=row.warehouse_id,
            carrier=row.carrier, tracking_number=row.tracking_number, tracking_url=row.tracking_url, reason=reason,
        ), aggregate_id=row.pk)
