from rest_framework import serializers

from core.api import TenantViewSet
from core.serializers import TenantSerializer
from inventory.models import LogisticUnit
from inventory.services.logistic_units import sscc_next


class LogisticUnitSerializer(TenantSerializer):
    location_code = serializers.CharField(source="location.code", read_only=True)

    class Meta:
        model = LogisticUnit
        fields = [
            "id", "sscc", "kind", "parent", "location", "location_code", "weight", "created_at", "updated_at", "version",
        ]


class LogisticUnitViewSet(TenantViewSet):
    """Parcels and pallets. Without an SSCC in the body, a unit gets the next one of the organization."""

    serializer_class = LogisticUnitSerializer
    filters = ["sscc", "kind", "parent", "location"]
    bulk_operations = ("delete",)
    no_bulk = "Units get their numbers one by one."

    def save(self, serializer: serializers.BaseSerializer) -> LogisticUnit:
        if not serializer.validated_data.get("sscc", serializer.instance):
            serializer.validated_data["sscc"] = sscc_next()
        row: LogisticUnit = serializer.save()
        return row


routes = {"logistic-units": LogisticUnitViewSet}
