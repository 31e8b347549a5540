from django.utils import timezone

from orders import events
from orders.machines.declaring import Machine, Transition
from orders.machines.guards import may_be_cancelled, may_be_placed
from orders.models import SalesOrder

S = SalesOrder.Status
FULFIL, HOLD = "orders.fulfil_salesorder", "orders.hold_salesorder"
WAITING, UNDER_WAY = SalesOrder.WAITING, SalesOrder.UNDER_WAY

SALES_ORDERS = Machine(SalesOrder, [
    Transition(
        "place", (S.DRAFT,), S.PLACED, "orders.place_salesorder", events.OrderPlaced, guard=may_be_placed,
        guarded_by="customer not blocked, channel active",
    ),
    Transition("confirm", (S.PLACED,), S.CONFIRMED, "orders.place_salesorder", events.OrderConfirmed),
    Transition("split", WAITING, S.PLACED, "orders.place_salesorder", events.OrderSplit, besides=(S.CONFIRMED,), stays=True),
    Transition("start_picking", WAITING, S.PICKING, FULFIL, events.OrderPickingStarted, follows=True),
    Transition("stop_picking", (S.PICKING,), S.CONFIRMED, FULFIL, events.OrderPickingStopped, follows=True),
    Transition("pack", UNDER_WAY, S.PACKED, FULFIL, events.OrderPacked),
    Transition("unpack", (S.PACKED,), S.CONFIRMED, FULFIL, events.OrderUnpacked, besides=(S.PICKING,), follows=True),
    Transition("ship", (S.PACKED,), S.SHIPPED, FULFIL, events.OrderShipped),
    Transition("need_no_more", UNDER_WAY, S.SHIPPED, FULFIL, events.OrderShipped, follows=True),
    Transition("deliver", (S.PACKED, S.SHIPPED), S.DELIVERED, FULFIL, events.OrderDelivered),
    Transition("complete", (S.DELIVERED,), S.COMPLETED, FULFIL, events.OrderCompleted),
    Transition("hold", UNDER_WAY, S.ON_HOLD, HOLD, events.OrderHeld),
    Transition("release", (S.ON_HOLD, S.ERROR), S.PLACED, HOLD, events.OrderReleased,
               besides=(S.CONFIRMED, S.PICKING, S.PACKED, S.SHIPPED)),
    Transition("fail", (*UNDER_WAY, S.PACKED, S.SHIPPED), S.ERROR, FULFIL, events.OrderFailed),
    Transition(
        "cancel", (S.DRAFT, *UNDER_WAY, S.ON_HOLD, S.ERROR), S.CANCELLED, "orders.cancel_salesorder", events.OrderCancelled,
        guard=may_be_cancelled, guarded_by="no goods have left",
    ),
], marks=lambda: {"moved_at": timezone.now(), "stuck_at": None})
