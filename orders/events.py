"""What orders tell. An event names no person: who needs the address asks for the order."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import orders.events_bills
import orders.events_invoices
import orders.events_landed_costs
import orders.events_payments
import orders.events_picking
import orders.events_purchasing
import orders.events_returns
import orders.events_shipments  # noqa: F401  # which declare more of them
from notifications.event_types import SOME_ID, event_type
from notifications.object_events import object_events
from orders.models import Channel, Customer, Promotion, SalesOrder

object_events(Channel, example={"code": "WEB", "name": "Web shop", "currency": "EUR"})
object_events(Customer, example={"code": "C-1001", "status": "active"})
object_events(Promotion, example={
    "name": "Spring sale", "code": "SPRING-10", "effect": "percentage", "percent": 10.0, "amount": None, "buy_quantity": None,
    "free_quantity": None,
})
object_events(
    SalesOrder, name="sales_order", example={"number": "SO-000042", "status": "placed", "total": 119.0},
    named=("email", "shipping_address", "billing_address", "note"),
)

ORDER = {"order": SOME_ID, "number": "SO-000042", "channel": SOME_ID, "customer": SOME_ID, "warehouse": SOME_ID}
LINE = {
    "line": SOME_ID, "variant": SOME_ID, "sku": "BR-1001", "name": "Brake pad set, front", "quantity": 2.0, "unit_price": 50.0,
    "kit": None,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderLine:
    line: UUID
    variant: UUID
    sku: str
    name: str
    quantity: Annotated[Decimal, "In base units, without what was canceled."]
    unit_price: Decimal
    kit: Annotated[UUID | None, "Of a component that costs nothing by itself, the line of the kit that has its price."] = None


@event_type("order.placed", aggregate="sales_order", example={
    **ORDER, "currency": "EUR", "net_total": 100.0, "tax_total": 19.0, "total": 119.0, "lines": [LINE],
})  # fmt: skip
class OrderPlaced:
    """A cart became an order: its goods are reserved, or wait for goods where that is allowed."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID
    currency: str
    net_total: Decimal
    tax_total: Decimal
    total: Annotated[Decimal, "With tax."]
    lines: list[OrderLine]


@event_type("order.changed", aggregate="sales_order", example={
    **ORDER, "changed": ["lines", "shipping_address"], "currency": "EUR", "net_total": 100.0, "tax_total": 19.0, "total": 119.0,
    "lines": [LINE],
})  # fmt: skip
class OrderChanged:
    """It was changed after it was placed: what it is now."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID
    changed: Annotated[list[str], "Names of fields, lines and adjustments."]
    currency: str
    net_total: Decimal
    tax_total: Decimal
    total: Annotated[Decimal, "With tax."]
    lines: list[OrderLine]


@event_type("order.split", aggregate="sales_order", example={
    **ORDER, "into": SOME_ID, "into_number": "SO-000043", "net_total": 100.0, "tax_total": 19.0, "total": 119.0, "lines": [LINE],
})  # fmt: skip
class OrderSplit:
    """Some of it is another order now, which was told as placed: what this one is without it."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID
    into: UUID
    into_number: str
    net_total: Decimal
    tax_total: Decimal
    total: Annotated[Decimal, "With tax."]
    lines: list[OrderLine]


@event_type("order.confirmed", aggregate="sales_order", example=ORDER)
class OrderConfirmed:
    """Somebody looked at it, or paid for it: it is to be fulfilled."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID


@event_type("order.packed", aggregate="sales_order", example=ORDER)
class OrderPacked:
    """Its goods are in parcels, ready for the delivery service."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID


@event_type("order.picking_started", aggregate="sales_order", example=ORDER)
class OrderPickingStarted:
    """Somebody goes round for its goods."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID


@event_type("order.picking_stopped", aggregate="sales_order", example=ORDER)
class OrderPickingStopped:
    """Nobody goes round for its goods any more, and none of them are picked."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID


@event_type("order.unpacked", aggregate="sales_order", example=ORDER)
class OrderUnpacked:
    """Some of its goods are in no parcel any more."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID


@event_type("order.shipped", aggregate="sales_order", example=ORDER)
class OrderShipped:
    """Its goods have left the warehouse."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID


@event_type("order.delivered", aggregate="sales_order", example=ORDER)
class OrderDelivered:
    """The customer has the goods."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID


@event_type("order.completed", aggregate="sales_order", example=ORDER)
class OrderCompleted:
    """Delivered, and nothing is left to do."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID


@event_type("order.held", aggregate="sales_order", example={**ORDER, "reason": "Address is not complete"})
class OrderHeld:
    """Nobody fulfils it until it is released."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID
    reason: str


@event_type("order.released", aggregate="sales_order", example=ORDER)
class OrderReleased:
    """It goes on where it was held, or where it failed."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID


@event_type("order.failed", aggregate="sales_order", example={**ORDER, "code": "warehouse_refused", "reason": "Unknown article"})
class OrderFailed:
    """It cannot go on, and somebody has to look at it."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID
    code: str
    reason: str


@event_type("order.cancelled", aggregate="sales_order", example={**ORDER, "reason": "Ordered twice"})
class OrderCancelled:
    """What was promised to it is free again."""

    order: UUID
    number: Annotated[str | None, "Null for a cart."]
    channel: UUID
    customer: UUID | None
    warehouse: UUID
    reason: str


@event_type("order.stuck", aggregate="sales_order", example={**ORDER, "status": "packed", "since": "2026-11-27T10:00:00Z"})
class OrderStuck:
    """It stands still for longer than its channel allows. It is told once, until it moves and stands still again."""

    order: UUID
    number: str
    channel: UUID
    customer: UUID | None
    warehouse: UUID
    status: str
    since: Annotated[datetime, "Of its last step."]
