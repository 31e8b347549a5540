from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from orders.models import Payment, PaymentAccount, Provider
from tests.factories.sales import SalesOrderFactory


class PaymentAccountFactory(DjangoModelFactory):
    code = factory.Sequence("stripe-{}".format)
    name = "Stripe"
    provider = Provider.STRIPE

    class Meta:
        model = PaymentAccount


class PaymentFactory(DjangoModelFactory):
    order = factory.SubFactory(SalesOrderFactory)
    parent = None
    kind = factory.LazyAttribute(lambda made: Payment.Kind.CAPTURE if made.parent else Payment.Kind.AUTHORIZATION)
    provider = Provider.CASH_ON_DELIVERY
    amount = Decimal(10)
    currency = "EUR"
    provider_reference = factory.Sequence("paper-{}".format)

    class Meta:
        model = Payment
