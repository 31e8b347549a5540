"""Who is asked for money. Each verb may be repeated: it looks first at what the provider has, and does what is missing."""

from dataclasses import dataclass
from typing import Protocol

from core.errors import Conflict
from core.sealing import BrokenSeal, unseal
from orders.models import Payment, PaymentAccount, Provider
from orders.services.payment_providers.booked import Booked
from orders.services.payment_providers.outcomes import Outcome
from orders.services.payment_providers.stripe import Stripe


class PaymentProvider(Protocol):
    """Raises Unreachable where nobody knows what became of it."""

    def authorize(self, payment: Payment) -> Outcome: ...
    def capture(self, payment: Payment) -> Outcome: ...
    def refund(self, payment: Payment) -> Outcome: ...
    def void(self, payment: Payment) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Manner:
    """How a provider works."""

    is_asked: bool  # by a job; else it is as somebody says
    captures_once: bool = False  # what a capture leaves of its authorization is let go
    gives_back_itself: bool = False


MANNERS = {
    Provider.MANUAL: Manner(is_asked=False), Provider.CASH_ON_DELIVERY: Manner(is_asked=False),
    Provider.STRIPE: Manner(is_asked=True, captures_once=True, gives_back_itself=True),
}


def manner_of(provider: str) -> Manner:
    return MANNERS[Provider(provider)]


def purpose_of(account: PaymentAccount) -> str:
    return f"payment account {account.pk}"


def provider_of(payment: Payment) -> PaymentProvider:
    """Raises Conflict where its account has no key that can be read."""
    return stripe_of(payment) if manner_of(payment.provider).is_asked else Booked()


def stripe_of(payment: Payment) -> Stripe:
    account: PaymentAccount | None = payment.account
    if account is None or account.secret is None:
        raise Conflict("The payment account has no secret key: give it one.", code="no_payment_account")
    try:
        return Stripe(unseal(bytes(account.secret), purpose=purpose_of(account)).decode())
    except BrokenSeal as error:
        raise Conflict("The key of the payment account cannot be read: give it anew.", code="no_payment_account") from error
