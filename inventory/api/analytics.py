from collections.abc import Collection
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from core.conditions import conditional, tag_of
from core.json import dumps
from core.limits import OutsideWarehouses, reach
from core.listing import whole_number
from core.permitting import SignedIn, demand
from core.problems import BadParameter
from core.reader import on_the_reader
from core.within import holder
from inventory.queries.analytics import YEAR, Statistics, inventory_statistics

VIEW = "inventory.view_stockitem"
MOST_MOVERS = 100
PARAMETERS = {
    "days": OpenApiParameter("days", int, description=f"Of the issues: 1 to {YEAR}, 30 without it."),
    "top": OpenApiParameter("top", int, description=f"How many movers: 1 to {MOST_MOVERS}, 10 without it."),
    "warehouse": OpenApiParameter("warehouse", OpenApiTypes.UUID, description="Of this warehouse alone."),
}


def _amount(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=None, decimal_places=6, **options)


class TopMoverSerializer(serializers.Serializer):
    variant = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    issued = _amount()
    issued_value = _amount()


class StatisticsGroupSerializer(serializers.Serializer):
    name = serializers.CharField()
    variants = serializers.IntegerField(help_text="Those in stock.")
    on_hand = _amount()
    reserved = _amount()
    available = _amount()
    value = _amount()


class CategoryStatisticsSerializer(StatisticsGroupSerializer):
    category = serializers.UUIDField(allow_null=True)


class WarehouseStatisticsSerializer(StatisticsGroupSerializer):
    warehouse = serializers.UUIDField()


class InventoryStatisticsSerializer(serializers.Serializer):
    currency = serializers.CharField()
    days = serializers.IntegerField()
    variants = serializers.IntegerField(help_text="In the catalog.")
    on_hand = _amount()
    reserved = _amount()
    available = _amount(help_text="Not reserved, not in quarantine or scrap.")
    value = _amount(help_text="At cost.")
    low = serializers.IntegerField(help_text="Variants at or under a threshold, counted in each warehouse.")
    out_of_stock = serializers.IntegerField()
    open_reorder_tasks = serializers.IntegerField()
    issued_value = _amount()
    turnover = _amount(allow_null=True, help_text="How often a year the stock is issued, at this pace.")
    top_movers = TopMoverSerializer(many=True)
    by_category = CategoryStatisticsSerializer(many=True)
    by_warehouse = WarehouseStatisticsSerializer(many=True)


class InventoryStatisticsView(APIView):
    """Statistics of the inventory: what there is, what it is worth, what is low or out, and what moves."""

    permission_classes = (SignedIn,)

    @extend_schema(
        operation_id="analytics_inventory_retrieve", parameters=list(PARAMETERS.values()),
        responses=InventoryStatisticsSerializer,
    )
    def get(self, request: Request) -> HttpResponse:
        content = dumps(asdict(statistics(request)))
        return conditional(request, content, f"W/{tag_of(content)}")


def statistics(request: Request) -> Statistics:
    """As the query string asks for them, of the warehouses that the request may see."""
    demand(request, VIEW)
    query = request.query_params.dict()
    if unknown := [name for name in query if name not in PARAMETERS]:
        raise BadParameter(unknown[0], f"Unknown parameter {unknown[0]!r}. Known: {', '.join(PARAMETERS)}.")
    days, top = whole_number("days", query.get("days", "30"), YEAR), whole_number("top", query.get("top", "10"), MOST_MOVERS)
    warehouses = _warehouses(request, query.get("warehouse"))
    with on_the_reader():
        return inventory_statistics(days=days, top=top, warehouses=warehouses)


def _warehouses(request: Request, asked: str | None) -> Collection[UUID] | None:
    seen = reach(holder(request), VIEW)
    if asked is None:
        return seen
    try:
        warehouse = UUID(asked)
    except ValueError as error:
        raise BadParameter("warehouse", f"warehouse: {asked!r} is not the id of a warehouse.") from error
    if seen is not None and warehouse not in seen:
        raise OutsideWarehouses
    return [warehouse]
