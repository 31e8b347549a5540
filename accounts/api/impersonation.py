from accounts.models import Impersonation
from core.api import ReadViewSet
from core.serializers import TenantSerializer


class ImpersonationSerializer(TenantSerializer):
    class Meta:
        model = Impersonation
        fields = ["id", "impersonator", "membership", "reason", "expires_at", "ended_at", "created_at", "updated_at", "version"]


class ImpersonationViewSet(ReadViewSet):
    """When platform staff acted for a member, and why."""

    serializer_class = ImpersonationSerializer
    filters = ["membership"]
    ordering = ["-id"]


routes = {"impersonations": ImpersonationViewSet}
