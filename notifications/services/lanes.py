"""A lane is a subscription and an aggregate: its deliveries go one after the other.

Whoever opens, ends or unblocks a delivery holds the lane first: otherwise the relay could block one behind another that
is just ending, and nobody would unblock it. Lanes share locks, so that a batch needs few of them.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.db.backends.utils import CursorWrapper

LOCKS, STRIPES = 7_205_760, 1024

# One after the other in the order of the array, which is that of everybody else.
HOLD = f"SELECT count(pg_advisory_xact_lock({LOCKS}, stripe)) FROM unnest(%s::int[]) AS stripe"


class Lane(NamedTuple):
    subscription_id: UUID
    aggregate_id: UUID


def hold(cursor: CursorWrapper, lanes: Iterable[Lane]) -> None:
    """Until the transaction ends. What is read by the next statement is how the last holder left it."""
    cursor.execute(HOLD, [sorted({(lane.subscription_id.int + lane.aggregate_id.int) % STRIPES for lane in lanes})])


def open_in_lane(row: str) -> str:
    """SQL: whether an unfinished delivery stands before a new one of this lane."""
    return f"""EXISTS (
        SELECT FROM notifications_eventdelivery AS o
        WHERE o.organization_id = {row}.organization_id AND o.subscription_id = {row}.subscription_id
            AND o.aggregate_id = {row}.aggregate_id AND o.status IN ('pending', 'in_flight', 'retrying')
    )"""
