from decimal import Decimal

import factory
from factory.django import DjangoModelFactory

from orders.models import Promotion, PromotionGoods, PromotionUse
from tests.factories.charges import ShippingMethodFactory
from tests.factories.inventory import ProductVariantFactory
from tests.factories.sales import ChannelFactory, CustomerFactory, SalesOrderFactory


class PromotionFactory(DjangoModelFactory):
    """Inactive, so that it changes no order of a test that it is not about."""

    name = factory.Sequence("Promotion {}".format)
    code = factory.Sequence("CODE-{}".format)
    effect = Promotion.Effect.FREE_SHIPPING
    channel = factory.SubFactory(ChannelFactory)
    customer = factory.SubFactory(CustomerFactory)
    shipping_method = factory.SubFactory(ShippingMethodFactory)
    is_active = False

    class Meta:
        model = Promotion


class PromotionGoodsFactory(DjangoModelFactory):
    """One of a variant; of a category where the test says so."""

    promotion = factory.SubFactory(PromotionFactory)
    variant = factory.SubFactory(ProductVariantFactory)

    class Meta:
        model = PromotionGoods


class PromotionUseFactory(DjangoModelFactory):
    promotion = factory.SubFactory(PromotionFactory)
    order = factory.SubFactory(SalesOrderFactory)
    customer = factory.SelfAttribute("order.customer")
    amount = Decimal(3)

    class Meta:
        model = PromotionUse
