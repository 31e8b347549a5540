from collections.abc import Mapping
from typing import Any

from core.api import ReadViewSet
from core.serializers import TenantSerializer
from notifications.models import Job

POLL = 2  # seconds until it is worth asking again
UNFINISHED = (Job.Status.QUEUED, Job.Status.RUNNING)


class JobSerializer(TenantSerializer):
    class Meta:
        model = Job
        fields = [
            "id", "task", "queue", "status", "priority", "run_after", "attempts", "max_attempts", "started_at", "finished_at",
            "result", "error", "created_at",
        ]


class JobViewSet(ReadViewSet):
    """What is being done in the background."""

    serializer_class = JobSerializer
    filters = ["status", "task"]
    ordering = ["-id"]

    def row_headers(self, body: Mapping[str, Any]) -> dict[str, str]:
        return {"Retry-After": str(POLL)} if body.get("status") in UNFINISHED else {}


routes = {"jobs": JobViewSet}
