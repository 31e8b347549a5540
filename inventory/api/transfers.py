from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import TenantViewSet
from core.limits import refuse_outside
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer, referenced
from inventory.api.postings import OverfullSerializer, PostingSerializer, wanted_field, warnings
from inventory.models import Location, TransferOrder, TransferOrderLine, Warehouse
from inventory.services.reservations import Shortage
from inventory.services.stock import Circumstances
from inventory.services.transfer_moves import (
    Part,
    transfer_order_close,
    transfer_order_receive,
    transfer_order_ship,
    transfer_order_take_back,
)
from inventory.services.transfers import (
    MOST_LINES,
    TransferLine,
    transfer_order_cancel,
    transfer_order_change,
    transfer_order_confirm,
    transfer_order_create,
)


class TransferOrderSerializer(TenantSerializer):
    source_code = serializers.CharField(source="source.code", read_only=True)
    destination_code = serializers.CharField(source="destination.code", read_only=True)

    class Meta:
        model = TransferOrder
        fields = [
            "id", "number", "source", "source_code", "destination", "destination_code", "to_location", "transit_location",
            "status", "expected_on", "note", "revision", "confirmed_at", "shipped_at", "received_at", "closed_at",
            "created_at", "updated_at", "version",
        ]


class NewLineSerializer(StrictSerializer):
    variant = ReferenceField(source="variant_id")
    quantity = wanted_field()
    lot = ReferenceField(source="lot_id", required=False, help_text="Of this lot alone; else of what expires first.")
    from_location = ReferenceField(source="from_location_id", required=False, help_text="From this place alone.")


class WrittenTransferOrderSerializer(TransferOrderSerializer):
    lines: Any = serializers.ListSerializer(
        child=NewLineSerializer(), required=False, write_only=True, max_length=MOST_LINES,
        help_text="All of them: they take the place of those before.",
    )

    class Meta(TransferOrderSerializer.Meta):
        fields = [*TransferOrderSerializer.Meta.fields, "lines"]


class TransferOrderLineSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    lot_code = serializers.CharField(source="lot.code", read_only=True, default=None)

    class Meta:
        model = TransferOrderLine
        fields = [
            "id", "line", "variant", "sku", "lot", "lot_code", "from_location", "quantity", "shipped_quantity",
            "received_quantity", "lost_quantity", "cancelled_quantity",
        ]


class ReceivedTransferOrderSerializer(TransferOrderSerializer):
    warnings = OverfullSerializer(many=True, read_only=True)

    class Meta(TransferOrderSerializer.Meta):
        fields = [*TransferOrderSerializer.Meta.fields, "warnings"]


class ConfirmSerializer(StrictSerializer):
    shortage = serializers.ChoiceField(
        [Shortage.REFUSE.value, Shortage.BACKORDER.value], default=Shortage.REFUSE.value,
        help_text="If there is less: refuse all, or let the rest wait for goods.",
    )


class PartSerializer(StrictSerializer):
    line = ReferenceField(source="line_id")
    quantity = wanted_field(required=False, help_text="All that is left of it, unless given.")
    lot = ReferenceField(source="lot_id", required=False, help_text="The lot or serial number that is really there.")


class ShippedPartSerializer(PartSerializer):
    location = ReferenceField(source="location_id", required=False, help_text="Where the goods are taken from.")


class ReceivedPartSerializer(PartSerializer):
    location = ReferenceField(source="location_id", required=False, help_text="Where the goods go.")


class GoingSerializer(StrictSerializer):
    note = serializers.CharField(max_length=500, required=False)
    occurred_at = serializers.DateTimeField(required=False)
    idempotency_key = serializers.CharField(max_length=100, required=False)


class ShipSerializer(GoingSerializer):
    lines: Any = serializers.ListSerializer(
        child=ShippedPartSerializer(), max_length=MOST_LINES, required=False, help_text="All that is left, unless given.",
    )


class ReceiveSerializer(GoingSerializer):
    location = ReferenceField(source="location_id", required=False, help_text="Of the lines that name none.")
    lines: Any = serializers.ListSerializer(
        child=ReceivedPartSerializer(), max_length=MOST_LINES, required=False, help_text="All that is in transit, unless given.",
    )


class TransferOrderViewSet(TenantViewSet):
    """Goods go from one warehouse to another, and are in transit between. A draft promises nothing; what is over stays."""

    serializer_class = TransferOrderSerializer
    http_method_names = ["get", "post", "put", "patch", "head", "options"]
    filters = ["status", "source", "destination", "number"]
    search_keys = ["number_key"]
    sort_fields = ["number"]
    bulk_operations = ()
    no_bulk = "A transfer order has lines and promises goods: make and change them one by one."

    def get_serializer_class(self) -> Any:
        writes = self.action in ("create", "update", "partial_update")
        return WrittenTransferOrderSerializer if writes else TransferOrderSerializer

    def save(self, serializer: serializers.BaseSerializer) -> TransferOrder:
        values = dict(serializer.validated_data)
        lines = [TransferLine(**line) for line in values.pop("lines")] if "lines" in values else None
        if serializer.instance is not None:
            return transfer_order_change(order=serializer.instance, lines=lines, **values)
        ends = {name: referenced(Warehouse, name, values.pop(f"{name}_id")) for name in ("source", "destination")}
        place = values.pop("to_location_id", None)
        entrance = referenced(Location, "to_location", place) if place else None
        return transfer_order_create(**ends, lines=lines or (), to_location=entrance, **values)

    @extend_schema(responses=TransferOrderLineSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def lines(self, request: Request, pk: str) -> Response:
        """What is ordered, and how much of it is shipped, received, lost and canceled."""
        self._query([])
        rows = self.get_object().lines.select_related("variant", "lot").order_by("line")
        return Response(TransferOrderLineSerializer(rows, many=True).data)

    @extend_schema(request=ConfirmSerializer, responses=TransferOrderSerializer)
    @action(detail=True, methods=["post"], permission="inventory.confirm_transferorder", body_class=ConfirmSerializer)
    def confirm(self, request: Request, pk: str) -> Response:
        """Reserve the goods at the source."""
        order = self._order_from("source")
        transfer_order_confirm(order=order, shortage=Shortage(self.body(request)["shortage"]))
        return Response(self.read_row(pk))

    @extend_schema(request=ShipSerializer, responses=TransferOrderSerializer)
    @action(detail=True, methods=["post"], permission="inventory.ship_transferorder", body_class=ShipSerializer)
    def ship(self, request: Request, pk: str) -> Response:
        """The goods leave, and are in transit. A draft is confirmed first."""
        order = self._order_from("source")
        lines, _, circumstances = _parts(self.body(request))
        transfer_order_ship(order=order, lines=lines, circumstances=circumstances)
        return Response(self.read_row(pk))

    @extend_schema(request=ReceiveSerializer, responses=ReceivedTransferOrderSerializer)
    @action(detail=True, methods=["post"], permission="inventory.receive_transferorder", body_class=ReceiveSerializer)
    def receive(self, request: Request, pk: str) -> Response:
        """The goods come out of transit to their line's location, else to the body's, the order's or the warehouse's own."""
        order = self._order_from("destination")
        lines, location, circumstances = _parts(self.body(request))
        done = transfer_order_receive(order=order, lines=lines, location=location, circumstances=circumstances)
        return Response({**self.read_row(pk), "warnings": warnings(done.overfull)})

    @extend_schema(request=ReceiveSerializer, responses=ReceivedTransferOrderSerializer)
    @action(
        detail=True, methods=["post"], url_path="take-back", permission="inventory.ship_transferorder",
        body_class=ReceiveSerializer,
    )
    def take_back(self, request: Request, pk: str) -> Response:
        """Goods in transit come back to the source, as if they had not been shipped."""
        order = self._order_from("source")
        lines, location, circumstances = _parts(self.body(request))
        done = transfer_order_take_back(order=order, lines=lines, location=location, circumstances=circumstances)
        return Response({**self.read_row(pk), "warnings": warnings(done.overfull)})

    @extend_schema(request=PostingSerializer, responses=TransferOrderSerializer)
    @action(detail=True, methods=["post"], permission="inventory.close_transferorder", body_class=PostingSerializer)
    def close(self, request: Request, pk: str) -> Response:
        """Nothing more will come: what is in transit is written off by a reason code for adjustments."""
        order = self.get_object()
        transfer_order_close(order=order, circumstances=Circumstances(**self.body(request)))
        return Response(self.read_row(pk))

    @extend_schema(request=None, responses=TransferOrderSerializer)
    @action(detail=True, methods=["post"], permission="inventory.change_transferorder")
    def cancel(self, request: Request, pk: str) -> Response:
        """What is not shipped stays where it is, and is free again."""
        transfer_order_cancel(order=self.get_object())
        return Response(self.read_row(pk))

    def _order_from(self, end: str) -> TransferOrder:
        """One may see an order from either end, and act at one's own."""
        order: TransferOrder = self.get_object()
        refuse_outside(Warehouse, [getattr(order, f"{end}_id")], self.may_change_in())
        return order


def _parts(body: dict[str, Any]) -> tuple[list[Part] | None, Location | None, Circumstances]:
    lines, place = body.pop("lines", None), body.pop("location_id", None)
    parts = None if lines is None else [Part(**line) for line in lines]
    return parts, referenced(Location, "location", place) if place else None, Circumstances(**body)


routes = {"transfer-orders": TransferOrderViewSet}
