from core.api import ReadViewSet
from core.serializers import TenantSerializer
from notifications.models import Job


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


routes = {"jobs": JobViewSet}
