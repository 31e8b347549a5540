"""Reports on what the stock is worth: now, as of an instant, and why."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Organization
from core.csv_lists import csv_answer
from core.limits import reach
from core.permitting import SignedIn, demand
from core.reader import on_the_reader
from core.reading import UtcDateTimeField
from core.rendering import CSVRenderer, JSONRenderer
from core.reports import asked
from core.serializers import StrictSerializer
from core.within import holder
from inventory.queries.valuation import GROUPINGS, OCCURRED, POSTED, Question, inventory_value
from inventory.queries.value_history import History, value_history
from inventory.services.costing_methods import costing_method_change

SEE = "inventory.view_valueentry"
MOST = 1_000


def _amount(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=38, decimal_places=6, **options)


class ValueQuery(StrictSerializer):
    as_of = serializers.DateTimeField(required=False, help_text="An instant, such as 2026-03-31T22:00:00Z; now without it.")
    basis = serializers.ChoiceField(
        [POSTED, OCCURRED], default=POSTED,
        help_text="As of: what had been `posted` by then, which never changes; or what had `occurred`, whenever it was posted.",
    )
    group_by = serializers.ChoiceField(list(GROUPINGS), default="variant", help_text="`stock`: by variant and warehouse.")
    warehouse = serializers.UUIDField(required=False)
    variant = serializers.UUIDField(required=False)
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST, default=100)
    offset = serializers.IntegerField(required=False, min_value=0, max_value=1_000_000, default=0)


class ValueRowSerializer(serializers.Serializer):
    variant = serializers.UUIDField(required=False)
    sku = serializers.CharField(required=False)
    category = serializers.UUIDField(required=False, allow_null=True)
    name = serializers.CharField(required=False)
    warehouse = serializers.UUIDField(required=False)
    warehouse_code = serializers.CharField(required=False)
    quantity = _amount()
    value = _amount()


class ValueSerializer(serializers.Serializer):
    as_of = serializers.DateTimeField(allow_null=True)
    basis = serializers.CharField()
    group_by = serializers.CharField()
    costing_method = serializers.CharField()
    currency = serializers.CharField()
    value = _amount(help_text="Of all rows, shown or not.")
    count = serializers.IntegerField(help_text="How many rows there are.")
    results = ValueRowSerializer(many=True)


class InventoryValueView(APIView):
    """What the stock is worth, the highest value first; as of any instant. `Accept: text/csv` gives all rows."""

    permission_classes = (SignedIn,)
    renderer_classes = (JSONRenderer, CSVRenderer)

    @extend_schema(operation_id="inventory_value", parameters=[ValueQuery], responses=ValueSerializer)
    def get(self, request: Request) -> Response | HttpResponse:
        demand(request, SEE)
        query = asked(request, ValueQuery)
        is_csv = request.accepted_renderer.format == CSVRenderer.format
        if is_csv:
            query |= {"limit": None, "offset": 0}
        question = Question(**query, warehouses=reach(holder(request), SEE))
        with on_the_reader():
            answer = inventory_value(question)
        if is_csv:
            names = (*GROUPINGS[query["group_by"]].names, "quantity", "value")
            return csv_answer(names, [[row[name] for name in names] for row in answer.rows], "inventory-value")
        organization = Organization.objects.get()
        return Response({
            "as_of": query.get("as_of"), "basis": query["basis"], "group_by": query["group_by"],
            "costing_method": organization.costing_method, "currency": organization.base_currency,
            "value": answer.value, "count": answer.count, "results": answer.rows,
        })


class HistoryQuery(StrictSerializer):
    variant = serializers.UUIDField()
    warehouse = serializers.UUIDField()
    before = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1, help_text="`next` of the page before.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST, default=50)


class HistoryLayerSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    source_move = serializers.UUIDField(source="source_move_id", allow_null=True)
    quantity = _amount(allow_null=True)
    remaining = _amount()
    value = _amount()
    unit_cost = _amount(allow_null=True)
    landed_cost = _amount()
    received_at = UtcDateTimeField()


class HistoryEntrySerializer(serializers.Serializer):
    seq = serializers.IntegerField()
    kind = serializers.CharField()
    quantity = _amount()
    value = _amount()
    quantity_after = _amount()
    value_after = _amount()
    layer = serializers.UUIDField()
    from_layer = serializers.UUIDField(allow_null=True)
    note = serializers.CharField()
    document_type = serializers.CharField()
    document_id = serializers.UUIDField(allow_null=True)
    occurred_at = UtcDateTimeField()
    created_at = UtcDateTimeField()
    move = serializers.UUIDField(allow_null=True)
    move_kind = serializers.CharField(allow_null=True)
    move_quantity = _amount(allow_null=True)
    unit_cost = _amount(allow_null=True)
    move_note = serializers.CharField()
    move_document_type = serializers.CharField(allow_null=True)
    move_document_id = serializers.UUIDField(allow_null=True)


class HistorySerializer(serializers.Serializer):
    quantity = _amount(help_text="Now, or before the entry `before`.")
    value = _amount()
    next = serializers.IntegerField(allow_null=True)
    layers = HistoryLayerSerializer(many=True)
    entries = HistoryEntrySerializer(many=True)


class ValueHistoryView(APIView):
    """Why stock of a variant in a warehouse is worth what it is: its open layers, and its entries, the newest first."""

    permission_classes = (SignedIn,)

    @extend_schema(operation_id="value_history", parameters=[HistoryQuery], responses=HistorySerializer)
    def get(self, request: Request) -> Response:
        demand(request, SEE)
        query = asked(request, HistoryQuery)
        seen = reach(holder(request), SEE)
        with on_the_reader():
            found = History.nothing() if seen is not None and query["warehouse"] not in seen else value_history(**query)
        return Response(HistorySerializer(found).data)


class CostingMethodSerializer(StrictSerializer):
    costing_method = serializers.ChoiceField(Organization.CostingMethod.values)


class CostingMethodView(APIView):
    """How goods that leave are costed. A change revalues the stock by entries that say so."""

    permission_classes = (SignedIn,)

    @extend_schema(operation_id="costing_method", request=CostingMethodSerializer, responses=CostingMethodSerializer)
    def put(self, request: Request) -> Response:
        demand(request, "accounts.change_organization")
        serializer = CostingMethodSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        method = serializer.validated_data["costing_method"]
        costing_method_change(method=method)
        return Response({"costing_method": method})
