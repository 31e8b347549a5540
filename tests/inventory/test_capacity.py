"""A location with a capacity takes no more than fits, whoever brings it."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import transaction

from core.errors import Conflict
from core.invariants import broken
from inventory.models import Location, ProductVariant
from inventory.services.posting import Line
from inventory.services.reversal import stock_reverse
from inventory.services.stock import stock_move
from inventory.services.transfer_moves import transfer_order_receive, transfer_order_ship
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.goods import Goods
from tests.inventory.test_races import at_once
from tests.inventory.transfers import Two, quantities


def test_no_more_than_fits(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        Location.objects.filter(pk=goods.shelf.pk).update(capacity=10)
        goods.receive(6)
        goods.receive(3, variant=goods.nut)
        with pytest.raises(Conflict, match="A-1 has room for 1 pieces, not for 2"), transaction.atomic():
            goods.receive(2)
        goods.receive(5, to=goods.other_shelf)
        with pytest.raises(Conflict, match="not enough room"), transaction.atomic():
            stock_move(lines=[Line(goods.bolt.pk, Decimal(5), goods.other_shelf.pk, goods.shelf.pk)])
        goods.receive(1)
        goods.adjust(counted="20")
        assert goods.on_hand() == 20, "what is counted is there, whether it fits or not"
        taken = goods.issue(2)
        stock_reverse(moves=taken.moves)
        with pytest.raises(Conflict, match="room for 0 pieces"), transaction.atomic():
            goods.receive(1)


def test_no_heavier_than_it_carries(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        ProductVariant.objects.filter(pk=goods.bolt.pk).update(weight=Decimal("2.5"))
        Location.objects.filter(pk=goods.shelf.pk).update(max_weight=20)
        goods.receive(8)
        goods.receive(100, variant=goods.nut)
        with pytest.raises(Conflict, match=r"A-1 has room for 0 of weight, not for 2\.5"), transaction.atomic():
            goods.receive(1)


def test_a_transfer_is_received_where_there_is_room(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        two.goods.receive(10)
        Location.objects.filter(pk=two.counter.pk).update(capacity=3)
        order = transfer_order_ship(order=two.order((two.goods.bolt, 5)))
        with pytest.raises(Conflict, match="COUNTER has room for 3"), transaction.atomic():
            transfer_order_receive(order=order)
        store = Location.objects.create(warehouse=two.shop, code="STORE")
        transfer_order_receive(order=order, location=store)
        assert quantities(order) == [(5, 5, 5, 0, 0)]


def test_eight_processes_fill_a_place_together(new_company: Callable[[], Company]) -> None:
    """Each with goods of its own, so that no balance makes them wait for each other."""
    company = new_company()
    with company.scope():
        goods = Goods.create()
        Location.objects.filter(pk=goods.shelf.pk).update(capacity=10)
        variants = [goods.tracked("none", f"OWN-{number}") for number in range(8)]

    def bring(number: int) -> str:
        try:
            with company.scope():
                goods.receive(3, variant=variants[number])
        except Conflict as refused:
            return refused.code
        return "done"

    assert Counter(at_once(8, bring)) == {"done": 3, "location_full": 5}
    with company.scope():
        assert [rows for _, rows in broken() if rows] == []


def test_over_the_api(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
    url = f"/api/v1/locations/{goods.shelf.pk}/"
    assert_problem(acme.api.send("patch", url, {"capacity": "0"}), 400)
    assert acme.api.send("patch", url, {"capacity": "4"}).json()["capacity"] == "4.000000"
    line = {"variant": str(goods.bolt.pk), "quantity": "5", "to_location": str(goods.shelf.pk)}
    assert_problem(acme.api.send("post", "/api/v1/stock-items/receive/", {"lines": [line]}), 409, "location_full")
