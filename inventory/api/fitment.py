"""Fitment in both directions: the parts of a vehicle model, the vehicle models of a part."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet
from core.choosing import filter_conditions, parameters
from core.conditions import conditional, tag_of
from core.json import dumps
from core.limits import OutsideWarehouses, reach
from core.listing import whole_number
from core.paging import DEFAULT_PAGE, LARGEST_PAGE, BadCursor, Page
from core.permitting import demand
from core.problems import BadParameter
from core.serializers import ReferenceField, StrictSerializer
from core.within import holder
from inventory.models import VehicleModel
from inventory.queries.fitment import Stock, is_warehouse, parts_of, parts_window, vehicle_ranges, vehicles_of, vehicles_window
from inventory.services.fitment import Mode, Place, Span, fitments_set

VIEW, VIEW_STOCK = "inventory.view_fitment", "inventory.view_stockitem"
PAGING = [
    OpenApiParameter("limit", int, description=f"1 to {LARGEST_PAGE}; {DEFAULT_PAGE} without it."),
    OpenApiParameter("cursor", str, description="Of `next` or `previous`."),
]
STOCK = {
    "stock_at": "The id of a warehouse: adds what is on hand and available there, and the threshold for this vehicle model.",
    "in_stock_at": "The same, of parts alone that are available there.",
}
FIRST_YEAR, LAST_YEAR = 1880, 2199
CHOOSING = parameters(VehicleModel, ["make", "model", "year"])


def year_field() -> serializers.IntegerField:
    return serializers.IntegerField(min_value=FIRST_YEAR, max_value=LAST_YEAR, required=False)


class FittingPartSerializer(serializers.Serializer):
    fitment = serializers.UUIDField()
    variant = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    product = serializers.UUIDField()
    position = serializers.CharField()
    quantity_per_vehicle = serializers.CharField()
    notes = serializers.CharField()
    verified_at = serializers.DateTimeField(allow_null=True)
    replaces = serializers.UUIDField(allow_null=True, help_text="The part that fits, where `variant` supersedes it.")
    replaces_sku = serializers.CharField(allow_null=True)
    on_hand = serializers.CharField(required=False)
    available = serializers.CharField(required=False)
    threshold = serializers.CharField(required=False, allow_null=True)
    is_low = serializers.BooleanField(required=False, allow_null=True)


class FittingVehicleSerializer(serializers.Serializer):
    fitment = serializers.UUIDField()
    vehicle_model = serializers.UUIDField()
    make = serializers.CharField()
    model = serializers.CharField()
    year = serializers.IntegerField()
    engine = serializers.CharField()
    trim = serializers.CharField()
    position = serializers.CharField()
    quantity_per_vehicle = serializers.CharField()
    notes = serializers.CharField()
    verified_at = serializers.DateTimeField(allow_null=True)
    replaces = serializers.UUIDField(allow_null=True, help_text="The superseded part whose fitment it is.")
    replaces_sku = serializers.CharField(allow_null=True)


class FittingPartsSerializer(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = FittingPartSerializer(many=True)


class FittingVehiclesSerializer(serializers.Serializer):
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = FittingVehicleSerializer(many=True)


class YearRangeSerializer(serializers.Serializer):
    make = serializers.CharField()
    model = serializers.CharField()
    year_from = serializers.IntegerField()
    year_to = serializers.IntegerField()


class FittingRangeSerializer(YearRangeSerializer):
    position = serializers.CharField()
    quantity_per_vehicle = serializers.CharField()


class FittingRangesSerializer(serializers.Serializer):
    results = FittingRangeSerializer(many=True)


class VehicleSpanSerializer(StrictSerializer):
    make = serializers.CharField(max_length=60)
    model = serializers.CharField(max_length=100, required=False, help_text="Without it, all models of the make.")
    engine = serializers.CharField(max_length=60, required=False)
    year_from = year_field()
    year_to = year_field()


class SetFitmentsSerializer(StrictSerializer):
    vehicles: Any = serializers.ListSerializer(child=VehicleSpanSerializer(), max_length=200, required=False)
    vehicle_models = serializers.ListField(child=ReferenceField(), max_length=1000, required=False)
    position = serializers.CharField(max_length=40, required=False, allow_blank=True)
    quantity_per_vehicle = serializers.DecimalField(max_digits=19, decimal_places=6, required=False)
    notes = serializers.CharField(max_length=200, required=False, allow_blank=True)
    mode = serializers.ChoiceField(Mode.choices, default=Mode.ADD)
    preview = serializers.BooleanField(default=False, help_text="Count, and write nothing.")


class FitmentsSetSerializer(serializers.Serializer):
    preview = serializers.BooleanField()
    matched = serializers.IntegerField(help_text="Vehicle models that were meant.")
    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    removed = serializers.IntegerField()
    ranges = YearRangeSerializer(many=True, help_text="What was meant: the first 200 ranges of years.")


class FittingParts(ReadViewSet):
    @extend_schema(
        parameters=[*PAGING, *(OpenApiParameter(name, OpenApiTypes.UUID, description=text) for name, text in STOCK.items())],
        responses=FittingPartsSerializer, filters=False,
    )
    @action(detail=True, methods=["get"], permission=VIEW, pagination_class=None)
    def parts(self, request: Request, pk: str) -> HttpResponse:
        """The parts that fit, a row for each position. In place of a superseded part stands the one that replaces it."""
        query = self._query(["limit", "cursor", *STOCK])
        vehicle_model_id, stock = self.seen(pk), self._stock(query)
        return self._page(parts_of(vehicle_model_id, _window(parts_window, query), stock))

    def _stock(self, query: Mapping[str, str]) -> Stock | None:
        asked = [name for name in STOCK if name in query]
        if not asked:
            return None
        if len(asked) > 1:
            raise BadParameter(asked[1], f"Give {' or '.join(STOCK)}, not both.")
        [name] = asked
        demand(self.request, VIEW_STOCK)
        try:
            warehouse_id = UUID(query[name])
        except ValueError as error:
            raise BadParameter(name, f"{name}: {query[name]!r} is not the id of a warehouse.") from error
        warehouses = reach(holder(self.request), VIEW_STOCK)
        if warehouses is not None and warehouse_id not in warehouses:
            raise OutsideWarehouses
        if not is_warehouse(warehouse_id):
            raise BadParameter(name, f"{name}: there is no such warehouse in this organization.")
        return Stock(warehouse_id, only=name == "in_stock_at")

    def _page(self, page: Page[dict[str, Any]]) -> HttpResponse:
        return _answer(self.request, {**self._links(page), "results": page.rows})


class FittingVehicles(ReadViewSet):
    @extend_schema(
        parameters=[*PAGING, *(OpenApiParameter(name, str) for name in CHOOSING)], responses=FittingVehiclesSerializer,
        filters=False,
    )
    @action(detail=True, methods=["get"], permission=VIEW, pagination_class=None)
    def vehicles(self, request: Request, pk: str) -> HttpResponse:
        """The vehicle models that the part fits, or a part that it supersedes, a row for each position."""
        query = self._query(["limit", "cursor", *CHOOSING])
        variant_id, window = self.seen(pk), _window(vehicles_window, query)
        page = vehicles_of(variant_id, window, filter_conditions(CHOOSING, query))
        return _answer(request, {**self._links(page), "results": page.rows})

    @extend_schema(responses=FittingRangesSerializer, filters=False)
    @action(detail=True, methods=["get"], permission=VIEW, pagination_class=None, url_path="vehicle-ranges")
    def vehicle_ranges(self, request: Request, pk: str) -> HttpResponse:
        """The same as a catalog prints it: make, model and the years from and to."""
        self._query([])
        return _answer(request, {"results": vehicle_ranges(self.seen(pk))})

    @extend_schema(request=SetFitmentsSerializer, responses=FitmentsSetSerializer)
    @action(
        detail=True, methods=["post"], permission="inventory.add_fitment", body_class=SetFitmentsSerializer,
        url_path="vehicles/set",
    )
    def set_vehicles(self, request: Request, pk: str) -> Response:
        """Say which vehicle models the part fits, by make, model and years or by id; first with `preview`."""
        variant, body = self.get_object(), self.body(request)
        preview, mode = body.pop("preview"), body.pop("mode")
        demand(request, "inventory.change_fitment")
        if mode != Mode.ADD:
            demand(request, "inventory.delete_fitment")
        spans, ids = [Span(**span) for span in body.pop("vehicles", [])], body.pop("vehicle_models", [])
        done = fitments_set(
            variant_id=variant.pk, spans=spans, vehicle_models=ids, place=Place(**body), mode=mode, preview=preview,
        )
        return Response({"preview": preview, **done.as_json()})


def _window(make: Any, query: Mapping[str, str]) -> Any:
    try:
        return make(whole_number("limit", query.get("limit", str(DEFAULT_PAGE)), LARGEST_PAGE), query.get("cursor"))
    except BadCursor as error:
        raise BadParameter("cursor", str(error)) from error


def _answer(request: Request, body: dict[str, Any]) -> HttpResponse:
    content = dumps(body)
    return conditional(request, content, f"W/{tag_of(content)}")
