"""The paths of older order clients and of their partners, `/orders`, `/orderpacked` and `/orderdelivered`, in the shapes that
they expect, over the same services. docs/guide/order-lifecycle.md tells the whole way of an order.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.urls import re_path
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from config.compat import OldPath, json, old_list
from config.compat_parts import number
from core.api import ReadViewSet
from core.choosing import Conditions
from core.errors import Forbidden
from core.limits import Warehouses, reach, refuse_outside
from core.permitting import SignedIn, demand
from core.problems import MissingPermission
from core.reading import BASE
from core.serializers import StrictSerializer, TenantSerializer
from core.tenancy import active_organization_id
from core.within import condition, holder
from orders.api.my_orders import OWN, SHOP
from orders.models import SalesOrder, SalesOrderItem
from orders.services.fulfilment import sales_order_deliver, sales_order_pack
from orders.services.own_orders import Asked, own_order_place

VIEW, FULFIL = "orders.view_salesorder", "orders.fulfil_salesorder"
S = SalesOrder.Status
OLD_STATUS = {
    **dict.fromkeys((S.PLACED, S.CONFIRMED, S.PICKING, S.ON_HOLD), "placed"),
    **dict.fromkeys((S.PACKED, S.SHIPPED), "packed"), **dict.fromkeys((S.DELIVERED, S.COMPLETED), "delivered"),
    **dict.fromkeys((S.CANCELLED, S.ERROR), "error"),
}  # fmt: skip
type Rows = list[dict[str, Any]]


class OldItemSerializer(StrictSerializer):
    id = serializers.CharField(max_length=100, required=False, help_text="Of the variant, or its SKU.")
    sku = serializers.CharField(max_length=64, required=False)
    quantity = serializers.DecimalField(max_digits=19, decimal_places=6, default=Decimal(1))

    def validate_quantity(self, value: Any) -> Any:
        if value <= 0:
            raise serializers.ValidationError("A quantity must be above zero.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("id" in attrs) == ("sku" in attrs):
            raise serializers.ValidationError("Name the article by its id or by its sku.")
        return attrs


class OldAddressSerializer(StrictSerializer):
    name = serializers.CharField(max_length=200)
    street1 = serializers.CharField(max_length=200)
    street2 = serializers.CharField(max_length=200, required=False, allow_blank=True)
    city = serializers.CharField(max_length=100)
    region = serializers.CharField(max_length=100, required=False, allow_blank=True)
    postal_code = serializers.CharField(max_length=20, required=False, allow_blank=True)
    country = serializers.RegexField("^[A-Z]{2}$", help_text="Like PT.")


class OldOrderSerializer(StrictSerializer):
    items = serializers.ListField(child=OldItemSerializer(), min_length=1, max_length=1_000)
    channel = serializers.CharField(max_length=40, required=False, default="", help_text="Its code, where there are several.")
    shippingAddress = OldAddressSerializer(required=False, source="shipping_address")  # noqa: N815  # as old clients name it


class OrderRowSerializer(TenantSerializer):
    """What the old shape is made of."""

    user = serializers.UUIDField(source="customer.user_id", read_only=True, allow_null=True)

    class Meta:
        model = SalesOrder
        fields = ["id", "user", "email", "status", "shipping_address", "created_at", "updated_at", "version"]


def in_old_shape(rows: Sequence[Mapping[str, Any]]) -> Rows:
    items: dict[str, Rows] = {str(row["id"]): [] for row in rows}
    for line in SalesOrderItem.objects.filter(order__in=list(items), kit=None).order_by("order", "line"):
        items[str(line.order_id)].append({
            "id": str(line.variant_id), "sku": line.sku, "title": line.name, "quantity": number(line.quantity),
            "price": number(line.unit_price),
        })
    return [
        {"id": row["id"], "userId": row["user"], "userEmail": row["email"], "dateCreated": row["created_at"],
         "dateUpdated": row["updated_at"], "status": OLD_STATUS[row["status"]], "items": items[str(row["id"])],
         "shippingAddress": row["shipping_address"]}
        for row in rows
    ]  # fmt: skip


class OldOrderPath(OldPath, ReadViewSet):
    serializer_class = OrderRowSerializer

    def shown(self, pk: Any) -> dict[str, Any]:
        return in_old_shape([self.read_row(pk)])[0]


class OldOrders(OldOrderPath):
    """A person lists the own orders. A partner's key, or who may see orders anyway, reads those of others as well."""

    permission_classes: Any = (SignedIn,)
    ordering = ("-id",)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not {SHOP, VIEW, FULFIL} & holder(request).permissions:
            raise MissingPermission(SHOP)

    def sees_in(self) -> Warehouses:
        return reach(holder(self.request), VIEW, FULFIL)

    def row_conditions(self) -> Conditions:
        who: Any = holder(self.request)
        rows: Conditions = [
            (f"{BASE}.organization_id = %s", [active_organization_id()]), (f"{BASE}.placed_at IS NOT NULL", []),
        ]
        if who.api_key_id:
            return [*rows, *condition(SalesOrder, self.sees_in())]
        if self.action == "list":
            return [*rows, (OWN, [who.user.pk])]
        elsewhere = condition(SalesOrder, self.sees_in())
        return [*rows, *((f"({OWN} OR {sql})", [who.user.pk, *values]) for sql, values in elsewhere)]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        page = super().list
        return old_list(request, "orders", lambda: page(request), in_old_shape)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        return json(self.shown(kwargs["pk"]))

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        demand(request, SHOP)
        who: Any = holder(request)
        if who.api_key_id:
            raise Forbidden("A key orders for nobody: sign in as the customer.")
        given = self.checked(OldOrderSerializer)
        items = [Asked(one.get("id") or one["sku"], one["quantity"]) for one in given["items"]]
        order = own_order_place(
            user=who.user, items=items, channel=given["channel"], shipping_address=given.get("shipping_address", {}),
        )
        refuse_outside(SalesOrder, [order.pk], reach(holder(request), SHOP))
        return Response(self.shown(order.pk), status=status.HTTP_201_CREATED)


class OldFulfilment(OldOrderPath):
    """A partner's call, which may come twice."""

    permission = FULFIL
    verb: Callable[..., SalesOrder]

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        order = self.get_object()
        type(self).verb(order=order)
        return Response(self.shown(order.pk))


class OldOrderPacked(OldFulfilment):
    verb = staticmethod(sales_order_pack)


class OldOrderDelivered(OldFulfilment):
    verb = staticmethod(sales_order_deliver)


SAID: Mapping[str, Any] = {"post": "create", "put": "create"}
urlpatterns = [
    re_path(r"^orders/?$", OldOrders.as_view({"get": "list", "post": "create"}), name="old-orders"),
    re_path(r"^orders/(?P<pk>[^/]+)/?$", OldOrders.as_view({"get": "retrieve"}), name="old-order"),
    re_path(r"^orderpacked/(?P<pk>[^/]+)/?$", OldOrderPacked.as_view(dict(SAID)), name="old-order-packed"),
    re_path(r"^orderdelivered/(?P<pk>[^/]+)/?$", OldOrderDelivered.as_view(dict(SAID)), name="old-order-delivered"),
]
