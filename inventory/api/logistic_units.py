from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import TenantViewSet
from core.limits import refuse_outside
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer
from inventory.api.postings import (
    LotLineSerializer,
    PostedSerializer,
    PostingSerializer,
    answer,
    quantity_field,
    wanted_field,
    with_lot,
)
from inventory.models import Location, LogisticUnit
from inventory.queries.logistic_units import contents_of
from inventory.services.logistic_units import unit_change, unit_create
from inventory.services.packing import unit_move, unit_pack, unit_unpack
from inventory.services.posting import Line
from inventory.services.stock import Circumstances


class LogisticUnitSerializer(TenantSerializer):
    location_code = serializers.CharField(source="location.code", read_only=True)

    class Meta:
        model = LogisticUnit
        fields = [
            "id", "sscc", "kind", "parent", "location", "location_code", "weight", "created_at", "updated_at", "version",
        ]


class ContentSerializer(serializers.Serializer):
    unit = serializers.UUIDField(help_text="The unit itself, or one that stands on it.")
    sscc = serializers.CharField()
    kind = serializers.ChoiceField(LogisticUnit.Kind.choices)
    depth = serializers.IntegerField(help_text="0 in the unit itself, 1 in what stands on it, and so on.")
    variant = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    lot = serializers.UUIDField(allow_null=True)
    lot_code = serializers.CharField(allow_null=True)
    expires_on = serializers.DateField(allow_null=True)
    quantity = quantity_field()


class PackedLineSerializer(LotLineSerializer):
    variant = ReferenceField(source="variant_id")
    quantity = wanted_field()


class PackSerializer(StrictSerializer):
    lines: Any = serializers.ListSerializer(child=PackedLineSerializer(), max_length=1000)


class UnpackSerializer(StrictSerializer):
    lines: Any = serializers.ListSerializer(
        child=PackedLineSerializer(), max_length=1000, required=False, help_text="All that is in the unit itself, unless given.",
    )


class MoveUnitSerializer(PostingSerializer):
    location = ReferenceField(source="location_id")


class LogisticUnitViewSet(TenantViewSet):
    """Parcels and pallets, and what is packed in them. Without an SSCC in the body, a unit gets the organization's next one.

    A unit stands where the unit stands that it is on.
    """

    serializer_class = LogisticUnitSerializer
    filters = ["sscc", "kind", "parent", "location"]
    bulk_operations = ("delete",)
    no_bulk = "Units get their numbers one by one."

    def save(self, serializer: serializers.BaseSerializer) -> LogisticUnit:
        if serializer.instance is None:
            return unit_create(**serializer.validated_data)
        return unit_change(unit_id=serializer.instance.pk, **serializer.validated_data)

    @extend_schema(responses=ContentSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def contents(self, request: Request, pk: str) -> Response:
        """What is within, in the unit itself and in all that stands on it."""
        self._query([])
        return self._contents(self.get_object())

    @extend_schema(request=PackSerializer, responses=ContentSerializer(many=True))
    @action(detail=True, methods=["post"], permission="inventory.pack_logisticunit", body_class=PackSerializer)
    def pack(self, request: Request, pk: str) -> Response:
        """Put loose goods in that lie where the unit stands."""
        unit = self.get_object()
        return self._contents(unit_pack(unit_id=unit.pk, lines=[_line(line) for line in self.body(request)["lines"]]))

    @extend_schema(request=UnpackSerializer, responses=ContentSerializer(many=True))
    @action(detail=True, methods=["post"], permission="inventory.pack_logisticunit", body_class=UnpackSerializer)
    def unpack(self, request: Request, pk: str) -> Response:
        """Take goods out: they are loose where the unit stands."""
        unit, lines = self.get_object(), self.body(request).get("lines")
        return self._contents(unit_unpack(unit_id=unit.pk, lines=None if lines is None else [_line(line) for line in lines]))

    @extend_schema(request=MoveUnitSerializer, responses={201: PostedSerializer})
    @action(detail=True, methods=["post"], permission="inventory.move_stock", body_class=MoveUnitSerializer)
    def move(self, request: Request, pk: str) -> Response:
        """Move the whole unit with all that is within, in one posting. It leaves the unit that it is on."""
        unit, body = self.get_object(), self.body(request)
        location = body.pop("location_id")
        if (warehouses := self.may_change_in()) is not None:
            there = Location.objects.filter(pk=location).values_list("pk", flat=True)
            refuse_outside(Location, list(there), warehouses)
        return answer(unit_move(unit_id=unit.pk, location_id=location, circumstances=Circumstances(**body)))

    def _contents(self, unit: LogisticUnit) -> Response:
        return Response([asdict(one) for one in contents_of(unit.pk)])


def _line(line: Mapping[str, Any]) -> Line:
    return Line(**with_lot(line))


routes = {"logistic-units": LogisticUnitViewSet}
