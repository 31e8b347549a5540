from datetime import date
from decimal import Decimal

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from orders.models import Invoice, InvoiceFile, InvoiceItem, InvoiceLayout
from tests.factories.sales import ChannelFactory, SalesOrderFactory, SalesOrderItemFactory


class InvoiceLayoutFactory(DjangoModelFactory):
    name = factory.Sequence("Layout {}".format)
    channel = factory.SubFactory(ChannelFactory)

    class Meta:
        model = InvoiceLayout


class InvoiceFactory(DjangoModelFactory):
    """A draft, which may be changed; it has a number, so that it can be looked for."""

    number = factory.Sequence("INV-T{:06}".format)
    order = factory.SubFactory(SalesOrderFactory)
    customer = factory.SelfAttribute("order.customer")
    warehouse = factory.SelfAttribute("order.warehouse")
    currency = "EUR"
    issued_at = factory.LazyFunction(timezone.now)
    issued_on = date(2026, 11, 27)
    due_on = date(2026, 12, 27)
    note = factory.Sequence("Thanks for order {}".format)

    class Meta:
        model = Invoice


class InvoiceItemFactory(DjangoModelFactory):
    invoice = factory.SubFactory(InvoiceFactory)
    line = factory.Sequence(int)
    order_item = factory.SubFactory(SalesOrderItemFactory, order=factory.SelfAttribute("..invoice.order"))
    name = "Bolt"
    quantity = Decimal(1)

    class Meta:
        model = InvoiceItem


class InvoiceFileFactory(DjangoModelFactory):
    invoice = factory.SubFactory(InvoiceFactory)
    filename = "INV-T000001.pdf"
    content_type = "application/pdf"
    size = 4
    sha256 = "0" * 64
    storage_key = factory.Sequence("invoices/{}".format)

    class Meta:
        model = InvoiceFile
