from accounts.models import ExchangeRate
from core.api import TenantViewSet
from core.serializers import TenantSerializer


class ExchangeRateSerializer(TenantSerializer):
    class Meta:
        model = ExchangeRate
        fields = ["id", "base", "quote", "valid_on", "rate", "created_at", "updated_at", "version"]


class ExchangeRateViewSet(TenantViewSet):
    """One unit of `base` is `rate` units of `quote`, from this day until the next that is known."""

    serializer_class = ExchangeRateSerializer
    filters = ["base", "quote", "valid_on"]


routes = {"exchange-rates": ExchangeRateViewSet}
