from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import TenantViewSet
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer, referenced
from inventory.models import Warehouse
from orders.api.purchase_bodies import PurchaseReasonSerializer, PurchaseRejectionSerializer, quantity_field
from orders.models import LandedCost
from orders.queries.landed_costs import shares
from orders.services.landed_cost_states import landed_cost_cancel, landed_cost_post, landed_cost_reverse
from orders.services.landed_costs import DOCUMENT, MOST_RECEIPTS, landed_cost_change, landed_cost_create


class LandedCostDocumentSerializer(TenantSerializer):
    warehouse_code = serializers.CharField(source="warehouse.code", read_only=True)

    class Meta:
        model = LandedCost
        fields = [
            "id", "number", "warehouse", "warehouse_code", "status", "kind", "by", "bill", "supplier", "supplier_number",
            "currency", "amount", "cost_on", "note", "exchange_rate", "base_amount", "to_stock", "to_sold", "posted_at",
            "reversed_at", "created_at", "updated_at", "version",
        ]


class WrittenLandedCostSerializer(LandedCostDocumentSerializer):
    receipts: Any = serializers.ListField(
        child=ReferenceField(), required=False, write_only=True, max_length=MOST_RECEIPTS,
        help_text="Goods receipts of the warehouse. All of them: they take the place of those before.",
    )

    class Meta(LandedCostDocumentSerializer.Meta):
        fields = [*LandedCostDocumentSerializer.Meta.fields, "receipts"]


class LandedCostReceiptSerializer(serializers.Serializer):
    receipt = serializers.UUIDField(source="receipt_id")
    receipt_number = serializers.CharField(source="receipt.number")
    order = serializers.UUIDField(source="receipt.order_id")
    order_number = serializers.CharField(source="receipt.order.number")


class LandedShareSerializer(serializers.Serializer):
    receipt = serializers.UUIDField()
    receipt_number = serializers.CharField()
    receipt_line = serializers.UUIDField()
    move = serializers.UUIDField()
    variant = serializers.UUIDField()
    sku = serializers.CharField()
    quantity = quantity_field(help_text="That was taken in.")
    amount = quantity_field(help_text="In the organization's currency.")


class PostLandedCostSerializer(StrictSerializer):
    preview = serializers.BooleanField(required=False, help_text="Answer what would be posted, and post nothing.")


class LandedSumsSerializer(serializers.Serializer):
    exchange_rate = serializers.DecimalField(max_digits=20, decimal_places=9)
    base_amount = quantity_field(help_text="In the organization's currency.")
    to_stock = quantity_field(help_text="What goods that are left are worth more.")
    to_sold = quantity_field(help_text="What those that are gone cost more.")
    shares = LandedShareSerializer(many=True)


class LandedCostPostingSerializer(LandedSumsSerializer):
    landed_cost = LandedCostDocumentSerializer()
    preview = serializers.BooleanField()


class LandedCostViewSet(TenantViewSet):
    """Freight, duty and the like of goods that came. A draft is posted, which spreads it over the goods, and may be reversed."""

    serializer_class = LandedCostDocumentSerializer
    http_method_names = ["get", "post", "put", "patch", "head", "options"]
    filters = ["status", "kind", "warehouse", "supplier", "bill", "number", "cost_on"]
    search_keys = ["number_key"]
    sort_fields = ["number"]
    bulk_operations = ()
    no_bulk = "A landed cost takes what a bill still asks for: make and change them one by one."

    def get_serializer_class(self) -> Any:
        writes = self.action in ("create", "update", "partial_update")
        return WrittenLandedCostSerializer if writes else LandedCostDocumentSerializer

    def save(self, serializer: serializers.BaseSerializer) -> LandedCost:
        values = dict(serializer.validated_data)
        if serializer.instance is not None:
            return landed_cost_change(cost=serializer.instance, **values)
        return landed_cost_create(warehouse=referenced(Warehouse, "warehouse", values.pop("warehouse_id")), **values)

    @extend_schema(responses=LandedCostReceiptSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def receipts(self, request: Request, pk: str) -> Response:
        """The goods receipts over which it is spread."""
        self._query([])
        rows = self.get_object().receipts.select_related("receipt__order").order_by("receipt_id")
        return Response(LandedCostReceiptSerializer(rows, many=True).data)

    @extend_schema(responses=LandedShareSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def shares(self, request: Request, pk: str) -> Response:
        """What came to which goods as it was posted. Of a draft, post with `preview` says what would come."""
        self._query([])
        return Response(LandedShareSerializer(shares(self.get_object(), DOCUMENT), many=True).data)

    @extend_schema(request=PostLandedCostSerializer, responses=LandedCostPostingSerializer)
    @action(
        detail=True, methods=["post"], url_path="post", url_name="post", permission="orders.post_landedcost",
        body_class=PostLandedCostSerializer,
    )
    def book(self, request: Request, pk: str) -> Response:
        """Spread it over the goods: those that are left are worth more, those that are gone have cost more."""
        is_preview = self.body(request).get("preview", False)
        posting = landed_cost_post(cost=self.get_object(), is_preview=is_preview)
        return Response({
            **LandedSumsSerializer(posting).data, "landed_cost": self.read_row(posting.cost.pk), "preview": is_preview,
        })

    @extend_schema(request=PurchaseRejectionSerializer, responses=LandedCostDocumentSerializer)
    @action(detail=True, methods=["post"], permission="orders.post_landedcost", body_class=PurchaseRejectionSerializer)
    def reverse(self, request: Request, pk: str) -> Response:
        """It was a mistake: the goods are worth what they would be without it."""
        return self._stepped(landed_cost_reverse, request)

    @extend_schema(request=PurchaseReasonSerializer, responses=LandedCostDocumentSerializer)
    @action(detail=True, methods=["post"], permission="orders.change_landedcost", body_class=PurchaseReasonSerializer)
    def cancel(self, request: Request, pk: str) -> Response:
        """A draft that is not to be posted."""
        return self._stepped(landed_cost_cancel, request)

    def _stepped(self, verb: Callable[..., LandedCost], request: Request) -> Response:
        return Response(self.read_row(verb(cost=self.get_object(), **self.body(request)).pk))


routes = {"landed-costs": LandedCostViewSet}
