"""A shop to test with: goods on a shelf, a channel, a customer, prices."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from accounts.models import Party
from inventory.models import PriceList, PriceListItem
from orders.models import Channel, Customer, SalesOrder
from orders.services.sales_orders import NewLine, sales_order_create
from tests.inventory.goods import Goods


@dataclass
class Shop:
    goods: Goods
    channel: Channel
    customer: Customer
    prices: PriceList

    @classmethod
    def create(cls, stock: int = 10, goods: Goods | None = None, **channel: Any) -> "Shop":
        """In the active organization: bolts for 5.00, nuts for 2.50."""
        goods = goods or Goods.create()
        for variant in (goods.bolt, goods.nut):
            goods.receive(stock, variant=variant)
        prices = PriceList.objects.create(code="SALE", name="Sale", currency="EUR")
        for variant, price in ((goods.bolt, "5.00"), (goods.nut, "2.50")):
            PriceListItem.objects.create(price_list=prices, variant=variant, price=Decimal(price))
        party = Party.objects.create(name="Smith Motors")
        return cls(
            goods, Channel.objects.create(code="WEB", name="Web shop", currency="EUR", warehouse=goods.warehouse, **channel),
            Customer.objects.create(code="C-1", party=party), prices,
        )

    def cart(self, bolts: Any = 2, nuts: Any = 0, **line: Any) -> SalesOrder:
        wanted = ((self.goods.bolt, bolts), (self.goods.nut, nuts))
        lines = [NewLine(variant.pk, Decimal(quantity), **line) for variant, quantity in wanted if quantity]
        return sales_order_create(channel=self.channel, customer=self.customer, lines=lines)


def quantities(order: SalesOrder) -> list[tuple[Decimal, Decimal, Decimal]]:
    """Ordered, allocated and canceled, by line."""
    return list(order.lines.order_by("line").values_list("quantity", "allocated_quantity", "cancelled_quantity"))
