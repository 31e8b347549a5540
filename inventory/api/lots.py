from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import TenantViewSet
from core.serializers import StrictSerializer, TenantSerializer
from inventory.models import Lot
from inventory.queries.lots import lot_trace
from inventory.services.lots import lot_kind, lot_refuse_move, lot_status_change

Status = Lot.Status


class LotSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)

    class Meta:
        model = Lot
        fields = [
            "id", "variant", "sku", "kind", "code", "expires_on", "best_before", "supplier_lot", "status",
            "created_at", "updated_at", "version",
        ]
        read_only_fields = ["kind", "status"]


class WhySerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500)


class TracedLotSerializer(serializers.Serializer):
    lot = serializers.UUIDField()
    code = serializers.CharField()
    kind = serializers.CharField()
    variant = serializers.UUIDField()
    sku = serializers.CharField()
    status = serializers.CharField()
    expires_on = serializers.DateField(allow_null=True)
    direction = serializers.ChoiceField(
        ["itself", "backwards", "forwards"], help_text="backwards: went into it; forwards: was made of it.",
    )
    depth = serializers.IntegerField(help_text="Over how many assemblies.")


class TracedPlaceSerializer(serializers.Serializer):
    lot = serializers.UUIDField()
    warehouse = serializers.UUIDField()
    warehouse_code = serializers.CharField()
    location = serializers.UUIDField()
    location_code = serializers.CharField()
    quantity = serializers.DecimalField(max_digits=19, decimal_places=6)
    reserved = serializers.DecimalField(max_digits=19, decimal_places=6)


class TracedMoveSerializer(serializers.Serializer):
    move = serializers.UUIDField()
    seq = serializers.IntegerField()
    kind = serializers.CharField()
    lot = serializers.UUIDField()
    quantity = serializers.DecimalField(max_digits=19, decimal_places=6)
    from_location = serializers.UUIDField(allow_null=True)
    from_code = serializers.CharField(allow_null=True)
    to_location = serializers.UUIDField(allow_null=True)
    to_code = serializers.CharField(allow_null=True)
    document_type = serializers.CharField()
    document_id = serializers.UUIDField(allow_null=True)
    document_line_id = serializers.UUIDField(allow_null=True)
    reverses = serializers.UUIDField(allow_null=True)
    note = serializers.CharField()
    occurred_at = serializers.DateTimeField()


class TraceSerializer(serializers.Serializer):
    lots = TracedLotSerializer(many=True)
    places = TracedPlaceSerializer(many=True, help_text="Where what is left of them lies.")
    moves = TracedMoveSerializer(many=True)
    is_cut = serializers.BooleanField(help_text="Whether there are more moves: read them at stock-moves/?lot=…")


class LotViewSet(TenantViewSet):
    """Lots and serial numbers. A receipt makes those that are new by itself."""

    serializer_class = LotSerializer
    filters = ["variant", "status", "expires_on"]
    search_keys = ["code_key"]
    bulk_operations = ["delete"]
    no_bulk = "What a lot is depends on how its product is tracked: write lots one by one, or receive goods with lot_code."

    def save(self, serializer: serializers.BaseSerializer) -> Lot:
        values: Any = serializer.validated_data
        if serializer.instance is None:
            row: Lot = serializer.save(kind=lot_kind(variant_id=values.get("variant_id")))
            return row
        lot_refuse_move(lot=serializer.instance, variant_id=values.get("variant_id", serializer.instance.variant_id))
        changed: Lot = serializer.save()
        return changed

    @extend_schema(request=WhySerializer, responses=LotSerializer)
    @action(detail=True, methods=["post"], permission="inventory.release_lot", body_class=WhySerializer)
    def release(self, request: Request, pk: str) -> Response:
        """Its stock is available again."""
        return self._mark(request, pk, Status.RELEASED)

    @extend_schema(request=WhySerializer, responses=LotSerializer)
    @action(detail=True, methods=["post"], permission="inventory.hold_lot", body_class=WhySerializer)
    def quarantine(self, request: Request, pk: str) -> Response:
        """Until somebody has looked at it."""
        return self._mark(request, pk, Status.QUARANTINE)

    @extend_schema(request=WhySerializer, responses=LotSerializer)
    @action(detail=True, methods=["post"], permission="inventory.hold_lot", body_class=WhySerializer)
    def block(self, request: Request, pk: str) -> Response:
        """Not to be sold."""
        return self._mark(request, pk, Status.BLOCKED)

    @extend_schema(request=WhySerializer, responses=LotSerializer)
    @action(detail=True, methods=["post"], permission="inventory.hold_lot", body_class=WhySerializer)
    def recall(self, request: Request, pk: str) -> Response:
        """Not to be sold, and to be called back: the trace says from whom."""
        return self._mark(request, pk, Status.RECALLED)

    @extend_schema(responses=TraceSerializer)
    @action(detail=True, methods=["get"], url_path="trace", url_name="trace", permission="inventory.view_stockmove")
    def traced(self, request: Request, pk: str) -> Response:
        """Where it came from and where it went, also through kits: documents, places, and what is left."""
        return Response(asdict(lot_trace(lot_id=self.get_object().pk, warehouses=self.may_change_in())))

    def _mark(self, request: Request, pk: str, status: Lot.Status) -> Response:
        lot = self.get_object()
        lot_status_change(lot_ids=[lot.pk], status=status, reason=self.body(request)["reason"])
        return Response(self.read_row(lot.pk))


routes = {"lots": LotViewSet}
