from core.api import TenantViewSet
from core.serializers import TenantSerializer
from inventory.models import VehicleModel


class VehicleModelSerializer(TenantSerializer):
    class Meta:
        model = VehicleModel
        fields = [
            "id", "make", "model", "year", "engine", "trim", "vehicle_type", "fuel", "created_at", "updated_at", "version",
        ]


class VehicleModelViewSet(TenantViewSet):
    serializer_class = VehicleModelSerializer
    filters = ["make"]
    search_keys = ["model_key"]


routes = {"vehicle-models": VehicleModelViewSet}
