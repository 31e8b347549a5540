"""A kit that is sold by its components, in a shop."""

from decimal import Decimal
from typing import Any

from inventory.models import BomLine, PriceListItem, ProductVariant
from orders.models import SalesOrder, SalesOrderItem
from orders.services.sales_orders import NewLine, sales_order_create
from tests.orders.selling import Shop


def kit_of(shop: Shop, sku: str, price: Any, parts: dict[ProductVariant, Any]) -> ProductVariant:
    made: ProductVariant = ProductVariant.objects.create(
        product=shop.goods.bolt.product, sku=sku, name=sku.title(), is_kit=True, sold_by_components=True,
    )
    for component, quantity in parts.items():
        BomLine.objects.create(assembly=made, component=component, quantity=Decimal(quantity))
    PriceListItem.objects.create(price_list=shop.prices, variant=made, price=Decimal(price))
    return made


def fastening(shop: Shop) -> ProductVariant:
    """Of a bolt and two nuts, for 9.00."""
    return kit_of(shop, "KIT", "9.00", {shop.goods.bolt: 1, shop.goods.nut: 2})


def cart(shop: Shop, *lines: tuple[ProductVariant, Any]) -> SalesOrder:
    wanted = [NewLine(variant.pk, Decimal(quantity)) for variant, quantity in lines]
    return sales_order_create(channel=shop.channel, customer=shop.customer, lines=wanted)


def by_sku(order: SalesOrder, *names: str) -> dict[str, tuple[int, ...]]:
    """Of the lines of an order, in the way in which they are shown."""
    lines = order.lines.order_by("kit__line", "line")
    return {line.sku: tuple(int(getattr(line, f"{name}_quantity")) for name in names) for line in lines}


def line_of(order: SalesOrder, sku: str) -> SalesOrderItem:
    found: SalesOrderItem = order.lines.get(sku=sku)
    return found
