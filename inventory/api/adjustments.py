from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet
from core.serializers import StrictSerializer, TenantSerializer
from inventory.api.postings import PostedSerializer, answer
from inventory.models import StockAdjustment, StockAdjustmentLine
from inventory.services.adjustments import adjustment_approve, adjustment_reject


class StockAdjustmentSerializer(TenantSerializer):
    reason_code = serializers.CharField(source="reason.code", read_only=True)

    class Meta:
        model = StockAdjustment
        fields = [
            "id", "warehouse", "reason", "reason_code", "note", "occurred_at", "status", "requested_by", "decided_by",
            "decided_at", "decision_note", "created_at", "updated_at", "version",
        ]


class StockAdjustmentLineSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    location_code = serializers.CharField(source="location.code", read_only=True)

    class Meta:
        model = StockAdjustmentLine
        fields = [
            "id", "adjustment", "line", "variant", "sku", "location", "location_code", "lot", "change", "counted", "seen",
            "created_at", "updated_at", "version",
        ]


class ApproveSerializer(StrictSerializer):
    note = serializers.CharField(max_length=500, required=False)


class RejectSerializer(StrictSerializer):
    note = serializers.CharField(max_length=500)


class StockAdjustmentViewSet(ReadViewSet):
    """Adjustments over the limit of their reason; stock-items/adjust/ makes them."""

    serializer_class = StockAdjustmentSerializer
    filters = ["status", "warehouse", "reason"]

    @extend_schema(request=ApproveSerializer, responses={201: PostedSerializer})
    @action(detail=True, methods=["post"], permission="inventory.approve_stockadjustment", body_class=ApproveSerializer)
    def approve(self, request: Request, pk: str) -> Response:
        """Post it, against the balances of now. Not for who asked for it."""
        row = self.get_object()
        return answer(adjustment_approve(adjustment_id=row.pk, note=self.body(request).get("note", "")))

    @extend_schema(request=RejectSerializer, responses=StockAdjustmentSerializer)
    @action(detail=True, methods=["post"], permission="inventory.approve_stockadjustment", body_class=RejectSerializer)
    def reject(self, request: Request, pk: str) -> Response:
        """Nothing is posted."""
        row = self.get_object()
        adjustment_reject(adjustment_id=row.pk, note=self.body(request)["note"])
        return Response(self.read_row(pk))


class StockAdjustmentLineViewSet(ReadViewSet):
    """What an adjustment would change; `seen` is the balance when it was asked for."""

    serializer_class = StockAdjustmentLineSerializer
    filters = ["adjustment", "variant", "location", "lot"]


routes = {"stock-adjustments": StockAdjustmentViewSet, "stock-adjustment-lines": StockAdjustmentLineViewSet}
