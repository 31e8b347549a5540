from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet
from core.serializers import TenantSerializer
from notifications.accepting import POLL
from notifications.models import Job, JobAttempt
from notifications.services.steering import job_cancel


class JobSerializer(TenantSerializer):
    class Meta:
        model = Job
        fields = [
            "id", "task", "queue", "status", "progress", "progress_total", "progress_note", "priority", "run_after", "attempts",
            "max_attempts", "continuations", "time_limit", "lock_key", "parent", "step", "started_at", "finished_at", "result",
            "error", "discard_reason", "created_at",
        ]


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
