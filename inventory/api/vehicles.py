from core.api import TenantViewSet
from core.serializers import TenantSerializer
from inventory.models import Fitment, VehicleModel


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


class FitmentSerializer(TenantSerializer):
    class Meta:
        model = Fitment
        fields = [
            "id", "variant", "vehicle_model", "position", "quantity_per_vehicle", "notes", "verified_at",
            "created_at", "updated_at", "version",
        ]


class FitmentViewSet(TenantViewSet):
    serializer_class = FitmentSerializer
    filters = ["variant", "vehicle_model"]


routes = {"vehicle-models": VehicleModelViewSet, "fitments": FitmentViewSet}
