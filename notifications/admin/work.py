from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from core.admin import ReadOnlyTenantAdmin
from core.admin_actions import confirmed
from core.errors import DomainError
from notifications.models import Job, JobAttempt
from notifications.services.steering import job_cancel, job_retry, job_run_now


@admin.register(Job)
class JobAdmin(ReadOnlyTenantAdmin):
    list_display = [
        "created_at", "task", "queue", "status", "progress", "progress_total", "attempts", "started_at", "finished_at", "error",
    ]
    list_filter = ["status"]
    search_keys = ["task"]
    actions_detail = ["cancel", "retry", "run_now"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Who asked, from where and with what is for those who may steer it."""
        fields = super().get_fields(request, obj)
        hidden = () if self.has_steer_permission(request) else ("origin", "arguments", "checkpoint")
        return [name for name in fields if name not in hidden]

    @action(description="Cancel", url_path="cancel", permissions=["cancel"])
    @confirmed("Cancel this job? One that is at work is asked to stop.")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._done(request, object_id, job_cancel, "The job is cancelled, or was asked to stop.")

    @action(description="Try again", url_path="retry", permissions=["steer"])
    @confirmed("Try this job again? It goes on from its last checkpoint.")
    def retry(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._done(request, object_id, job_retry, "The job is queued again.")

    @action(description="Run now", url_path="run-now", permissions=["steer"])
    @confirmed("Run this job before all others?")
    def run_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._done(request, object_id, job_run_now, "The job is the next to run.")

    def _done(self, request: HttpRequest, object_id: str, do: Callable[..., object], said: str) -> HttpResponse:
        job: Any = self.get_object(request, object_id)
        if job is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        try:
            do(job_id=job.pk)
            self.message_user(request, said, messages.SUCCESS)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:notifications_job_change", args=[job.pk]))

    def has_cancel_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("notifications.delete_job"))

    def has_steer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("notifications.change_job"))


@admin.register(JobAttempt)
class JobAttemptAdmin(ReadOnlyTenantAdmin):
    """The traceback is for platform staff: it shows code and values."""

    list_display = ["started_at", "job", "number", "outcome", "duration_ms", "worker", "error"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = super().get_fields(request, obj)
        return fields if request.user.is_superuser else [name for name in fields if name != "traceback"]

