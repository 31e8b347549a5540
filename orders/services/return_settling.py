"""How a customer gets the money of a return: the payments of its order give it back, and what was invoiced is credited."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from core.errors import Conflict, Invalid
from orders.models import Invoice, Payment, ReturnAuthorization, ReturnItem
from orders.queries.kits import as_sold
from orders.queries.returns import credited_amount
from orders.services.credit_notes import ReturnedLine, credit_notes_draft_for_return
from orders.services.invoices import invoice_delete
from orders.services.payment_providers import manner_of
from orders.services.payments import captured_amount, sales_order_refund

ZERO = Decimal(0)
PLACES = 6  # of a quantity


def return_settle(*, authorization: ReturnAuthorization, reference: str) -> str:
    """By which reference the refund of `refund_amount` is found: the one of who paid it back, or the return's number where a
    provider does. A draft of a credit note is made for each invoice that the goods are on.

    Raises Invalid where a person has to pay it back and named no reference.
    """
    refunds = _refunded(authorization)
    is_by_provider = bool(refunds) and all(manner_of(one.provider).gives_back_itself for one in refunds)
    found = reference.strip() or (authorization.number if is_by_provider else "")
    if not found:
        raise Invalid(
            f"Say by which reference the refund of {authorization.refund_amount.normalize():f} {authorization.order.currency} is"
            " found at the bank.", fields={"reference": "required"},
        )
    came = authorization.lines.filter(received_quantity__gt=0).values_list(
        "order_item_id", "received_quantity", "order_item__kit_id",
    )
    return_credit(authorization=authorization, came=[ReturnedLine(*one) for one in came])
    return found


def return_credit(*, authorization: ReturnAuthorization, came: Sequence[ReturnedLine]) -> list[Invoice]:
    """Of a return that is locked, a draft of a credit note for each invoice that the goods are on, once: what is drafted already
    is not drafted again.
    """
    if authorization.credited_at is not None:
        return []
    if any(one.kit_id for one in came):
        came = _of_kits(authorization, came)
    made = credit_notes_draft_for_return(order=authorization.order, lines=came, note=_note(authorization))
    if made:
        authorization.credited_at = timezone.now()
        authorization.save(update_fields=["credited_at"])
    return made


def _of_kits(authorization: ReturnAuthorization, came: Sequence[ReturnedLine]) -> list[ReturnedLine]:
    """What came of components is the part of the kit that they are, which is what was invoiced: all of them are the whole kit."""
    lines = list(authorization.order.lines.all())
    rows = ReturnItem.objects.filter(authorization__order=authorization.order_id, authorization__credited_at__isnull=False)
    quantities = defaultdict[UUID, Decimal](Decimal)
    quantities.update(rows.order_by().values_list("order_item_id").annotate(Sum("received_quantity")))
    before = as_sold(quantities, lines)
    for one in came:
        quantities[one.order_item_id] += one.quantity
    return [
        ReturnedLine(line, quantity) for line, whole in as_sold(quantities, lines).items()
        if (quantity := round(whole, PLACES) - round(before.get(line, ZERO), PLACES))
    ]


def return_credit_drop(*, authorization: ReturnAuthorization) -> None:
    """Who gets the same goods again pays for them: the drafts go. Raises Conflict where one of them is issued."""
    if authorization.credited_at is None:
        return
    notes = Invoice.objects.filter(order=authorization.order_id, kind=Invoice.Kind.CREDIT_NOTE, note=_note(authorization))
    for one in notes.order_by("pk"):
        if one.status != Invoice.Status.DRAFT:
            raise Conflict(
                f"{one} credits these goods already: refund the return, and sell the others by an order.",
                code="credited_already",
            )
        invoice_delete(invoice=one)
    authorization.credited_at = None
    authorization.save(update_fields=["credited_at"])


def _note(authorization: ReturnAuthorization) -> str:
    return f"Return {authorization.number}"


def _refunded(authorization: ReturnAuthorization) -> list[Payment]:
    """What was taken beyond what the order costs without these goods; the rest of `refund_amount` is owed no more.

    Of money that was never noted here there is nothing to give back here.
    """
    order, amount = authorization.order, authorization.refund_amount
    owed = max(order.total - credited_amount(order) - amount, ZERO)
    if (amount := min(amount, captured_amount(order) - owed)) <= 0:
        return []
    return sales_order_refund(
        order=order, amount=amount, reason=f"Return {authorization.number}", idempotency_key=_key(authorization),
    )


def given_back(authorization: ReturnAuthorization) -> Decimal:
    """How much of its `refund_amount` payments give back; what is not was not paid, or not noted here."""
    rows = Payment.objects.filter(order=authorization.order_id, idempotency_key__startswith=f"{_key(authorization)}/")
    whole: Decimal = rows.exclude(status=Payment.Status.FAILED).aggregate(whole=Sum("amount"))["whole"] or ZERO
    return whole


def _key(authorization: ReturnAuthorization) -> str:
    return f"return-{authorization.pk}"
