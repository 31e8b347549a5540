from rest_framework import serializers

from core.api import ArchivableViewSet, TenantViewSet
from core.serializers import TenantSerializer
from orders.models import Channel, Customer


class ChannelSerializer(TenantSerializer):
    class Meta:
        model = Channel
        fields = [
            "id", "code", "name", "currency", "warehouse", "reservation_minutes", "backorders", "placed_hours",
            "confirmed_hours", "picking_hours", "packed_hours", "shipped_hours", "on_hold_hours", "error_hours", "is_active",
            "created_at", "updated_at", "version",
        ]


class ChannelViewSet(TenantViewSet):
    """Where orders come from, and what holds for them unless they say otherwise."""

    serializer_class = ChannelSerializer
    filters = ["code", "warehouse"]
    search_keys = ["code_key", "name_key"]
    sort_fields = ["code"]


class CustomerSerializer(TenantSerializer):
    name = serializers.CharField(source="party.name", read_only=True)

    class Meta:
        model = Customer
        fields = [
            "id", "party", "name", "code", "credit_limit", "tax_exempt", "status", "external_ref", "custom_fields",
            "archived_at", "created_at", "updated_at", "version",
        ]


class CustomerViewSet(ArchivableViewSet):
    """Parties that buy. Who is blocked places no orders, and nobody places more than their credit limit."""

    serializer_class = CustomerSerializer
    filters = ["party", "code", "external_ref"]
    search_keys = ["code_key"]
    sort_fields = ["code"]


routes = {"channels": ChannelViewSet, "customers": CustomerViewSet}
