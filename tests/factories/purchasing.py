from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from inventory.models import ExpectedReceipt
from orders.models import GoodsReceipt, GoodsReceiptItem, PurchaseOrder, PurchaseOrderItem
from tests.factories.inventory import ProductVariantFactory, ReorderTaskFactory, SupplierFactory, WarehouseFactory


class PurchaseOrderFactory(DjangoModelFactory):
    number = factory.Sequence("PO-T{:06}".format)
    supplier = factory.SubFactory(SupplierFactory)
    warehouse = factory.SubFactory(WarehouseFactory)
    currency = "EUR"
    expected_on = factory.Sequence(lambda number: timezone.localdate() + timedelta(days=number % 300))
    external_ref = factory.Sequence("purchase-{}".format)

    class Meta:
        model = PurchaseOrder


class PurchaseOrderItemFactory(DjangoModelFactory):
    order = factory.SubFactory(PurchaseOrderFactory)
    line = factory.Sequence(int)
    variant = factory.SubFactory(ProductVariantFactory)
    sku = factory.SelfAttribute("variant.sku")
    name = factory.SelfAttribute("variant.name")
    quantity = Decimal(4)
    unit_price = Decimal(10)

    class Meta:
        model = PurchaseOrderItem


class ExpectedReceiptFactory(DjangoModelFactory):
    reorder_task = factory.SubFactory(ReorderTaskFactory)
    variant = factory.SelfAttribute("reorder_task.variant")
    warehouse = factory.SelfAttribute("reorder_task.warehouse")
    quantity = Decimal(4)
    document_type = "test"
    document_id = factory.LazyFunction(uuid4)
    document_number = "T-1"
    document_line_id = factory.LazyFunction(uuid4)

    class Meta:
        model = ExpectedReceipt


class GoodsReceiptFactory(DjangoModelFactory):
    number = factory.Sequence("GR-T{:06}".format)
    kind = GoodsReceipt.Kind.RECEIPT
    order = factory.SubFactory(PurchaseOrderFactory)
    warehouse = factory.SelfAttribute("order.warehouse")
    occurred_at = factory.LazyFunction(timezone.now)
    currency = "EUR"
    exchange_rate = Decimal(1)

    class Meta:
        model = GoodsReceipt


class GoodsReceiptItemFactory(DjangoModelFactory):
    receipt = factory.SubFactory(GoodsReceiptFactory)
    line = factory.Sequence(int)
    order_item = factory.SubFactory(PurchaseOrderItemFactory)
    variant = factory.SelfAttribute("order_item.variant")
    rejected_quantity = Decimal(1)
    rejected_because = "Wet"

    class Meta:
        model = GoodsReceiptItem
