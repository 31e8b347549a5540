"""What shipments tell. An event names no person."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from notifications.event_types import SOME_ID, event_type

SHIPMENT = {
    "shipment": SOME_ID, "number": "SH-000042", "order": SOME_ID, "order_number": "SO-000042", "warehouse": SOME_ID,
    "carrier": "DHL", "tracking_number": "JD014600003", "tracking_url": "https://track.example.com/JD014600003",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ShipmentNews:
    shipment: UUID
    number: str
    order: UUID
    order_number: str
    warehouse: UUID
    carrier: Annotated[str, "Empty where it is not known, as the two that follow."]
    tracking_number: str
    tracking_url: str


@event_type("shipment.packed", aggregate="shipment", example=SHIPMENT)
class ShipmentPacked(ShipmentNews):
    """Its goods are in parcels."""


@event_type("shipment.reopened", aggregate="shipment", example=SHIPMENT)
class ShipmentReopened(ShipmentNews):
    """It is not packed after all."""


@event_type("shipment.handed_over", aggregate="shipment", example=SHIPMENT)
class ShipmentHandedOver(ShipmentNews):
    """The carrier has it: its goods left the stock."""


@event_type("shipment.in_transit", aggregate="shipment", example=SHIPMENT)
class ShipmentInTransit(ShipmentNews):
    """The carrier says that it is on its way."""


@event_type("shipment.delivered", aggregate="shipment", example=SHIPMENT)
class ShipmentDelivered(ShipmentNews):
    """The customer has it."""


@event_type("shipment.failed", aggregate="shipment", example={**SHIPMENT, "reason": "Nobody at home"})
class ShipmentFailed(ShipmentNews):
    """The carrier could not deliver it."""

    reason: str


@event_type("shipment.returned", aggregate="shipment", example={**SHIPMENT, "reason": "Address unknown"})
class ShipmentReturned(ShipmentNews):
    """It came back to the warehouse; a return takes its goods in."""

    reason: str


@event_type("shipment.cancelled", aggregate="shipment", example={**SHIPMENT, "reason": "Packed twice"})
class ShipmentCancelled(ShipmentNews):
    """It does not leave; its goods stay reserved for the order."""

    reason: str
