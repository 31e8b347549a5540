"""Promotions to test with, and what they have taken off."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from core.errors import DomainError
from inventory.models import TaxCategory
from orders.models import Promotion, SalesOrder
from orders.services.sales_orders import NewLine, sales_order_create
from tests.factories.inventory import ProductFactory
from tests.factories.taxes import TaxCategoryFactory, TaxRateFactory
from tests.orders.selling import Shop

NOW, DAY = timezone.now(), timedelta(days=1)
PLACE = {"country": "PT"}


def promotion(code: str | None = "TEN", **values: Any) -> Promotion:
    """10 %, unless it says what."""
    values = values if "effect" in values else {"effect": "percentage", "percent": 10, **values}
    made: Promotion = Promotion.objects.create(**{"name": f"Offer {code}", "code": code, **values})
    return made


def nuts_apart(shop: Shop, **values: Any) -> None:
    """As a product of their own."""
    shop.goods.nut.product = ProductFactory.create(**values)
    shop.goods.nut.save(update_fields=["product"])


def taxed(shop: Shop) -> None:
    """Bolts at 23 %, nuts at 6 %."""
    low = TaxCategoryFactory.create()
    for category, rate in ((TaxCategory.objects.get(code="standard"), 23), (low, 6)):
        TaxRateFactory.create(tax_category=category, rate=Decimal(rate))
    nuts_apart(shop, tax_category=low)


def cart_of(shop: Shop, bolts: Any = 2, nuts: Any = 0, **values: Any) -> SalesOrder:
    wanted = ((shop.goods.bolt, bolts), (shop.goods.nut, nuts))
    lines = [NewLine(variant.pk, Decimal(quantity)) for variant, quantity in wanted if quantity]
    return sales_order_create(**{
        "channel": shop.channel, "customer": shop.customer, "shipping_address": PLACE, "lines": lines, **values,
    })


def taken(order: SalesOrder) -> list[tuple[str, Decimal, Decimal]]:
    rows = order.adjustments.filter(source_type="promotion").order_by("label", "tax_rate")
    return list(rows.values_list("label", "net_amount", "tax_amount"))


def used(order: SalesOrder) -> list[tuple[str | None, Decimal, bool]]:
    rows = order.promotion_uses.order_by("promotion__code")
    return [(use.promotion.code, use.amount, bool(use.claimed_at and not use.released_at)) for use in rows]


def count(made: Promotion) -> int:
    made.refresh_from_db()
    return made.used_count


def refused(reason: str, verb: Callable[..., Any], **values: Any) -> str:
    with pytest.raises(DomainError) as caught, transaction.atomic():
        verb(**values)
    assert caught.value.code == reason, caught.value.detail
    return caught.value.detail
