from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import TenantViewSet
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer, referenced
from inventory.models import Location
from orders.machines import RETURNS
from orders.models import ReturnAuthorization, ReturnItem, SalesOrder
from orders.services.returns import (
    MOST_LINES,
    Asked,
    Came,
    Seen,
    return_approve,
    return_close,
    return_create,
    return_inspect,
    return_receive,
    return_refund,
    return_reject,
    return_replace,
)


class ReturnSerializer(TenantSerializer):
    order_number = serializers.CharField(source="order.number", read_only=True)
    currency = serializers.CharField(source="order.currency", read_only=True)

    class Meta:
        model = ReturnAuthorization
        fields = [
            "id", "number", "order", "order_number", "customer", "warehouse", "status", "reason", "note", "currency",
            "refund_amount", "refund_reference", "replacement", "received_at", "inspected_at", "created_at", "updated_at",
            "version",
        ]
        read_only_fields = ["customer", "warehouse", "refund_reference", "replacement", "received_at", "inspected_at"]


class AskedReturnLineSerializer(StrictSerializer):
    order_item = ReferenceField(source="order_item_id")
    quantity = serializers.DecimalField(max_digits=19, decimal_places=6, min_value=0)
    lot = ReferenceField(source="lot_id", required=False, help_text="Needed where more than one was shipped.")
    note = serializers.CharField(max_length=200, required=False)


class NewReturnSerializer(ReturnSerializer):
    lines: Any = serializers.ListSerializer(
        child=AskedReturnLineSerializer(), required=False, write_only=True, max_length=MOST_LINES,
        help_text="All that was shipped and did not come back, unless given.",
    )

    class Meta(ReturnSerializer.Meta):
        fields = [*ReturnSerializer.Meta.fields, "lines"]


class ReturnLineSerializer(TenantSerializer):
    sku = serializers.CharField(source="order_item.sku", read_only=True)
    lot_code = serializers.CharField(source="lot.code", read_only=True, default=None)

    class Meta:
        model = ReturnItem
        fields = [
            "id", "line", "order_item", "sku", "lot", "lot_code", "quantity", "received_quantity", "disposition", "location",
            "move", "note",
        ]


class CameSerializer(StrictSerializer):
    line = ReferenceField(source="line_id")
    quantity = serializers.DecimalField(max_digits=19, decimal_places=6, min_value=0)


class ReceiveReturnSerializer(StrictSerializer):
    location = ReferenceField(source="location_id", required=False, help_text="Of kind quarantine or receiving.")
    lines: Any = serializers.ListSerializer(
        child=CameSerializer(), required=False, max_length=MOST_LINES, help_text="All that did not come yet, unless given.",
    )


class SeenSerializer(StrictSerializer):
    line = ReferenceField(source="line_id")
    disposition = serializers.ChoiceField(ReturnItem.Disposition.choices)
    location = ReferenceField(source="location_id", required=False, help_text="Of the kind of the disposition.")


class InspectReturnSerializer(StrictSerializer):
    lines: Any = serializers.ListSerializer(child=SeenSerializer(), max_length=MOST_LINES, help_text="Each line that came, once.")


class RefundReturnSerializer(StrictSerializer):
    reference = serializers.CharField(
        max_length=100, required=False, default="", allow_blank=True,
        help_text="By which the refund is found at the bank. Needed unless a payment provider gives the money back.",
    )


class ReturnReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500, required=False, help_text="The timeline keeps it.")


PERMISSIONS = {verb: transition.permission for verb, transition in RETURNS.by_verb.items()}


class ReturnViewSet(TenantViewSet):
    """Goods that customers send back: approved, received, inspected, then refunded or replaced."""

    serializer_class = ReturnSerializer
    http_method_names = ["get", "post", "head", "options"]
    filters = ["status", "order", "customer", "warehouse", "number"]
    search_keys = ["number_key"]
    bulk_operations = ()
    no_bulk = "A return has lines that are compared with what was shipped: make them one by one."

    def get_serializer_class(self) -> Any:
        return NewReturnSerializer if self.action == "create" else ReturnSerializer

    def save(self, serializer: serializers.BaseSerializer) -> ReturnAuthorization:
        values = dict(serializer.validated_data)
        lines = [Asked(**line) for line in values.pop("lines")] if "lines" in values else None
        return return_create(order=referenced(SalesOrder, "order", values.pop("order_id")), lines=lines, **values)

    @extend_schema(responses=ReturnLineSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def lines(self, request: Request, pk: str) -> Response:
        """What was asked for, what came, what becomes of it, and where it lies."""
        self._query([])
        rows = self.get_object().lines.select_related("order_item", "lot").order_by("line")
        return Response(ReturnLineSerializer(rows, many=True).data)

    @extend_schema(request=None, responses=ReturnSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["approve"])
    def approve(self, request: Request, pk: str) -> Response:
        """The customer may send the goods, and is told so by mail."""
        return self._step(return_approve)

    @extend_schema(request=ReturnReasonSerializer, responses=ReturnSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["reject"], body_class=ReturnReasonSerializer)
    def reject(self, request: Request, pk: str) -> Response:
        """The goods are not taken back."""
        return self._step(return_reject, **self.body(request))

    @extend_schema(request=ReceiveReturnSerializer, responses=ReturnSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["receive"], body_class=ReceiveReturnSerializer)
    def receive(self, request: Request, pk: str) -> Response:
        """Goods come in at the cost at which they left, and wait for the inspection."""
        row, body = self.get_object(), self.body(request)
        place = body.get("location_id")
        done = return_receive(
            authorization=row, location=referenced(Location, "location", place) if place else None,
            lines=[Came(**line) for line in body["lines"]] if "lines" in body else None,
        )
        return Response(self.read_row(done.pk))

    @extend_schema(request=InspectReturnSerializer, responses=ReturnSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["inspect"], body_class=InspectReturnSerializer)
    def inspect(self, request: Request, pk: str) -> Response:
        """The goods go back on sale, into quarantine or to the scrap, and the refund is computed."""
        row, body = self.get_object(), self.body(request)
        done = return_inspect(authorization=row, lines=[Seen(**line) for line in body["lines"]])
        return Response(self.read_row(done.pk))

    @extend_schema(request=RefundReturnSerializer, responses=ReturnSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["refund"], body_class=RefundReturnSerializer)
    def refund(self, request: Request, pk: str) -> Response:
        """The customer has the money again, and is told so by mail."""
        return self._step(return_refund, **self.body(request))

    @extend_schema(request=None, responses=ReturnSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["replace"])
    def replace(self, request: Request, pk: str) -> Response:
        """The same goods go out again by an order of their own, at no charge."""
        return self._step(return_replace)

    @extend_schema(request=ReturnReasonSerializer, responses=ReturnSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["close"], body_class=ReturnReasonSerializer)
    def close(self, request: Request, pk: str) -> Response:
        """Nothing is left to do."""
        return self._step(return_close, **self.body(request))

    def _step(self, verb: Callable[..., ReturnAuthorization], **values: Any) -> Response:
        return Response(self.read_row(verb(authorization=self.get_object(), **values).pk))


routes = {"returns": ReturnViewSet}
