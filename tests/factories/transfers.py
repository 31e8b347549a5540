"""Goods on their way from one warehouse to another, and what they are packed in."""

from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from inventory.gs1.meaning import sscc
from inventory.models import LogisticUnit, LogisticUnitContent, TransferOrder, TransferOrderLine
from tests.factories.inventory import LocationFactory, ProductVariantFactory, WarehouseFactory


class TransferOrderFactory(DjangoModelFactory):
    number = factory.Sequence("TO-{:06}".format)
    source = factory.SubFactory(WarehouseFactory)
    destination = factory.SubFactory(WarehouseFactory)

    class Meta:
        model = TransferOrder


class LogisticUnitFactory(DjangoModelFactory):
    """A parcel on a pallet, where that stands."""

    sscc = factory.Sequence(lambda number: sscc("5601234", number))
    parent = factory.SubFactory(
        "tests.factories.transfers.LogisticUnitFactory", parent=None, location=factory.SubFactory(LocationFactory),
    )
    location = factory.SelfAttribute("parent.location")

    class Meta:
        model = LogisticUnit


class LogisticUnitContentFactory(DjangoModelFactory):
    unit = factory.SubFactory(LogisticUnitFactory)
    variant = factory.SubFactory(ProductVariantFactory)
    quantity = Decimal(4)

    class Meta:
        model = LogisticUnitContent


class TransferOrderLineFactory(DjangoModelFactory):
    order = factory.SubFactory(TransferOrderFactory)
    line = factory.Sequence(int)
    variant = factory.SubFactory(ProductVariantFactory)
    quantity = Decimal(4)

    class Meta:
        model = TransferOrderLine
