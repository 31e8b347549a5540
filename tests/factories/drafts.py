"""What people carry, receive and sell."""

from decimal import Decimal
from uuid import uuid4

import factory
from factory.django import DjangoModelFactory

from inventory.models import ReceiptDraft, ReceiptDraftEntry, TrayLine
from orders.models import OrderEntry, OrderEntryStep
from tests.factories.inventory import ProductVariantFactory, StockItemFactory


class TrayLineFactory(DjangoModelFactory):
    actor_id = factory.LazyFunction(uuid4)
    stock_item = factory.SubFactory(StockItemFactory)

    class Meta:
        model = TrayLine


class ReceiptDraftFactory(DjangoModelFactory):
    actor_id = factory.LazyFunction(uuid4)

    class Meta:
        model = ReceiptDraft


class ReceiptDraftEntryFactory(DjangoModelFactory):
    draft = factory.SubFactory(ReceiptDraftFactory)
    step = factory.Sequence("step-{}".format)
    variant = factory.SubFactory(ProductVariantFactory)
    quantity = Decimal(2)

    class Meta:
        model = ReceiptDraftEntry


class OrderEntryFactory(DjangoModelFactory):
    actor_id = factory.LazyFunction(uuid4)

    class Meta:
        model = OrderEntry


class OrderEntryStepFactory(DjangoModelFactory):
    entry = factory.SubFactory(OrderEntryFactory)
    step = factory.Sequence("step-{}".format)
    variant = factory.SubFactory(ProductVariantFactory)
    quantity = Decimal(2)

    class Meta:
        model = OrderEntryStep
