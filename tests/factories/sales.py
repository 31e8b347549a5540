from decimal import Decimal

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from orders.models import Channel, Customer, OrderAdjustment, SalesOrder, SalesOrderItem
from tests.factories.accounts import PartyFactory
from tests.factories.inventory import ProductVariantFactory, WarehouseFactory


class ChannelFactory(DjangoModelFactory):
    code = factory.Sequence("WEB-{}".format)
    name = factory.Sequence("Web shop {}".format)
    currency = "EUR"
    warehouse = factory.SubFactory(WarehouseFactory)

    class Meta:
        model = Channel


class CustomerFactory(DjangoModelFactory):
    party = factory.SubFactory(PartyFactory)
    code = factory.Sequence("CUST-{}".format)
    external_ref = factory.Sequence("customer-{}".format)

    class Meta:
        model = Customer


class SalesOrderFactory(DjangoModelFactory):
    number = factory.Sequence("SO-T{:06}".format)
    channel = factory.SubFactory(ChannelFactory)
    customer = factory.SubFactory(CustomerFactory)
    warehouse = factory.SelfAttribute("channel.warehouse")
    currency = "EUR"
    placed_at = factory.LazyFunction(timezone.now)
    stuck_at = factory.LazyFunction(timezone.now)
    external_ref = factory.Sequence("order-{}".format)

    class Meta:
        model = SalesOrder


class SalesOrderItemFactory(DjangoModelFactory):
    order = factory.SubFactory(SalesOrderFactory)
    line = factory.Sequence(int)
    variant = factory.SubFactory(ProductVariantFactory)
    sku = factory.SelfAttribute("variant.sku")
    name = factory.SelfAttribute("variant.name")
    quantity = Decimal(2)
    unit_price = Decimal(10)

    class Meta:
        model = SalesOrderItem


class OrderAdjustmentFactory(DjangoModelFactory):
    order = factory.SubFactory(SalesOrderFactory)
    kind = OrderAdjustment.Kind.SURCHARGE
    label = "Packing"
    net_amount = Decimal(3)

    class Meta:
        model = OrderAdjustment
