from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet
from core.serializers import StrictSerializer, TenantSerializer
from inventory.models import StockClosing
from inventory.services.closings import period_close, period_reopen


class StockClosingSerializer(TenantSerializer):
    class Meta:
        model = StockClosing
        fields = ["id", "seq", "closed_through", "note", "actor_id", "api_key_id", "created_at"]


class CloseSerializer(StrictSerializer):
    through = serializers.DateField(help_text="The last day that is closed, in the organization's time zone.")
    note = serializers.CharField(max_length=500, required=False)


class ReopenSerializer(StrictSerializer):
    through = serializers.DateField(required=False, help_text="The last day that stays closed; none, unless given.")
    note = serializers.CharField(max_length=500)


class StockClosingViewSet(ReadViewSet):
    """Through which day the books of the stock are closed; the last row counts."""

    serializer_class = StockClosingSerializer
    filters = ["seq"]
    sort_fields = ["seq"]

    @extend_schema(request=CloseSerializer, responses={201: StockClosingSerializer})
    @action(detail=False, methods=["post"], permission="inventory.close_stockclosing", body_class=CloseSerializer)
    def close(self, request: Request) -> Response:
        """Nothing is posted on those days any more."""
        body = self.body(request)
        row = period_close(through=body["through"], note=body.get("note", ""))
        return Response(self.read_row(row.pk), status=status.HTTP_201_CREATED)

    @extend_schema(request=ReopenSerializer, responses={201: StockClosingSerializer})
    @action(detail=False, methods=["post"], permission="inventory.reopen_stockclosing", body_class=ReopenSerializer)
    def reopen(self, request: Request) -> Response:
        """Days are open again; the note says why."""
        body = self.body(request)
        row = period_reopen(through=body.get("through"), note=body["note"])
        return Response(self.read_row(row.pk), status=status.HTTP_201_CREATED)


routes = {"stock-closings": StockClosingViewSet}
