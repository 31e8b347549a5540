from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from orders.models import ReturnAuthorization, ReturnItem
from tests.factories.sales import SalesOrderFactory, SalesOrderItemFactory


class ReturnAuthorizationFactory(DjangoModelFactory):
    number = factory.Sequence("RMA-T{:06}".format)
    order = factory.SubFactory(SalesOrderFactory)
    customer = factory.SelfAttribute("order.customer")
    warehouse = factory.SelfAttribute("order.warehouse")

    class Meta:
        model = ReturnAuthorization


class ReturnItemFactory(DjangoModelFactory):
    authorization = factory.SubFactory(ReturnAuthorizationFactory)
    line = factory.Sequence(int)
    order_item = factory.SubFactory(SalesOrderItemFactory)
    quantity = Decimal(1)

    class Meta:
        model = ReturnItem
