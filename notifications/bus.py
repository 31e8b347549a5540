"""Puts the events on an EventBridge bus as well, where one is configured: each at least once, in order per aggregate.

A call's entries may fail one by one, so a call has one entry of an aggregate, and what follows a failed one waits.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from threading import Event
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connections

from core.budget import Budget
from core.traces import x_ray_of
from notifications.deliveries import time_for_one
from notifications.queries.envelopes import envelope

logger = logging.getLogger("notifications.bus")

ENTRIES, BYTES = 10, 256 * 1024  # of a call, as EventBridge has it
LOOK = 200  # events
PATIENCE = 5.0  # seconds after something failed
SOURCE = "quartermaster"
MINE = 7_205_761  # an advisory lock: one putter at a time

WAITING = f"""
    SELECT e.seq, e.id, e.organization_id, e.aggregate_id, e.type, e.occurred_at, e.traceparent,
           {envelope("e", position="e.position")}
    FROM notifications_outboxevent AS e WHERE e.awaits_bus AND e.seq > %s ORDER BY e.seq LIMIT {LOOK}
"""
DONE = "UPDATE notifications_outboxevent SET awaits_bus = false WHERE id = ANY (%s)"

_resting_until = 0.0


class Waiting(NamedTuple):
    seq: int
    id: UUID
    organization_id: UUID
    aggregate_id: UUID
    type: str
    occurred_at: datetime
    traceparent: str
    detail: str

    @property
    def aggregate(self) -> tuple[UUID, UUID]:
        return self.organization_id, self.aggregate_id


def bus_put(stopping: Event, budget: Budget | None = None) -> int:
    """All events that await the bus; answers how many it took. After a failure there is nothing to do for a while."""
    global _resting_until
    if not settings.EVENT_BUS_NAME or time.monotonic() < _resting_until:
        return 0
    with _alone() as is_alone:
        done, failed = _round(stopping, budget or Budget()) if is_alone else (0, 0)
    if failed:
        _resting_until = time.monotonic() + PATIENCE
        logger.warning("The bus refused %d events, which are put again", failed)
    if done:
        logger.info("Put %d events on the bus", done)
    return done


def _round(stopping: Event, budget: Budget) -> tuple[int, int]:
    """Once over what awaits the bus: how many it took, and how many it refused. A call that might not end in time waits."""
    held: set[tuple[UUID, UUID]] = set()  # aggregates of which one has failed
    done, seq = 0, 0
    while not stopping.is_set() and budget.left() >= time_for_one() and (rows := _waiting(seq)):
        seq = rows[-1].seq
        while budget.left() >= time_for_one() and (rows := [row for row in rows if row.aggregate not in held]):
            call = _call(rows)
            taken = _put(call)
            if taken is None:
                return done, len(call)
            held |= {row.aggregate for row in call if row.id not in taken}
            done += len(taken)
            rows = [row for row in rows if row.id not in taken]
    return done, len(held)


def _waiting(after: int) -> list[Waiting]:
    with connections["worker"].cursor() as cursor:
        cursor.execute(WAITING, [after])
        return [Waiting(*row) for row in cursor.fetchall()]


def _call(rows: Sequence[Waiting]) -> list[Waiting]:
    """The first of each aggregate, as many as fit into one call."""
    chosen: list[Waiting] = []
    seen: set[tuple[UUID, UUID]] = set()
    size = 0
    for row in rows:
        if row.aggregate in seen:
            continue
        seen.add(row.aggregate)
        size += _size(_entry(row))
        if chosen and size > BYTES:
            break
        chosen.append(row)
        if len(chosen) == ENTRIES:
            break
    return chosen


def _put(rows: Sequence[Waiting]) -> list[UUID] | None:
    """Those that the bus took, noted at once. None if it did not answer."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # slow to import, and needed for a bus alone

    try:
        answers = _client().put_events(Entries=[_entry(row) for row in rows])["Entries"]
    except (BotoCoreError, ClientError) as error:
        logger.warning("The bus does not answer: %s", error)
        return None
    taken = [row.id for row, answer in zip(rows, answers, strict=True) if answer.get("EventId")]
    for row, answer in zip(rows, answers, strict=True):
        if not answer.get("EventId"):
            logger.warning("The bus refused event %s: %s", row.id, answer.get("ErrorCode"))
    with connections["worker"].cursor() as cursor:
        cursor.execute(DONE, [taken])
    return taken


def _entry(row: Waiting) -> dict[str, Any]:
    entry = {
        "Source": SOURCE, "DetailType": row.type, "Detail": row.detail, "Time": row.occurred_at,
        "EventBusName": settings.EVENT_BUS_NAME,
    }
    if trace := x_ray_of(row.traceparent):
        entry["TraceHeader"] = trace
    if _size(entry) <= BYTES:
        return entry
    detail = {**orjson.loads(row.detail), "payload": None, "payload_omitted": f"/api/v1/events/{row.id}/"}
    return {**entry, "Detail": orjson.dumps(detail).decode()}


def _size(entry: dict[str, Any]) -> int:
    """As EventBridge counts: 14 for the time, and the bytes of the texts."""
    return 14 + sum(len(entry[name].encode()) for name in ("Source", "DetailType", "Detail"))


@contextmanager
def _alone() -> Iterator[bool]:
    """The lock is the connection's, not a transaction's: none is open while the bus is asked."""
    with connections["worker"].cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [MINE])
        is_mine = cursor.fetchone()[0]
    try:
        yield is_mine
    finally:
        if is_mine:
            with connections["worker"].cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [MINE])


@cache
def _client() -> Any:
    import boto3  # noqa: PLC0415  # slow to import, and needed for a bus alone
    from botocore.config import Config  # noqa: PLC0415  # as above

    return boto3.client(
        "events", endpoint_url=settings.EVENT_BUS_ENDPOINT_URL or None, region_name=settings.EVENT_BUS_REGION or None,
        config=Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2}),
    )
