from datetime import date, timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from orders.models import LandedCost, LandedCostReceipt
from tests.factories.bills import SupplierBillItemFactory
from tests.factories.inventory import WarehouseFactory
from tests.factories.purchasing import GoodsReceiptFactory


class LandedCostFactory(DjangoModelFactory):
    number = factory.Sequence("LC-T{:06}".format)
    warehouse = factory.SubFactory(WarehouseFactory)
    bill = factory.LazyFunction(lambda: SupplierBillItemFactory(net_amount=1_000_000).bill)
    supplier = factory.SelfAttribute("bill.supplier")
    supplier_number = factory.SelfAttribute("bill.supplier_number")
    currency = "EUR"
    amount = Decimal(10)
    cost_on = factory.Sequence(lambda number: date(2026, 1, 1) + timedelta(days=number % 300))

    class Meta:
        model = LandedCost


class LandedCostReceiptFactory(DjangoModelFactory):
    cost = factory.SubFactory(LandedCostFactory)
    receipt = factory.SubFactory(GoodsReceiptFactory, warehouse=factory.SelfAttribute("..cost.warehouse"))

    class Meta:
        model = LandedCostReceipt
