from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet
from core.serializers import TenantSerializer
from orders.models import GoodsReceipt, GoodsReceiptItem


class GoodsReceiptSerializer(TenantSerializer):
    order_number = serializers.CharField(source="order.number", read_only=True)
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = GoodsReceipt
        fields = [
            "id", "number", "kind", "order", "order_number", "warehouse", "warehouse_code", "delivery_note", "note",
            "occurred_at", "currency", "exchange_rate", "actor_id", "idempotency_key", "created_at",
        ]


class GoodsReceiptItemSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    lot_code = serializers.CharField(source="lot.code", read_only=True, default=None)
    location_code = serializers.CharField(source="location.code", read_only=True, default=None)

    class Meta:
        model = GoodsReceiptItem
        fields = [
            "id", "line", "order_item", "variant", "sku", "lot", "lot_code", "location", "location_code", "quantity",
            "rejected_quantity", "rejected_because", "unit_cost", "move",
        ]


class GoodsReceiptViewSet(ReadViewSet):
    """What came of purchase orders, and what went back; `receive` and `send-back` of the order write it, once for all."""

    serializer_class = GoodsReceiptSerializer
    filters = ["order", "kind", "warehouse", "number"]
    search_keys = ["number_key"]
    sort_fields = ["number"]

    @extend_schema(responses=GoodsReceiptItemSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def lines(self, request: Request, pk: str) -> Response:
        """What was taken in, where, at what cost, and what was rejected, and why."""
        self._query([])
        rows = self.get_object().lines.select_related("variant", "lot", "location").order_by("line")
        return Response(GoodsReceiptItemSerializer(rows, many=True).data)


routes = {"goods-receipts": GoodsReceiptViewSet}
