from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.limits import refuse_outside
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer
from inventory.models import Location, ReasonCode, StockItem, StockMove
from inventory.services import stock
from inventory.services.posting import Line, Posted


class ReasonCodeSerializer(TenantSerializer):
    class Meta:
        model = ReasonCode
        fields = ["id", "kind", "code", "name", "requires_note", "created_at", "updated_at", "version"]


class ReasonCodeViewSet(TenantViewSet):
    serializer_class = ReasonCodeSerializer
    filters = ["kind"]


class StockItemSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    location_code = serializers.CharField(source="location.code", read_only=True)
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = StockItem
        fields = [
            "id", "variant", "sku", "warehouse", "warehouse_code", "location", "location_code", "quantity", "reserved",
            "available", "created_at", "updated_at", "version",
        ]


class StockMoveSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)

    class Meta:
        model = StockMove
        fields = [
            "id", "seq", "kind", "variant", "sku", "quantity", "from_location", "to_location", "reason", "note",
            "document_type", "document_id", "document_line_id", "occurred_at", "unit_cost", "reverses", "idempotency_key",
            "actor_id", "api_key_id", "created_at",
        ]


class StockMoveViewSet(ReadViewSet):
    """The ledger, in the order of writing; nobody changes it."""

    serializer_class = StockMoveSerializer
    filters = ["variant", "from_location", "to_location", "reason", "document_id", "actor_id", "occurred_at", "seq"]
    sort_fields = ["seq", "occurred_at"]


def _quantity(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=19, decimal_places=6, **options)


class PostingSerializer(StrictSerializer):
    reason = ReferenceField(source="reason_id", required=False)
    note = serializers.CharField(max_length=500, required=False)
    occurred_at = serializers.DateTimeField(required=False)
    idempotency_key = serializers.CharField(max_length=100, required=False)


class ReceiptLineSerializer(StrictSerializer):
    variant = ReferenceField(source="variant_id")
    quantity = _quantity()
    to_location = ReferenceField(source="to_location_id")
    unit_cost = _quantity(required=False)


class IssueLineSerializer(StrictSerializer):
    variant = ReferenceField(source="variant_id")
    quantity = _quantity()
    from_location = ReferenceField(source="from_location_id")


class MoveLineSerializer(IssueLineSerializer):
    to_location = ReferenceField(source="to_location_id")


class AdjustmentLineSerializer(StrictSerializer):
    variant = ReferenceField(source="variant_id")
    location = ReferenceField(source="location_id")
    change = _quantity(required=False, help_text="Signed.")
    counted = _quantity(required=False, help_text="What is really there.")
    expected = _quantity(required=False, help_text="The balance that was seen: refused if it has changed.")


class ReceiptSerializer(PostingSerializer):
    lines: Any = serializers.ListSerializer(child=ReceiptLineSerializer(), max_length=1000)


class IssueSerializer(PostingSerializer):
    lines: Any = serializers.ListSerializer(child=IssueLineSerializer(), max_length=1000)


class MoveSerializer(PostingSerializer):
    lines: Any = serializers.ListSerializer(child=MoveLineSerializer(), max_length=1000)


class AdjustmentSerializer(PostingSerializer):
    lines: Any = serializers.ListSerializer(child=AdjustmentLineSerializer(), max_length=1000)


class BalanceSerializer(serializers.Serializer):
    stock_item = serializers.UUIDField()
    variant = serializers.UUIDField()
    location = serializers.UUIDField()
    quantity = _quantity()
    reserved = _quantity()
    available = _quantity()


class PostedSerializer(serializers.Serializer):
    moves = serializers.ListField(child=serializers.UUIDField())
    balances = BalanceSerializer(many=True)
    replayed = serializers.BooleanField()


class StockItemViewSet(ReadViewSet):
    """Balances; goods come, go and move by its actions."""

    serializer_class = StockItemSerializer
    filters = ["variant", "warehouse", "location"]

    @extend_schema(request=ReceiptSerializer, responses={201: PostedSerializer})
    @action(detail=False, methods=["post"], permission="inventory.receive_stock", body_class=ReceiptSerializer)
    def receive(self, request: Request) -> Response:
        return self._post(request, stock.stock_receive)

    @extend_schema(request=IssueSerializer, responses={201: PostedSerializer})
    @action(detail=False, methods=["post"], permission="inventory.issue_stock", body_class=IssueSerializer)
    def issue(self, request: Request) -> Response:
        return self._post(request, stock.stock_issue)

    @extend_schema(request=MoveSerializer, responses={201: PostedSerializer})
    @action(detail=False, methods=["post"], permission="inventory.move_stock", body_class=MoveSerializer)
    def move(self, request: Request) -> Response:
        return self._post(request, stock.stock_move)

    @extend_schema(request=AdjustmentSerializer, responses={201: PostedSerializer})
    @action(detail=False, methods=["post"], permission="inventory.adjust_stock", body_class=AdjustmentSerializer)
    def adjust(self, request: Request) -> Response:
        body = self.body(request)
        adjustments = [stock.Adjustment(**line) for line in body.pop("lines")]
        self._refuse_outside({adjustment.location_id for adjustment in adjustments})
        return _answer(stock.stock_adjust(adjustments=adjustments, circumstances=stock.Circumstances(**body)))

    def _post(self, request: Request, verb: Callable[..., Posted]) -> Response:
        body = self.body(request)
        lines = [Line(**line) for line in body.pop("lines")]
        self._refuse_outside({place for line in lines for place in (line.from_location_id, line.to_location_id) if place})
        return _answer(verb(lines=lines, circumstances=stock.Circumstances(**body)))

    def _refuse_outside(self, locations: Collection[UUID]) -> None:
        """Both sides of a move count. A location that is not there is left to the service."""
        there = Location.objects.filter(pk__in=locations).values_list("pk", flat=True)
        if (warehouses := self.may_change_in()) is not None:
            refuse_outside(Location, list(there), warehouses)


def _answer(posted: Posted) -> Response:
    body = {"moves": posted.moves, "balances": posted.balances, "replayed": posted.replayed}
    return Response(body, status=status.HTTP_200_OK if posted.replayed else status.HTTP_201_CREATED)


routes = {"reason-codes": ReasonCodeViewSet, "stock-items": StockItemViewSet, "stock-moves": StockMoveViewSet}
