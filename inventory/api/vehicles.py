from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import TenantViewSet
from core.errors import Invalid
from core.serializers import StrictSerializer, TenantSerializer
from inventory.api.fitment import FittingParts, year_field
from inventory.models import Fitment, VehicleModel
from inventory.queries.vehicle_search import vehicle_search
from inventory.services.vehicles import Choice, vehicles_import


class VehicleModelSerializer(TenantSerializer):
    class Meta:
        model = VehicleModel
        fields = [
            "id", "make", "model", "year", "engine", "trim", "vehicle_type", "fuel", "created_at", "updated_at", "version",
        ]


class VehicleImportSerializer(StrictSerializer):
    all: Any = serializers.BooleanField(default=False, help_text="Every make and year.")
    makes: Any = serializers.ListField(child=serializers.CharField(max_length=60), max_length=200, required=False)
    year_from = year_field()
    year_to = year_field()


class VehicleImportedSerializer(serializers.Serializer):
    created = serializers.IntegerField()
    unchanged = serializers.IntegerField()


class VehicleModelViewSet(FittingParts, TenantViewSet):
    serializer_class = VehicleModelSerializer
    filters = ["make", "model", "year"]
    search_keys = ["model_key"]
    searcher = staticmethod(vehicle_search)
    search_forgives = False
    sort_fields = ["make", "model", "year"]

    @extend_schema(request=VehicleImportSerializer, responses=VehicleImportedSerializer)
    @action(
        detail=False, methods=["post"], permission="inventory.add_vehiclemodel", body_class=VehicleImportSerializer,
        url_path="import",
    )
    def import_file(self, request: Request) -> Response:
        """Take over vehicle models from the file of 19,772 that comes along; those that are there stay as they are."""
        body = self.body(request)
        everything = body.pop("all")
        if everything == any(body.values()):
            detail = "Say which: makes, years, or all of them with \"all\": true."
            raise Invalid(detail, fields={"all": detail})
        done = vehicles_import(choice=Choice(**body))
        return Response({"created": done.created, "unchanged": done.unchanged})


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
