"""A location with a capacity takes no more than fits, whoever brings it."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import transaction

from core.errors import Conflict
from core.invariants import broken
from inventory.models import Location, ProductVariant, ReceiptDraft, StockItem
from inventory.services.posting import Line
from inventory.services.reversal import stock_reverse
from inventory.services.stock import stock_move, stock_receive
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
        with pytest.raises(Conflict, match=r"A-1 has room for 0 kg, not for 2\.5"), transaction.atomic():
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


def test_a_place_that_warns_takes_it_and_says_so(acme: Company) -> None:
    """Together with one that refuses, the whole posting is refused."""
    with acme.scope():
        two = Two.create()
        goods = two.goods
        Location.objects.filter(pk=goods.shelf.pk).update(capacity=10, capacity_policy="warn")
        Location.objects.filter(pk=two.counter.pk).update(capacity=3, capacity_policy="warn")
        assert goods.receive(10).overfull == []
        [told] = goods.receive(2, idempotency_key="once").overfull
        assert (told.location_id, told.detail) == (goods.shelf.pk, "A-1 has room for 0 pieces, not for 2.")
        assert not goods.receive(2, idempotency_key="once").overfull, "the same once more"
        assert goods.on_hand() == 12 and not goods.issue(1).overfull
        Location.objects.filter(pk=goods.other_shelf.pk).update(capacity=1)
        lines = [Line(goods.bolt.pk, Decimal(2), to_location_id=place.pk) for place in (goods.shelf, goods.other_shelf)]
        with pytest.raises(Conflict, match=r"room: A-2 has room for 1 pieces, not for 2\. Choose"), transaction.atomic():
            stock_receive(lines=lines)
        order = transfer_order_ship(order=two.order((goods.bolt, 5)))
        [told] = transfer_order_receive(order=order).overfull
        assert told.detail == "COUNTER has room for 3 pieces, not for 5."
        assert [rows for _, rows in broken() if rows] == []


def test_the_clerk_is_told_what_does_not_fit(acme: Company) -> None:
    with acme.scope():
        two = Two.create()
        two.goods.receive(8)
        Location.objects.filter(pk__in=[two.goods.other_shelf.pk, two.counter.pk]).update(capacity=2, capacity_policy="warn")
        item = StockItem.objects.get(location=two.goods.shelf)
        order = transfer_order_ship(order=two.order((two.goods.bolt, 3)))
    browser = acme.admin
    browser.post("/admin/tray/put/", {"item": item.pk})
    moved = browser.post("/admin/tray/put-down/", {"location": two.goods.other_shelf.pk, "id": "1"})
    assert "But A-2 has room for 2 pieces, not for 5." in moved.text
    received = browser.post("/admin/stock/transfer/receive/", {"order": order.pk, "id": "2"})
    assert "is received. But COUNTER has room for 2 pieces, not for 3." in received.text
    with acme.scope():
        two.goods.receive(4)
        order = transfer_order_ship(order=two.order((two.goods.bolt, 4)))
        line = str(order.lines.get().pk)
    done = acme.api.send("post", f"/api/v1/transfer-orders/{order.pk}/receive/", {"lines": [{"line": line, "quantity": "1"}]})
    assert [one["detail"] for one in done.json()["warnings"]] == ["COUNTER has room for 0 pieces, not for 1."]
    form = {"line-1-0": "3", "token": str(uuid4())}
    page = browser.post(f"/admin/inventory/transferorder/{order.pk}/receive/", form, follow=True)
    assert "COUNTER has room for 0 pieces, not for 3." in page.text
    browser.post("/admin/receive/", {"variant": two.goods.bolt.pk, "id": "3"})
    with acme.scope():
        ReceiptDraft.objects.update(location=two.goods.other_shelf)
    assert "But A-2 has room for 0 pieces, not for 1." in browser.post("/admin/receive/post/", {"id": "4"}).text


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
    assert acme.api.send("patch", url, {"capacity_policy": "warn"}).json()["capacity_policy"] == "warn"
    done = acme.api.send("post", "/api/v1/stock-items/receive/", {"lines": [line]})
    assert done.status_code == 201 and done.json()["warnings"] == [
        {"code": "location_overfull", "location": str(goods.shelf.pk), "detail": "A-1 has room for 4 pieces, not for 5."},
    ]
