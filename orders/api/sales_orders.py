from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models.partners import country_code
from core.api import TenantViewSet
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer, referenced
from orders.api.promotions import PromotionUseSerializer
from orders.api.shipping import ShippingOptionSerializer
from orders.machines import SALES_ORDERS
from orders.models import Channel, Customer, OrderAdjustment, SalesOrder, SalesOrderItem
from orders.queries.kits import AS_SHOWN
from orders.queries.shipping_options import shipping_options
from orders.services.fulfilment import (
    sales_order_complete,
    sales_order_deliver,
    sales_order_fail,
    sales_order_pack,
    sales_order_ship,
)
from orders.services.order_lines import MOST_ADJUSTMENTS, MOST_LINES, NewAdjustment, NewLine
from orders.services.promotions import promotion_code_apply, promotion_code_remove
from orders.services.sales_orders import (
    sales_order_cancel,
    sales_order_change,
    sales_order_confirm,
    sales_order_create,
    sales_order_hold,
    sales_order_place,
    sales_order_release,
)
from orders.services.splitting import Split, sales_order_split


class OrderAddressSerializer(StrictSerializer):
    name = serializers.CharField(max_length=200, required=False)
    street1 = serializers.CharField(max_length=200, required=False)
    street2 = serializers.CharField(max_length=200, required=False, allow_blank=True)
    city = serializers.CharField(max_length=100, required=False)
    region = serializers.CharField(max_length=100, required=False, allow_blank=True)
    postal_code = serializers.CharField(max_length=20, required=False, allow_blank=True)
    country = serializers.CharField(max_length=2, required=False, validators=[country_code])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("region") and not attrs.get("country"):
            raise serializers.ValidationError({"country": "Say the country of the region."})
        return attrs


@extend_schema_field(OrderAddressSerializer)
class AddressField(serializers.JSONField):
    """A snapshot: it stays as it was written, whatever becomes of the customer's addresses."""

    def to_internal_value(self, data: Any) -> Any:
        inner = OrderAddressSerializer(data=data)
        inner.is_valid(raise_exception=True)
        return dict(inner.validated_data)


class SalesOrderSerializer(TenantSerializer):
    shipping_address = AddressField(required=False)
    billing_address = AddressField(required=False)
    channel_code = serializers.CharField(source="channel.code", read_only=True)
    customer_code = serializers.CharField(source="customer.code", read_only=True, allow_null=True)

    class Meta:
        model = SalesOrder
        fields = [
            "id", "number", "channel", "channel_code", "customer", "customer_code", "warehouse", "email", "status", "held_from",
            "payment_status", "fulfilment_status", "currency", "shipping_address", "billing_address", "shipping_method",
            "requested_on", "note", "net_total", "tax_total", "total", "paid_total", "refunded_total", "credited_total",
            "revision", "error_code", "placed_at", "packed_at", "shipped_at", "delivered_at", "closed_at", "moved_at", "stuck_at",
            "external_ref", "custom_fields", "created_at", "updated_at", "version",
        ]
        extra_kwargs = {
            "warehouse": {"required": False, "help_text": "The channel's, unless given."},
            "currency": {"required": False, "help_text": "The channel's, unless given."},
        }


class NewSalesOrderLineSerializer(StrictSerializer):
    id = ReferenceField(required=False, help_text="Of a line there is already, which stays and takes these values.")
    variant = ReferenceField(source="variant_id")
    quantity = serializers.DecimalField(max_digits=19, decimal_places=6, min_value=0)
    unit_price = serializers.DecimalField(
        max_digits=19, decimal_places=6, min_value=0, required=False, help_text="Agreed; else what the price lists say.",
    )
    includes_tax = serializers.BooleanField(required=False, help_text="Whether the agreed price has the tax in it.")
    discount = serializers.DecimalField(
        max_digits=19, decimal_places=6, min_value=0, required=False, help_text="Off the whole line.",
    )
    vehicle_model = ReferenceField(source="vehicle_model_id", required=False, help_text="What it shall fit.")
    backorder_policy = serializers.ChoiceField(SalesOrderItem.BackorderPolicy.choices, required=False)


class NewOrderAdjustmentSerializer(StrictSerializer):
    kind = serializers.ChoiceField(OrderAdjustment.Kind.choices)
    label: Any = serializers.CharField(max_length=200)
    net_amount = serializers.DecimalField(max_digits=19, decimal_places=6, help_text="Less than 0 where it is taken off.")
    tax_rate = serializers.DecimalField(
        max_digits=7, decimal_places=4, min_value=0, max_value=100, required=False, help_text="Per cent.",
    )


class WrittenSalesOrderSerializer(SalesOrderSerializer):
    lines: Any = serializers.ListSerializer(
        child=NewSalesOrderLineSerializer(), required=False, write_only=True, max_length=MOST_LINES,
        help_text="All of them: they take the place of those before.",
    )
    adjustments: Any = serializers.ListSerializer(
        child=NewOrderAdjustmentSerializer(), required=False, write_only=True, max_length=MOST_ADJUSTMENTS,
        help_text="What is added to the goods, or taken off: all that people write, in the place of those before.",
    )

    class Meta(SalesOrderSerializer.Meta):
        fields = [*SalesOrderSerializer.Meta.fields, "lines", "adjustments"]


class SalesOrderLineSerializer(TenantSerializer):
    class Meta:
        model = SalesOrderItem
        fields = [
            "id", "line", "variant", "sku", "name", "vehicle_model", "quantity", "unit_price", "price_agreed", "price_reason",
            "includes_tax", "discount", "tax_rate", "net_amount", "tax_amount", "promotion_discount", "backorder_policy",
            "allocated_quantity", "picked_quantity", "shipped_quantity", "returned_quantity", "cancelled_quantity",
            "invoiced_quantity", "sold_by_components", "kit", "per_kit", "kit_share",
        ]


class OrderAdjustmentSerializer(TenantSerializer):
    class Meta:
        model = OrderAdjustment
        fields = ["id", "kind", "label", "net_amount", "tax_rate", "tax_amount", "source_type", "source_id"]


class OrderStepSerializer(StrictSerializer):
    reason = serializers.CharField(max_length=500, required=False, help_text="The timeline keeps it.")


class FailureSerializer(OrderStepSerializer):
    code = serializers.SlugField(max_length=40, default="failed", help_text="For programs: damaged, unknown-article.")


class PromotionCodeSerializer(StrictSerializer):
    code = serializers.CharField(max_length=40, help_text="In small letters or capitals.")


class SplitLineSerializer(StrictSerializer):
    line = ReferenceField(source="line_id")
    quantity = serializers.DecimalField(
        max_digits=19, decimal_places=6, min_value=0, required=False, help_text="All that is not picked, unless given.",
    )


class SplitSerializer(StrictSerializer):
    lines: Any = serializers.ListSerializer(
        child=SplitLineSerializer(), required=False, max_length=MOST_LINES,
        help_text="What the new order has. Without any, all that waits for goods.",
    )


CHANGE = "orders.change_salesorder"
PERMISSIONS = {verb: transition.permission for verb, transition in SALES_ORDERS.by_verb.items()}


class SalesOrderViewSet(TenantViewSet):
    """A cart until it is placed, which reserves its goods. A state that does not allow a verb answers what it allows."""

    serializer_class = SalesOrderSerializer
    http_method_names = ["get", "post", "put", "patch", "head", "options"]
    filters = ["status", "customer", "channel", "warehouse", "number", "external_ref", "placed_at", "stuck_at"]
    search_keys = ["number_key"]
    bulk_operations = ()
    no_bulk = "A sales order has lines and promises goods: make and change them one by one."

    def get_serializer_class(self) -> Any:
        writes = self.action in ("create", "update", "partial_update")
        return WrittenSalesOrderSerializer if writes else SalesOrderSerializer

    def save(self, serializer: serializers.BaseSerializer) -> SalesOrder:
        values = dict(serializer.validated_data)
        rows: dict[str, Any] = {}
        for name, kind in (("lines", NewLine), ("adjustments", NewAdjustment)):
            if name in values:
                rows[name] = [kind(**one) for one in values.pop(name)]
        if serializer.instance is not None:
            return sales_order_change(order=serializer.instance, **rows, **values)
        channel, customer = referenced(Channel, "channel", values.pop("channel_id")), values.pop("customer_id", None)
        buyer = referenced(Customer, "customer", customer) if customer else None
        return sales_order_create(channel=channel, customer=buyer, **rows, **values)

    @extend_schema(responses=SalesOrderLineSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def lines(self, request: Request, pk: str) -> Response:
        """What is ordered, what it costs and why, and how much of it is allocated, picked, shipped, returned and canceled; below
        a kit that is sold by its components, these.
        """
        self._query([])
        return Response(SalesOrderLineSerializer(self.get_object().lines.order_by(*AS_SHOWN), many=True).data)

    @extend_schema(responses=OrderAdjustmentSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def adjustments(self, request: Request, pk: str) -> Response:
        """What is added to the goods or taken off: discounts, surcharges, shipping."""
        self._query([])
        return Response(OrderAdjustmentSerializer(self.get_object().adjustments.order_by("pk"), many=True).data)

    @extend_schema(responses=ShippingOptionSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], url_path="shipping-options", pagination_class=None)
    def shipping_options(self, request: Request, pk: str) -> Response:
        """How its goods may be sent and what that costs, the cheapest first; of methods that do not carry them, why."""
        self._query([])
        return Response(ShippingOptionSerializer(shipping_options(self.get_object()), many=True).data)

    @extend_schema(responses=PromotionUseSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def promotions(self, request: Request, pk: str) -> Response:
        """What each promotion takes off; of a cart's code that takes nothing off, why."""
        self._query([])
        rows = self.get_object().promotion_uses.select_related("promotion", "order").order_by("pk")
        return Response(PromotionUseSerializer(rows, many=True).data)

    @extend_schema(request=PromotionCodeSerializer, responses=SalesOrderSerializer)
    @action(detail=True, methods=["post"], url_path="apply-code", permission=CHANGE, body_class=PromotionCodeSerializer)
    def apply_code(self, request: Request, pk: str) -> Response:
        """A cart costs what it does with this promotion code; one that takes nothing off is refused, and why. Once more changes
        nothing.
        """
        order = promotion_code_apply(order=self.get_object(), **self.body(request))
        return Response(self.read_row(order.pk))

    @extend_schema(request=PromotionCodeSerializer, responses=SalesOrderSerializer)
    @action(detail=True, methods=["post"], url_path="remove-code", permission=CHANGE, body_class=PromotionCodeSerializer)
    def remove_code(self, request: Request, pk: str) -> Response:
        """A cart costs what it does without this promotion code."""
        order = promotion_code_remove(order=self.get_object(), **self.body(request))
        return Response(self.read_row(order.pk))

    @extend_schema(request=None, responses=SalesOrderSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["place"])
    def place(self, request: Request, pk: str) -> Response:
        """The cart gets its number and its goods, at the prices of now."""
        return self._step(sales_order_place)

    @extend_schema(request=None, responses=SalesOrderSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["confirm"])
    def confirm(self, request: Request, pk: str) -> Response:
        """It is to be fulfilled: its goods are kept without an end."""
        return self._step(sales_order_confirm)

    @extend_schema(request=SplitSerializer, responses=SalesOrderSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["split"], body_class=SplitSerializer)
    def split(self, request: Request, pk: str) -> Response:
        """Some of it becomes an order of its own, which is answered: by lines, or what waits for goods."""
        return self._step(sales_order_split, lines=[Split(**one) for one in self.body(request).get("lines", [])])

    @extend_schema(request=OrderStepSerializer, responses=SalesOrderSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["hold"], body_class=OrderStepSerializer)
    def hold(self, request: Request, pk: str) -> Response:
        """Nobody fulfils it until it is released; its goods stay promised."""
        return self._step(sales_order_hold, **self.body(request))

    @extend_schema(request=OrderStepSerializer, responses=SalesOrderSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["release"], body_class=OrderStepSerializer)
    def release(self, request: Request, pk: str) -> Response:
        """It goes on where it was held, or where it failed."""
        return self._step(sales_order_release, **self.body(request))

    @extend_schema(request=OrderStepSerializer, responses=SalesOrderSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["cancel"], body_class=OrderStepSerializer)
    def cancel(self, request: Request, pk: str) -> Response:
        """What is not shipped is free again."""
        return self._step(sales_order_cancel, **self.body(request))

    @extend_schema(request=None, responses=SalesOrderSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["pack"])
    def pack(self, request: Request, pk: str) -> Response:
        """All its goods are in parcels. Once more changes nothing."""
        return self._step(sales_order_pack)

    @extend_schema(request=None, responses=SalesOrderSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["ship"])
    def ship(self, request: Request, pk: str) -> Response:
        """The parcels leave: the goods issue is posted. Once more changes nothing."""
        return self._step(sales_order_ship)

    @extend_schema(request=None, responses=SalesOrderSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["deliver"])
    def deliver(self, request: Request, pk: str) -> Response:
        """The customer has the goods; what was packed alone is shipped first. Once more changes nothing."""
        return self._step(sales_order_deliver)

    @extend_schema(request=None, responses=SalesOrderSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["complete"])
    def complete(self, request: Request, pk: str) -> Response:
        """Nothing is left to do."""
        return self._step(sales_order_complete)

    @extend_schema(request=FailureSerializer, responses=SalesOrderSerializer)
    @action(detail=True, methods=["post"], permission=PERMISSIONS["fail"], body_class=FailureSerializer)
    def fail(self, request: Request, pk: str) -> Response:
        """It cannot go on: it keeps its goods until somebody releases or cancels it."""
        return self._step(sales_order_fail, **self.body(request))

    def _step(self, verb: Callable[..., SalesOrder], **values: Any) -> Response:
        order = verb(order=self.get_reference(), **values)
        return Response(self.read_row(order.pk))


routes = {"sales-orders": SalesOrderViewSet}
