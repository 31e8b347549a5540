"""Landed costs go from one state to the next; see orders/machines/landed_costs.py."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

from django.utils import timezone

from accounts.models import Organization
from accounts.queries.rates import DIGITS, Rate, minor_unit, rate_on
from core.errors import Conflict, Invalid
from core.tenancy import active_organization_id
from inventory.services.landed_costs import Landed, landed_cost_add, landed_take_back
from inventory.services.stock import Document
from orders import events_landed_costs as events
from orders.machines import LANDED_COSTS
from orders.models import LandedCost, SupplierBill
from orders.queries.landed_costs import receipt_lines, shared
from orders.services.landed_costs import DOCUMENT, bill_check, locked
from orders.services.stepping import allow, step, told

REVERSAL = "landed_cost_reversal"


@dataclass(frozen=True, slots=True)
class Posting:
    """`shares` by line of a receipt, as orders.queries.landed_costs has them."""

    cost: LandedCost
    exchange_rate: Decimal
    base_amount: Decimal
    to_stock: Decimal
    to_sold: Decimal
    shares: list[dict[str, Any]]


def landed_cost_post(*, cost: LandedCost, is_preview: bool = False) -> Posting:
    """The goods are worth more from now on, and what is gone of them has cost more. A preview writes nothing."""
    row = locked(cost)
    allow(LANDED_COSTS, row, "post")
    _check(row)
    rate = _rate(row)
    amount = _in_base(row, rate)
    landed = _land(row, amount, is_preview=is_preview)
    amounts = {one.move: one.amount for one in landed.spread}
    posting = Posting(row, rate.value, amount, landed.to_stock, landed.to_sold, shared(row, amounts))
    if not is_preview:
        step(
            LANDED_COSTS, row, "post", exchange_rate=rate.value, base_amount=amount, to_stock=landed.to_stock,
            to_sold=landed.to_sold, posted_at=timezone.now(),
        )
        _tell(row, "post", events.LandedCostPosted(
            **_named(row), currency=row.currency, amount=row.amount, base_amount=amount, to_stock=landed.to_stock,  # type: ignore[arg-type]  # it has one
            to_sold=landed.to_sold,
        ))
    return posting


def landed_cost_reverse(*, cost: LandedCost, reason: str) -> LandedCost:
    """The goods are worth what they would be without it, wherever they went since. Another one may be made of the same bill."""
    if not reason.strip():
        raise Invalid("Say why: it was posted.", fields={"reason": "required"})
    row = locked(cost)
    allow(LANDED_COSTS, row, "reverse")
    landed_take_back(document=Document(DOCUMENT, row.pk), by=Document(REVERSAL, row.pk), note=f"{row.number} was reversed")
    step(LANDED_COSTS, row, "reverse", note=reason, reversed_at=timezone.now())
    _tell(row, "reverse", events.LandedCostReversed(**_named(row), reason=reason))
    return row


def landed_cost_cancel(*, cost: LandedCost, reason: str = "") -> LandedCost:
    """A draft that is not posted."""
    row = locked(cost)
    step(LANDED_COSTS, row, "cancel", note=reason)
    _tell(row, "cancel", events.LandedCostCancelled(**_named(row), reason=reason))
    return row


def _check(cost: LandedCost) -> None:
    if cost.amount is None:
        raise Invalid("Say how much it is.", fields={"amount": "required"})
    if cost.bill_id and (bill := SupplierBill.objects.get(pk=cost.bill_id)).status != SupplierBill.Status.APPROVED:
        state = bill.get_status_display().lower()
        raise Conflict(f"Bill {bill.supplier_number} is {state}: it has to be approved first.", code="bill_not_approved")
    bill_check(cost)


def _rate(cost: LandedCost) -> Rate:
    own = Organization.objects.values_list("base_currency", flat=True).get(pk=active_organization_id())
    return rate_on(cost.currency, own, cost.cost_on)  # type: ignore[arg-type]  # a day was written when it was made


def _in_base(cost: LandedCost, rate: Rate) -> Decimal:
    with localcontext(prec=DIGITS):
        exact: Decimal = cost.amount * rate.numerator / rate.denominator  # type: ignore[operator]  # it has one
        amount = exact.quantize(minor_unit(rate.quote), ROUND_HALF_UP)
    if not amount:
        raise Invalid(f"In {rate.quote} this is nothing.", fields={"amount": "nothing"})
    return amount


def _land(cost: LandedCost, amount: Decimal, *, is_preview: bool) -> Landed:
    moves = [line.move_id for line in receipt_lines(cost) if line.move_id]
    if not moves:
        raise Invalid("Say over which goods receipts it is spread.", fields={"receipts": "empty"})
    note = " ".join(filter(None, (cost.get_kind_display(), cost.number, cost.supplier_number)))
    return landed_cost_add(
        amount=amount, by=cost.by, moves=moves, document=Document(DOCUMENT, cost.pk), note=note[:200], is_preview=is_preview,
    )


def _named(cost: LandedCost) -> dict[str, Any]:
    return {
        "landed_cost": cost.pk, "number": cost.number, "kind": cost.kind, "warehouse": cost.warehouse_id,
        "supplier": cost.supplier_id, "bill": cost.bill_id,
    }


def _tell(cost: LandedCost, verb: str, event: object) -> None:
    told(LANDED_COSTS, verb, event, aggregate_id=cost.pk)
