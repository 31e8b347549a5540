"""What purchase orders tell. An event names no person."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from notifications.event_types import SOME_ID, event_type
from notifications.object_events import object_events
from orders.models import PurchaseOrder

object_events(PurchaseOrder, name="purchase_order", example={"number": "PO-000042", "status": "sent", "total": 1190.0})

ORDER = {"order": SOME_ID, "number": "PO-000042", "supplier": SOME_ID, "warehouse": SOME_ID}
MONEY = {"currency": "EUR", "net_total": 1000.0}
LINE = {
    "line": SOME_ID, "variant": SOME_ID, "sku": "BR-1001", "supplier_sku": "88-4711", "quantity": 20.0, "unit_price": 50.0,
    "discount_percent": 0.0,
}
COME = {"line": SOME_ID, "variant": SOME_ID, "sku": "BR-1001", "quantity": 12.0, "rejected": 1.0}
Told = Annotated[str, "How the supplier is told: `mail`, from here; `other`, by somebody else. Empty: they do not have it."]
GOODS = {**ORDER, "receipt": SOME_ID, "receipt_number": "GR-000007", "status": "partially_received", "lines": [COME]}


@dataclass(frozen=True, kw_only=True, slots=True)
class PurchaseLine:
    line: UUID
    variant: UUID
    sku: str
    supplier_sku: Annotated[str, "Empty where the supplier's own number is not known."]
    quantity: Annotated[Decimal, "In base units."]
    unit_price: Annotated[Decimal, "Of one base unit, without tax and before the discount."]
    discount_percent: Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class GoodsLine:
    line: Annotated[UUID, "Of the purchase order."]
    variant: UUID
    sku: str
    quantity: Annotated[Decimal, "What was taken in, or went back."]
    rejected: Annotated[Decimal, "What came and was not taken in."]


@event_type("purchase_order.submitted", aggregate="purchase_order", example={**ORDER, **MONEY, "status": "pending_approval"})
class PurchaseOrderSubmitted:
    """A draft is finished: it waits for approval, or is approved at once where it is under the organization's limit."""

    order: UUID
    number: str
    supplier: UUID
    warehouse: UUID
    currency: str
    net_total: Decimal
    status: str


@event_type("purchase_order.approved", aggregate="purchase_order", example={**ORDER, **MONEY, "note": ""})
class PurchaseOrderApproved:
    """Somebody else has looked at it, and it may be sent."""

    order: UUID
    number: str
    supplier: UUID
    warehouse: UUID
    currency: str
    net_total: Decimal
    note: str


@event_type("purchase_order.rejected", aggregate="purchase_order", example={**ORDER, "reason": "There are enough of them"})
class PurchaseOrderRejected:
    """Somebody was against it: it is a draft again."""

    order: UUID
    number: str
    supplier: UUID
    warehouse: UUID
    reason: str


@event_type("purchase_order.revised", aggregate="purchase_order", example={
    **ORDER, "revision": 1, "was": "sent", "by": "mail",
})  # fmt: skip
class PurchaseOrderRevised:
    """It is a draft again, to be changed. What was sent to the supplier counts no longer."""

    order: UUID
    number: str
    supplier: UUID
    warehouse: UUID
    revision: int
    was: Annotated[str, "The status before."]
    by: Told


@event_type("purchase_order.sent", aggregate="purchase_order", example={
    **ORDER, **MONEY, "revision": 0, "expected_on": "2026-12-03", "by": "mail", "lines": [LINE],
})  # fmt: skip
class PurchaseOrderSent:
    """The supplier is to have it, in this revision: a program that speaks with them passes it on."""

    order: UUID
    number: str
    supplier: UUID
    warehouse: UUID
    currency: str
    net_total: Decimal
    revision: int
    expected_on: date | None
    by: Annotated[str, "`mail`: they get it by mail, from here; `other`: somebody, or another program, tells them."]
    lines: list[PurchaseLine]


@event_type("purchase_order.received", aggregate="purchase_order", example=GOODS)
class PurchaseOrderReceived:
    """Goods of it came in, all or some."""

    order: UUID
    number: str
    supplier: UUID
    warehouse: UUID
    receipt: UUID
    receipt_number: str
    status: str
    lines: list[GoodsLine]


@event_type("purchase_order.returned", aggregate="purchase_order", example=GOODS)
class PurchaseOrderReturned:
    """Goods of it went back to the supplier."""

    order: UUID
    number: str
    supplier: UUID
    warehouse: UUID
    receipt: UUID
    receipt_number: str
    status: str
    lines: list[GoodsLine]


@event_type("purchase_order.billed", aggregate="purchase_order", example={**ORDER, **MONEY})
class PurchaseOrderBilled:
    """All that was ordered came, and all that came and stayed is on approved bills."""

    order: UUID
    number: str
    supplier: UUID
    warehouse: UUID
    currency: str
    net_total: Annotated[Decimal, "Of the order, without tax."]


@event_type("purchase_order.unbilled", aggregate="purchase_order", example=ORDER)
class PurchaseOrderUnbilled:
    """A bill was voided: something that came is to be billed again."""

    order: UUID
    number: str
    supplier: UUID
    warehouse: UUID


@event_type("purchase_order.closed", aggregate="purchase_order", example={**ORDER, "reason": "The rest is sold out"})
class PurchaseOrderClosed:
    """Nothing more of it is waited for."""

    order: UUID
    number: str
    supplier: UUID
    warehouse: UUID
    reason: str


@event_type("purchase_order.cancelled", aggregate="purchase_order", example={
    **ORDER, "reason": "Ordered twice", "by": "mail",
})  # fmt: skip
class PurchaseOrderCancelled:
    """It will not be bought. The reorder tasks on it are open again."""

    order: UUID
    number: str
    supplier: UUID
    warehouse: UUID
    reason: str
    by: Told
