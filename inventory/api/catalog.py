from rest_framework import serializers

from core.api import ArchivableViewSet, TenantViewSet
from core.serializers import TenantSerializer
from inventory.models import Category, Product, ProductVariant, UnitOfMeasure
from inventory.queries.search import product_search, variant_search


class UnitOfMeasureSerializer(TenantSerializer):
    class Meta:
        model = UnitOfMeasure
        fields = ["id", "code", "name", "dimension", "factor", "rounding", "created_at", "updated_at", "version"]


class UnitOfMeasureViewSet(TenantViewSet):
    serializer_class = UnitOfMeasureSerializer
    filters = ["code"]


class CategorySerializer(TenantSerializer):
    class Meta:
        model = Category
        fields = [
            "id", "parent", "name", "slug", "description", "external_ref", "archived_at", "created_at", "updated_at", "version",
        ]


class CategoryViewSet(ArchivableViewSet):
    serializer_class = CategorySerializer
    filters = ["parent", "external_ref"]
    search_keys = ["name_key"]
    sort_fields = ["name"]


class ProductSerializer(TenantSerializer):
    category_name = serializers.CharField(source="category.name", read_only=True)

    class Meta:
        model = Product
        fields = [
            "id", "name", "category", "category_name", "manufacturer", "description", "status", "tracking", "base_unit",
            "hs_code", "country_of_origin", "external_ref", "custom_fields", "archived_at", "created_at", "updated_at",
            "version",
        ]


class ProductViewSet(ArchivableViewSet):
    serializer_class = ProductSerializer
    filters = ["category", "manufacturer", "status", "external_ref"]
    search_keys = ["name_key"]
    searcher = staticmethod(product_search)
    sort_fields = ["name"]


class ProductVariantSerializer(TenantSerializer):
    class Meta:
        model = ProductVariant
        fields = [
            "id", "sku", "product", "name", "weight", "length", "width", "height", "standard_cost", "abc_class",
            "shelf_life_days", "external_ref", "custom_fields", "archived_at", "created_at", "updated_at", "version",
        ]


class ProductVariantViewSet(ArchivableViewSet):
    serializer_class = ProductVariantSerializer
    filters = ["product", "sku", "external_ref"]
    search_keys = ["sku_key", "name_key"]
    searcher = staticmethod(variant_search)
    sort_fields = ["sku", "name"]


routes = {
    "units-of-measure": UnitOfMeasureViewSet, "categories": CategoryViewSet, "products": ProductViewSet,
    "product-variants": ProductVariantViewSet,
}
