from rest_framework import serializers

from core.api import TenantViewSet
from core.serializers import TenantSerializer
from inventory.models import TaxCategory, TaxRate


class TaxCategorySerializer(TenantSerializer):
    class Meta:
        model = TaxCategory
        fields = ["id", "code", "name", "is_taxed", "created_at", "updated_at", "version"]


class TaxCategoryViewSet(TenantViewSet):
    """What kind of goods, to the tax office. A product without one counts as `standard`."""

    serializer_class = TaxCategorySerializer
    filters = ["code"]
    search_keys = ["name_key"]
    sort_fields = ["code"]


class TaxRateSerializer(TenantSerializer):
    category_code = serializers.CharField(source="tax_category.code", read_only=True)

    class Meta:
        model = TaxRate
        fields = [
            "id", "tax_category", "category_code", "country", "region", "rate", "valid_from", "valid_to", "created_at",
            "updated_at", "version",
        ]


class TaxRateViewSet(TenantViewSet):
    """What a place takes, in percent, from a day to a day, both included; two of one category and place never overlap."""

    serializer_class = TaxRateSerializer
    filters = ["tax_category", "country"]


routes = {"tax-categories": TaxCategoryViewSet, "tax-rates": TaxRateViewSet}
