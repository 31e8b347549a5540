"""What anybody may browse of an organization that publishes its products: the flag `public-catalog`, which is off."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from accounts.queries.flags import feature_enabled
from core.api import ReadViewSet
from core.choosing import Condition, Conditions
from core.limits import Warehouses
from core.reading import BASE
from core.rendering import JSONRenderer
from core.serializers import TenantSerializer
from core.tenancy import organization_scope
from inventory.models import Product, ProductVariant
from inventory.queries.search import product_search, variant_search

FLAG = "public-catalog"


class PublicProductSerializer(TenantSerializer):
    category_name = serializers.CharField(source="category.name", read_only=True, default=None, allow_null=True)

    class Meta:
        model = Product
        fields = ["id", "name", "category", "category_name", "description", "updated_at"]
        read_only_fields = fields


class PublicVariantSerializer(TenantSerializer):
    class Meta:
        model = ProductVariant
        fields = ["id", "sku", "product", "name", "updated_at"]
        read_only_fields = fields


class PublicList(ReadViewSet):
    """Inside the wall like any other. An organization that publishes nothing looks like one that is not there: empty."""

    permission_classes: Any = (AllowAny,)
    http_method_names = ("get", "head", "options")
    shown: ClassVar[str]  # which rows, besides that they are not archived

    @classmethod
    def as_view(cls, actions: Any = None, **options: Any) -> Any:
        return super().as_view({"get": "list"}, **options)

    @classmethod
    def known_parameters(cls) -> Sequence[str]:
        return ["limit", "cursor", "sort", "search", "fields", *sorted(cls.filter_parameters())]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        with organization_scope(kwargs["id"], origin=request.origin):
            return super().dispatch(request, *args, **kwargs)

    def get_renderers(self) -> list[Any]:
        return [JSONRenderer()]

    def sees_in(self) -> Warehouses:
        return None

    def row_conditions(self) -> Conditions:
        published: Condition = (self.shown, []) if feature_enabled(FLAG) else ("false", [])
        return [*super().row_conditions(), published]


class PublicProductsView(PublicList):
    serializer_class = PublicProductSerializer
    filters = ("category",)
    search_keys = ("name_key",)
    searcher = staticmethod(product_search)
    sort_fields = ("name",)
    shown = f"{BASE}.status = 'active'"

    @extend_schema(operation_id="public_products_list")
    def list(self, request: Request, id: UUID) -> Any:
        """The active products of an organization that publishes them. Needs no sign-in."""
        return super().list(request)


class PublicVariantsView(PublicList):
    serializer_class = PublicVariantSerializer
    filters = ("product", "sku")
    search_keys = ("sku_key", "name_key")
    searcher = staticmethod(variant_search)
    sort_fields = ("sku", "name")
    shown = f"""EXISTS (
        SELECT FROM inventory_product AS p
        WHERE p.organization_id = {BASE}.organization_id AND p.id = {BASE}.product_id AND p.status = 'active'
          AND p.archived_at IS NULL)"""

    @extend_schema(operation_id="public_product_variants_list")
    def list(self, request: Request, id: UUID) -> Any:
        """Their variants. Needs no sign-in."""
        return super().list(request)
