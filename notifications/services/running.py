"""Runs a job that this worker has taken: walled, its last writes in one transaction with the note that it succeeded."""

import logging
import time
from collections.abc import Collection
from traceback import format_exception
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, connections
from django.utils.module_loading import import_string
from django_tasks.base import TaskResult, TaskResultStatus
from django_tasks.utils import normalize_json

from core import logs
from core.budget import Budget
from core.errors import DomainError
from notifications.services.endings import job_cancelled, job_continue, job_fail, job_put_back, job_succeed
from notifications.services.heart import Watched, heart
from notifications.services.jobs import Attempt, TryAgain, job_claim
from notifications.services.sittings import (
    Cancelled,
    Continue,
    JobContext,
    LeaseLost,
    Sitting,
    StillRunning,
    TimeOver,
    origin_from,
)  # fmt: skip

logger = logging.getLogger("notifications.jobs")

SHORTEST = 8.0  # seconds that are worth beginning a job

# Those that somebody should come back for: they could run, but for the room in their queue or for the time that ran out.
LEFT = """
    SELECT id FROM notifications_job
    WHERE id = ANY (%s) AND status = 'queued' AND waits_for IN ('', 'time') AND run_after <= now()
"""


def job_run(attempt: Attempt, budget: Budget | None = None) -> str:
    """Returns what became of it: a status, or "" if it was somebody else's. Raises when the database is away."""
    with logs.about(job_id=attempt.id, task=attempt.task, **logs.whose(attempt.organization_id, origin_from(attempt.origin))):
        return _run(attempt, budget or Budget())


def _run(attempt: Attempt, budget: Budget) -> str:
    started = time.monotonic()
    with heart.watching(attempt, budget.left()) as watched:
        status = _ended(attempt, watched)
    if watched.is_over or watched.is_given_up:
        connection.close()  # the database has ended it
    took = (time.monotonic() - started) * 1000
    logger.info("Job %s %s: %s, attempt %d, %.0f ms", attempt.id, attempt.task, status or "taken over", attempt.number, took)
    return status


def jobs_run_ids(ids: Collection[UUID], budget: Budget, *, worker: str = "") -> list[UUID]:
    """Runs those of these jobs that may run now; returns those that are to be tried again soon.

    A job that has ended, runs already or waits for its lock key is none of them: whoever frees it rings for it.
    """
    for job_id in ids:
        if budget.left() < SHORTEST:
            break
        if attempt := job_claim(worker=worker, job_id=job_id):
            job_run(attempt, budget)
    with connections["worker"].cursor() as cursor:
        cursor.execute(LEFT, [list(ids)])
        return [job_id for (job_id,) in cursor.fetchall()]


def _ended(attempt: Attempt, watched: Watched) -> str:
    try:
        return _within_its_organization(attempt, watched)
    except LeaseLost:
        return ""
    except StillRunning:
        job_put_back(attempt)
        return "queued"
    except Cancelled:
        return job_cancelled(attempt)
    except DomainError as error:
        return job_fail(attempt, error.detail, for_good=True)
    except Exception as error:
        return _failed(attempt, watched, error)


def _failed(attempt: Attempt, watched: Watched, error: Exception) -> str:
    if watched.is_given_up:
        return "queued"
    trace = "".join(format_exception(error))
    if watched.is_over or isinstance(error, TimeOver):
        if watched.is_cut_short:
            logger.info("Job %s of %s is put back: it had only %.0f seconds", attempt.id, attempt.task, watched.seconds)
            return "queued" if job_put_back(attempt, wait=0) else ""
        logger.warning("Job %s of %s took longer than it may", attempt.id, attempt.task)
        text = f"It took longer than its {watched.seconds:.0f} seconds."
        return job_fail(attempt, text, outcome="timed_out", traceback=trace)
    if isinstance(error, OperationalError | InterfaceError) and not _answers():
        raise error
    logger.exception("Job %s of %s raised", attempt.id, attempt.task)
    return job_fail(attempt, f"{type(error).__name__}: {error}", traceback=trace)


def _within_its_organization(attempt: Attempt, watched: Watched) -> str:
    task = import_string(attempt.task)
    sitting = Sitting(watched)
    with sitting.open():
        try:
            result = _called(task, attempt, sitting)
            if isinstance(result, Continue):
                raise result
        except TryAgain as again:
            status = job_fail(attempt, str(again), using="default")
        except Continue as rest:
            status = job_continue(attempt, rest.state)
        else:
            status = "succeeded" if job_succeed(attempt, normalize_json(result)) else ""
        if not status:
            raise LeaseLost
        return status


def _called(task: Any, attempt: Attempt, sitting: Sitting) -> Any:
    args, kwargs = attempt.arguments["args"], attempt.arguments["kwargs"]
    if not task.takes_context:
        return task.call(*args, **kwargs)
    result: TaskResult = TaskResult(
        task=task, id=str(attempt.id), status=TaskResultStatus.RUNNING, enqueued_at=None, started_at=None, finished_at=None,
        last_attempted_at=None, args=args, kwargs=kwargs, backend=task.backend, errors=[], worker_ids=[""] * attempt.attempts,
    )
    return task.call(JobContext(task_result=result, is_last_attempt=attempt.is_last, sitting=sitting), *args, **kwargs)


def _answers() -> bool:
    return connection.connection is not None and connection.is_usable()
