from typing import NamedTuple
from uuid import UUID

from inventory.models import ReasonCode, StockMove

REVERSAL = "reversal"  # the kind of a posting whose moves reverse others, each of its own kind


class Earlier(NamedTuple):
    kind: str
    moves: list[UUID]


def posted_with(idempotency_key: str) -> Earlier | None:
    """What was posted with the key before."""
    rows = StockMove.objects.filter(idempotency_key=idempotency_key).order_by("line").values_list("kind", "id", "reverses_id")
    found = list(rows)
    return Earlier(REVERSAL if found[0][2] else found[0][0], [row[1] for row in found]) if found else None


def reason_of(reason_id: UUID) -> ReasonCode | None:
    found: ReasonCode | None = ReasonCode.objects.filter(pk=reason_id).first()
    return found
