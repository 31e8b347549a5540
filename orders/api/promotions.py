from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer
from orders.models import Promotion, PromotionGoods, PromotionUse
from orders.services.promotion_goods import MOST_GOODS, Goods, promotion_goods_write


class PromotionSerializer(TenantSerializer):
    class Meta:
        model = Promotion
        fields = [
            "id", "name", "code", "effect", "percent", "amount", "buy_quantity", "free_quantity", "currency", "min_total",
            "starts_at", "ends_at", "channel", "customer", "shipping_method", "is_stackable", "priority", "max_uses",
            "max_per_customer", "used_count", "is_active", "created_at", "updated_at", "version",
        ]


class NewPromotionGoodsSerializer(StrictSerializer):
    variant = ReferenceField(source="variant_id", required=False)
    category = ReferenceField(source="category_id", required=False, help_text="With all below it.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Name a variant or a category.")
        return attrs


class WrittenPromotionSerializer(PromotionSerializer):
    goods: Any = serializers.ListSerializer(
        child=NewPromotionGoodsSerializer(), required=False, write_only=True, max_length=MOST_GOODS,
        help_text="What it is for, in the place of what it was for before. Empty: all goods.",
    )

    class Meta(PromotionSerializer.Meta):
        fields = [*PromotionSerializer.Meta.fields, "goods"]


class PromotionGoodsSerializer(TenantSerializer):
    sku = serializers.CharField(source="variant.sku", read_only=True, default=None)
    category_name = serializers.CharField(source="category.name", read_only=True, default=None)

    class Meta:
        model = PromotionGoods
        fields = ["id", "variant", "sku", "category", "category_name"]


class PromotionViewSet(TenantViewSet):
    """What is taken off orders, for a code or by itself. What orders have used keeps its terms."""

    serializer_class = PromotionSerializer
    filters = ["code", "channel", "customer", "shipping_method"]
    search_keys = ["code_key", "name_key"]
    bulk_operations = ()
    no_bulk = "A promotion has goods: make and change them one by one."

    def get_serializer_class(self) -> Any:
        writes = self.action in ("create", "update", "partial_update")
        return WrittenPromotionSerializer if writes else PromotionSerializer

    def save(self, serializer: serializers.BaseSerializer) -> Promotion:
        goods = serializer.validated_data.pop("goods", None)
        row: Promotion = serializer.save()
        if goods is not None:
            promotion_goods_write(promotion=row, goods=[Goods(**one) for one in goods])
        return row

    @extend_schema(responses=PromotionGoodsSerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def goods(self, request: Request, pk: str) -> Response:
        """What it is for: variants, and categories with all below them. None: all goods."""
        self._query([])
        rows = self.get_object().goods.select_related("variant", "category").order_by("pk")
        return Response(PromotionGoodsSerializer(rows, many=True).data)


class PromotionUseSerializer(TenantSerializer):
    promotion_name = serializers.CharField(source="promotion.name", read_only=True)
    code = serializers.CharField(source="promotion.code", read_only=True, allow_null=True)
    order_number = serializers.CharField(source="order.number", read_only=True, allow_null=True)

    class Meta:
        model = PromotionUse
        fields = [
            "id", "promotion", "promotion_name", "code", "order", "order_number", "customer", "amount", "reason", "why",
            "claimed_at", "released_at", "shared_amount", "shared_with", "created_at", "updated_at", "version",
        ]


class PromotionUseViewSet(ReadViewSet):
    """Which orders have which promotions, and carts that would."""

    serializer_class = PromotionUseSerializer
    filters = ["promotion", "order", "customer"]


routes = {"promotions": PromotionViewSet, "promotion-uses": PromotionUseViewSet}
