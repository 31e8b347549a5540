from decimal import Decimal
from typing import Any

import factory
from factory.django import DjangoModelFactory

from orders.models import PickList, PickListItem
from tests.factories.accounts import MembershipFactory
from tests.factories.inventory import StockItemFactory, WarehouseFactory
from tests.factories.lots import ReservationFactory
from tests.factories.sales import SalesOrderFactory, SalesOrderItemFactory


class PickListFactory(DjangoModelFactory):
    number = factory.Sequence("PL-T{:06}".format)
    warehouse = factory.SubFactory(WarehouseFactory)
    assignee = factory.SubFactory(MembershipFactory)

    class Meta:
        model = PickList
        skip_postgeneration_save = True

    @factory.post_generation
    def goods(self, create: bool, extracted: Any, **values: Any) -> None:
        """An order of its warehouse, for one more list."""
        item = SalesOrderItemFactory(order=SalesOrderFactory(status="placed", warehouse=self.warehouse), allocated_quantity=2)
        ReservationFactory(
            demand_type="sales_order", demand_id=item.order_id, demand_line_id=item.pk, variant=item.variant,
            stock_item=StockItemFactory(variant=item.variant), quantity=Decimal(2),
        )


class PickListItemFactory(DjangoModelFactory):
    pick_list = factory.SubFactory(PickListFactory)
    line = factory.Sequence(int)
    order_item = factory.SubFactory(SalesOrderItemFactory)
    variant = factory.SelfAttribute("order_item.variant")
    stock_item = factory.SubFactory(StockItemFactory)
    reservation = factory.SubFactory(ReservationFactory)
    quantity = Decimal(1)

    class Meta:
        model = PickListItem
