"""Payments of sales orders: promised, taken, given back, let go.

The order is locked first: whoever changes a payment holds its order, and what is under way counts as done until it has failed.
The database's own check on `used_amount` stands behind that. Nobody calls a provider here: what a provider has to be asked is a
row and a job of one transaction, and `payment_runs.py` does it.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Q, QuerySet, Sum

from accounts.queries.rates import minor_unit
from core.errors import Conflict, Invalid
from inventory.services.locks import lock_posting
from orders.models import Payment, PaymentAccount, Provider, SalesOrder
from orders.queries.returns import credited_amount
from orders.services.payment_providers import manner_of
from orders.services.payment_providers.outcomes import Outcome
from orders.services.payment_settling import locked_order, payment_run_enqueue, payment_settle

Kind, Status, ZERO = Payment.Kind, Payment.Status, Decimal(0)
NOT_YET_OR_NO_MORE = (SalesOrder.Status.DRAFT, SalesOrder.Status.CANCELLED)
LONGEST_KEY = 90  # of a refund that may be of several payments


@dataclass(frozen=True, slots=True)
class Source:
    """Where the money comes from."""

    provider: str = Provider.MANUAL
    account: PaymentAccount | None = None  # the only active one, unless it is said
    payment_method: str = ""  # of the customer at the provider
    reference: str = ""  # of money that came already


def payment_authorize(
    *, order: SalesOrder, source: Source, amount: Decimal | None = None, idempotency_key: str = "",
) -> Payment:
    """What is open of the order, unless an amount is given. A provider that is asked answers later: then it is under way.

    Raises Conflict for more than is open and not promised yet.
    """
    row = _begin(order, idempotency_key)
    if done := _before(row, idempotency_key, Kind.AUTHORIZATION, amount):
        return done
    _refuse_unplaced(row)
    room = open_amount(row) - _promised(row)
    whole = _checked(row, amount, room, "is open and not promised yet", "more_than_open")
    return _write(Payment(
        order=row, kind=Kind.AUTHORIZATION, provider=source.provider, account=_account(source), amount=whole,
        payment_method=source.payment_method, idempotency_key=idempotency_key,
    ))


def payment_record(
    *, order: SalesOrder, source: Source, amount: Decimal | None = None, idempotency_key: str = "",
) -> Payment:
    """Money that came by itself: in cash, by a transfer. All that is open, unless an amount is given."""
    if manner_of(source.provider).is_asked:
        detail = "What this provider takes, it says itself: authorize and capture it."
        raise Invalid(detail, fields={"provider": detail})
    row = _begin(order, idempotency_key)
    if done := _before(row, idempotency_key, Kind.CAPTURE, amount):
        return done
    _refuse_unplaced(row)
    whole = _checked(row, amount, open_amount(row), "is open", "more_than_open")
    return _write(Payment(
        order=row, kind=Kind.CAPTURE, provider=source.provider, provider_reference=source.reference, amount=whole,
        idempotency_key=idempotency_key,
    ))


def payment_capture(*, payment: Payment, amount: Decimal | None = None, idempotency_key: str = "") -> Payment:
    """Takes what was promised, or a part. Raises Conflict for more than was promised, or than the order still costs."""
    row = _begin(payment.order, idempotency_key)
    if done := _before(row, idempotency_key, Kind.CAPTURE, amount, payment):
        return done
    _refuse_unplaced(row)
    parent = _parent(payment, Kind.AUTHORIZATION, (Status.SUCCEEDED,))
    if manner_of(parent.provider).captures_once and parent.used_amount:
        raise Conflict("This was taken or let go already: the provider takes a payment once.", code="captured_already")
    room = min(parent.amount - parent.used_amount, open_amount(row))
    whole = _checked(row, amount, room, "is promised and open", "more_than_authorized")
    return _child(parent, Kind.CAPTURE, whole, idempotency_key)


def payment_refund(
    *, payment: Payment, amount: Decimal | None = None, reason: str = "", idempotency_key: str = "",
) -> Payment:
    """Gives back what a capture took, or a part. Raises Conflict for more than is left of it.

    By hand, it says that somebody did; a provider that is asked answers later.
    """
    row = _begin(payment.order, idempotency_key)
    if done := _before(row, idempotency_key, Kind.REFUND, amount, payment):
        return done
    parent = _parent(payment, Kind.CAPTURE, (Status.SUCCEEDED,))
    whole = _checked(row, amount, parent.amount - parent.used_amount, "was taken and not given back", "more_than_captured")
    return _child(parent, Kind.REFUND, whole, idempotency_key, reason)


def payment_void(*, payment: Payment, reason: str = "", idempotency_key: str = "") -> Payment:
    """Lets go what is left of an authorization."""
    row = _begin(payment.order, idempotency_key)
    if done := _before(row, idempotency_key, Kind.VOID, None, payment):
        return done
    parent = _parent(payment, Kind.AUTHORIZATION, (Status.SUCCEEDED, Status.ACTION_REQUIRED))
    left = parent.amount - parent.used_amount
    if not left or (manner_of(parent.provider).captures_once and parent.used_amount):
        raise Conflict("Nothing is left of this authorization: it was taken or let go.", code="nothing_left")
    return _child(parent, Kind.VOID, left, idempotency_key, reason)


def sales_order_refund(*, order: SalesOrder, amount: Decimal, reason: str = "", idempotency_key: str = "") -> list[Payment]:
    """Gives back of an order, whichever of its payments took it, the latest first. Raises Conflict for more than was taken."""
    if len(idempotency_key) > LONGEST_KEY:
        raise Invalid(f"A key has up to {LONGEST_KEY} characters.", fields={"idempotency_key": "Too long."})
    row = _begin(order, idempotency_key)
    if idempotency_key:
        done = list(row.payments.filter(idempotency_key__startswith=f"{idempotency_key}/", kind=Kind.REFUND).order_by("pk"))
        if done:
            return done
    captures = _taken(row).filter(amount__gt=F("used_amount")).order_by("-pk")
    room = sum((one.amount - one.used_amount for one in captures), ZERO)
    left, made = _checked(row, amount, room, "was taken and not given back", "more_than_captured"), []
    for number, capture in enumerate(captures, 1):
        part = min(left, capture.amount - capture.used_amount)
        if part > 0:
            key = f"{idempotency_key}/{number}" if idempotency_key else ""
            made.append(payment_refund(payment=capture, amount=part, reason=reason, idempotency_key=key))
            left -= part
    return made


def payments_unwind(*, order: SalesOrder, reason: str = "") -> None:
    """Before an order is canceled: what is promised is let go, and what a provider took goes back.

    Raises Conflict where something is under way, or where people took the money and have to give it back themselves.
    """
    rows = list(Payment.objects.filter(order=order.pk).exclude(status=Status.FAILED).order_by("pk"))
    if any(one.status == Status.PENDING for one in rows):
        raise Conflict("A payment of this order is under way: wait until the provider has answered.", code="payment_under_way")
    left = [one for one in rows if one.amount > one.used_amount]
    taken = [one for one in left if one.kind == Kind.CAPTURE]
    if by_hand := [one for one in taken if not manner_of(one.provider).gives_back_itself]:
        owed = sum((one.amount - one.used_amount for one in by_hand), ZERO)
        raise Conflict(
            f"The customer has paid {owed.normalize():f} {order.currency}: give it back and note the refund, then cancel.",
            code="paid",
        )
    for one in taken:
        payment_refund(payment=one, reason=reason)
    for one in left:
        if one.kind == Kind.AUTHORIZATION:
            payment_void(payment=one, reason=reason)


def open_amount(order: SalesOrder) -> Decimal:
    """What the order costs and nobody has taken yet; what is being taken counts as taken. Nothing where more was taken."""
    return max(balance(order), ZERO)


def captured_amount(order: SalesOrder) -> Decimal:
    """What was taken and is not given back, nor being given back."""
    whole: Decimal = _taken(order).aggregate(whole=Sum(F("amount") - F("used_amount")))["whole"] or ZERO
    return whole


def balance(order: SalesOrder) -> Decimal:
    """What is open, below zero where more was taken than the order costs without what came back or was
    credited.
    """
    under_way = Payment.objects.filter(order=order.pk, kind=Kind.CAPTURE).exclude(status=Status.FAILED)
    taken = under_way.aggregate(whole=Sum("amount"))["whole"] or ZERO
    back: Decimal = Payment.objects.filter(order=order.pk, kind=Kind.REFUND, status=Status.SUCCEEDED).aggregate(
        whole=Sum("amount"))["whole"] or ZERO
    return Decimal(order.total) - credited_amount(order) - taken + back


def _promised(order: SalesOrder) -> Decimal:
    held = Payment.objects.filter(order=order.pk, kind=Kind.AUTHORIZATION).exclude(status=Status.FAILED)
    return held.aggregate(whole=Sum(F("amount") - F("used_amount")))["whole"] or ZERO


def _taken(order: SalesOrder) -> QuerySet[Payment]:
    found: QuerySet[Payment] = Payment.objects.filter(order=order.pk, kind=Kind.CAPTURE, status=Status.SUCCEEDED)
    return found


def _begin(order: SalesOrder, idempotency_key: str) -> SalesOrder:
    if idempotency_key:
        lock_posting(f"payment {idempotency_key}")  # of two orders as well
    return locked_order(order.pk)


def _before(
    order: SalesOrder, key: str, kind: str, amount: Decimal | None, parent: Payment | None = None,
) -> Payment | None:
    """What this key did before. Raises Conflict where it did something else."""
    found: Payment | None = Payment.objects.filter(~Q(idempotency_key=""), idempotency_key=key).first()
    if found is None:
        return None
    same = found.order_id == order.pk and found.kind == kind and amount in (None, found.amount)
    if not same or (parent is not None and found.parent_id != parent.pk):
        raise Conflict("This idempotency key was used for another payment.", code="idempotency_key_reused")
    return found


def _refuse_unplaced(order: SalesOrder) -> None:
    if order.status in NOT_YET_OR_NO_MORE:
        state = "not placed yet" if order.status == SalesOrder.Status.DRAFT else "canceled"
        raise Conflict(f"The order is {state}: nothing is to be paid.", code="nothing_to_pay")


def _checked(order: SalesOrder, amount: Decimal | None, room: Decimal, what: str, code: str) -> Decimal:
    room = max(room, ZERO)  # an order that was changed may cost less than what was promised
    whole = room if amount is None else amount
    if amount is not None and amount <= 0:
        raise Invalid("Give an amount above zero.", fields={"amount": "Give an amount above zero."})
    if whole % minor_unit(order.currency):
        detail = f"Give an amount that can be paid in {order.currency}: whole units of {minor_unit(order.currency)}."
        raise Invalid(detail, fields={"amount": detail})
    if whole > room or not whole:
        raise Conflict(f"{room.normalize():f} {order.currency} {what}.", code=code)
    return whole


def _account(source: Source) -> PaymentAccount | None:
    if not manner_of(source.provider).is_asked:
        return None
    active = PaymentAccount.objects.filter(provider=source.provider, is_active=True, secret__isnull=False)
    if source.account is not None:
        active = active.filter(pk=source.account.pk)
    found: list[PaymentAccount] = list(active.order_by("pk")[:2])
    if len(found) == 1:
        return found[0]
    if found:
        raise Conflict("There are several payment accounts: say which.", code="several_payment_accounts")
    raise Conflict("There is no active payment account with a key: make one first.", code="no_payment_account")


def _parent(payment: Payment, kind: str, statuses: tuple[str, ...]) -> Payment:
    """As it is now that its order is locked."""
    row: Payment = Payment.objects.select_related("order", "account").get(pk=payment.pk)
    if row.kind != kind or row.status not in statuses:
        raise Conflict(
            f"This is a {row.get_kind_display().lower()} that is {row.get_status_display().lower()}, which does not allow that.",
            code="wrong_status",
        )
    return row


def _child(parent: Payment, kind: str, amount: Decimal, idempotency_key: str, reason: str = "") -> Payment:
    Payment.objects.filter(pk=parent.pk).update(used_amount=F("used_amount") + amount)
    return _write(Payment(
        order=parent.order, kind=kind, parent=parent, provider=parent.provider, account=parent.account, amount=amount,
        reason=reason[:200], idempotency_key=idempotency_key,
    ))


def _write(payment: Payment) -> Payment:
    payment.currency = payment.order.currency
    payment.save(force_insert=True)
    if manner_of(payment.provider).is_asked:
        payment_run_enqueue(payment=payment)
        return payment
    return payment_settle(payment=payment, outcome=Outcome(Status.SUCCEEDED))
