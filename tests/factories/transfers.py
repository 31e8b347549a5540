"""Goods on their way from one warehouse to another."""

from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from inventory.models import TransferOrder, TransferOrderLine
from tests.factories.inventory import ProductVariantFactory, WarehouseFactory


class TransferOrderFactory(DjangoModelFactory):
    number = factory.Sequence("TO-{:06}".format)
    source = factory.SubFactory(WarehouseFactory)
    destination = factory.SubFactory(WarehouseFactory)

    class Meta:
        model = TransferOrder


class TransferOrderLineFactory(DjangoModelFactory):
    order = factory.SubFactory(TransferOrderFactory)
    line = factory.Sequence(int)
    variant = factory.SubFactory(ProductVariantFactory)
    quantity = Decimal(4)

    class Meta:
        model = TransferOrderLine
