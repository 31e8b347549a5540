"""The posting service: the only way that stock changes.

Each verb writes the ledger, the balances, the levels of reorder rules and an event in the scope's transaction, set-based
for many lines. It refuses the whole posting if one line cannot be done, and says which. Reservations are in
reservations.py, reversal in reversal.py, adjustments that need approval in adjustments.py.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from uuid import UUID

from django.utils import timezone
from uuid_utils.compat import uuid7

from core.errors import Conflict, Invalid
from inventory.models import CountedPosting, ReasonCode, StockMove
from inventory.queries.stock import Earlier, Way, posted_with, reason_of
from inventory.services.grounds import Rules
from inventory.services.levels import Coming
from inventory.services.locks import Balance, Place, lock_posting
from inventory.services.lots import lots_resolve
from inventory.services.posting import NOTHING, Line, LotCode, Posted, Taking, apply

Kind = StockMove.Kind
ASSEMBLY = "stock_assembly"  # the document of one
BRINGS_LOTS = (Kind.RECEIPT, Kind.ADJUSTMENT, Kind.ASSEMBLY)  # by which a lot may come to be
EARLIEST = 1970  # a year; what is older is a mistake, and no calendar of the database agrees about it


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


USUAL = Circumstances()


def stock_receive(
    *, lines: Sequence[Line], circumstances: Circumstances = USUAL, coming: Sequence[Coming] = (),
) -> Posted:
    """Goods come in from outside, to `to_location_id` of each line. `coming`: see expected.py."""
    for line in lines:
        _sides(line, needs_from=False, needs_to=True)
    return post(kind=Kind.RECEIPT, lines=lines, circumstances=circumstances, coming=coming)


def stock_issue(
    *, lines: Sequence[Line], circumstances: Circumstances = USUAL, coming: Sequence[Coming] = (),
) -> Posted:
    """Goods leave for the outside, from `from_location_id` of each line. Held lots stay, unless the reason takes them."""
    for line in lines:
        _sides(line, needs_from=True, needs_to=False)
    return post(kind=Kind.ISSUE, lines=lines, circumstances=circumstances, coming=coming)


def stock_move(*, lines: Sequence[Line], circumstances: Circumstances = USUAL) -> Posted:
    """Goods go from one location to another."""
    for line in lines:
        _sides(line, needs_from=True, needs_to=True)
        if line.from_location_id == line.to_location_id:
            raise Invalid("Goods cannot be moved to where they are.", fields={"to_location": "the same location"})
    return post(kind=Kind.MOVE, lines=lines, circumstances=circumstances)


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
    lot_id: UUID | None = None
    lot: LotCode | None = None


def stock_adjust(*, adjustments: Sequence[Adjustment], circumstances: Circumstances) -> Posted:
    """Correct balances by what somebody saw. Needs a reason of kind adjustment, and its note if it demands one."""
    if circumstances.reason_id is None:
        raise Invalid("Say why: give a reason code.", fields={"reason": "required"})
    lines = [adjustment_line(adjustment) for adjustment in adjustments]
    return post(kind=Kind.ADJUSTMENT, lines=lines, circumstances=circumstances)


def adjustment_line(adjustment: Adjustment) -> Line:
    if (adjustment.change is None) == (adjustment.counted is None):
        raise Invalid("Give either the change or the counted quantity.", fields={"change": "one of the two"})
    line = Line(
        adjustment.variant_id, Decimal(0), lot_id=adjustment.lot_id, lot=adjustment.lot, expected=adjustment.expected,
    )
    if adjustment.counted is not None:
        if adjustment.counted < 0:
            raise Invalid("Nobody counts less than nothing.", fields={"counted": "negative"})
        return replace(line, to_location_id=adjustment.location_id, counted=adjustment.counted)
    if not (change := adjustment.change or Decimal(0)):
        raise Invalid("A change of nothing changes nothing.", fields={"change": "zero"})
    if change > 0:
        return replace(line, quantity=change, to_location_id=adjustment.location_id)
    return replace(line, quantity=-change, from_location_id=adjustment.location_id)


def stock_assemble(*, components: Sequence[Line], kits: Sequence[Line], circumstances: Circumstances = USUAL) -> Posted:
    """Components leave `from_location_id`, kits come to `to_location_id`, in one posting: a lot is traced through it."""
    return _assembly(components, kits, circumstances)


def stock_disassemble(*, kits: Sequence[Line], components: Sequence[Line], circumstances: Circumstances = USUAL) -> Posted:
    """The way back: kits leave, and their components come."""
    return _assembly(kits, components, circumstances)


def _assembly(used: Sequence[Line], made: Sequence[Line], circumstances: Circumstances) -> Posted:
    """The posting is a document of its own, by which the trace of a lot knows what became of what."""
    if not used or not made:
        raise Invalid("An assembly has components and a kit.", fields={"components" if not used else "kits": "empty"})
    for line in used:
        _sides(line, needs_from=True, needs_to=False)
    for line in made:
        _sides(line, needs_from=False, needs_to=True)
    own = replace(circumstances, document=Document(ASSEMBLY, uuid7()))
    return post(kind=Kind.ASSEMBLY, lines=[*used, *made], circumstances=own)


def _sides(line: Line, *, needs_from: bool, needs_to: bool) -> None:
    for side, wanted in (("from_location", needs_from), ("to_location", needs_to)):
        if (getattr(line, f"{side}_id") is not None) != wanted:
            fault = "required" if wanted else "unknown"
            raise Invalid(f"This posting {'needs' if wanted else 'has no'} {side}.", fields={side: fault})
    if line.quantity <= 0:
        raise Invalid("A quantity must be above zero.", fields={"quantity": "not positive"})


def post(
    *, kind: str, lines: Sequence[Line], circumstances: Circumstances, take: Taking | None = None, in_transit: bool = False,
    coming: Sequence[Coming] = (), packed: Mapping[Place, Decimal] = NOTHING, balances: Mapping[Place, Balance] | None = None,
    is_counted: bool = False,
) -> Posted:
    """What all verbs have in common. `take` says what the posting uses of reservations, and `packed` what goes along in
    logistic units, see posting.py; `coming` what changes of what is on its way, see levels.py; `balances` are those of all
    places, if they are locked already.

    Goods come to places of kind transit, and leave them, with `in_transit` alone. Of archived variants goods come in only as
    `is_counted`: they were here all the time.
    """
    if not lines:
        raise Invalid("Give at least one line.", fields={"lines": "empty"})
    occurred_at = moment_of(circumstances.occurred_at)
    reason = _reason(kind, circumstances)
    key = circumstances.idempotency_key
    if done := posted_before(kind=kind, key=key, lines=lines):
        return done
    document = circumstances.document
    if key and _is_counted(lines):
        CountedPosting.objects.create(idempotency_key=key, asked=_asked(lines))
    return apply(
        kind=kind, lines=lots_resolve(lines=lines, come_in=occurred_at if kind in BRINGS_LOTS else None),
        rules=Rules(held_may_leave=bool(reason and reason.takes_held), in_transit=in_transit, is_counted=is_counted),
        take=take, coming=coming, packed=packed, balances=balances,
        reason_id=circumstances.reason_id, note=circumstances.note, occurred_at=occurred_at,
        document_type=document.type if document else "", document_id=document.id if document else None, idempotency_key=key,
    )


def posted_before(*, kind: str, key: str, lines: Sequence[Line] = ()) -> Posted | None:
    """What the key posted already, once its twin is through. Of `lines`, where they are given, it must have been made."""
    if not key:
        return None
    lock_posting(key)
    if (done := posted_with(key)) is None:
        return None
    if done.kind != kind or (lines and _is_other(lines, done)):
        raise Conflict("This idempotency key belongs to another posting.", code="idempotency_key_reused")
    return Posted(done.moves, [], replayed=True)


def _is_other(lines: Sequence[Line], done: Earlier) -> bool:
    if done.counted:
        return _asked(lines) != done.counted
    return not _is_counted(lines) and _ways(lines) != done.took


def _is_counted(lines: Sequence[Line]) -> bool:
    return any(line.counted is not None for line in lines)


def _asked(lines: Sequence[Line]) -> str:
    """Of a count the lines themselves: what became of them depends on the balances that they met."""
    plain = sorted(
        f"{line.variant_id} {line.from_location_id} {line.to_location_id} {line.lot_id or (line.lot and line.lot.code)}"
        f" {Decimal(line.quantity).normalize():f} {'' if line.counted is None else f'{Decimal(line.counted).normalize():f}'}"
        for line in lines
    )
    return sha256("\n".join(plain).encode()).hexdigest()


def _ways(lines: Sequence[Line]) -> dict[Way, Decimal]:
    took: dict[Way, Decimal] = defaultdict(Decimal)
    for line in lines:
        took[line.variant_id, line.from_location_id, line.to_location_id] += line.quantity
    return took


def moment_of(given: datetime | None) -> datetime:
    now = timezone.now()
    if given is None:
        return now
    if given > now:
        raise Invalid("Goods cannot move in the future.", fields={"occurred_at": "in the future"})
    if given.year < EARLIEST:
        raise Invalid(f"Nothing was posted before {EARLIEST}.", fields={"occurred_at": "too early"})
    return given


def _reason(kind: str, circumstances: Circumstances) -> ReasonCode | None:
    if circumstances.reason_id is None:
        return None
    reason = reason_of(circumstances.reason_id)
    if reason is None or (reason.kind != kind and kind in ReasonCode.Kind.values):
        raise Invalid(f"There is no such reason code for a posting of kind {kind}.", fields={"reason": "does not exist"})
    if reason.requires_note and not circumstances.note.strip():
        raise Invalid(f"The reason {reason.code} demands a note.", fields={"note": "required"})
    return reason
