"""What payments tell. An event names no person, and nothing of a card."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from notifications.event_types import SOME_ID, event_type

PAYMENT = {
    "payment": SOME_ID, "order": SOME_ID, "number": "SO-000042", "parent": None, "kind": "authorization", "provider": "stripe",
    "provider_reference": "pi_3PqXyZ", "amount": 119.0, "currency": "EUR",
}
BELOW = {**PAYMENT, "parent": SOME_ID}


@dataclass(frozen=True, kw_only=True, slots=True)
class PaymentNews:
    payment: UUID
    order: UUID
    number: str
    parent: Annotated[UUID | None, "The payment that it follows."]
    kind: Annotated[str, "authorization, capture, refund or void."]
    provider: str
    provider_reference: str
    amount: Decimal
    currency: str


@event_type("payment.authorized", aggregate="payment", example=PAYMENT)
class PaymentAuthorized(PaymentNews):
    """The customer's money is promised."""


@event_type("payment.captured", aggregate="payment", example={**BELOW, "kind": "capture"})
class PaymentCaptured(PaymentNews):
    """The money was taken, or came by itself."""


@event_type("payment.refunded", aggregate="payment", example={**BELOW, "kind": "refund"})
class PaymentRefunded(PaymentNews):
    """Money went back to the customer."""


@event_type("payment.voided", aggregate="payment", example={**BELOW, "kind": "void"})
class PaymentVoided(PaymentNews):
    """What was promised, or the rest of it, is let go."""


@event_type("payment.failed", aggregate="payment", example={
    **PAYMENT, "code": "card_declined", "reason": "Your card was declined.",
})  # fmt: skip
class PaymentFailed(PaymentNews):
    """The provider refused it, or the customer did not finish it."""

    code: Annotated[str, "The provider's own word."]
    reason: str
