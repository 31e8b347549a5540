"""What the entries for AWS run: the one place that knows how jobs are claimed and events relayed."""

from collections.abc import Collection
from uuid import UUID

import orjson
from django.db import connections

from core.budget import Budget
from core.roles import refuse_wrong_roles
from notifications.registry import handlers
from notifications.services.events import BATCH, events_relay
from notifications.services.jobs import Attempt, job_claim, jobs_recover
from notifications.services.running import job_run

CLAIM_ONE = """
    UPDATE notifications_job SET status = 'running', attempts = attempts + 1, started_at = now(), heartbeat_at = now()
    WHERE id = (
        SELECT id FROM notifications_job WHERE id = %s AND status = 'queued' AND run_after <= now() FOR UPDATE SKIP LOCKED
    )
    RETURNING id, organization_id, task, arguments, origin, attempts, max_attempts
"""

_checked: list[bool] = []


def roles_checked() -> None:
    """Once for each process: it closes connections, which a warm one wants to keep."""
    if not _checked:
        refuse_wrong_roles()
        _checked.append(True)


def jobs_run_ids(ids: Collection[UUID], budget: Budget) -> list[UUID]:
    """Those that there was no time for. One that is done, runs elsewhere or must wait is nothing to do."""
    left = []
    for job_id in ids:
        if not budget.has_time():
            left.append(job_id)
        elif attempt := _claim(job_id):
            job_run(attempt)
    return left


def relay(budget: Budget) -> int:
    """Until no event is left; how many there were."""
    relayed = 0
    while budget.has_time():
        events = events_relay(handlers()).events
        relayed += events
        if events < BATCH:
            break
    return relayed


def drain(budget: Budget) -> bool:
    """All that can be done now; whether all of it was."""
    jobs_recover()
    did_anything = True
    while did_anything and budget.has_time():
        did_anything = bool(relay(budget))
        while budget.has_time() and (attempt := job_claim()):
            job_run(attempt)
            did_anything = True
    return not budget.ran_out


def _claim(job_id: UUID) -> Attempt | None:
    with connections["worker"].cursor() as cursor:
        cursor.execute(CLAIM_ONE, [job_id])
        row = cursor.fetchone()
    if row is None:
        return None
    found, organization_id, task, arguments, origin, number, max_attempts = row
    return Attempt(found, organization_id, task, orjson.loads(arguments), orjson.loads(origin), number, max_attempts)
