"""Lots, and what is promised, closed and corrected of the stock."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from inventory.models import Lot, Reservation, StockAdjustment, StockAdjustmentLine, StockClosing
from tests.factories.inventory import (
    LocationFactory,
    ProductVariantFactory,
    ReasonCodeFactory,
    StockItemFactory,
    WarehouseFactory,
)


class LotFactory(DjangoModelFactory):
    variant = factory.SubFactory(ProductVariantFactory, product__tracking="lot")
    code = factory.Sequence("L-{:05}".format)
    expires_on = factory.LazyFunction(lambda: timezone.now().date() + timedelta(days=90))

    class Meta:
        model = Lot


class ReservationFactory(DjangoModelFactory):
    stock_item = factory.SubFactory(StockItemFactory)
    variant = factory.SelfAttribute("stock_item.variant")
    warehouse = factory.SelfAttribute("stock_item.warehouse")
    lot = factory.SelfAttribute("stock_item.lot")
    quantity = Decimal(2)
    demand_type = "test"
    demand_id = factory.LazyFunction(uuid4)

    class Meta:
        model = Reservation


class StockClosingFactory(DjangoModelFactory):
    closed_through = date(2001, 1, 31)

    class Meta:
        model = StockClosing


class StockAdjustmentFactory(DjangoModelFactory):
    warehouse = factory.SubFactory(WarehouseFactory)
    reason = factory.SubFactory(ReasonCodeFactory)
    requested_by = factory.LazyFunction(uuid4)

    class Meta:
        model = StockAdjustment


class StockAdjustmentLineFactory(DjangoModelFactory):
    adjustment = factory.SubFactory(StockAdjustmentFactory)
    variant = factory.SubFactory(ProductVariantFactory)
    location = factory.SubFactory(LocationFactory)
    lot = factory.SubFactory(LotFactory, variant=factory.SelfAttribute("..variant"))
    change = Decimal(-3)

    class Meta:
        model = StockAdjustmentLine
