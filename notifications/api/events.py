from core.api import ReadViewSet
from core.serializers import TenantSerializer
from notifications.models import OutboxEvent


class OutboxEventSerializer(TenantSerializer):
    class Meta:
        model = OutboxEvent
        fields = [
            "id", "seq", "bus", "type", "schema_version", "aggregate_type", "aggregate_id", "payload", "occurred_at",
            "correlation_id", "relayed_at", "created_at",
        ]


class OutboxEventViewSet(ReadViewSet):
    serializer_class = OutboxEventSerializer
    filters = ["type", "aggregate_id"]
    ordering = ["-id"]


routes = {"outbox-events": OutboxEventViewSet}
