from collections import defaultdict
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id
from inventory.models import ReasonCode, StockMove

REVERSAL = "reversal"  # the kind of a posting whose moves reverse others, each of its own kind


type Way = tuple[UUID, UUID | None, UUID | None]  # of a variant, from a location to another


class Earlier(NamedTuple):
    kind: str
    moves: list[UUID]
    took: dict[Way, Decimal]  # how much went each way
    counted: str | None  # what was asked for, if something was counted: see asked_of()


POSTED = """
    SELECT m.id, m.kind, m.reverses_id IS NOT NULL, m.variant_id, m.from_location_id, m.to_location_id, m.quantity, c.asked
    FROM (SELECT asked FROM inventory_countedposting WHERE organization_id = %(organization)s AND idempotency_key = %(key)s) AS c
    FULL JOIN (
        SELECT * FROM inventory_stockmove
        WHERE organization_id = %(organization)s AND idempotency_key = %(key)s AND idempotency_key <> ''
    ) AS m ON true
    ORDER BY m.line
"""


def posted_with(idempotency_key: str) -> Earlier | None:
    """What was posted with the key before."""
    with connection.cursor() as cursor:
        cursor.execute(POSTED, {"organization": active_organization_id(), "key": idempotency_key})
        found = cursor.fetchall()
    if not found:
        return None
    took: dict[Way, Decimal] = defaultdict(Decimal)
    first, *_ = found
    moves = [row for row in found if row[0]]
    for _, _, _, *way, quantity, _ in moves:
        took[tuple(way)] += quantity
    kind = REVERSAL if first[2] else first[1] or StockMove.Kind.ADJUSTMENT  # by which alone something is counted
    return Earlier(kind, [row[0] for row in moves], took, first[-1])


def reason_of(reason_id: UUID) -> ReasonCode | None:
    found: ReasonCode | None = ReasonCode.objects.filter(pk=reason_id).first()
    return found
