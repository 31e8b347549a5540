"""What people do with a job: cancel it, try it again, run it now, give it up."""

from collections.abc import Mapping
from typing import Any, NoReturn
from uuid import UUID

from django.db import connection, transaction

from core.errors import Conflict, Invalid, NotFound
from core.json import dumps
from core.tenancy import active_organization_id, active_scope
from notifications.models import Job
from notifications.models.work import MAX_ATTEMPTS
from notifications.services.endings import Ended, job_left, key_wake
from notifications.services.ringing import ring
from notifications.services.steps import parent_lock, steps_stop

WHICH = "organization_id = %(organization)s AND id = %(id)s"
SEEN = "RETURNING id, organization_id, status, waits_for, lock_key, parent_id, step"

CANCEL = f"""
    UPDATE notifications_job
    SET status = CASE status WHEN 'queued' THEN 'cancelled' ELSE 'cancelling' END,
        finished_at = CASE status WHEN 'queued' THEN clock_timestamp() END,
        error = CASE status WHEN 'queued' THEN 'It was cancelled.' ELSE error END
    WHERE {WHICH} AND status IN ('queued', 'running', 'cancelling') {SEEN}
"""
# Attempts go on being counted, because their number says whose a job is.
RETRY = f"""
    UPDATE notifications_job
    SET status = 'queued', waits_for = '', run_after = now(), finished_at = NULL, discard_reason = '',
        max_attempts = LEAST(attempts + {MAX_ATTEMPTS}, 32767), arguments = COALESCE(%(arguments)s::jsonb, arguments),
        origin = CASE WHEN %(arguments)s::jsonb IS NULL THEN origin ELSE %(origin)s::jsonb END
    WHERE {WHICH} AND status IN ('failed', 'dead', 'cancelled', 'discarded') AND waits_for <> 'steps' {SEEN}
"""
RUN_NOW = f"""
    UPDATE notifications_job SET run_after = now(), waits_for = '', priority = 100
    WHERE {WHICH} AND status = 'queued' AND waits_for IN ('', 'time', 'lock') {SEEN}
"""
DISCARD = f"""
    UPDATE notifications_job SET status = 'discarded', discard_reason = %(reason)s
    WHERE {WHICH} AND status IN ('failed', 'dead') {SEEN}
"""
# A chain goes on where it stopped: what was cancelled with the step waits again.
REOPEN = """
    UPDATE notifications_job SET status = 'running', error = '', finished_at = NULL, heartbeat_at = now()
    WHERE organization_id = %(organization)s AND id = %(parent)s AND status IN ('failed', 'dead', 'cancelled', 'discarded')
"""
REVIVE = """
    UPDATE notifications_job
    SET status = 'queued', error = '', finished_at = NULL, waits_for = CASE WHEN step > %(step)s THEN 'steps' ELSE '' END
    WHERE organization_id = %(organization)s AND parent_id = %(parent)s AND step >= %(step)s AND status = 'cancelled'
"""


def job_cancel(*, job_id: UUID) -> str:
    """Before it starts, at once; at work, it is asked to stop. Its status; raises Conflict if it has ended."""
    with transaction.atomic():
        job = _job(job_id)
        ended = _changed(CANCEL, job_id)
        if ended is None:
            _refuse(job_id, "cancelled: it has ended")
        if job.waits_for == Job.Waits.STEPS and job.parent_id is None:
            return _steps_cancelled(ended)
        if ended.status == Job.Status.CANCELLED:
            job_left(ended, using="default")
    return ended.status


def job_retry(*, job_id: UUID, arguments: Mapping[str, Any] | None = None) -> None:
    """One that failed, is dead, or was cancelled or discarded: as often as a new one, from its checkpoint on.

    `arguments` stand in the place of its own: {"args": [...], "kwargs": {...}}. The job is then done in the name of
    whoever gave them.
    """
    if arguments is not None and not (isinstance(arguments.get("args"), list) and isinstance(arguments.get("kwargs"), dict)):
        raise Invalid('Write the arguments as {"args": [...], "kwargs": {...}}.', fields={"arguments": "not in this form"})
    with transaction.atomic():
        job = _job(job_id)
        given = None if arguments is None else dumps(arguments).decode()
        again = _changed(RETRY, job_id, arguments=given, origin=active_scope().origin.as_json())
        if again is None:
            _refuse(job_id, "tried again: only what has failed, is dead, or was cancelled or discarded can be")
        if job.parent_id:
            with connection.cursor() as cursor:
                values: dict[str, Any] = {"organization": active_organization_id(), "parent": job.parent_id, "step": job.step}
                cursor.execute(REOPEN, values)
                cursor.execute(REVIVE, values)
        ring([job_id])


def job_run_now(*, job_id: UUID) -> None:
    """One that waits: before all others, whatever its time. Its lock key and the room in its queue still count."""
    with transaction.atomic():
        if _changed(RUN_NOW, job_id) is None:
            _refuse(job_id, "started: only one that waits for a worker can be")
        ring([job_id])


def job_discard(*, job_id: UUID, reason: str) -> None:
    """A failed or dead one that nobody will try again."""
    if not reason.strip():
        raise Invalid("Say why.", fields={"reason": "is needed"})
    with transaction.atomic():
        if _changed(DISCARD, job_id, reason=reason.strip()[:200]) is None:
            _refuse(job_id, "discarded: only what has failed or is dead can be")


def _job(job_id: UUID) -> Job:
    """Its parent is locked first, as everybody does."""
    job: Job | None = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise NotFound("There is no such job.")
    parent_lock(active_organization_id(), job.parent_id, using="default")
    return job


def _steps_cancelled(parent: Ended) -> str:
    values = {"organization": parent.organization_id, "parent": parent.id, "error": "It was cancelled."}
    for lock_key in steps_stop("default", values):
        key_wake(parent.organization_id, lock_key, using="default")
    if Job.objects.filter(parent_id=parent.id, status__in=Job.UNFINISHED).exists():
        return parent.status
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_job SET status = 'cancelled', heartbeat_at = NULL, finished_at = clock_timestamp(),"
            f" error = 'It was cancelled.' WHERE {WHICH}", {"organization": parent.organization_id, "id": parent.id},
        )
    return str(Job.Status.CANCELLED)


def _changed(sql: str, job_id: UUID, **values: Any) -> Ended | None:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"organization": active_organization_id(), "id": job_id, **values})
        row = cursor.fetchone()
    return Ended(*row) if row else None


def _refuse(job_id: UUID, what: str) -> NoReturn:
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise NotFound("There is no such job.")
    raise Conflict(f"A job that is {job.status} cannot be {what}.", code="wrong_state")
