from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from orders.models import ReturnAuthorization, ReturnItem, SalesOrder
from tests.factories.inventory import StockMoveFactory
from tests.factories.sales import SalesOrderFactory, SalesOrderItemFactory


class ShippedOrderFactory(SalesOrderFactory):
    status = "shipped"

    class Meta:
        skip_postgeneration_save = True

    @factory.post_generation
    def goods(self: SalesOrder, create: bool, extracted: object) -> None:
        all_of_it = dict.fromkeys(("allocated_quantity", "picked_quantity", "shipped_quantity"), Decimal(2))
        line = SalesOrderItemFactory(order=self, **all_of_it)
        StockMoveFactory(
            kind="issue", variant=line.variant, quantity=2, from_location__warehouse=self.warehouse, to_location=None,
            document_type="sales_order", document_id=self.pk, document_line_id=line.pk,
        )


class ReturnAuthorizationFactory(DjangoModelFactory):
    number = factory.Sequence("RMA-T{:06}".format)
    order = factory.SubFactory(ShippedOrderFactory)
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
