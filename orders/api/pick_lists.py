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
from inventory.models import Warehouse
from orders.api.shipments import PDF, PaperRenderer
from orders.machines import PICK_LISTS
from orders.models import PickList, PickListItem
from orders.queries.pick_list_papers import pick_list_pdf
from orders.services.pick_lists import (
    MOST_ORDERS,
    pick_list_assign,
    pick_list_cancel,
    pick_list_create,
    pick_list_finish,
    pick_list_pick,
    pick_list_pick_rest,
    pick_list_put_back,
    pick_list_short,
    pick_list_start,
)


class PickListSerializer(TenantSerializer):
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = PickList
        fields = [
            "id", "number", "warehouse", "warehouse_code", "assignee", "status", "started_at", "finished_at", "created_at",
            "updated_at", "version",
        ]


class WrittenPickListSerializer(PickListSerializer):
    warehouse = ReferenceField(source="warehouse_id", required=False, help_text="May be left out where orders are named.")
    orders = serializers.ListField(
        child=serializers.UUIDField(), required=False, write_only=True, min_length=1, max_length=MOST_ORDERS,
        help_text="Sales orders of one warehouse. Else those of the warehouse that were placed first.",
    )

    class Meta(PickListSerializer.Meta):
        fields = [*PickListSerializer.Meta.fields, "orders"]


class PickListLineSerializer(TenantSerializer):
    order = serializers.UUIDField(source="order_item.order_id", read_only=True)
    order_number = serializers.CharField(source="order_item.order.number", read_only=True)
    sku = serializers.CharField(source="order_item.sku", read_only=True)
    name = serializers.CharField(source="order_item.name", read_only=True)
    kit_sku = serializers.CharField(source="order_item.kit.sku", read_only=True, default=None, help_text="Of a component.")
    lot_code = serializers.CharField(source="lot.code", read_only=True, default=None)
    location = serializers.UUIDField(source="stock_item.location_id", read_only=True)
    location_code = serializers.CharField(source="stock_item.location.code", read_only=True)

    class Meta:
        model = PickListItem
        fields = [
            "id", "line", "order", "order_number", "order_item", "reservation", "variant", "sku", "name", "kit_sku", "lot",
            "lot_code", "stock_item", "location", "location_code", "quantity", "picked_quantity", "short_quantity",
            "short_reason", "is_open",
        ]


class AssignPickListSerializer(StrictSerializer):
    assignee = ReferenceField(source="assignee_id", allow_null=True, help_text="A membership; null: nobody in particular.")


class PickListGoodsSerializer(StrictSerializer):
    line = ReferenceField(source="line_id")
    quantity = serializers.DecimalField(
        max_digits=19, decimal_places=6, min_value=0, required=False, help_text="All of the line that is open, unless given.",
    )


class PickListPutBackSerializer(StrictSerializer):
    line = ReferenceField(source="line_id")
    quantity = serializers.DecimalField(
        max_digits=19, decimal_places=6, min_value=0, required=False, help_text="All of the line that is picked, unless given.",
    )


class PickListPickSerializer(PickListGoodsSerializer):
    variant = ReferenceField(source="variant_id", required=False, help_text="That was scanned: another is refused.")
    lot = ReferenceField(source="lot_id", required=False, help_text="That was scanned: another is refused.")


class PickListShortSerializer(PickListGoodsSerializer):
    reason = serializers.CharField(max_length=200)


class PickListReasonSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500, required=False, help_text="The timeline keeps it.")


PERMISSION = PICK_LISTS.by_verb["start"].permission  # that of all its verbs


class PickListViewSet(TenantViewSet):
    """What one person takes from the shelves in one round. A state that does not allow a verb answers what it allows."""

    serializer_class = PickListSerializer
    http_method_names = ["get", "post", "head", "options"]
    filters = ["status", "warehouse", "assignee", "number"]
    search_keys = ["number_key"]
    sort_fields = ["number"]
    bulk_operations = ()
    no_bulk = "A pick list takes what is reserved for orders: make them one by one."

    def get_serializer_class(self) -> Any:
        return WrittenPickListSerializer if self.action == "create" else PickListSerializer

    def save(self, serializer: serializers.BaseSerializer) -> PickList:
        values = serializer.validated_data
        if place := values.get("warehouse_id"):
            referenced(Warehouse, "warehouse", place)
        return pick_list_create(**values)

    @extend_schema(responses=PickListLineSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def lines(self, request: Request, pk: str) -> Response:
        """What to take from which place, in the order in which one passes them, and for whom."""
        self._query([])
        rows = self.get_object().lines.select_related(
            "order_item__order", "order_item__kit", "lot", "stock_item__location",
        ).order_by("line")
        return Response(PickListLineSerializer(rows, many=True).data)

    @extend_schema(request=AssignPickListSerializer, responses=PickListSerializer)
    @action(detail=True, methods=["post"], permission="orders.change_picklist", body_class=AssignPickListSerializer)
    def assign(self, request: Request, pk: str) -> Response:
        """Somebody is to go round with it."""
        return self._step_of(request, pick_list_assign)

    @extend_schema(request=None, responses=PickListSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSION)
    def start(self, request: Request, pk: str) -> Response:
        """Somebody goes round with it: who is assigned, else who asks. Its orders are being picked."""
        return self._step(pick_list_start)

    @extend_schema(request=PickListPickSerializer, responses=PickListSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSION, body_class=PickListPickSerializer)
    def pick(self, request: Request, pk: str) -> Response:
        """Goods of a line are taken from their place. What was scanned and is not the line's is refused."""
        return self._step_of(request, pick_list_pick)

    @extend_schema(request=None, responses=PickListSerializer)
    @action(detail=True, methods=["post"], url_path="pick-rest", permission=PERMISSION)
    def pick_rest(self, request: Request, pk: str) -> Response:
        """All that is open is taken."""
        return self._step(pick_list_pick_rest)

    @extend_schema(request=PickListPutBackSerializer, responses=PickListSerializer)
    @action(
        detail=True, methods=["post"], url_path="put-back", permission=PERMISSION, body_class=PickListPutBackSerializer,
    )
    def put_back(self, request: Request, pk: str) -> Response:
        """Goods that were picked by mistake are at their place again, and to be picked."""
        return self._step_of(request, pick_list_put_back)

    @extend_schema(request=PickListShortSerializer, responses=PickListSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSION, body_class=PickListShortSerializer)
    def short(self, request: Request, pk: str) -> Response:
        """It is not there: another place gives it, as a new line of the list, or it waits as a back-order."""
        return self._step_of(request, pick_list_short)

    @extend_schema(request=None, responses=PickListSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSION)
    def finish(self, request: Request, pk: str) -> Response:
        """The round is over: each line is picked or short."""
        return self._step(pick_list_finish)

    @extend_schema(request=PickListReasonSerializer, responses=PickListSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSION, body_class=PickListReasonSerializer)
    def cancel(self, request: Request, pk: str) -> Response:
        """What was picked goes back on its shelf; all of it stays reserved for the orders."""
        return self._step_of(request, pick_list_cancel)

    @extend_schema(responses={(200, PDF): OpenApiTypes.BINARY}, filters=False)
    @action(detail=True, methods=["get"], pagination_class=None, renderer_classes=[JSONRenderer, PaperRenderer])
    def paper(self, request: Request, pk: str) -> HttpResponse:
        """The list to print: a PDF."""
        self._query([])
        row = self.get_object()
        name = f'inline; filename="{row.number}.pdf"'
        return HttpResponse(pick_list_pdf(row), content_type=PDF, headers={"Content-Disposition": name})

    def _step(self, verb: Callable[..., PickList]) -> Response:
        return Response(self.read_row(verb(pick_list=self.get_object()).pk))

    def _step_of(self, request: Request, verb: Callable[..., PickList]) -> Response:
        row = self.get_object()
        return Response(self.read_row(verb(pick_list=row, **self.body(request)).pk))


routes = {"pick-lists": PickListViewSet}
