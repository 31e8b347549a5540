"""Runs a job that this worker has taken: walled, in one transaction with the note that it succeeded."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any
from uuid import UUID

from django.db import Error, InterfaceError, OperationalError, connection, connections
from django.utils.module_loading import import_string
from django_tasks.base import TaskContext, TaskResult, TaskResultStatus
from django_tasks.utils import normalize_json

from core.errors import DomainError
from core.tenancy import Origin, organization_scope
from notifications.services.jobs import LEASE, Attempt, TryAgain, job_beat, job_fail, job_put_back, job_succeed

logger = logging.getLogger("notifications.jobs")

# A worker that stalled may still be at it, although its lease has run out: this lock lasts as long as its transaction.
ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"


class LeaseLost(Exception):
    """Somebody else has taken the job meanwhile: what this attempt wrote is rolled back."""


class StillRunning(Exception):
    """A stalled worker is still at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext(TaskContext):
    """What a task declared with takes_context=True gets."""

    is_last_attempt: bool


def job_run(attempt: Attempt) -> str:
    """Returns what became of it: a status, or "" if it was somebody else's. Raises when the database is away."""
    started = time.monotonic()
    try:
        with _lease_renewed(attempt):
            status = _within_its_organization(attempt)
    except LeaseLost:
        status = ""
    except StillRunning:
        job_put_back(attempt)
        status = "queued"
    except DomainError as error:
        status = job_fail(attempt, error.detail, for_good=True)
    except Exception as error:
        if isinstance(error, OperationalError | InterfaceError) and not _answers():
            raise
        logger.exception("Job %s of %s raised", attempt.id, attempt.task)
        status = job_fail(attempt, f"{type(error).__name__}: {error}")
    took = (time.monotonic() - started) * 1000
    logger.info("Job %s %s: %s, attempt %d, %.0f ms", attempt.id, attempt.task, status or "taken over", attempt.number, took)
    return status


def _within_its_organization(attempt: Attempt) -> str:
    task = import_string(attempt.task)
    with organization_scope(attempt.organization_id, origin=origin_from(attempt.origin)):
        with connection.cursor() as cursor:
            cursor.execute(ALONE, [f"job {attempt.id}"])
            if not cursor.fetchone()[0]:
                raise StillRunning
        try:
            result = normalize_json(_called(task, attempt))
        except TryAgain as again:
            status = job_fail(attempt, str(again), using="default")
        else:
            status = "succeeded" if job_succeed(attempt, result) else ""
        if not status:
            raise LeaseLost
        return status


def _called(task: Any, attempt: Attempt) -> Any:
    args, kwargs = attempt.arguments["args"], attempt.arguments["kwargs"]
    if not task.takes_context:
        return task.call(*args, **kwargs)
    result: TaskResult = TaskResult(
        task=task, id=str(attempt.id), status=TaskResultStatus.RUNNING, enqueued_at=None, started_at=None, finished_at=None,
        last_attempted_at=None, args=args, kwargs=kwargs, backend=task.backend, errors=[], worker_ids=[""] * attempt.number,
    )
    return task.call(JobContext(task_result=result, is_last_attempt=attempt.is_last), *args, **kwargs)


def origin_from(values: Mapping[str, Any]) -> Origin:
    ids = {name: UUID(values[name]) for name in ("actor_id", "api_key_id") if name in values}
    return Origin(**{**values, **ids})


@contextmanager
def _lease_renewed(attempt: Attempt) -> Iterator[None]:
    """A short job ends before the first heartbeat, and costs no connection."""
    ended = Event()

    def beat() -> None:
        try:
            while not ended.wait(LEASE / 3):
                if not job_beat(attempt):
                    return
        except Error:
            logger.warning("Job %s: its lease could not be renewed", attempt.id)
        finally:
            connections["worker"].close()  # this thread's own

    Thread(target=beat, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _answers() -> bool:
    return connection.connection is not None and connection.is_usable()
