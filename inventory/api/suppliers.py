from rest_framework import serializers

from core.api import ArchivableViewSet, TenantViewSet
from core.serializers import TenantSerializer
from inventory.models import Supplier, SupplierProduct


class SupplierSerializer(TenantSerializer):
    name = serializers.CharField(source="party.name", read_only=True)

    class Meta:
        model = Supplier
        fields = [
            "id", "party", "name", "code", "currency", "lead_time_days", "min_order_value", "incoterm", "rating", "status",
            "external_ref", "archived_at", "created_at", "updated_at", "version",
        ]


class SupplierViewSet(ArchivableViewSet):
    serializer_class = SupplierSerializer
    filters = ["party", "code", "external_ref"]
    search_keys = ["code_key"]
    sort_fields = ["code"]


class SupplierProductSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    supplier_code = serializers.CharField(source="supplier.code", read_only=True)

    class Meta:
        model = SupplierProduct
        fields = [
            "id", "supplier", "supplier_code", "variant", "sku", "supplier_sku", "manufacturer_part_number", "pack_size",
            "min_order_quantity", "order_multiple", "lead_time_days", "last_price", "is_preferred",
            "created_at", "updated_at", "version",
        ]


class SupplierProductViewSet(TenantViewSet):
    serializer_class = SupplierProductSerializer
    filters = ["supplier", "variant"]


routes = {"suppliers": SupplierViewSet, "supplier-products": SupplierProductViewSet}
