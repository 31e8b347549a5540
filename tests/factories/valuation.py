from datetime import date
from decimal import Decimal
from uuid import uuid4

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from inventory.models import CostLayer, StockSnapshot, ValueEntry
from tests.factories.inventory import ProductVariantFactory, StockMoveFactory, WarehouseFactory


class CostLayerFactory(DjangoModelFactory):
    """A layer without entries: tests of values post instead."""

    kind = CostLayer.Kind.RECEIPT
    variant = factory.SubFactory(ProductVariantFactory)
    warehouse = factory.SubFactory(WarehouseFactory)
    source_move = factory.SubFactory(StockMoveFactory, variant=factory.SelfAttribute("..variant"))
    quantity = Decimal(10)
    remaining = Decimal(4)
    value = Decimal(10)
    unit_cost = Decimal("2.5")
    received_at = factory.LazyFunction(timezone.now)

    class Meta:
        model = CostLayer


class ValueEntryFactory(DjangoModelFactory):
    kind = ValueEntry.Kind.COST
    layer = factory.SubFactory(CostLayerFactory)
    variant = factory.SelfAttribute("layer.variant")
    warehouse = factory.SelfAttribute("layer.warehouse")
    move = factory.SelfAttribute("layer.source_move")
    quantity = Decimal(4)
    value = Decimal(10)
    document_id = factory.LazyFunction(uuid4)
    occurred_at = factory.LazyFunction(timezone.now)

    class Meta:
        model = ValueEntry


class StockSnapshotFactory(DjangoModelFactory):
    variant = factory.SubFactory(ProductVariantFactory)
    warehouse = factory.SubFactory(WarehouseFactory)
    day = date(2026, 3, 31)
    until = factory.LazyFunction(timezone.now)
    quantity = Decimal(4)
    value = Decimal(10)
    last_seq = 1

    class Meta:
        model = StockSnapshot
