from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.limits import OutsideWarehouses, reach
from core.permitting import demand
from core.problems import BadParameter
from core.serializers import TenantSerializer
from core.within import holder
from inventory.models import BomLine, Warehouse
from inventory.queries.assemblies import buildable, exploded, uses_of
from inventory.queries.kits import LARGEST, SMALLEST

SEE_STOCK = "inventory.view_stockitem"
QUANTITY = OpenApiParameter("quantity", {"type": "string", "format": "decimal"}, description="Of the assembly; 1 if not given.")
OPTIONAL = OpenApiParameter("optional", bool, description="With the optional lines.")
WAREHOUSE = OpenApiParameter("warehouse", {"type": "string", "format": "uuid"}, required=True)


class BomLineSerializer(TenantSerializer):
    assembly_sku = serializers.CharField(source="assembly.sku", read_only=True)
    component_sku = serializers.CharField(source="component.sku", read_only=True)
    component_name = serializers.CharField(source="component.name", read_only=True)

    class Meta:
        model = BomLine
        fields = [
            "id", "assembly", "assembly_sku", "component", "component_sku", "component_name", "quantity", "scrap_percent",
            "is_optional", "position", "note", "created_at", "updated_at", "version",
        ]


class BomLineViewSet(TenantViewSet):
    serializer_class = BomLineSerializer
    filters = ["assembly", "component"]


def _quantity(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=None, decimal_places=None, **options)


class ComponentSerializer(serializers.Serializer):
    variant = serializers.UUIDField(source="variant_id")
    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = _quantity()


class LeafSerializer(ComponentSerializer):
    level = serializers.IntegerField(help_text="How far down at most; 0: it has no bill of materials.")
    unit_cost = _quantity(help_text="The standard cost of one.")
    cost = _quantity()


class ExplosionSerializer(serializers.Serializer):
    quantity = _quantity()
    cost = _quantity(help_text="Of all the parts, at standard cost in the organization's base currency.")
    parts = LeafSerializer(many=True)


class UseSerializer(ComponentSerializer):
    level = serializers.IntegerField(help_text="1: it goes into it directly.")


class UsesSerializer(serializers.Serializer):
    uses = UseSerializer(many=True)


class ShareSerializer(serializers.Serializer):
    variant = serializers.UUIDField(source="component.variant_id")
    sku = serializers.CharField(source="component.sku")
    name = serializers.CharField(source="component.name")
    quantity = _quantity(source="component.quantity", help_text="For one.")
    available = _quantity()
    enough_for = serializers.IntegerField()


class BuildableSerializer(serializers.Serializer):
    quantity = serializers.IntegerField(help_text="How many can be built.")
    components = ShareSerializer(many=True, source="shares")


class HasBom(ReadViewSet):
    """For variants: what they are made of, and what they go into."""

    @extend_schema(parameters=[QUANTITY, OPTIONAL], responses=ExplosionSerializer)
    @action(detail=True, methods=["get"])
    def explosion(self, request: Request, pk: str) -> Response:
        """Down to the parts that are bought, with what they cost; what is lost in the making is counted."""
        query = self._query(["quantity", "optional"])
        self._must_be_there(pk)
        quantity = _positive("quantity", query.get("quantity", "1"))
        parts = exploded(self.key(pk), quantity, optional=_flag("optional", query))
        cost = sum((part.cost for part in parts), Decimal(0))
        return Response(ExplosionSerializer({"quantity": quantity, "cost": cost, "parts": parts}).data)

    @extend_schema(responses=UsesSerializer)
    @action(detail=True, methods=["get"], url_path="where-used")
    def where_used(self, request: Request, pk: str) -> Response:
        """The assemblies and kits that it goes into, directly or by others."""
        self._query([])
        self._must_be_there(pk)
        return Response(UsesSerializer({"uses": uses_of(self.key(pk))}).data)

    @extend_schema(parameters=[WAREHOUSE], responses=BuildableSerializer)
    @action(detail=True, methods=["get"])
    def buildable(self, request: Request, pk: str) -> Response:
        """How many can be built of what is available in a warehouse."""
        query = self._query(["warehouse"])
        self._must_be_there(pk)
        demand(request, SEE_STOCK)
        return Response(BuildableSerializer(buildable(self.key(pk), self._warehouse(query))).data)

    def _must_be_there(self, pk: str) -> None:
        rows: Any = self.get_queryset().filter(pk=self.key(pk))
        if not rows.exists():
            raise Http404

    def _warehouse(self, query: Mapping[str, str]) -> UUID:
        """Raises BadParameter, and OutsideWarehouses where the stock may not be seen."""
        try:
            wanted = UUID(query.get("warehouse", ""))
        except ValueError as error:
            raise BadParameter("warehouse", "warehouse: the id (a UUID) of a warehouse.") from error
        seen = reach(holder(self.request), SEE_STOCK)
        if seen is not None and wanted not in seen:
            raise OutsideWarehouses
        if not Warehouse.objects.filter(pk=wanted).exists():
            raise BadParameter("warehouse", "warehouse: there is no such warehouse in this organization.")
        return wanted


def _positive(name: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(0)
    if not (number.is_finite() and 0 < number < LARGEST and number == number.quantize(SMALLEST)):
        raise BadParameter(name, f"{name}: a number above 0, with at most 6 decimal places.")
    return number


def _flag(name: str, query: Mapping[str, str]) -> bool:
    if (text := query.get(name, "false")) not in ("true", "false"):
        raise BadParameter(name, f"{name}: true or false.")
    return text == "true"


routes = {"bom-lines": BomLineViewSet}
