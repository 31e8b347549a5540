from collections.abc import Callable
from typing import Any

from django.conf import settings

from accounts.queries.rates import minor_unit
from orders.models import Payment
from orders.services.payment_providers.outcomes import Outcome, Status, Unreachable

SECONDS = 20  # for an answer
REFUNDS = 100  # of one payment that are looked through


class Stripe:
    """A payment intent is an authorization; its id is the reference of all that follows.

    It is made without being confirmed, which moves no money, so that its id is known before any does.
    """

    def __init__(self, secret_key: str) -> None:
        import stripe  # noqa: PLC0415  # slow, and needed by few

        self._stripe: Any = stripe
        self._client: Any = stripe.StripeClient(
            secret_key, base_addresses={"api": settings.STRIPE_API}, max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=SECONDS),
        )

    def authorize(self, payment: Payment) -> Outcome:
        return self._told(lambda: self._authorize(payment))

    def capture(self, payment: Payment) -> Outcome:
        return self._told(lambda: self._capture(payment))

    def refund(self, payment: Payment) -> Outcome:
        return self._told(lambda: self._refund(payment))

    def void(self, payment: Payment) -> Outcome:
        return self._told(lambda: self._void(payment))

    def client_secret(self, payment: Payment) -> str:
        """With which the customer's browser finishes the payment. Raises Unreachable."""
        try:
            return str(self._intent(payment).client_secret)
        except self._stripe.StripeError as error:
            raise Unreachable(str(error)) from error

    def is_canceled(self, payment: Payment) -> bool:
        """Whether an authorization ended there, by time or by somebody. Raises Unreachable."""
        try:
            return bool(self._intent(payment).status == "canceled")
        except self._stripe.StripeError as error:
            raise Unreachable(str(error)) from error

    def _told(self, call: Callable[[], Outcome]) -> Outcome:
        stripe = self._stripe
        try:
            return call()
        except stripe.CardError as error:
            return _failed(error.code or "card_declined", error.user_message or str(error))
        except stripe.RateLimitError as error:
            raise Unreachable(str(error)) from error
        except (stripe.InvalidRequestError, stripe.AuthenticationError, stripe.PermissionError, stripe.IdempotencyError) as error:
            return _failed(error.code or "refused_by_provider", error.user_message or str(error))
        except stripe.StripeError as error:
            raise Unreachable(str(error)) from error

    def _authorize(self, payment: Payment) -> Outcome:
        intents = self._client.v1.payment_intents
        if not payment.provider_reference:
            wanted = {
                "amount": _minor(payment), "currency": payment.currency.lower(), "capture_method": "manual",
                "payment_method_types": ["card"], "metadata": {"payment": str(payment.pk), "order": payment.order.number},
            }
            if payment.payment_method:
                wanted["payment_method"] = payment.payment_method
            made = intents.create(wanted, _once(payment, "create"))
            return Outcome(Status.PENDING, made.id, goes_on=True)
        intent = self._intent(payment)
        if intent.status == "requires_confirmation":
            intent = intents.confirm(intent.id, options=_once(payment, "confirm"))
        return _authorized(intent)

    def _capture(self, payment: Payment) -> Outcome:
        intent = self._intent(payment)
        if intent.status == "requires_capture":
            intent = self._client.v1.payment_intents.capture(
                intent.id, {"amount_to_capture": _minor(payment)}, _once(payment, "capture"),
            )
        if intent.status == "processing":
            return Outcome(Status.PENDING)
        if intent.status != "succeeded":
            return _failed("not_authorized", f"The payment is {intent.status} at the provider, and cannot be taken.")
        taken = getattr(intent, "amount_received", None)
        if taken not in (None, _minor(payment)):
            return _failed("captured_elsewhere", f"The provider took {taken} (in minor units): look there.")
        return Outcome(Status.SUCCEEDED, intent.id)

    def _refund(self, payment: Payment) -> Outcome:
        refunds = self._client.v1.refunds
        found = refunds.list({"payment_intent": _intent_id(payment), "limit": REFUNDS})
        own = [one for one in found.data if _payment_in(one) == str(payment.pk)]
        refund = own[0] if own else refunds.create({
            "payment_intent": _intent_id(payment), "amount": _minor(payment),
            "metadata": {"payment": str(payment.pk)},
        }, _once(payment, "refund"))
        if refund.status in ("failed", "canceled"):
            return _failed(getattr(refund, "failure_reason", None) or "refund_failed", "The provider could not give it back.")
        return Outcome(Status.SUCCEEDED if refund.status == "succeeded" else Status.PENDING, refund.id)

    def _void(self, payment: Payment) -> Outcome:
        intent = self._intent(payment)
        if intent.status != "canceled":
            intent = self._client.v1.payment_intents.cancel(intent.id, options=_once(payment, "cancel"))
        return Outcome(Status.SUCCEEDED, intent.id)

    def _intent(self, payment: Payment) -> Any:
        return self._client.v1.payment_intents.retrieve(_intent_id(payment))


def _intent_id(payment: Payment) -> str:
    """A capture has that of its authorization, a refund that of its capture."""
    named = payment.parent if payment.parent is not None else payment
    return str(named.provider_reference)


def _authorized(intent: Any) -> Outcome:
    if intent.status in ("requires_capture", "succeeded"):
        return Outcome(Status.SUCCEEDED, intent.id)
    if intent.status == "processing":
        return Outcome(Status.PENDING, intent.id)
    error = getattr(intent, "last_payment_error", None)
    if intent.status == "canceled" or (intent.status == "requires_payment_method" and error):
        code, words = getattr(error, "code", None), getattr(error, "message", None)
        return _failed(code or intent.status, words or "The payment was canceled at the provider.")
    return Outcome(Status.ACTION_REQUIRED, intent.id)


def _failed(code: str, detail: str) -> Outcome:
    return Outcome(Status.FAILED, code=code[:60], detail=detail[:300])


def _once(payment: Payment, step: str) -> dict[str, str]:
    return {"idempotency_key": f"{payment.pk}-{step}"}


def _minor(payment: Payment) -> int:
    return int(payment.amount / minor_unit(payment.currency))


def _payment_in(refund: Any) -> str:
    return str(getattr(refund.metadata, "payment", "")) if refund.metadata else ""
