import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ArchivableViewSet, TenantViewSet
from core.choosing import Conditions
from core.problems import BadParameter
from core.reading import SqlField
from core.serializers import TenantSerializer
from inventory.api.assemblies import HasBom
from inventory.api.attribute_filters import FAMILY, OF_PRODUCTS, OF_VARIANTS, UNDER, attribute_conditions, branch_condition
from inventory.api.attributes import HasAttributes
from inventory.api.fitment import FittingVehicles
from inventory.api.pictures import HasPictures
from inventory.api.relations import HasRelations
from inventory.models import Category, Product, ProductVariant, UnitOfMeasure
from inventory.queries.catalog import PATH, PATH_CHANGED, paths_of
from inventory.queries.search import product_search, variant_search
from inventory.queries.units import converted

NUMBER = re.compile(r"[+-]?[0-9]{1,13}(?:\.[0-9]{1,6})?", re.ASCII)
CONVERT = [
    OpenApiParameter("quantity", {"type": "string", "format": "decimal"}, required=True),
    OpenApiParameter("from", str, required=True, description="The code of a unit, such as LBR."),
    OpenApiParameter("to", str, required=True, description="The code of a unit of the same dimension, such as KGM."),
]


class UnitOfMeasureSerializer(TenantSerializer):
    class Meta:
        model = UnitOfMeasure
        fields = [
            "id", "code", "name", "symbol", "dimension", "factor", "divisor", "rounding", "created_at", "updated_at", "version",
        ]


class ConvertedSerializer(serializers.Serializer):
    quantity = serializers.DecimalField(max_digits=None, decimal_places=None, help_text="In the unit that was asked for.")
    unit = serializers.CharField()
    exact = serializers.BooleanField(help_text="False: it was rounded to the decimal places of the unit.")
    numerator = serializers.CharField(help_text="One of the first unit is numerator ÷ denominator of the other, exactly.")
    denominator = serializers.CharField()


class UnitOfMeasureViewSet(TenantViewSet):
    serializer_class = UnitOfMeasureSerializer
    filters = ["code"]

    @extend_schema(parameters=CONVERT, responses=ConvertedSerializer, filters=False)
    @action(detail=False, methods=["get"], pagination_class=None)
    def convert(self, request: Request) -> Response:
        """A quantity in another unit of the same dimension, by exact arithmetic."""
        query = self._query(["quantity", "from", "to"])
        if not NUMBER.fullmatch(text := query.get("quantity", "")):
            raise BadParameter("quantity", "quantity: a number such as 12.5, with at most 6 decimal places.")
        source, target = (self._unit(name, query) for name in ("from", "to"))
        found = converted(Decimal(text), source, target)
        return Response(ConvertedSerializer({
            "quantity": found.quantity, "unit": target.code, "exact": found.exact,
            "numerator": found.factor.numerator, "denominator": found.factor.denominator,
        }).data)

    def _unit(self, name: str, query: Mapping[str, str]) -> UnitOfMeasure:
        code = query.get(name, "").replace("\0", "")
        unit: UnitOfMeasure | None = UnitOfMeasure.objects.filter(code=code).first()
        if unit is None:
            raise BadParameter(name, f"{name}: the code of a unit of this organization, such as KGM.")
        return unit


class PathField(SqlField):
    sql, changed = PATH, PATH_CHANGED

    def get_attribute(self, instance: Category) -> str:
        return paths_of([instance.pk])[instance.pk]


class CategorySerializer(TenantSerializer):
    path = PathField(help_text="The names from the root of the tree to this one.")

    class Meta:
        model = Category
        fields = [
            "id", "parent", "name", "path", "slug", "description", "external_ref", "archived_at", "created_at", "updated_at",
            "version",
        ]


class CategoryViewSet(ArchivableViewSet):
    serializer_class = CategorySerializer
    filters = ["parent", "external_ref"]
    search_keys = ["name_key"]
    sort_fields = ["name"]
    own_parameters = {"under": UNDER}

    def own_conditions(self, query: Mapping[str, str]) -> Conditions:
        return [branch_condition("id", query["under"])] if "under" in query else []


class ProductSerializer(TenantSerializer):
    category_name = serializers.CharField(source="category.name", read_only=True)

    class Meta:
        model = Product
        fields = [
            "id", "name", "category", "category_name", "manufacturer", "description", "status", "tracking", "base_unit",
            "tax_category", "hs_code", "country_of_origin", "external_ref", "custom_fields", "archived_at", "created_at",
            "updated_at", "version",
        ]


class ProductViewSet(HasAttributes, HasPictures, ArchivableViewSet):
    serializer_class = ProductSerializer
    filters = ["category", "manufacturer", "tax_category", "status", "external_ref"]
    search_keys = ["name_key"]
    searcher = staticmethod(product_search)
    sort_fields = ["name"]
    own_parameters = {"under": UNDER, "attr.*": FAMILY}

    def own_conditions(self, query: Mapping[str, str]) -> Conditions:
        under = [branch_condition("category_id", query["under"])] if "under" in query else []
        return [*under, *attribute_conditions(query, OF_PRODUCTS)]


class ProductVariantSerializer(TenantSerializer):
    class Meta:
        model = ProductVariant
        fields = [
            "id", "sku", "product", "name", "weight", "length", "width", "height", "standard_cost", "abc_class",
            "shelf_life_days", "is_kit", "sold_by_components", "external_ref", "custom_fields", "archived_at", "created_at",
            "updated_at", "version",
        ]


class ProductVariantViewSet(HasAttributes, HasPictures, HasBom, HasRelations, FittingVehicles, ArchivableViewSet):
    serializer_class = ProductVariantSerializer
    filters = ["product", "sku", "external_ref"]
    search_keys = ["sku_key", "name_key"]
    searcher = staticmethod(variant_search)
    sort_fields = ["sku", "name"]
    own_parameters: Mapping[str, Any] = {"attr.*": FAMILY}

    def own_conditions(self, query: Mapping[str, str]) -> Conditions:
        return attribute_conditions(query, OF_VARIANTS)


routes = {
    "units-of-measure": UnitOfMeasureViewSet, "categories": CategoryViewSet, "products": ProductViewSet,
    "product-variants": ProductVariantViewSet,
}
