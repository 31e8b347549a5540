from accounts.models import AuditEntry
from core.api import ReadViewSet
from core.serializers import TenantSerializer


class AuditEntrySerializer(TenantSerializer):
    class Meta:
        model = AuditEntry
        fields = [
            "id", "table_name", "row_id", "action", "changes", "actor_id", "api_key_id", "request_id", "reason", "ip",
            "created_at",
        ]


class AuditEntryViewSet(ReadViewSet):
    serializer_class = AuditEntrySerializer
    filters = ["table_name", "row_id", "actor_id", "request_id"]
    ordering = ["-id"]


routes = {"audit-entries": AuditEntryViewSet}
