"""A kit that is sold by its components has the price, and these have the goods."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from core.errors import Conflict, Invalid
from inventory.models import BomLine, ProductVariant, StockItem
from orders.services.backorders import backorders_fill_everywhere
from orders.services.fulfilment import sales_order_deliver, sales_order_pack, sales_order_ship
from orders.services.sales_orders import NewLine, sales_order_cancel, sales_order_change, sales_order_place
from orders.services.shipments import Part, shipment_create, shipment_hand_over, shipment_pack
from orders.services.splitting import Split, sales_order_split
from tests.companies import Company
from tests.inventory.test_races import at_once
from tests.orders.kits import by_sku, cart, fastening, kit_of, line_of
from tests.orders.selling import Shop
from tests.orders.test_sales_orders import refused, sound


def reserved(variant: ProductVariant) -> int:
    return int(StockItem.objects.get(variant=variant).reserved)


def test_a_kit_is_placed_and_sent_by_its_components(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        kit = fastening(shop)
        order = sales_order_place(order=cart(shop, (kit, 3), (shop.goods.bolt, 1)))
        assert (order.net_total, reserved(shop.goods.bolt), reserved(shop.goods.nut)) == (32, 4, 6)
        found = [(line.sku, line.quantity, line.per_kit, line.net_amount) for line in order.lines.order_by("line")]
        assert found == [("KIT", 3, None, 27), ("BOLT", 1, None, 5), ("BOLT", 3, 1, 0), ("NUT", 6, 2, 0)]
        BomLine.objects.filter(assembly=kit).update(quantity=5)
        sales_order_pack(order=order)
        sales_order_ship(order=order)
        order = sales_order_deliver(order=order)
        assert order.status == "delivered"
        assert line_of(order, "KIT").shipped_quantity == 3, "as its components are"
        assert (shop.goods.on_hand(), shop.goods.on_hand(shop.goods.nut)) == (6, 4), "by the bill as it was sold"
        sound()
