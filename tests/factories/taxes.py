from datetime import date
from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from inventory.models import TaxCategory, TaxRate


class TaxCategoryFactory(DjangoModelFactory):
    code = factory.Sequence("tax-{}".format)
    name = factory.Sequence("Tax category {}".format)

    class Meta:
        model = TaxCategory


class TaxRateFactory(DjangoModelFactory):
    tax_category = factory.SubFactory(TaxCategoryFactory)
    country = "PT"
    rate = Decimal(23)
    valid_from = date(2020, 1, 1)

    class Meta:
        model = TaxRate
