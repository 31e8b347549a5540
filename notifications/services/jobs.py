"""The life of a job, a statement for each step. `notifications.services.running` does its work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connection, connections
from django.utils import timezone
from uuid_utils.compat import uuid7

from core.json import dumps
from core.tenancy import active_scope
from notifications.models.work import LONGEST, MAX_ATTEMPTS
from notifications.services.ringing import CHANNEL as CHANNEL
from notifications.services.ringing import ring_away

LEASE = settings.JOB_LEASE  # seconds after its last heartbeat in which nobody else takes a running job

# SQL to wait after attempt n: 30 s, 90 s, ... 6 hours, 9 hours in all, each a quarter more or less, so that what
# failed together does not come back together.
BACKOFF = "make_interval(secs => 30 * 3 ^ (LEAST(attempts, 10) - 1) * (0.75 + random() / 2))"
# Delivered when the transaction commits, and never without it.
DOORBELL = f"CASE WHEN count(*) > 0 THEN pg_notify('{CHANNEL}', '') END"
JOB_ONCE = "ON CONFLICT (organization_id, dedupe_key) WHERE dedupe_key <> '' DO NOTHING"

ENQUEUE = f"""
    WITH made AS (
        INSERT INTO notifications_job (
            id, organization_id, task, queue, arguments, priority, run_after, waits_for, max_attempts, time_limit, lock_key,
            dedupe_key, parent_id, step, origin)
        VALUES (%s, %s, %s, %s, %s, %s, COALESCE(%s, now()), %s, %s, %s, %s, %s, %s, %s, %s)
        {JOB_ONCE} RETURNING id, waits_for
    )
    SELECT count(*), count(*) FILTER (WHERE waits_for = ''),
           CASE WHEN count(*) FILTER (WHERE waits_for = '') > 0 THEN pg_notify('{CHANNEL}', '') END FROM made
"""

CLAIM = "SELECT * FROM notifications_job_claim(%s, %s, %s, %s)"

# Of each step after the claim: the number of the attempt says whose it is, so that a worker which was thought
# dead can no longer change a job that another has taken.
MINE = (
    "organization_id = %(organization)s AND id = %(id)s AND status IN ('running', 'cancelling')"
    " AND attempts + continuations = %(number)s"
)

# Of a row that somebody holds it is left out: waiting for one would keep all others of the process without a beat.
BEAT = f"""
    UPDATE notifications_job SET heartbeat_at = clock_timestamp()
    WHERE id = (SELECT id FROM notifications_job WHERE {MINE} FOR NO KEY UPDATE SKIP LOCKED) RETURNING status
"""


class TryAgain(Exception):
    """Raised by a job whose writes are to stay, and which is to run again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be done. `task` is the dotted path of a django_tasks Task."""

    task: str
    queue: str = "default"
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0
    run_after: datetime | None = None
    max_attempts: int = MAX_ATTEMPTS
    time_limit: int = LONGEST
    lock_key: str = ""
    dedupe_key: str = ""
    result_as: str = ""  # of a step: the keyword by which it gets what the step before it has returned


class Attempt(NamedTuple):
    """A job that this worker has taken."""

    id: UUID
    organization_id: UUID
    task: str
    arguments: dict[str, Any]
    origin: dict[str, Any]
    number: int  # continuations counted as well
    attempts: int
    max_attempts: int
    lock_key: str
    time_limit: int
    checkpoint: Any
    parent_id: UUID | None
    step: int
    queue: str

    @property
    def key(self) -> dict[str, Any]:
        return {"id": self.id, "organization": self.organization_id, "number": self.number}

    @property
    def is_last(self) -> bool:
        return self.attempts >= self.max_attempts


def job_enqueue(order: Order, *, parent: UUID | None = None, step: int = 0, waits_for: str = "") -> UUID | None:
    """In the scope's transaction: rolled back, nothing was asked for. None if a job with this dedupe_key is there."""
    scope, job_id = active_scope(), uuid7()
    arguments = {"args": order.args, "kwargs": order.kwargs, **({"result_as": order.result_as} if order.result_as else {})}
    if not waits_for and order.run_after and order.run_after > timezone.now():
        waits_for = "time"
    with connection.cursor() as cursor:
        cursor.execute(ENQUEUE, [
            job_id, scope.organization_id, order.task, order.queue, dumps(arguments).decode(), order.priority, order.run_after,
            waits_for, order.max_attempts, order.time_limit, order.lock_key, order.dedupe_key, parent, step,
            scope.origin.as_json(),
        ])
        made, is_ready, _ = cursor.fetchone()
    if is_ready:
        ring_away([job_id])
    return job_id if made else None


def job_made(order: Order) -> UUID:
    """As `job_enqueue`, for an order without a dedupe key."""
    if order.dedupe_key or (job_id := job_enqueue(order)) is None:
        raise ValueError("With a dedupe key the job may be there already: call job_enqueue().")
    return job_id


def job_claim(*, worker: str = "", job_id: UUID | None = None) -> Attempt | None:
    """The next job that may run, or this one; no other worker gets it while its lease is renewed."""
    queues = list(settings.JOB_QUEUES)
    limits = [settings.JOB_QUEUES[queue].get("limit") for queue in queues]
    with connections["worker"].cursor() as cursor:
        cursor.execute(CLAIM, [queues, limits, worker[:100], job_id])
        row = cursor.fetchone()
    if row is None:
        return None
    found = Attempt(*row)
    return found._replace(
        arguments=orjson.loads(row[3]), origin=orjson.loads(row[4]),
        checkpoint=None if found.checkpoint is None else orjson.loads(found.checkpoint),
    )


def job_beat(attempt: Attempt) -> str:
    """Renews the lease; its status, or "" if the job is no longer this worker's, or somebody holds its row just now."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(BEAT, attempt.key)
        row = cursor.fetchone()
    return row[0] if row else ""
