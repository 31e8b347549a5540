"""What payments tell. An event names no person, and nothing of a card."""

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from notifications.event_types import SOME_ID, event_type

PAYMENT = {
    "payment": SOME_ID, "order": SOME_ID, "number": "SO-000042", "parent": None, "kind": "authorization", "provider": "stripe",
    "provider_reference": "pi_3PqXyZ", "amount": 119.0, "currency": "EUR",
}
BELOW = {**PAYMENT, "parent": SOME_ID}


@event_type("payment.authorized", aggregate="payment", example=PAYMENT)
class PaymentAuthorized:
    """The customer's money is promised."""

    payment: UUID
    order: UUID
    number: str
    parent: Annotated[UUID | None, "The payment that it follows."]
    kind: Annotated[str, "authorization, capture, refund or void."]
    provider: str
    provider_reference: str
    amount: Decimal
    currency: str


@event_type("payment.captured", aggregate="payment", example={**BELOW, "kind": "capture"})
class PaymentCaptured:
    """The money was taken, or came by itself."""

    payment: UUID
    order: UUID
    number: str
    parent: Annotated[UUID | None, "The payment that it follows."]
    kind: Annotated[str, "authorization, capture, refund or void."]
    provider: str
    provider_reference: str
    amount: Decimal
    currency: str


@event_type("payment.refunded", aggregate="payment", example={**BELOW, "kind": "refund"})
class PaymentRefunded:
    """Money went back to the customer."""

    payment: UUID
    order: UUID
    number: str
    parent: Annotated[UUID | None, "The payment that it follows."]
    kind: Annotated[str, "authorization, capture, refund or void."]
    provider: str
    provider_reference: str
    amount: Decimal
    currency: str


@event_type("payment.voided", aggregate="payment", example={**BELOW, "kind": "void"})
class PaymentVoided:
    """What was promised, or the rest of it, is let go."""

    payment: UUID
    order: UUID
    number: str
    parent: Annotated[UUID | None, "The payment that it follows."]
    kind: Annotated[str, "authorization, capture, refund or void."]
    provider: str
    provider_reference: str
    amount: Decimal
    currency: str


@event_type("payment.failed", aggregate="payment", example={
    **PAYMENT, "code": "card_declined", "reason": "Your card was declined.",
})  # fmt: skip
class PaymentFailed:
    """The provider refused it, or the customer did not finish it."""

    payment: UUID
    order: UUID
    number: str
    parent: Annotated[UUID | None, "The payment that it follows."]
    kind: Annotated[str, "authorization, capture, refund or void."]
    provider: str
    provider_reference: str
    amount: Decimal
    currency: str
    code: Annotated[str, "The provider's own word."]
    reason: str
