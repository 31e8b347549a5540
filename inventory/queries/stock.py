from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from inventory.models import ReasonCode, StockMove

REVERSAL = "reversal"  # the kind of a posting whose moves reverse others, each of its own kind


type Way = tuple[UUID, UUID | None, UUID | None]  # of a variant, from a location to another


class Earlier(NamedTuple):
    kind: str
    moves: list[UUID]
    took: dict[Way, Decimal]  # how much went each way


def posted_with(idempotency_key: str) -> Earlier | None:
    """What was posted with the key before."""
    found = list(StockMove.objects.filter(idempotency_key=idempotency_key).order_by("line"))
    if not found:
        return None
    took: dict[Way, Decimal] = defaultdict(Decimal)
    for move in found:
        took[move.variant_id, move.from_location_id, move.to_location_id] += move.quantity
    return Earlier(REVERSAL if found[0].reverses_id else found[0].kind, [move.pk for move in found], took)


def reason_of(reason_id: UUID) -> ReasonCode | None:
    found: ReasonCode | None = ReasonCode.objects.filter(pk=reason_id).first()
    return found
