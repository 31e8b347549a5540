from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models.partners import country_code
from core.api import TenantViewSet
from core.serializers import StrictSerializer, TenantSerializer
from orders.models import ShippingMethod
from orders.models.shipping import validate_rates
from orders.queries.shipping_options import Option


class ShippingRateSerializer(StrictSerializer):
    country = serializers.CharField(
        max_length=2, required=False, allow_blank=True, validators=[country_code],
        help_text="Empty: all that have none of their own.",
    )
    min = serializers.DecimalField(
        max_digits=19, decimal_places=6, min_value=0, required=False,
        help_text="The total, weight or quantity from which on it counts.",
    )
    price = serializers.DecimalField(
        max_digits=19, decimal_places=6, min_value=0, allow_null=True, help_text="Null: not carried from here on.",
    )


@extend_schema_field(ShippingRateSerializer(many=True))
class RatesField(serializers.JSONField):
    """As the model checks them."""


class ShippingMethodSerializer(TenantSerializer):
    rates = RatesField(validators=[validate_rates], help_text="The one with the highest `min` that is reached counts.")

    class Meta:
        model = ShippingMethod
        fields = [
            "id", "code", "name", "carrier", "currency", "basis", "rates", "includes_tax", "free_from", "tax_category",
            "eta_days", "tracking_url_template", "is_active", "created_at", "updated_at", "version",
        ]


class ShippingMethodViewSet(TenantViewSet):
    """How goods may be sent, and what that costs."""

    serializer_class = ShippingMethodSerializer
    filters = ["code"]
    search_keys = ["code_key", "name_key"]
    sort_fields = ["code"]


class ShippingOptionSerializer(serializers.Serializer):
    shipping_method = serializers.UUIDField(source="method.pk")
    code = serializers.CharField(source="method.code")
    name = serializers.CharField(source="method.name")
    carrier = serializers.CharField(source="method.carrier")
    eta_days = serializers.IntegerField(source="method.eta_days", allow_null=True)
    is_available = serializers.SerializerMethodField()
    net_amount = serializers.DecimalField(max_digits=19, decimal_places=6, source="net", allow_null=True)
    tax_rate = serializers.DecimalField(max_digits=7, decimal_places=4)
    tax_amount = serializers.DecimalField(max_digits=19, decimal_places=6, source="tax")
    total = serializers.SerializerMethodField()
    why = serializers.CharField(help_text="Why it is not to be had.")

    def get_is_available(self, one: Option) -> bool:
        return one.net is not None

    @extend_schema_field(serializers.DecimalField(max_digits=19, decimal_places=6, allow_null=True))
    def get_total(self, one: Option) -> Any:
        return None if one.net is None else f"{one.net + one.tax:.6f}"


routes = {"shipping-methods": ShippingMethodViewSet}
