from decimal import Decimal
from typing import Any

import factory
from factory.django import DjangoModelFactory

from orders.models import Shipment, ShipmentItem, ShipmentParcel
from tests.factories.inventory import StockItemFactory
from tests.factories.lots import ReservationFactory
from tests.factories.sales import SalesOrderFactory, SalesOrderItemFactory
from tests.factories.transfers import LogisticUnitFactory


class ShipmentFactory(DjangoModelFactory):
    number = factory.Sequence("SH-T{:06}".format)
    order = factory.SubFactory(SalesOrderFactory, status="placed")
    warehouse = factory.SelfAttribute("order.warehouse")
    tracking_number = factory.Sequence("JD{:08}".format)

    class Meta:
        model = Shipment
        skip_postgeneration_save = True

    @factory.post_generation
    def goods(self, create: bool, extracted: Any, **values: Any) -> None:
        """Of its order, for one more shipment."""
        item = SalesOrderItemFactory(order=self.order)
        ReservationFactory(
            demand_type="sales_order", demand_id=self.order.pk, demand_line_id=item.pk, variant=item.variant,
            stock_item=StockItemFactory(variant=item.variant), quantity=Decimal(2),
        )


class ShipmentItemFactory(DjangoModelFactory):
    shipment = factory.SubFactory(ShipmentFactory)
    line = factory.Sequence(int)
    order_item = factory.SubFactory(SalesOrderItemFactory, order=factory.SelfAttribute("..shipment.order"))
    variant = factory.SelfAttribute("order_item.variant")
    stock_item = factory.SubFactory(StockItemFactory)
    reservation = factory.SubFactory(ReservationFactory)
    quantity = Decimal(1)

    class Meta:
        model = ShipmentItem


class ShipmentParcelFactory(DjangoModelFactory):
    shipment = factory.SubFactory(ShipmentFactory)
    unit = factory.SubFactory(LogisticUnitFactory)

    class Meta:
        model = ShipmentParcel
