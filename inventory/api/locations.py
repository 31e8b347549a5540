from rest_framework import serializers

from core.api import ArchivableViewSet, TenantViewSet
from core.serializers import TenantSerializer
from inventory.models import Location, Warehouse
from inventory.services.locations import location_change


class WarehouseSerializer(TenantSerializer):
    class Meta:
        model = Warehouse
        fields = [
            "id", "code", "name", "address", "gln", "timezone", "kind", "is_active", "picks_by_place", "external_ref",
            "archived_at", "created_at", "updated_at", "version",
        ]


class WarehouseViewSet(ArchivableViewSet):
    serializer_class = WarehouseSerializer
    filters = ["code", "external_ref"]
    search_keys = ["code_key"]
    sort_fields = ["code"]


class LocationSerializer(TenantSerializer):
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = Location
        fields = [
            "id", "warehouse", "warehouse_code", "parent", "code", "name", "kind", "barcode", "pick_sequence", "capacity",
            "max_weight", "capacity_policy", "created_at", "updated_at", "version",
        ]


class LocationViewSet(TenantViewSet):
    serializer_class = LocationSerializer
    filters = ["warehouse", "parent"]
    search_keys = ["code_key"]
    bulk_operations = ["create", "delete"]
    no_bulk = "A change of a location may carry stock along: change locations one by one."

    def save(self, serializer: serializers.BaseSerializer) -> Location:
        """What moves to another warehouse leaves the place that it was part of, unless the request names one there."""
        values, left = serializer.validated_data, {}
        if serializer.instance is not None:
            location_change(location=serializer.instance, **values)
            if values.get("warehouse_id", serializer.instance.warehouse_id) != serializer.instance.warehouse_id:
                left = {} if "parent_id" in values else {"parent_id": None}
        row: Location = serializer.save(**left)
        return row


routes = {"warehouses": WarehouseViewSet, "locations": LocationViewSet}
