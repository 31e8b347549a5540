from collections.abc import Callable, Collection
from dataclasses import asdict
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.errors import Invalid
from core.limits import refuse_outside
from core.serializers import TenantSerializer
from inventory.api.postings import (
    AdjustmentSerializer,
    AssemblySerializer,
    DisassemblySerializer,
    IssueSerializer,
    MoveSerializer,
    PendingSerializer,
    PostedSerializer,
    ReceiptSerializer,
    ReversalSerializer,
    answer,
    with_lot,
)
from inventory.api.wanted import ProposalSerializer, ProposeSerializer
from inventory.models import Location, ReasonCode, StockAdjustment, StockItem, StockMove, Warehouse
from inventory.services import stock
from inventory.services.adjustments import adjustment_post
from inventory.services.candidates import Wanted, goods_propose
from inventory.services.posting import Line, Posted
from inventory.services.reversal import document_reverse, stock_reverse


class ReasonCodeSerializer(TenantSerializer):
    class Meta:
        model = ReasonCode
        fields = [
            "id", "kind", "code", "name", "requires_note", "takes_held", "approval_over_quantity", "approval_over_value",
            "created_at", "updated_at", "version",
        ]


class ReasonCodeViewSet(TenantViewSet):
    serializer_class = ReasonCodeSerializer
    filters = ["kind"]


class StockItemSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    location_code = serializers.CharField(source="location.code", read_only=True)
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)
    lot_code = serializers.CharField(source="lot.code", read_only=True)
    expires_on = serializers.DateField(source="lot.expires_on", read_only=True)

    class Meta:
        model = StockItem
        fields = [
            "id", "variant", "sku", "warehouse", "warehouse_code", "location", "location_code", "lot", "lot_code", "expires_on",
            "quantity", "reserved", "packed", "available", "is_held", "created_at", "updated_at", "version",
        ]


class StockMoveSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    lot_code = serializers.CharField(source="lot.code", read_only=True)

    class Meta:
        model = StockMove
        fields = [
            "id", "seq", "kind", "variant", "sku", "lot", "lot_code", "quantity", "from_location", "to_location", "reason",
            "note",
            "document_type", "document_id", "document_line_id", "occurred_at", "unit_cost", "reverses", "idempotency_key",
            "actor_id", "api_key_id", "created_at",
        ]


class StockMoveViewSet(ReadViewSet):
    """The ledger, in the order of writing; nobody changes it."""

    serializer_class = StockMoveSerializer
    filters = ["variant", "lot", "from_location", "to_location", "reason", "document_id", "actor_id", "occurred_at", "seq"]
    sort_fields = ["seq", "occurred_at"]

    @extend_schema(request=ReversalSerializer, responses={201: PostedSerializer})
    @action(detail=False, methods=["post"], permission="inventory.reverse_stockmove", body_class=ReversalSerializer)
    def reverse(self, request: Request) -> Response:
        """Post the same moves the other way: some moves, or all that is not reversed yet of a document."""
        body = self.body(request)
        moves, kind, key = (body.pop(name, None) for name in ("moves", "document_type", "document_id"))
        if (moves is None) == (kind is None or key is None):
            raise Invalid("Give either moves, or document_type and document_id.", fields={"moves": "one of the two"})
        chosen = StockMove.objects.filter(pk__in=moves) if key is None else StockMove.objects.filter(document_id=key)
        sides = {place for pair in chosen.values_list("from_location_id", "to_location_id") for place in pair if place}
        refuse_outside(Location, sides, self.may_change_in())
        circumstances = stock.Circumstances(**body)
        if key is None:
            return answer(stock_reverse(moves=moves, circumstances=circumstances))
        return answer(document_reverse(document=stock.Document(kind, key), circumstances=circumstances))


class StockItemViewSet(ReadViewSet):
    """Balances; goods come, go and move by its actions."""

    serializer_class = StockItemSerializer
    filters = ["variant", "warehouse", "location", "lot"]

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

    @extend_schema(request=AssemblySerializer, responses={201: PostedSerializer})
    @action(detail=False, methods=["post"], permission="inventory.assemble_stock", body_class=AssemblySerializer)
    def assemble(self, request: Request) -> Response:
        """Components leave and kits come, in one posting."""
        return self._assemble(request, stock.stock_assemble)

    @extend_schema(request=DisassemblySerializer, responses={201: PostedSerializer})
    @action(detail=False, methods=["post"], permission="inventory.assemble_stock", body_class=DisassemblySerializer)
    def disassemble(self, request: Request) -> Response:
        """Kits leave and their components come, in one posting."""
        return self._assemble(request, stock.stock_disassemble)

    @extend_schema(request=ProposeSerializer, responses=ProposalSerializer(many=True))
    @action(detail=False, methods=["post"], permission="inventory.reserve_stock", body_class=ProposeSerializer)
    def propose(self, request: Request) -> Response:
        """Where to take the goods: what expires first, then the oldest lot, in pick order. Reserves nothing."""
        lines = [Wanted(**line) for line in self.body(request)["lines"]]
        refuse_outside(Warehouse, {line.warehouse_id for line in lines}, self.may_change_in())
        return Response([asdict(proposal) for proposal in goods_propose(lines=lines)])

    @extend_schema(request=AdjustmentSerializer, responses={201: PostedSerializer, 202: PendingSerializer})
    @action(detail=False, methods=["post"], permission="inventory.adjust_stock", body_class=AdjustmentSerializer)
    def adjust(self, request: Request) -> Response:
        """What is over a limit of its reason waits for approval, and is answered 202."""
        body = self.body(request)
        adjustments = [stock.Adjustment(**with_lot(line)) for line in body.pop("lines")]
        self._refuse_outside({adjustment.location_id for adjustment in adjustments})
        done = adjustment_post(adjustments=adjustments, circumstances=stock.Circumstances(**body))
        if isinstance(done, StockAdjustment):
            return Response({"adjustment": done.pk, "status": done.status}, status=status.HTTP_202_ACCEPTED)
        return answer(done)

    def _assemble(self, request: Request, verb: Callable[..., Posted]) -> Response:
        body = self.body(request)
        sides = {name: [Line(**with_lot(line)) for line in body.pop(name)] for name in ("components", "kits")}
        self._refuse_places([line for lines in sides.values() for line in lines])
        return answer(verb(**sides, circumstances=stock.Circumstances(**body)))

    def _post(self, request: Request, verb: Callable[..., Posted]) -> Response:
        body = self.body(request)
        lines = [Line(**with_lot(line)) for line in body.pop("lines")]
        self._refuse_places(lines)
        return answer(verb(lines=lines, circumstances=stock.Circumstances(**body)))

    def _refuse_places(self, lines: Collection[Line]) -> None:
        self._refuse_outside({place for line in lines for place in (line.from_location_id, line.to_location_id) if place})

    def _refuse_outside(self, locations: Collection[UUID]) -> None:
        """Both sides of a move count. A location that is not there is left to the service."""
        there = Location.objects.filter(pk__in=locations).values_list("pk", flat=True)
        if (warehouses := self.may_change_in()) is not None:
            refuse_outside(Location, list(there), warehouses)


routes = {"reason-codes": ReasonCodeViewSet, "stock-items": StockItemViewSet, "stock-moves": StockMoveViewSet}
