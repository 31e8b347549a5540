"""How an attempt ends: what becomes of the job, the note about the attempt, and whom that sets free, in one transaction."""

from typing import Any, NamedTuple
from uuid import UUID

from django.db import connections, transaction

from core.json import dumps
from core.text import storable
from notifications.services.jobs import BACKOFF, LEASE, MINE, Attempt
from notifications.services.ringing import ring
from notifications.services.steps import parent_follow, parent_lock

# `status`, `outcome`, `error` and `traceback` are values; `sets` says what else changes.
END = """
    WITH ended AS (
        UPDATE notifications_job SET {sets}, error = %(error)s, heartbeat_at = NULL WHERE {mine}
        RETURNING id, organization_id, status, waits_for, lock_key, parent_id, step, worker, started_at,
                  attempts + continuations AS number
    ), noted AS (
        INSERT INTO notifications_jobattempt
            (id, organization_id, job_id, number, worker, started_at, outcome, error, traceback, duration_ms)
        SELECT uuid7(), organization_id, id, {number}, worker, started_at,
               CASE WHEN status = 'cancelled' THEN 'cancelled' ELSE %(outcome)s END, %(error)s, %(traceback)s,
               LEAST(GREATEST(extract(epoch FROM clock_timestamp() - started_at) * 1000, 0), 2147483647)
        FROM ended ON CONFLICT (organization_id, job_id, number) DO NOTHING
    )
    SELECT id, organization_id, status, waits_for, lock_key, parent_id, step FROM ended
"""

SUCCEED = END.format(
    sets="status = 'succeeded', result = %(result)s, finished_at = clock_timestamp()", mine=MINE, number="%(number)s",
)

# Asked to stop, a job that fails is not tried again.
NEXT = """status = CASE WHEN status = 'cancelling' THEN 'cancelled' WHEN %(for_good)s THEN 'failed'
                        WHEN attempts < max_attempts THEN 'queued' ELSE 'dead' END,
          finished_at = CASE WHEN status = 'cancelling' OR %(for_good)s OR attempts >= max_attempts THEN clock_timestamp() END"""
FAIL = END.format(sets=f"{NEXT}, run_after = now() + {BACKOFF}, waits_for = 'time'", mine=MINE, number="%(number)s")

CANCEL = END.format(sets="status = 'cancelled', finished_at = clock_timestamp()", mine=MINE, number="%(number)s")

# It goes on at once, and that is no failure: the attempt is not counted.
CONTINUE = END.format(
    sets="status = CASE status WHEN 'cancelling' THEN 'cancelled' ELSE 'queued' END, run_after = now(), waits_for = '',"
    " finished_at = CASE status WHEN 'cancelling' THEN clock_timestamp() END,"
    " checkpoint = %(checkpoint)s, attempts = attempts - 1, continuations = continuations + 1",
    mine=MINE, number="%(number)s",
)

# An attempt that never began, or was broken off without its fault: it is not counted. The number that says whose a job
# is rises nevertheless.
PUT_BACK = f"""
    UPDATE notifications_job
    SET status = CASE status WHEN 'cancelling' THEN 'cancelled' ELSE 'queued' END, heartbeat_at = NULL,
        attempts = attempts - 1, continuations = continuations + 1,
        finished_at = CASE status WHEN 'cancelling' THEN clock_timestamp() END,
        run_after = now() + make_interval(secs => %(wait)s), waits_for = CASE WHEN %(wait)s > 0 THEN 'time' ELSE '' END
    WHERE {MINE} RETURNING id, organization_id, status, waits_for, lock_key, parent_id, step
"""

LOST = f"""
    SELECT id, organization_id, parent_id FROM notifications_job
    WHERE status IN ('running', 'cancelling') AND waits_for <> 'steps'
        AND heartbeat_at < clock_timestamp() - make_interval(secs => {LEASE})
    LIMIT 100
"""
RECOVER = END.format(
    sets=f"{NEXT}, run_after = now(), waits_for = ''", number="number",
    mine=f"""organization_id = %(organization)s AND id = %(id)s AND status IN ('running', 'cancelling') AND waits_for <> 'steps'
             AND heartbeat_at < clock_timestamp() - make_interval(secs => {LEASE})""",
)

# The first of those that are left of a lock key may run. A worker that puts it aside just now, because it saw the one
# that has ended, holds its row: this waits for it, and has the last word.
WAKE = """
    UPDATE notifications_job SET waits_for = CASE WHEN run_after > now() THEN 'time' ELSE '' END
    WHERE status = 'queued' AND waits_for <> 'steps' AND id = (
        SELECT id FROM notifications_job
        WHERE organization_id = %s AND lock_key = %s AND lock_key <> '' AND status IN ('queued', 'running', 'cancelling')
            AND waits_for <> 'steps'
        ORDER BY seq LIMIT 1
    )
    RETURNING id, waits_for
"""

# Of each lock key the first; those that nobody woke are woken.
STRAYS = """
    WITH RECURSIVE key AS (
        (SELECT organization_id, lock_key FROM notifications_job
         WHERE lock_key <> '' AND status IN ('queued', 'running', 'cancelling') AND waits_for <> 'steps'
         ORDER BY organization_id, lock_key LIMIT 1)
        UNION ALL
        SELECT following.* FROM key CROSS JOIN LATERAL (
            SELECT j.organization_id, j.lock_key FROM notifications_job AS j
            WHERE lock_key <> '' AND status IN ('queued', 'running', 'cancelling') AND waits_for <> 'steps'
                AND (j.organization_id, j.lock_key) > (key.organization_id, key.lock_key)
            ORDER BY j.organization_id, j.lock_key LIMIT 1
        ) AS following
    )
    SELECT key.organization_id, key.lock_key FROM key CROSS JOIN LATERAL (
        SELECT j.status, j.waits_for FROM notifications_job AS j
        WHERE j.organization_id = key.organization_id AND j.lock_key = key.lock_key
            AND lock_key <> '' AND status IN ('queued', 'running', 'cancelling') AND waits_for <> 'steps'
        ORDER BY j.seq LIMIT 1
    ) AS head WHERE head.status = 'queued' AND head.waits_for = 'lock' LIMIT 1000
"""


class Ended(NamedTuple):
    id: UUID
    organization_id: UUID
    status: str
    waits_for: str
    lock_key: str
    parent_id: UUID | None
    step: int


def job_succeed(attempt: Attempt, result: Any) -> bool:
    """On the app's connection: what the job wrote and its success are one transaction."""
    return bool(_end("default", SUCCEED, attempt, outcome="succeeded", result=dumps(result).decode()))


def job_fail(
    attempt: Attempt, error: str, *, for_good: bool = False, using: str = "worker", outcome: str = "failed", traceback: str = "",
) -> str:
    """Its new status, "" if the job is no longer this worker's. Queued again unless it failed for good or too often."""
    texts = {"error": storable(error[:2000]), "traceback": storable(traceback[-20_000:])}
    return _end(using, FAIL, attempt, outcome=outcome, for_good=for_good, **texts)


def job_cancelled(attempt: Attempt) -> str:
    """It was asked to stop, and did."""
    return _end("worker", CANCEL, attempt, outcome="cancelled", error="It was cancelled.")


def job_continue(attempt: Attempt, state: Any) -> str:
    """On the app's connection: what it has written so far stays, with the checkpoint that tells so."""
    return _end("default", CONTINUE, attempt, outcome="continued", checkpoint=dumps(state).decode())


def job_put_back(attempt: Attempt, *, wait: int = LEASE) -> bool:
    with transaction.atomic("worker"):
        parent_lock(attempt.organization_id, attempt.parent_id, using="worker")
        return bool(_changed("worker", PUT_BACK, {**attempt.key, "wait": wait}))


def jobs_recover() -> int:
    """Jobs whose workers were killed can be taken again."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(LOST)
        lost = cursor.fetchall()
    recovered = 0
    for job_id, organization_id, parent_id in lost:
        values = {
            "id": job_id, "organization": organization_id, "outcome": "lost", "error": "Its worker went away.", "traceback": "",
            "for_good": False,
        }
        with transaction.atomic("worker"):
            parent_lock(organization_id, parent_id, using="worker")
            recovered += bool(_changed("worker", RECOVER, values))
    return recovered


def keys_wake() -> int:
    """The safety net: a first one of its lock key that nobody woke. Returns how many there were."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(STRAYS)
        strays = cursor.fetchall()
    for organization_id, lock_key in strays:
        key_wake(organization_id, lock_key, using="worker")
    return len(strays)


def key_wake(organization_id: UUID, lock_key: str, *, using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(WAKE, [organization_id, lock_key])
        woken = [job_id for job_id, waits_for in cursor.fetchall() if not waits_for]
    ring(woken, using=using)


def _end(using: str, sql: str, attempt: Attempt, **values: Any) -> str:
    given = {"error": "", "traceback": "", **attempt.key, **values}
    if not (attempt.lock_key or attempt.parent_id):
        ended = _changed(using, sql, given)
    else:
        with transaction.atomic(using):
            parent_lock(attempt.organization_id, attempt.parent_id, using=using)
            ended = _changed(using, sql, given)
    return ended.status if ended else ""


def _changed(using: str, sql: str, values: dict[str, Any]) -> Ended | None:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
    if row is None:
        return None
    ended = Ended(*row)
    if ended.status == "queued":
        if not ended.waits_for:
            ring([ended.id], using=using)
        return ended
    job_left(ended, using=using)
    return ended


def job_left(ended: Ended, *, using: str) -> None:
    """What follows when a job has come to its end."""
    if ended.lock_key:
        key_wake(ended.organization_id, ended.lock_key, using=using)
    if ended.parent_id:
        for lock_key in parent_follow(ended.organization_id, ended.parent_id, ended.step, ended.status, using=using):
            key_wake(ended.organization_id, lock_key, using=using)
