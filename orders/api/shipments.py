from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import TenantViewSet
from core.rendering import JSONRenderer
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer, referenced
from core.within import holder
from inventory.models.logistic_units import validate_sscc
from orders.machines import SHIPMENTS
from orders.models import SalesOrder, Shipment, ShipmentItem, ShipmentParcel
from orders.queries.delivery_notes import delivery_note_pdf, parcel_labels_pdf
from orders.services.shipments import (
    MOST_PARCELS,
    Parcel,
    Part,
    shipment_cancel,
    shipment_change,
    shipment_come_back,
    shipment_create,
    shipment_deliver,
    shipment_fail,
    shipment_hand_over,
    shipment_in_transit,
    shipment_pack,
    shipment_reopen,
)

PDF = "application/pdf"
MOST_LINES = 1_000


class PaperRenderer(JSONRenderer):
    """Chosen by `Accept: application/pdf`; the view writes the PDF, and this is left with the problems."""

    media_type = PDF
    format = "pdf"


class ShipmentSerializer(TenantSerializer):
    order_number = serializers.CharField(source="order.number", read_only=True)
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = Shipment
        fields = [
            "id", "number", "order", "order_number", "warehouse", "warehouse_code", "status", "carrier", "tracking_number",
            "tracking_url", "packed_at", "handed_over_at", "delivered_at", "created_at", "updated_at", "version",
        ]


class NewShipmentLineSerializer(StrictSerializer):
    order_item = ReferenceField(source="line_id", help_text="A line of the order.")
    quantity = serializers.DecimalField(max_digits=19, decimal_places=6, min_value=0)
    lot = ReferenceField(source="lot_id", required=False, help_text="Of this lot alone.")


class WrittenShipmentSerializer(ShipmentSerializer):
    lines: Any = serializers.ListSerializer(
        child=NewShipmentLineSerializer(), required=False, write_only=True, max_length=MOST_LINES,
        help_text="Of a new shipment. Without them, all that is allocated and in no shipment yet.",
    )

    class Meta(ShipmentSerializer.Meta):
        fields = [*ShipmentSerializer.Meta.fields, "lines"]


class ShipmentLineSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    kit_sku = serializers.CharField(source="order_item.kit.sku", read_only=True, default=None, help_text="Of a component.")
    lot_code = serializers.CharField(source="lot.code", read_only=True, default=None)
    location_code = serializers.CharField(source="stock_item.location.code", read_only=True)

    class Meta:
        model = ShipmentItem
        fields = [
            "id", "line", "order_item", "variant", "sku", "kit_sku", "lot", "lot_code", "stock_item", "location_code", "quantity",
            "move",
        ]


class ShipmentParcelSerializer(TenantSerializer):
    sscc = serializers.CharField(source="unit.sscc", read_only=True)
    weight = serializers.DecimalField(max_digits=19, decimal_places=6, source="unit.weight", read_only=True, allow_null=True)

    class Meta:
        model = ShipmentParcel
        fields = ["id", "unit", "sscc", "weight"]


class NewParcelSerializer(StrictSerializer):
    sscc = serializers.CharField(
        required=False, max_length=18, validators=[validate_sscc], help_text="On its label. Else the next one of the company.",
    )
    weight = serializers.DecimalField(
        max_digits=19, decimal_places=6, min_value=0, required=False, help_text="In kilograms, with what is in it.",
    )

    def validate_weight(self, value: Any) -> Any:
        if value <= 0:
            raise serializers.ValidationError("A weight is above zero.")
        return value


class PackShipmentSerializer(StrictSerializer):
    parcels: Any = serializers.ListSerializer(child=NewParcelSerializer(), required=False, max_length=MOST_PARCELS)


class HandOverSerializer(TenantSerializer):
    class Meta:
        model = Shipment
        fields = ["carrier", "tracking_number", "tracking_url"]


class ShipmentReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500, required=False, help_text="The timeline keeps it.")


PERMISSION = SHIPMENTS.by_verb["pack"].permission  # that of all its verbs


class ShipmentViewSet(TenantViewSet):
    """Goods of an order that leave at once. A state that does not allow a verb answers what it allows."""

    serializer_class = ShipmentSerializer
    http_method_names = ["get", "post", "put", "patch", "head", "options"]
    filters = ["order", "status", "warehouse", "number"]
    search_keys = ["number_key", "tracking_key"]
    sort_fields = ["number"]
    bulk_operations = ()
    no_bulk = "A shipment takes goods of an order: make and change them one by one."

    def get_serializer_class(self) -> Any:
        writes = self.action in ("create", "update", "partial_update")
        return WrittenShipmentSerializer if writes else ShipmentSerializer

    def save(self, serializer: serializers.BaseSerializer) -> Shipment:
        values = dict(serializer.validated_data)
        order = values.pop("order_id", None)
        lines = values.pop("lines", None)
        if serializer.instance is not None:
            same = order in (None, serializer.instance.order_id)
            if not same or lines is not None:
                field = "lines" if same else "order"
                raise serializers.ValidationError({field: "This stays as it was made: cancel the shipment, and make another."})
            return shipment_change(shipment=serializer.instance, **values)
        parts = None if lines is None else [Part(**line) for line in lines]
        return shipment_create(order=referenced(SalesOrder, "order", order), parts=parts, **values)

    @extend_schema(responses=ShipmentLineSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def lines(self, request: Request, pk: str) -> Response:
        """What is in it, of which lot, from which bin, and the move that issued it."""
        self._query([])
        rows = self.get_object().lines.select_related(
            "variant", "lot", "stock_item__location", "order_item__kit",
        ).order_by("line")
        return Response(ShipmentLineSerializer(rows, many=True).data)

    @extend_schema(responses=ShipmentParcelSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def parcels(self, request: Request, pk: str) -> Response:
        """Its parcels, with the SSCC on their labels."""
        self._query([])
        rows = self.get_object().parcels.select_related("unit").order_by("pk")
        return Response(ShipmentParcelSerializer(rows, many=True).data)

    @extend_schema(request=PackShipmentSerializer, responses=ShipmentSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSION, body_class=PackShipmentSerializer)
    def pack(self, request: Request, pk: str) -> Response:
        """Its goods are in parcels. With the last one the order is packed."""
        parcels = [Parcel(**one) for one in self.body(request).get("parcels", [])]
        return self._step(shipment_pack, parcels=parcels)

    @extend_schema(request=None, responses=ShipmentSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSION)
    def reopen(self, request: Request, pk: str) -> Response:
        """It is not packed after all."""
        return self._step(shipment_reopen)

    @extend_schema(request=HandOverSerializer, responses=ShipmentSerializer)
    @action(
        detail=True, methods=["post"], url_path="hand-over", permission=PERMISSION, body_class=HandOverSerializer,
    )
    def hand_over(self, request: Request, pk: str) -> Response:
        """The carrier takes it: the goods issue is posted. Once more changes nothing."""
        return self._step(shipment_hand_over, **self.body(request))

    @extend_schema(request=None, responses=ShipmentSerializer)
    @action(detail=True, methods=["post"], url_path="in-transit", permission=PERMISSION)
    def in_transit(self, request: Request, pk: str) -> Response:
        """The carrier says that it is on its way."""
        return self._step(shipment_in_transit)

    @extend_schema(request=None, responses=ShipmentSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSION)
    def deliver(self, request: Request, pk: str) -> Response:
        """The customer has it. With the last one the order is delivered. Once more changes nothing."""
        return self._step(shipment_deliver)

    @extend_schema(request=ShipmentReasonSerializer, responses=ShipmentSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSION, body_class=ShipmentReasonSerializer)
    def fail(self, request: Request, pk: str) -> Response:
        """The carrier could not deliver it; it may try again."""
        return self._step(shipment_fail, **self.body(request))

    @extend_schema(request=ShipmentReasonSerializer, responses=ShipmentSerializer)
    @action(detail=True, methods=["post"], url_path="come-back", permission=PERMISSION, body_class=ShipmentReasonSerializer)
    def come_back(self, request: Request, pk: str) -> Response:
        """It is in the warehouse again; a return takes its goods in."""
        return self._step(shipment_come_back, **self.body(request))

    @extend_schema(request=ShipmentReasonSerializer, responses=ShipmentSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSION, body_class=ShipmentReasonSerializer)
    def cancel(self, request: Request, pk: str) -> Response:
        """It does not leave; its goods stay reserved for the order."""
        return self._step(shipment_cancel, **self.body(request))

    @extend_schema(responses={(200, PDF): OpenApiTypes.BINARY}, filters=False)
    @action(
        detail=True, methods=["get"], url_path="delivery-note", pagination_class=None,
        renderer_classes=[JSONRenderer, PaperRenderer],
    )
    def delivery_note(self, request: Request, pk: str) -> HttpResponse:
        """What is in it and what is still to come, for the customer: a PDF."""
        self._query([])
        row = self.get_object()
        return _paper(delivery_note_pdf(row), row.number)

    @extend_schema(responses={(200, PDF): OpenApiTypes.BINARY}, filters=False)
    @action(
        detail=True, methods=["get"], url_path="parcel-labels", pagination_class=None,
        renderer_classes=[JSONRenderer, PaperRenderer],
    )
    def parcel_labels(self, request: Request, pk: str) -> HttpResponse:
        """A label with the SSCC for each parcel: a PDF."""
        self._query([])
        row = self.get_object()
        return _paper(parcel_labels_pdf(row, holder(request)), f"{row.number}-labels")

    def _step(self, verb: Callable[..., Shipment], **values: Any) -> Response:
        return Response(self.read_row(verb(shipment=self.get_object(), **values).pk))


def _paper(pdf: bytes, name: str) -> HttpResponse:
    return HttpResponse(pdf, content_type=PDF, headers={"Content-Disposition": f'inline; filename="{name}.pdf"'})


routes = {"shipments": ShipmentViewSet}
