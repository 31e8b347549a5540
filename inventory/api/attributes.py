from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import ReadViewSet, TenantViewSet
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer
from inventory.models import AttributeDefinition, ProductAttributeValue, ProductVariant
from inventory.queries.attributes import values_of
from inventory.services.attributes import attributes_set
from inventory.services.locks import lock_attribute_values

MOST_VALUES = 200


class AttributeDefinitionSerializer(TenantSerializer):
    class Meta:
        model = AttributeDefinition
        fields = [
            "id", "code", "name", "data_type", "unit", "options", "is_variant_axis", "is_filterable", "position",
            "created_at", "updated_at", "version",
        ]


class AttributeDefinitionViewSet(TenantViewSet):
    serializer_class = AttributeDefinitionSerializer
    filters = ["code"]


class ProductAttributeValueSerializer(TenantSerializer):
    product = ReferenceField(source="product_id", required=False, help_text="Of a variant it is filled in.")
    code = serializers.CharField(source="definition.code", read_only=True)
    unit_code = serializers.CharField(source="unit.code", read_only=True, allow_null=True)

    class Meta:
        model = ProductAttributeValue
        fields = [
            "id", "definition", "code", "product", "variant", "value_text", "value_number", "unit", "unit_code",
            "value_boolean", "value_date", "created_at", "updated_at", "version",
        ]


class ProductAttributeValueViewSet(TenantViewSet):
    """Values one by one; `attributes/` of a product or a variant sets many."""

    serializer_class = ProductAttributeValueSerializer
    filters = ["definition", "product", "variant"]

    def bulk(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        lock_attribute_values()
        return super().bulk(request, *args, **kwargs)


class AttributesSerializer(StrictSerializer):
    attributes = serializers.DictField(
        child=serializers.JSONField(allow_null=True),
        help_text='By code: "red", true, "2026-01-31", "12.5", "128 GB" or {"number": "128", "unit": "GB"}; null takes one away.',
    )

    def validate_attributes(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if len(values) > MOST_VALUES:
            raise serializers.ValidationError(f"At most {MOST_VALUES} at once.")
        return values


class AttributesAnswer(serializers.Serializer):
    attributes = serializers.DictField(child=serializers.JSONField(), help_text="What it has itself.")
    inherited = serializers.DictField(child=serializers.JSONField(), help_text="Of a variant: what only its product has.")


class HasAttributes(ReadViewSet):
    """For products and variants: what they have of each attribute, read and written as a whole."""

    @extend_schema(responses=AttributesAnswer)
    @action(detail=True, methods=["get"], body_class=AttributesSerializer)
    def attributes(self, request: Request, pk: str) -> HttpResponseBase:
        """What it has of each attribute, by code."""
        self._query([])
        return self._attributes(self._row_of(pk))

    @extend_schema(request=AttributesSerializer, responses=AttributesAnswer)
    @attributes.mapping.put
    def replace_attributes(self, request: Request, pk: str) -> HttpResponseBase:
        """Exactly these: whatever is not named is taken away."""
        return self._set(request, replace=True)

    @extend_schema(request=AttributesSerializer, responses=AttributesAnswer)
    @attributes.mapping.patch
    def change_attributes(self, request: Request, pk: str) -> HttpResponseBase:
        """These, and the others stay; null takes one away."""
        return self._set(request, replace=False)

    def _row_of(self, pk: str) -> Any:
        if (row := self.get_queryset().filter(pk=self.key(pk)).first()) is None:
            raise Http404
        return row

    def _set(self, request: Request, *, replace: bool) -> HttpResponseBase:
        row = self.get_object()
        attributes_set(target=row, values=self.body(request)["attributes"], replace=replace)
        return self._attributes(row)

    def _attributes(self, row: Any) -> HttpResponseBase:
        if not isinstance(row, ProductVariant):
            return Response({"attributes": values_of(product_id=row.pk), "inherited": {}})
        own = values_of(variant_id=row.pk)
        of_product = values_of(product_id=row.product_id)
        return Response({
            "attributes": own, "inherited": {code: value for code, value in of_product.items() if code not in own},
        })


routes = {"attribute-definitions": AttributeDefinitionViewSet, "product-attribute-values": ProductAttributeValueViewSet}
