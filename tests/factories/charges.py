import factory
from factory.django import DjangoModelFactory

from orders.models import ShippingMethod


class ShippingMethodFactory(DjangoModelFactory):
    code = factory.Sequence("PARCEL-{}".format)
    name = "Parcel"
    carrier = "CTT"
    currency = "EUR"
    rates = [{"price": "4.90"}]

    class Meta:
        model = ShippingMethod
