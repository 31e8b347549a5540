from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer
from inventory.models import CostLayer, StockSnapshot, ValueEntry
from inventory.services.landed_costs import MOST_RECEIPTS, By, landed_cost_add
from inventory.services.stock import Document


class CostLayerSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = CostLayer
        fields = [
            "id", "kind", "variant", "sku", "warehouse", "warehouse_code", "source_move", "quantity", "remaining", "value",
            "unit_cost", "landed_cost", "received_at", "is_open", "created_at",
        ]


def _amount(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=19, decimal_places=6, **options)


class LandedCostSerializer(StrictSerializer):
    amount = _amount(help_text="In the base currency; below zero takes back what was added.")
    by = serializers.ChoiceField([one.value for one in By], help_text="What the receipts' shares are in proportion to.")
    moves = serializers.ListField(
        child=ReferenceField(), required=False, max_length=MOST_RECEIPTS, help_text="Receipts, by their stock moves.",
    )
    receipt_type = serializers.CharField(max_length=40, required=False, help_text="Or all receipts of a document.")
    receipt_id = serializers.UUIDField(required=False)
    document_type = serializers.CharField(max_length=40, required=False, help_text="What the cost is on: counts once.")
    document_id = serializers.UUIDField(required=False)
    note = serializers.CharField(max_length=200, required=False)
    preview = serializers.BooleanField(required=False, help_text="Answer what would be written, and write nothing.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in ("receipt", "document"):
            given = attrs.pop(f"{name}_type", None), attrs.pop(f"{name}_id", None)
            if (given[0] is None) != (given[1] is None):
                raise serializers.ValidationError({f"{name}_id": "Give the type and the id of a document together."})
            attrs[name] = Document(*given) if given[0] else None
        return attrs


class SpreadSerializer(serializers.Serializer):
    move = serializers.UUIDField()
    variant = serializers.UUIDField()
    sku = serializers.CharField()
    amount = _amount()


class LandedSerializer(serializers.Serializer):
    spread = SpreadSerializer(many=True)
    to_stock = _amount(help_text="What the goods that are left are worth more.")
    to_sold = _amount(help_text="What those that are gone cost more.")
    preview = serializers.BooleanField()


class CostLayerViewSet(ReadViewSet):
    """What goods that are in stock cost, and where that cost comes from."""

    serializer_class = CostLayerSerializer
    filters = ["variant", "warehouse", "source_move", "is_open"]

    @extend_schema(request=LandedCostSerializer, responses={200: LandedSerializer, 201: LandedSerializer})
    @action(
        detail=False, methods=["post"], url_path="add-landed-cost", permission="inventory.add_landed_cost",
        body_class=LandedCostSerializer,
    )
    def add_landed_cost(self, request: Request) -> Response:
        body = self.body(request)
        is_preview = body.pop("preview", False)
        landed = landed_cost_add(**body, warehouses=self.may_change_in(), is_preview=is_preview)
        spread = [
            {"move": one.move, "variant": one.variant, "sku": one.sku, "amount": one.amount} for one in landed.spread
        ]
        answer = {"spread": spread, "to_stock": landed.to_stock, "to_sold": landed.to_sold, "preview": is_preview}
        return Response(answer, status=status.HTTP_200_OK if is_preview else status.HTTP_201_CREATED)


class ValueEntrySerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = ValueEntry
        fields = [
            "id", "seq", "kind", "variant", "sku", "warehouse", "warehouse_code", "layer", "from_layer", "move", "quantity",
            "value", "note", "document_type", "document_id", "occurred_at", "is_late", "actor_id", "api_key_id", "created_at",
        ]


class ValueEntryViewSet(ReadViewSet):
    """What each move, and each decision about costs, did to the value of the stock; nobody changes it."""

    serializer_class = ValueEntrySerializer
    filters = ["variant", "warehouse", "layer", "move", "document_id", "created_at"]


class StockSnapshotSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = StockSnapshot
        fields = [
            "id", "variant", "sku", "warehouse", "warehouse_code", "day", "until", "quantity", "value", "received", "issued",
            "issued_value", "began_at", "last_seq", "created_at",
        ]


class StockSnapshotViewSet(ReadViewSet):
    """Quantity and value at the end of each day, and what was received and issued until then since the first entry."""

    serializer_class = StockSnapshotSerializer
    filters = ["variant", "warehouse", "day"]


routes = {"cost-layers": CostLayerViewSet, "value-entries": ValueEntryViewSet, "stock-snapshots": StockSnapshotViewSet}
