"""What suppliers' bills tell. An event names no person."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from notifications.event_types import SOME_ID, event_type

BILL = {
    "bill": SOME_ID, "supplier_number": "RE-2026-17", "supplier": SOME_ID, "order": SOME_ID, "order_number": "PO-000042",
    "warehouse": SOME_ID,
}
MONEY = {"currency": "EUR", "net_total": 100.0, "total": 119.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class BillNews:
    bill: UUID
    supplier_number: str
    supplier: UUID
    order: UUID
    order_number: str
    warehouse: UUID


@event_type("supplier_bill.submitted", aggregate="supplier_bill", example={**BILL, **MONEY, "status": "in_variance"})
class SupplierBillSubmitted(BillNews):
    """A draft is finished: it is approved at once, or differs from what was ordered and received and waits for approval."""

    currency: str
    net_total: Decimal
    total: Annotated[Decimal, "With tax."]
    status: str


@event_type("supplier_bill.approved", aggregate="supplier_bill", example={**BILL, **MONEY, "due_on": "2026-12-27", "note": ""})
class SupplierBillApproved(BillNews):
    """It may be paid: it is as ordered and received, or somebody else has looked at it."""

    currency: str
    net_total: Decimal
    total: Annotated[Decimal, "With tax."]
    due_on: date | None
    note: str


@event_type("supplier_bill.rejected", aggregate="supplier_bill", example={**BILL, "reason": "We ordered them for less"})
class SupplierBillRejected(BillNews):
    """Somebody was against it: it is a draft again."""

    reason: str


@event_type("supplier_bill.voided", aggregate="supplier_bill", example={**BILL, **MONEY, "reason": "They sent another one"})
class SupplierBillVoided(BillNews):
    """It was approved, and is not to be paid after all: what it said of quantities and prices is taken back."""

    currency: str
    net_total: Decimal
    total: Annotated[Decimal, "With tax."]
    reason: str


@event_type("supplier_bill.cancelled", aggregate="supplier_bill", example={**BILL, "reason": "Sent twice"})
class SupplierBillCancelled(BillNews):
    """It will not be paid. Its number may be entered again."""

    reason: str
