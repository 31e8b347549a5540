"""Django's Tasks API on `Job` rows."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskError, TaskResult, TaskResultStatus
from django_tasks.exceptions import InvalidTaskError, TaskResultDoesNotExist
from django_tasks.utils import normalize_json

from notifications.models import Job
from notifications.models.work import LONGEST, MAX_ATTEMPTS
from notifications.services.jobs import Order, job_enqueue

STATUS = {
    Job.Status.QUEUED: TaskResultStatus.READY, Job.Status.RUNNING: TaskResultStatus.RUNNING,
    Job.Status.SUCCEEDED: TaskResultStatus.SUCCESSFUL, Job.Status.FAILED: TaskResultStatus.FAILED,
    Job.Status.DEAD: TaskResultStatus.FAILED, Job.Status.CANCELLING: TaskResultStatus.RUNNING,
    Job.Status.CANCELLED: TaskResultStatus.FAILED, Job.Status.DISCARDED: TaskResultStatus.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTask(Task):
    """`dedupe_key`: enqueued twice in an organization, however long ago, the first job is the answer to both.

    `lock_key`: jobs of an organization that have it run one at a time, in the order of their enqueuing.
    `time_limit`: seconds that an attempt may take. `result_as`: of a step, the keyword by which it gets the result
    of the one before it.
    """

    max_attempts: int = MAX_ATTEMPTS
    dedupe_key: str = ""
    lock_key: str = ""
    time_limit: int = LONGEST
    result_as: str = ""

    def using(
        self, *, priority: int | None = None, queue_name: str | None = None, run_after: datetime | None = None,
        backend: str | None = None, **own: Any,
    ) -> "JobTask":
        if unknown := own.keys() - {"max_attempts", "dedupe_key", "lock_key", "time_limit", "result_as"}:
            raise TypeError(f"A task takes no {', '.join(sorted(unknown))}.")
        changed = Task.using(self, priority=priority, queue_name=queue_name, run_after=run_after, backend=backend)
        return replace(changed, **own) if own else changed


def order(task: Any, *args: Any, **kwargs: Any) -> Order:
    """What `task.enqueue(*args, **kwargs)` asks for; for `steps_enqueue`."""
    return Order(
        task=task.module_path, queue=task.queue_name, args=normalize_json(args), kwargs=normalize_json(kwargs),
        priority=task.priority, run_after=task.run_after, max_attempts=task.max_attempts, time_limit=task.time_limit,
        lock_key=task.lock_key, dedupe_key=task.dedupe_key, result_as=task.result_as,
    )


class JobBackend(BaseTaskBackend):
    """A job belongs to the organization in whose scope it is enqueued, and begins to exist when that scope commits."""

    task_class = JobTask
    supports_defer = True
    supports_priority = True
    supports_get_result = True

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> TaskResult:
        self.validate_task(task)
        job_id = job_enqueue(order(task, *args, **kwargs))
        job = Job.objects.get(pk=job_id) if job_id else Job.objects.get(dedupe_key=task.dedupe_key)
        return self._result(job)

    def validate_task(self, task: Any) -> None:
        super().validate_task(task)
        if not 1 <= task.time_limit <= LONGEST:
            raise InvalidTaskError(f"An attempt may take 1 to {LONGEST} seconds.")

    def get_result(self, result_id: str) -> TaskResult:
        try:
            job = Job.objects.filter(pk=UUID(result_id)).first()
        except (ValueError, ValidationError):
            job = None
        if job is None:
            raise TaskResultDoesNotExist(result_id)
        return self._result(job)

    def _result(self, job: Job) -> TaskResult:
        result: TaskResult = TaskResult(
            task=import_string(job.task), id=str(job.pk), status=STATUS[Job.Status(job.status)],
            enqueued_at=job.created_at, started_at=job.started_at, finished_at=job.finished_at, last_attempted_at=job.started_at,
            args=job.arguments["args"], kwargs=job.arguments["kwargs"], backend=self.alias,
            errors=[TaskError(exception_class_path="builtins.Exception", traceback=job.error)] if job.error else [],
            worker_ids=[job.worker] * job.attempts,
        )
        object.__setattr__(result, "_return_value", job.result)  # as the library itself does: it is not an argument
        return result
