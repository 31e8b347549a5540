from orders import events_shipments as events
from orders.machines.declaring import Machine, Transition
from orders.machines.sales import FULFIL
from orders.models import Shipment

S = Shipment.Status
CARRIED = (S.HANDED_OVER, S.IN_TRANSIT)

SHIPMENTS = Machine(Shipment, [
    Transition("pack", (S.DRAFT,), S.PACKED, FULFIL, events.ShipmentPacked),
    Transition("reopen", (S.PACKED,), S.DRAFT, FULFIL, events.ShipmentReopened),
    Transition("hand_over", (S.PACKED,), S.HANDED_OVER, FULFIL, events.ShipmentHandedOver),
    Transition("in_transit", (S.HANDED_OVER, S.FAILED), S.IN_TRANSIT, FULFIL, events.ShipmentInTransit),
    Transition("deliver", (*CARRIED, S.FAILED), S.DELIVERED, FULFIL, events.ShipmentDelivered),
    Transition("fail", CARRIED, S.FAILED, FULFIL, events.ShipmentFailed),
    Transition("come_back", (*CARRIED, S.FAILED), S.RETURNED, FULFIL, events.ShipmentReturned),
    Transition("cancel", Shipment.OPEN, S.CANCELLED, FULFIL, events.ShipmentCancelled),
])
