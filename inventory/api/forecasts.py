from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet
from core.serializers import TenantSerializer
from core.within import holder
from inventory.api.postings import quantity_field
from inventory.api.replenishment import POLL, PREFER
from inventory.models import DemandForecast
from inventory.queries.forecasts import demand_history
from inventory.services.forecasts import forecasts_compute, forecasts_compute_later
from notifications.accepting import AcceptedSerializer, accepted, prefers_job


class DemandForecastSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = DemandForecast
        fields = [
            "id", "variant", "sku", "warehouse", "warehouse_code", "period_start", "method", "quantity", "low", "high", "error",
            "method_errors", "weeks", "actual", "computed_at", "created_at",
        ]


class ComputedSerializer(serializers.Serializer):
    forecasts = serializers.IntegerField(help_text="How many were written.")
    minimums = serializers.IntegerField(help_text="How many reorder rules have another minimum or maximum by them.")


class WeekSerializer(serializers.Serializer):
    period_start = serializers.DateField()
    quantity = quantity_field()


class DemandHistorySerializer(serializers.Serializer):
    weeks: Any = WeekSerializer(many=True)


class DemandForecastViewSet(ReadViewSet):
    """What will leave a warehouse in a week, by the issues of the year before; made anew each Monday."""

    serializer_class = DemandForecastSerializer
    filters = ["variant", "warehouse", "period_start"]

    @extend_schema(request=None, responses={200: ComputedSerializer, 202: AcceptedSerializer}, parameters=[PREFER])
    @action(detail=False, methods=["post"], permission="inventory.run_demandforecast")
    def compute(self, request: Request) -> Response:
        """Those of this week, now."""
        if prefers_job(request) and POLL in holder(request).permissions:
            return accepted(request, forecasts_compute_later(warehouses=self.may_change_in()))
        return Response(forecasts_compute(warehouses=self.may_change_in()))

    @extend_schema(responses=DemandHistorySerializer)
    @action(detail=True, methods=["get"], permission="inventory.view_demandforecast")
    def history(self, request: Request, pk: str) -> Response:
        """The demand of each week that the forecast was made of, as the moves have it now."""
        row = self.get_object()
        weeks = demand_history(variant_id=row.variant_id, warehouse_id=row.warehouse_id, until=row.period_start)
        return Response({"weeks": [week._asdict() for week in weeks]})


routes = {"demand-forecasts": DemandForecastViewSet}
