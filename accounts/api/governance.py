from accounts.models import AuditEntry, Impersonation
from core.api import ReadViewSet
from core.serializers import TenantSerializer


class AuditEntrySerializer(TenantSerializer):
    class Meta:
        model = AuditEntry
        fields = [
            "id", "table_name", "row_id", "action", "changes", "actor_id", "impersonator_id", "api_key_id",
            "request_id", "reason", "ip", "created_at",
        ]


class AuditEntryViewSet(ReadViewSet):
    serializer_class = AuditEntrySerializer
    filters = ["table_name", "row_id", "actor_id", "request_id"]
    ordering = ["-id"]


class ImpersonationSerializer(TenantSerializer):
    class Meta:
        model = Impersonation
        fields = ["id", "impersonator", "membership", "reason", "expires_at", "ended_at", "created_at", "updated_at", "version"]


class ImpersonationViewSet(ReadViewSet):
    """When platform staff acted for a member, and why."""

    serializer_class = ImpersonationSerializer
    filters = ["membership"]
    ordering = ["-id"]


routes = {"audit-entries": AuditEntryViewSet, "impersonations": ImpersonationViewSet}
