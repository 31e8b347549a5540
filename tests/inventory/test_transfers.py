"""Goods go from one warehouse to another, and are in transit between."""

from decimal import Decimal

from inventory.models import StockItem
from inventory.queries.transfers import incoming
from inventory.services.transfer_moves import transfer_order_receive, transfer_order_ship
from inventory.services.transfers import transfer_order_confirm
from tests.companies import Company
from tests.inventory.test_posting import assert_invariants
from tests.inventory.transfers import Two, places, quantities


def test_confirmed_shipped_and_received(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        two.goods.receive(10)
        order = two.order((two.goods.bolt, 4))
        assert (order.number, order.status) == ("TO-000001", "draft")
        assert places(two.goods.bolt) == {"A-1": (10, 0)}
        order = transfer_order_confirm(order=order)
        assert (order.status, places(two.goods.bolt)) == ("confirmed", {"A-1": (10, 4)})
        assert incoming(variants=[two.goods.bolt.pk]) == {(two.goods.bolt.pk, two.shop.pk): 4}
        order = transfer_order_ship(order=order)
        assert (order.status, places(two.goods.bolt)) == ("shipped", {"A-1": (6, 0), "SHOP": (4, 0)})
        item = StockItem.objects.get(location=order.transit_location)
        assert (item.warehouse.kind, item.location.kind, item.quantity) == ("transit", "transit", Decimal(4))
        assert_invariants()
        order = transfer_order_receive(order=order)
        assert (order.status, places(two.goods.bolt)) == ("completed", {"A-1": (6, 0), "COUNTER": (4, 0)})
        assert quantities(order) == [(4, 4, 4, 0, 0)]
        assert incoming() == {}
        assert_invariants()
