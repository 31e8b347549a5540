"""What tests of jobs do again and again."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from uuid import UUID

from django.db import connections

from notifications.models import Job, JobAttempt, Topic
from notifications.services.jobs import job_claim
from notifications.services.running import job_run
from notifications.services.steps import steps_enqueue
from tests.companies import Company
from tests.notifications.processes import PATIENCE


def quiet() -> None:
    """What other tests left behind runs no more."""
    with connections["worker"].cursor() as cursor:
        cursor.execute("UPDATE notifications_job SET status = 'failed' WHERE status IN ('queued', 'running', 'cancelling')")


def enqueued(company: Company, of: Any, *args: Any, **options: Any) -> Job:
    with company.scope():
        return reread(company, of.using(**options).enqueue(*args).id)


def chained(company: Company, *steps: Any) -> Job:
    with company.scope():
        return reread(company, steps_enqueue(steps, name="A chain"))


def reread(company: Company, job: Job | UUID | str) -> Job:
    with company.scope():
        return Job.objects.get(pk=getattr(job, "pk", job))


def statuses(company: Company, *jobs: Job) -> list[str]:
    return [reread(company, job).status for job in jobs]


def tries(company: Company, job: Job) -> list[tuple[int, str]]:
    with company.scope():
        return list(JobAttempt.objects.filter(job=job).order_by("number").values_list("number", "outcome"))


def keys(company: Company) -> list[str]:
    with company.scope():
        own = Topic.objects.exclude(key__in=["reorder-reminders", "ops-critical", "stuck-orders"])
        return list(own.order_by("key").values_list("key", flat=True))


def change(job: Job, assignment: str) -> None:
    with connections["worker"].cursor() as cursor:
        cursor.execute(f"UPDATE notifications_job SET {assignment} WHERE id = %s", [job.pk])


def run_next() -> str:
    attempt = job_claim()
    assert attempt, "no job is due"
    return job_run(attempt)


def run_all() -> list[str]:
    found = []
    while attempt := job_claim():
        found.append(job_run(attempt))
    return found


@contextmanager
def running() -> Iterator[list[str]]:
    """The next job, in a thread; what became of it is in the list afterwards."""
    ended: list[str] = []

    def work() -> None:
        try:
            ended.append(run_next())
        finally:
            connections.close_all()

    thread = Thread(target=work)
    thread.start()
    yield ended
    thread.join(PATIENCE)
    assert not thread.is_alive()
