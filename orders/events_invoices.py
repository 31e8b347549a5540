"""What invoices and credit notes tell."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from notifications.event_types import SOME_ID, event_type


@event_type("invoice.issued", aggregate="invoice", example={
    "invoice": SOME_ID, "number": "INV-000007", "kind": "invoice", "order": SOME_ID, "order_number": "SO-000042",
    "customer": SOME_ID, "corrects": None, "currency": "EUR", "net_total": 100.0, "tax_total": 19.0, "total": 119.0,
    "issued_on": "2026-11-27", "due_on": "2026-12-27",
})  # fmt: skip
class InvoiceIssued:
    """An invoice, or a credit note, has its number and stays as it is; its paper and its XML may be fetched."""

    invoice: UUID
    number: str
    kind: Annotated[str, "invoice or credit_note."]
    order: UUID
    order_number: str
    customer: UUID | None
    corrects: Annotated[UUID | None, "The invoice that a credit note is about."]
    currency: str
    net_total: Decimal
    tax_total: Decimal
    total: Annotated[Decimal, "With tax."]
    issued_on: date
    due_on: date | None
