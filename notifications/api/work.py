from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet
from core.serializers import StrictSerializer, TenantSerializer
from notifications.accepting import POLL
from notifications.models import Job, JobAttempt
from notifications.services.steering import job_cancel, job_discard, job_retry, job_run_now

STEER = "notifications.change_job"


class JobSerializer(TenantSerializer):
    class Meta:
        model = Job
        fields = [
            "id", "task", "queue", "status", "progress", "progress_total", "progress_note", "priority", "run_after", "attempts",
            "max_attempts", "continuations", "time_limit", "lock_key", "parent", "step", "started_at", "finished_at", "result",
            "error", "discard_reason", "created_at",
        ]


class RetrySerializer(StrictSerializer):
    arguments = serializers.JSONField(required=False, help_text='In the place of its own: {"args": [...], "kwargs": {...}}.')

    def validate_arguments(self, value: Any) -> Any:
        if not isinstance(value, dict):
            raise serializers.ValidationError("Give an object.")
        return value


class GiveUpSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=200)


class JobViewSet(ReadViewSet):
    """What is being done in the background."""

    serializer_class = JobSerializer
    filters = ["status", "task", "parent"]
    ordering = ["-id"]

    @extend_schema(
        responses={
            200: OpenApiResponse(JobSerializer, description="It had not begun, and never will."),
            202: OpenApiResponse(JobSerializer, description="It is at work, and was asked to stop."),
        },
    )
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Cancel it. 409 if it has ended."""
        job = self.get_object()
        has_ended = job_cancel(job_id=job.pk) == Job.Status.CANCELLED
        body = self.read_row(job.pk)
        return Response(body, status.HTTP_200_OK if has_ended else status.HTTP_202_ACCEPTED, headers=self.row_headers(body))

    @extend_schema(responses=JobSerializer)
    @action(detail=True, methods=["post"], permission=STEER, body_class=RetrySerializer)
    def retry(self, request: Request, pk: str) -> Response:
        """One that failed, is dead, or was cancelled or discarded, once more."""
        return self._steered(job_retry)

    @extend_schema(request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"], url_path="run-now", permission=STEER)
    def run_now(self, request: Request, pk: str) -> Response:
        """Before all others, whatever its time."""
        return self._steered(job_run_now)

    @extend_schema(responses=JobSerializer)
    @action(detail=True, methods=["post"], permission=STEER, body_class=GiveUpSerializer)
    def discard(self, request: Request, pk: str) -> Response:
        """A failed or dead one that nobody will try again."""
        return self._steered(job_discard)

    def _steered(self, verb: Callable[..., object]) -> Response:
        job = self.get_object()
        verb(job_id=job.pk, **(self.body(self.request) if self.body_class else {}))
        body = self.read_row(job.pk)
        return Response(body, headers=self.row_headers(body))

    def row_headers(self, body: Mapping[str, Any]) -> dict[str, str]:
        return {"Retry-After": str(POLL)} if body.get("status") in Job.UNFINISHED else {}


class JobAttemptSerializer(TenantSerializer):
    class Meta:
        model = JobAttempt
        fields = ["id", "job", "number", "started_at", "outcome", "error", "duration_ms", "created_at"]


class JobAttemptViewSet(ReadViewSet):
    """How each try of a job went."""

    serializer_class = JobAttemptSerializer
    filters = ["job"]
    ordering = ["-id"]


routes = {"jobs": JobViewSet, "job-attempts": JobAttemptViewSet}
