"""The posting service: the only way that stock changes.

Each verb writes the ledger, the balances, the levels of reorder rules and an event in the scope's transaction, set-based
for many lines. It refuses the whole posting if one line cannot be done, and says which.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from core.errors import Conflict, Invalid
from inventory.models import StockMove
from inventory.queries.stock import posted_with, reason_of
from inventory.services.locks import lock_posting
from inventory.services.posting import Line, Posted, apply

Kind = StockMove.Kind


@dataclass(frozen=True, slots=True)
class Document:
    """What caused a posting, such as a purchase order; the inventory knows it by name and id alone."""

    type: str
    id: UUID


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all lines of a posting share. `occurred_at` is now unless it is given, and never in the future."""

    reason_id: UUID | None = None
    note: str = ""
    document: Document | None = None
    occurred_at: datetime | None = None
    idempotency_key: str = ""


def stock_receive(*, lines: Sequence[Line], circumstances: Circumstances = Circumstances()) -> Posted:
    """Goods come in from outside, to `to_location_id` of each line."""
    for line in lines:
        _sides(line, needs_from=False, needs_to=True)
    return _post(Kind.RECEIPT, lines, circumstances)


def stock_issue(*, lines: Sequence[Line], circumstances: Circumstances = Circumstances()) -> Posted:
    """Goods leave for the outside, from `from_location_id` of each line."""
    for line in lines:
        _sides(line, needs_from=True, needs_to=False)
    return _post(Kind.ISSUE, lines, circumstances)


def stock_move(*, lines: Sequence[Line], circumstances: Circumstances = Circumstances()) -> Posted:
    """Goods go from one location to another."""
    for line in lines:
        _sides(line, needs_from=True, needs_to=True)
        if line.from_location_id == line.to_location_id:
            raise Invalid("Goods cannot be moved to where they are.", fields={"to_location": "the same location"})
    return _post(Kind.MOVE, lines, circumstances)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Either `change` (signed) or `counted`, the quantity that is really there.

    With `expected`, a count that was made against a balance which has changed since is refused.
    """

    variant_id: UUID
    location_id: UUID
    change: Decimal | None = None
    counted: Decimal | None = None
    expected: Decimal | None = None


def stock_adjust(*, adjustments: Sequence[Adjustment], circumstances: Circumstances) -> Posted:
    """Correct balances by what somebody saw. Needs a reason of kind adjustment, and its note if it demands one."""
    if circumstances.reason_id is None:
        raise Invalid("Say why: give a reason code.", fields={"reason": "required"})
    lines = [_adjusting(adjustment) for adjustment in adjustments]
    return _post(Kind.ADJUSTMENT, lines, circumstances)


def _adjusting(adjustment: Adjustment) -> Line:
    if (adjustment.change is None) == (adjustment.counted is None):
        raise Invalid("Give either the change or the counted quantity.", fields={"change": "one of the two"})
    line = Line(adjustment.variant_id, Decimal(0), expected=adjustment.expected)
    if adjustment.counted is not None:
        if adjustment.counted < 0:
            raise Invalid("Nobody counts less than nothing.", fields={"counted": "negative"})
        return replace(line, to_location_id=adjustment.location_id, counted=adjustment.counted)
    if not (change := adjustment.change or Decimal(0)):
        raise Invalid("A change of nothing changes nothing.", fields={"change": "zero"})
    if change > 0:
        return replace(line, quantity=change, to_location_id=adjustment.location_id)
    return replace(line, quantity=-change, from_location_id=adjustment.location_id)


def _sides(line: Line, *, needs_from: bool, needs_to: bool) -> None:
    for side, wanted in (("from_location", needs_from), ("to_location", needs_to)):
        if (getattr(line, f"{side}_id") is not None) != wanted:
            fault = "required" if wanted else "unknown"
            raise Invalid(f"This posting {'needs' if wanted else 'has no'} {side}.", fields={side: fault})
    if line.quantity <= 0:
        raise Invalid("A quantity must be above zero.", fields={"quantity": "not positive"})


def _post(kind: StockMove.Kind, lines: Sequence[Line], circumstances: Circumstances) -> Posted:
    if not lines:
        raise Invalid("Give at least one line.", fields={"lines": "empty"})
    occurred_at = circumstances.occurred_at or timezone.now()
    if occurred_at > timezone.now():
        raise Invalid("Goods cannot move in the future.", fields={"occurred_at": "in the future"})
    _check_reason(kind, circumstances)
    if key := circumstances.idempotency_key:
        lock_posting(key)
        if done := posted_with(key):
            if done.kind != kind:
                raise Conflict("This idempotency key belongs to another posting.", code="idempotency_key_reused")
            return Posted(done.moves, [], replayed=True)
    document = circumstances.document
    return apply(
        kind=kind, lines=lines, reason_id=circumstances.reason_id, note=circumstances.note, occurred_at=occurred_at,
        document_type=document.type if document else "", document_id=document.id if document else None, idempotency_key=key,
    )


def _check_reason(kind: StockMove.Kind, circumstances: Circumstances) -> None:
    if circumstances.reason_id is None:
        return
    reason = reason_of(circumstances.reason_id)
    if reason is None or reason.kind != kind:
        raise Invalid(f"There is no such reason code for a posting of kind {kind}.", fields={"reason": "does not exist"})
    if reason.requires_note and not circumstances.note.strip():
        raise Invalid(f"The reason {reason.code} demands a note.", fields={"note": "required"})
