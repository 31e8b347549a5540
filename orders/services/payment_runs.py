"""Asks the provider. Nothing is locked meanwhile; what it answers is written down afterwards.

Killed anywhere, a run is repeated: the provider is asked first what it has, and each of its calls has a key of its own.
"""

from uuid import UUID

from django.db import connections

from core.errors import Conflict
from core.in_turn import in_turn
from core.tenancy import organization_scope
from notifications.services.jobs import TryAgain
from orders.models import Payment, Provider
from orders.services.payment_providers import provider_of, stripe_of
from orders.services.payment_providers.outcomes import Outcome, Unreachable
from orders.services.payment_settling import payment_lapse, payment_run_enqueue, payment_settle

Kind, Status = Payment.Kind, Payment.Status
STALE = """
    SELECT organization_id, id FROM orders_payment
    WHERE status = 'pending' AND updated_at < now() - interval '15 minutes' AND updated_at > now() - interval '30 days'
    ORDER BY organization_id, id
"""


def payment_run(*, payment_id: UUID) -> str:
    """Returns its status. Raises TryAgain where nobody knows what became of it."""
    payment: Payment = Payment.objects.select_related("order", "account", "parent").get(pk=payment_id)
    if payment.status == Status.FAILED:
        return str(payment.status)
    try:
        if payment.status == Status.SUCCEEDED:
            return _look_again(payment)
        provider = provider_of(payment)
        ask = {
            Kind.AUTHORIZATION: provider.authorize, Kind.CAPTURE: provider.capture, Kind.REFUND: provider.refund,
            Kind.VOID: provider.void,
        }[Kind(payment.kind)]
        outcome = ask(payment)
    except Unreachable as error:
        raise TryAgain(str(error)) from error
    except Conflict as conflict:
        outcome = Outcome(Status.FAILED, code=conflict.code, detail=conflict.detail)
    return str(payment_settle(payment=payment, outcome=outcome).status)


def _look_again(payment: Payment) -> str:
    """At what was promised: it may have ended there."""
    is_promise = payment.kind == Kind.AUTHORIZATION and payment.provider == Provider.STRIPE and not payment.used_amount
    if is_promise and stripe_of(payment).is_canceled(payment):
        payment_lapse(payment=payment, reason="It ended at the provider.")
    return str(payment.status)


def payments_note(*, reference: str) -> None:
    """A provider said that something happened to this: it is asked what."""
    named = Payment.objects.filter(provider_reference=reference).exclude(provider_reference="")
    waiting = Payment.objects.filter(parent__in=named, status=Status.PENDING)
    open_ones = named.exclude(status=Status.FAILED).filter(kind__in=[Kind.AUTHORIZATION, Kind.REFUND])
    for payment in (open_ones | waiting).distinct().order_by("pk"):
        payment_run_enqueue(payment=payment)


def payment_client_secret(*, payment: Payment) -> str:
    """For the browser of the customer, who has to do something. Raises Conflict where that is not so."""
    if payment.status != Status.ACTION_REQUIRED:
        raise Conflict("This payment does not wait for the customer.", code="wrong_status")
    try:
        return stripe_of(payment).client_secret(payment)
    except Unreachable as error:
        raise Conflict("The provider does not answer: try again.", code="provider_unreachable") from error


def payments_resume_everywhere() -> int:
    """Whose job ended without an answer is asked for again."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(STALE)
        rows = cursor.fetchall()
    return in_turn(rows, _resume)


def _resume(row: tuple[UUID, UUID]) -> int:
    organization, payment = row
    with organization_scope(organization):
        payment_run_enqueue(payment=Payment.objects.get(pk=payment))
    return 1
