"""What a payment became is written down, once, and the order follows."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from core.errors import NotFound
from notifications.services.events import publish
from notifications.services.jobs import Order, job_enqueue
from orders.events_payments import (
    PaymentAuthorized,
    PaymentCaptured,
    PaymentFailed,
    PaymentRefunded,
    PaymentVoided,
)
from orders.models import Payment, SalesOrder
from orders.queries.returns import credited_amount
from orders.services.payment_providers import manner_of
from orders.services.payment_providers.outcomes import Outcome

Kind, Status, PaymentStatus, ZERO = Payment.Kind, Payment.Status, SalesOrder.PaymentStatus, Decimal(0)
RUN = "orders.tasks.run_payment"
TELLS = {
    Kind.AUTHORIZATION: PaymentAuthorized, Kind.CAPTURE: PaymentCaptured, Kind.REFUND: PaymentRefunded, Kind.VOID: PaymentVoided,
}


def locked_order(order_id: UUID) -> SalesOrder:
    row: SalesOrder | None = SalesOrder.objects.select_for_update(no_key=True).filter(pk=order_id).first()
    if row is None:
        raise NotFound("There is no such sales order.")
    return row


def payment_run_enqueue(*, payment: Payment) -> None:
    """Those of one order run one after the other."""
    job_enqueue(Order(task=RUN, args=[str(payment.pk)], lock_key=f"payments of {payment.order_id}"))


def payment_settle(*, payment: Payment, outcome: Outcome) -> Payment:
    """What is settled stays so, whoever comes later with another answer."""
    order = locked_order(payment.order_id)
    row: Payment = Payment.objects.select_related("parent").get(pk=payment.pk)
    if row.status in Payment.OVER:
        return row
    row.order, row.status = order, outcome.status
    row.provider_reference = row.provider_reference or outcome.reference
    row.error_code, row.error = outcome.code, outcome.detail
    row.settled_at = timezone.now() if row.status in Payment.OVER else None
    row.save(update_fields=["status", "provider_reference", "error_code", "error", "settled_at"])
    if row.status == Status.FAILED:
        _failed(row)
    elif row.status == Status.SUCCEEDED:
        _succeeded(row)
    if outcome.goes_on:
        payment_run_enqueue(payment=row)
    if row.status in Payment.OVER:
        sales_order_paid_follow(order=order)
    return row


def payment_lapse(*, payment: Payment, reason: str) -> None:
    """An authorization that ended at the provider by itself: by time, or by somebody there."""
    order = locked_order(payment.order_id)
    row: Payment = Payment.objects.get(pk=payment.pk)
    if row.status != Status.SUCCEEDED or row.used_amount:
        return
    row.order = order
    _let_go(row, row.amount, reason)
    sales_order_paid_follow(order=order)


def sales_order_paid_follow(*, order: SalesOrder) -> None:
    """The order says what was paid, and whether that is all. Also to be called when its total has changed, goods came back, or a
    credit note of money alone was issued.
    """
    found = Payment.objects.filter(order=order.pk, status=Status.SUCCEEDED).aggregate(
        paid=Coalesce(Sum("amount", filter=Q(kind=Kind.CAPTURE)), ZERO),
        back=Coalesce(Sum("amount", filter=Q(kind=Kind.REFUND)), ZERO),
        promised=Coalesce(Sum("amount", filter=Q(kind=Kind.AUTHORIZATION)), ZERO),
        used=Coalesce(Sum("amount", filter=Q(parent__kind=Kind.AUTHORIZATION)), ZERO),
    )
    order.paid_total, order.refunded_total, order.credited_total = found["paid"], found["back"], credited_amount(order)
    order.payment_status = _status_of(order, found["promised"] - found["used"])
    order.save(update_fields=["paid_total", "refunded_total", "credited_total", "payment_status"])


def status_unpaid(total: Decimal) -> str:
    """Of an order for which nothing was paid yet: one that costs nothing is settled."""
    return PaymentStatus.UNPAID if total > 0 else PaymentStatus.PAID


def _status_of(order: SalesOrder, promised: Decimal) -> str:
    paid = order.paid_total
    if paid and order.refunded_total >= paid:
        return PaymentStatus.REFUNDED
    if paid + order.credited_total >= order.total:
        return PaymentStatus.PAID
    if paid:
        return PaymentStatus.PARTLY_PAID
    return PaymentStatus.AUTHORIZED if promised > 0 else PaymentStatus.UNPAID


def _failed(row: Payment) -> None:
    if row.parent_id:
        Payment.objects.filter(pk=row.parent_id).update(used_amount=F("used_amount") - row.amount)
    publish(PaymentFailed(**_named(row), code=row.error_code, reason=row.error), aggregate_id=row.pk)


def _succeeded(row: Payment) -> None:
    publish(TELLS[Kind(row.kind)](**_named(row)), aggregate_id=row.pk)
    if row.parent is None:
        return
    if row.kind == Kind.VOID and row.parent.status == Status.ACTION_REQUIRED:
        payment_settle(payment=row.parent, outcome=Outcome(Status.FAILED, code="voided", detail="It was let go."))
    rest = row.parent.amount - row.parent.used_amount
    if row.kind == Kind.CAPTURE and rest and manner_of(row.provider).captures_once:
        row.parent.order = row.order
        _let_go(row.parent, rest, "The rest of what was taken.")


def _let_go(authorization: Payment, amount: Decimal, reason: str) -> None:
    """What the provider has let go by itself."""
    Payment.objects.filter(pk=authorization.pk).update(used_amount=F("used_amount") + amount)
    row = Payment.objects.create(
        order=authorization.order, kind=Kind.VOID, parent=authorization, provider=authorization.provider,
        account_id=authorization.account_id, amount=amount, currency=authorization.currency, status=Status.SUCCEEDED,
        provider_reference=authorization.provider_reference, reason=reason, settled_at=timezone.now(),
    )
    publish(PaymentVoided(**_named(row)), aggregate_id=row.pk)


def _named(row: Payment) -> dict[str, Any]:
    return {
        "payment": row.pk, "order": row.order_id, "number": row.order.number, "parent": row.parent_id, "kind": row.kind,
        "provider": row.provider, "provider_reference": row.provider_reference, "amount": row.amount, "currency": row.currency,
    }
