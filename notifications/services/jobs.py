"""The life of a job, one statement for each step. `notifications.services.running` does its work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection, connections
from uuid_utils.compat import uuid7

from core.json import dumps
from core.tenancy import active_scope

CHANNEL = "quartermaster_jobs"
LEASE = 30  # seconds after its last heartbeat in which nobody else takes a running job

# SQL to wait after attempt n: 30 s, 90 s, ... 6 hours, 9 hours in all, each a quarter more or less, so that what
# failed together does not come back together.
BACKOFF = "make_interval(secs => 30 * 3 ^ (attempts - 1) * (0.75 + random() / 2))"
# Delivered when the transaction commits, and never without it.
DOORBELL = f"CASE WHEN count(*) > 0 THEN pg_notify('{CHANNEL}', '') END"
JOB_ONCE = "ON CONFLICT (organization_id, dedupe_key) WHERE dedupe_key <> '' DO NOTHING"

ENQUEUE = f"""
    WITH made AS (
        INSERT INTO notifications_job
            (id, organization_id, task, queue, arguments, priority, run_after, max_attempts, dedupe_key, origin)
        VALUES (%s, %s, %s, %s, %s, %s, COALESCE(%s, now()), %s, %s, %s)
        {JOB_ONCE} RETURNING id
    )
    SELECT count(*), {DOORBELL} FROM made
"""

CLAIM = """
    UPDATE notifications_job SET status = 'running', attempts = attempts + 1, started_at = now(), heartbeat_at = now()
    WHERE id = (
        SELECT id FROM notifications_job WHERE status = 'queued' AND run_after <= now()
        ORDER BY priority DESC, run_after, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id, organization_id, task, arguments, origin, attempts, max_attempts
"""

# Of each step after the claim: the number of the attempt says whose it is, so that a worker which was thought
# dead can no longer change a job that another has taken.
MINE = "organization_id = %(organization)s AND id = %(id)s AND status = 'running' AND attempts = %(attempt)s"

BEAT = f"UPDATE notifications_job SET heartbeat_at = now() WHERE {MINE}"

SUCCEED = f"""
    UPDATE notifications_job
    SET status = 'succeeded', result = %(result)s, error = '', heartbeat_at = NULL, finished_at = clock_timestamp()
    WHERE {MINE}
"""

FAIL = f"""
    UPDATE notifications_job
    SET status = CASE WHEN %(for_good)s THEN 'failed' WHEN attempts < max_attempts THEN 'queued' ELSE 'dead' END,
        finished_at = CASE WHEN %(for_good)s OR attempts >= max_attempts THEN clock_timestamp() END,
        run_after = now() + {BACKOFF}, error = %(error)s, heartbeat_at = NULL
    WHERE {MINE}
    RETURNING status
"""

# An attempt that never began: it is not counted.
PUT_BACK = f"""
    UPDATE notifications_job
    SET status = 'queued', attempts = attempts - 1, run_after = now() + make_interval(secs => {LEASE}), heartbeat_at = NULL
    WHERE {MINE}
"""

RECOVER = f"""
    UPDATE notifications_job
    SET status = CASE WHEN attempts < max_attempts THEN 'queued' ELSE 'dead' END,
        finished_at = CASE WHEN attempts >= max_attempts THEN now() END,
        run_after = now(), error = 'Its worker went away.', heartbeat_at = NULL
    WHERE status = 'running' AND heartbeat_at < now() - make_interval(secs => {LEASE})
"""


class TryAgain(Exception):
    """Raised by a job whose writes are to stay, and which is to run again later."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done. `task` is the dotted path of a django_tasks Task."""

    task: str
    queue: str
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    priority: int
    run_after: datetime | None
    max_attempts: int
    dedupe_key: str


class Attempt(NamedTuple):
    """A job that this worker has taken."""

    id: UUID
    organization_id: UUID
    task: str
    arguments: dict[str, Any]
    origin: dict[str, Any]
    number: int
    max_attempts: int

    @property
    def key(self) -> dict[str, Any]:
        return {"id": self.id, "organization": self.organization_id, "attempt": self.number}

    @property
    def is_last(self) -> bool:
        return self.number >= self.max_attempts


def job_enqueue(order: Order) -> UUID | None:
    """In the scope's transaction: rolled back, nothing was asked for. None if a job with this dedupe_key is there."""
    scope, job_id = active_scope(), uuid7()
    with connection.cursor() as cursor:
        cursor.execute(ENQUEUE, [
            job_id, scope.organization_id, order.task, order.queue, dumps({"args": order.args, "kwargs": order.kwargs}).decode(),
            order.priority, order.run_after, order.max_attempts, order.dedupe_key, scope.origin.as_json(),
        ])
        return job_id if cursor.fetchone()[0] else None


def job_claim() -> Attempt | None:
    """The next job that is due, in order of priority; no other worker gets it while its lease is renewed."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(CLAIM)
        row = cursor.fetchone()
    if row is None:
        return None
    job_id, organization_id, task, arguments, origin, number, max_attempts = row
    return Attempt(job_id, organization_id, task, orjson.loads(arguments), orjson.loads(origin), number, max_attempts)


def job_beat(attempt: Attempt) -> bool:
    """Renews the lease; False if the job is no longer this worker's."""
    return _changed("worker", BEAT, attempt.key)


def job_succeed(attempt: Attempt, result: Any) -> bool:
    """On the app's connection: what the job wrote and its success are one transaction."""
    return _changed("default", SUCCEED, {**attempt.key, "result": dumps(result).decode()})


def job_fail(attempt: Attempt, error: str, *, for_good: bool = False, using: str = "worker") -> str:
    """Its new status, "" if the job is no longer this worker's. Queued again unless it failed for good or too often."""
    with connections[using].cursor() as cursor:
        cursor.execute(FAIL, {**attempt.key, "for_good": for_good, "error": error[:2000]})
        row = cursor.fetchone()
    return row[0] if row else ""


def job_put_back(attempt: Attempt) -> None:
    _changed("worker", PUT_BACK, attempt.key)


def jobs_recover() -> int:
    """Jobs whose workers were killed can be taken again."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(RECOVER)
        return int(cursor.rowcount)


def _changed(using: str, sql: str, values: dict[str, Any]) -> bool:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values)
        return bool(cursor.rowcount)
