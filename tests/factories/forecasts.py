from datetime import date
from decimal import Decimal

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from inventory.models import DemandForecast
from tests.factories.inventory import ProductVariantFactory, WarehouseFactory


class DemandForecastFactory(DjangoModelFactory):
    variant = factory.SubFactory(ProductVariantFactory)
    warehouse = factory.SubFactory(WarehouseFactory)
    period_start = date(2026, 3, 30)
    method = DemandForecast.Method.AVERAGE
    quantity = Decimal(14)
    low = Decimal(10)
    high = Decimal(18)
    error = Decimal(3)
    method_errors = factory.LazyFunction(lambda: {"average": "3.000000"})
    weeks = 20
    actual = Decimal(12)
    computed_at = factory.LazyFunction(timezone.now)

    class Meta:
        model = DemandForecast
