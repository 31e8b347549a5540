"""Stock that is counted."""

from decimal import Decimal

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from inventory.models import StockCount, StockCountLine, StockCountPlan
from tests.factories.inventory import CategoryFactory, LocationFactory, ProductVariantFactory, ReasonCodeFactory, WarehouseFactory
from tests.factories.lots import LotFactory


class StockCountPlanFactory(DjangoModelFactory):
    warehouse = factory.SubFactory(WarehouseFactory)
    abc_class = "A"

    class Meta:
        model = StockCountPlan


class StockCountFactory(DjangoModelFactory):
    warehouse = factory.SubFactory(WarehouseFactory)
    location = factory.SubFactory(LocationFactory, warehouse=factory.SelfAttribute("..warehouse"))
    category = factory.SubFactory(CategoryFactory)
    plan = factory.SubFactory(StockCountPlanFactory, warehouse=factory.SelfAttribute("..warehouse"))
    reason = factory.SubFactory(ReasonCodeFactory)

    class Meta:
        model = StockCount


class StockCountLineFactory(DjangoModelFactory):
    count = factory.SubFactory(StockCountFactory)
    variant = factory.SubFactory(ProductVariantFactory, product__tracking="lot")
    location = factory.SubFactory(LocationFactory)
    lot = factory.SubFactory(LotFactory, variant=factory.SelfAttribute("..variant"))
    counted = Decimal(3)
    counted_at = factory.LazyFunction(timezone.now)
    snapshot_seq = 0

    class Meta:
        model = StockCountLine
