from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from inventory.models import PriceList, PriceListItem
from tests.factories.accounts import PartyFactory
from tests.factories.inventory import ProductVariantFactory


class PriceListFactory(DjangoModelFactory):
    code = factory.Sequence("LIST-{}".format)
    name = factory.Sequence("Price list {}".format)
    currency = "EUR"
    party = factory.SubFactory(PartyFactory)

    class Meta:
        model = PriceList


class PriceListItemFactory(DjangoModelFactory):
    price_list = factory.SubFactory(PriceListFactory)
    variant = factory.SubFactory(ProductVariantFactory)
    price = Decimal("9.95")

    class Meta:
        model = PriceListItem
