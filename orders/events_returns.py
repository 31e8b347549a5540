"""What returns tell. An event names no person."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from notifications.event_types import SOME_ID, event_type

RETURN = {"authorization": SOME_ID, "number": "RMA-000042", "order": SOME_ID, "order_number": "SO-000042", "warehouse": SOME_ID}
LINE = {"line": SOME_ID, "order_line": SOME_ID, "sku": "BR-1001", "quantity": 2.0, "received": 2.0, "disposition": "restock"}
LINES, MONEY = {"lines": [LINE]}, {"currency": "EUR", "refund_amount": 119.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnLine:
    line: UUID
    order_line: UUID
    sku: str
    quantity: Annotated[Decimal, "What was asked to go back."]
    received: Annotated[Decimal, "What came."]
    disposition: Annotated[str, "Empty until it is inspected; else restock, quarantine or scrap."]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnNews:
    authorization: UUID
    number: str
    order: UUID
    order_number: str
    warehouse: UUID


@event_type("return.requested", aggregate="return", example={**RETURN, **LINES})
class ReturnRequested(ReturnNews):
    """Somebody wants to send goods of an order back."""

    lines: list[ReturnLine]


@event_type("return.approved", aggregate="return", example={**RETURN, "is_here": False})
class ReturnApproved(ReturnNews):
    """The customer may send the goods."""

    is_here: Annotated[bool, "Whether somebody has brought them already: then there is nothing to send."]


@event_type("return.rejected", aggregate="return", example={**RETURN, "reason": "Too late"})
class ReturnRejected(ReturnNews):
    """The goods are not taken back."""

    reason: str


@event_type("return.received", aggregate="return", example={**RETURN, **LINES})
class ReturnReceived(ReturnNews):
    """Goods of it came, all or some."""

    lines: list[ReturnLine]


@event_type("return.inspected", aggregate="return", example={**RETURN, **LINES, **MONEY})
class ReturnInspected(ReturnNews):
    """Somebody looked at the goods: where they go, and what the customer gets back."""

    lines: list[ReturnLine]
    currency: str
    refund_amount: Decimal


@event_type("return.refunded", aggregate="return", example={**RETURN, **MONEY, "reference": "Transfer 88-17"})
class ReturnRefunded(ReturnNews):
    """The customer has the money again."""

    currency: str
    refund_amount: Decimal
    reference: str


@event_type("return.replaced", aggregate="return", example={**RETURN, "replacement": SOME_ID})
class ReturnReplaced(ReturnNews):
    """The same goods go out again, at no charge, by an order of their own."""

    replacement: UUID


@event_type("return.closed", aggregate="return", example=RETURN)
class ReturnClosed(ReturnNews):
    """Nothing is left to do."""
