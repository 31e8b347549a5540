"""What customers do with their own orders. Nothing that they may besides shows them those of others."""

from typing import Any

from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet
from core.choosing import Conditions
from core.errors import Forbidden
from core.limits import Warehouses, refuse_outside
from core.reading import BASE
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer
from core.within import holder
from orders.api.sales_orders import AddressField, OrderStepSerializer
from orders.models import PromotionUse, ReturnAuthorization, ReturnItem, SalesOrder, SalesOrderItem, Shipment, ShipmentItem
from orders.queries.kits import AS_SHOWN
from orders.services.order_lines import MOST_LINES
from orders.services.own_orders import Asked, own_order_place, own_return_ask
from orders.services.promotions import MOST_CODES
from orders.services.returns import MOST_LINES as MOST_RETURN_LINES
from orders.services.returns import Asked as AskedBack
from orders.services.sales_orders import sales_order_cancel

SHOP = "orders.shop_salesorder"
OWN = (
    f"EXISTS (SELECT FROM orders_customer AS c WHERE c.organization_id = {BASE}.organization_id"
    f" AND c.id = {BASE}.customer_id AND c.user_id = %s)"
)
SEEN = (Shipment.Status.PACKED, *Shipment.LEFT)


class OwnOrderSerializer(TenantSerializer):
    channel_code = serializers.CharField(source="channel.code", read_only=True)

    class Meta:
        model = SalesOrder
        fields = [
            "id", "number", "channel_code", "email", "status", "payment_status", "fulfilment_status", "currency",
            "shipping_address", "billing_address", "requested_on", "note", "net_total", "tax_total", "total", "paid_total",
            "refunded_total", "credited_total", "placed_at", "packed_at", "shipped_at", "delivered_at", "closed_at", "created_at",
            "updated_at", "version",
        ]
        read_only_fields = fields


class NewOwnLineSerializer(StrictSerializer):
    variant = ReferenceField(required=False)
    sku = serializers.CharField(max_length=64, required=False, help_text="Instead of the variant.")
    quantity = serializers.DecimalField(max_digits=19, decimal_places=6, min_value=0)

    def validate_quantity(self, value: Any) -> Any:
        if value <= 0:
            raise serializers.ValidationError("A quantity must be above zero.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("variant" in attrs) == ("sku" in attrs):
            raise serializers.ValidationError("Name the article by its variant or by its sku.")
        return attrs


class NewOwnOrderSerializer(StrictSerializer):
    lines: Any = serializers.ListSerializer(child=NewOwnLineSerializer(), min_length=1, max_length=MOST_LINES)
    channel = serializers.CharField(max_length=40, required=False, help_text="Its code, where there are several.")
    shipping_address = AddressField(required=False)
    billing_address = AddressField(required=False)
    requested_on = serializers.DateField(required=False, help_text="The day by which it is wanted.")
    note = serializers.CharField(max_length=500, required=False)
    promotion_codes: Any = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=MOST_CODES,
        help_text="Each must take something off: the order is not placed otherwise.",
    )


class OwnOrderLineSerializer(TenantSerializer):
    class Meta:
        model = SalesOrderItem
        fields = [
            "id", "line", "variant", "sku", "name", "quantity", "unit_price", "includes_tax", "discount", "tax_rate",
            "net_amount", "tax_amount", "promotion_discount", "shipped_quantity", "returned_quantity", "cancelled_quantity",
            "kit",
        ]


class OwnPromotionSerializer(TenantSerializer):
    name = serializers.CharField(source="promotion.name", read_only=True)
    code = serializers.CharField(source="promotion.code", read_only=True, allow_null=True)

    class Meta:
        model = PromotionUse
        fields = ["name", "code", "amount"]


class OwnShipmentLineSerializer(TenantSerializer):
    sku = serializers.CharField(source="order_item.sku", read_only=True)
    lot_code = serializers.CharField(source="lot.code", read_only=True, default=None)

    class Meta:
        model = ShipmentItem
        fields = ["order_item", "sku", "lot", "lot_code", "quantity"]


class OwnShipmentSerializer(TenantSerializer):
    lines = OwnShipmentLineSerializer(many=True, read_only=True)

    class Meta:
        model = Shipment
        fields = [
            "id", "number", "status", "carrier", "tracking_number", "tracking_url", "packed_at", "handed_over_at", "delivered_at",
            "lines",
        ]


class NewOwnReturnLineSerializer(StrictSerializer):
    order_item = ReferenceField(source="order_item_id", help_text="A line of the order.")
    quantity = serializers.DecimalField(max_digits=19, decimal_places=6, min_value=0)
    lot = ReferenceField(source="lot_id", required=False, help_text="Needed where more than one came.")
    note = serializers.CharField(max_length=200, required=False)


class NewOwnReturnSerializer(StrictSerializer):
    lines: Any = serializers.ListSerializer(
        child=NewOwnReturnLineSerializer(), required=False, max_length=MOST_RETURN_LINES,
        help_text="All that was delivered and is not back or asked for yet, unless given.",
    )
    note = serializers.CharField(max_length=500, required=False, help_text="Why it goes back.")


class OwnReturnLineSerializer(TenantSerializer):
    sku = serializers.CharField(source="order_item.sku", read_only=True)

    class Meta:
        model = ReturnItem
        fields = ["order_item", "sku", "lot", "quantity", "received_quantity", "note"]


class OwnReturnSerializer(TenantSerializer):
    lines = OwnReturnLineSerializer(many=True, read_only=True)

    class Meta:
        model = ReturnAuthorization
        fields = ["id", "number", "status", "note", "refund_amount", "received_at", "inspected_at", "created_at", "lines"]


class MyOrderViewSet(ReadViewSet):
    """The orders that whoever signs in has placed, and no others."""

    serializer_class = OwnOrderSerializer
    permission = SHOP
    body_class = NewOwnOrderSerializer
    http_method_names = ["get", "post", "head", "options"]
    filters = ["status", "number", "placed_at"]
    search_keys = ["number_key"]
    ordering = ("-id",)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.who().api_key_id:
            raise Forbidden("A key has no orders of its own: sign in as the customer.")

    def who(self) -> Any:
        return holder(self.request)

    def sees_in(self) -> Warehouses:
        """Where they may shop, whatever else they may see."""
        return None if getattr(self, "swagger_fake_view", False) else self.may_change_in()

    def row_conditions(self) -> Conditions:
        return [*super().row_conditions(), (f"{BASE}.placed_at IS NOT NULL", []), (OWN, [self.who().user.pk])]

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        return rows.filter(customer__user_id=self.who().user.pk, placed_at__isnull=False)

    @extend_schema(request=NewOwnOrderSerializer, responses={201: OwnOrderSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Placed at once: its goods are reserved, at the prices of now."""
        body = self.body(request)
        items = [Asked(str(one.get("variant") or one["sku"]), one["quantity"]) for one in body.pop("lines")]
        order = own_order_place(user=self.who().user, items=items, named="lines", **body)
        refuse_outside(SalesOrder, [order.pk], self.may_change_in())
        location = request.build_absolute_uri(f"{request.path}{order.pk}/")
        return Response(self.read_row(order.pk), status=status.HTTP_201_CREATED, headers={"Location": location})

    @extend_schema(responses=OwnOrderLineSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def lines(self, request: Request, pk: str) -> Response:
        """What was ordered, what it costs, and how much of it is shipped, came back or was canceled."""
        self._query([])
        return Response(OwnOrderLineSerializer(self.get_object().lines.order_by(*AS_SHOWN), many=True).data)

    @extend_schema(responses=OwnPromotionSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def promotions(self, request: Request, pk: str) -> Response:
        """What promotions take off, with tax."""
        self._query([])
        rows = self.get_object().promotion_uses.select_related("promotion").order_by("pk")
        return Response(OwnPromotionSerializer(rows, many=True).data)

    @extend_schema(request=OrderStepSerializer, responses=OwnOrderSerializer)
    @action(detail=True, methods=["post"], body_class=OrderStepSerializer)
    def cancel(self, request: Request, pk: str) -> Response:
        """As long as nothing is packed. What was paid goes back."""
        order = sales_order_cancel(order=self.get_object(), **self.body(request))
        return Response(self.read_row(order.pk))

    @extend_schema(responses=OwnShipmentSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def shipments(self, request: Request, pk: str) -> Response:
        """What is packed or on its way, in which parcel service's hands, and where to follow it."""
        self._query([])
        lines = Prefetch("lines", ShipmentItem.objects.select_related("order_item", "lot").order_by("line"))
        rows = self.get_object().shipments.filter(status__in=SEEN).order_by("pk").prefetch_related(lines)
        return Response(OwnShipmentSerializer(rows, many=True).data)

    @extend_schema(responses=OwnReturnSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None, body_class=NewOwnReturnSerializer)
    def returns(self, request: Request, pk: str) -> Response:
        """What of it goes back, and how far that is."""
        self._query([])
        return Response(OwnReturnSerializer(self._returns(self.get_object()), many=True).data)

    @extend_schema(request=NewOwnReturnSerializer, responses={201: OwnReturnSerializer})
    @returns.mapping.post
    def ask_return(self, request: Request, pk: str) -> Response:
        """Goods that were delivered may go back once somebody has approved it."""
        order, body = self.get_object(), self.body(request)
        lines = [AskedBack(**one) for one in body["lines"]] if "lines" in body else None
        made = own_return_ask(order=order, lines=lines, note=body.get("note", ""))
        return Response(OwnReturnSerializer(self._returns(order).get(pk=made.pk)).data, status=status.HTTP_201_CREATED)

    @staticmethod
    def _returns(order: SalesOrder) -> Any:
        lines = Prefetch("lines", ReturnItem.objects.select_related("order_item").order_by("line"))
        return order.returns.order_by("pk").prefetch_related(lines)


routes = {"my/orders": MyOrderViewSet}
