from datetime import date, timedelta
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from orders.models import SupplierBill, SupplierBillItem
from tests.factories.purchasing import PurchaseOrderFactory, PurchaseOrderItemFactory


class SupplierBillFactory(DjangoModelFactory):
    supplier_number = factory.Sequence("RE-T{:06}".format)
    order = factory.SubFactory(PurchaseOrderFactory)
    supplier = factory.SelfAttribute("order.supplier")
    warehouse = factory.SelfAttribute("order.warehouse")
    currency = "EUR"
    billed_on = factory.Sequence(lambda number: date(2026, 1, 1) + timedelta(days=number % 300))
    due_on = factory.LazyAttribute(lambda bill: bill.billed_on + timedelta(days=30))

    class Meta:
        model = SupplierBill


class SupplierBillItemFactory(DjangoModelFactory):
    bill = factory.SubFactory(SupplierBillFactory)
    line = factory.Sequence(int)
    order_item = factory.SubFactory(PurchaseOrderItemFactory, order=factory.SelfAttribute("..bill.order"))
    sku = factory.SelfAttribute("order_item.sku")
    name = factory.SelfAttribute("order_item.name")
    quantity = Decimal(4)
    unit_price = Decimal(10)

    class Meta:
        model = SupplierBillItem
