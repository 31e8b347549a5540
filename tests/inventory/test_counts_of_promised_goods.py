"""A count tells the truth, though what it does not find was promised."""

import multiprocessing
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

from core.errors import Conflict
from inventory.models import ReasonCode, Reservation, StockCount, StockItem
from inventory.services.candidates import Wanted
from inventory.services.count_posting import stock_count_approve, stock_count_post
from inventory.services.locks import lock_cost_pools
from inventory.services.reservations import Demand, Pick, Shortage, stock_pick, stock_reserve
from notifications.models import OutboxEvent
from tests.companies import Company
from tests.inventory.counting import opened, record
from tests.inventory.goods import Goods
from tests.inventory.test_posting import assert_invariants
from tests.inventory.test_races import at_once, somebody_waits
from tests.notifications.processes import eventually


def promise(goods: Goods, quantity: int) -> Demand:
    demand = Demand("sales_order", uuid4())
    wanted = [Wanted(goods.bolt.pk, goods.warehouse.pk, Decimal(quantity))]
    stock_reserve(lines=wanted, demand=demand, shortage=Shortage.BACKORDER)
    return demand


def held(demand: Demand) -> dict[str | None, Decimal]:
    """By the place from which they are promised; by None, what waits."""
    rows = Reservation.objects.filter(demand_id=demand.id, status="active")
    return {code: quantity - picked for code, quantity, picked in rows.values_list(
        "stock_item__location__code", "quantity", "picked_quantity",
    )}


def test_the_youngest_promises_give_way(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        first, second, third = (promise(goods, quantity) for quantity in (4, 3, 3))
        stock_pick(picks=[Pick(Reservation.objects.get(demand_id=first.id).pk, Decimal(1))])
        goods.receive(2, to=goods.other_shelf)
        count = opened(goods)
        record(count, goods, 4)
        record(count, goods, 2, location_id=goods.other_shelf.pk)
        done = stock_count_post(count_id=count.pk)
        assert [held(one) for one in (first, second, third)] == [{"A-1": 3}, {"A-1": 1, "A-2": 2}, {None: 3}]
        assert (done.status, done.promises_lost) == ("posted", 2)
        told = {
            event.aggregate_id: [(line["quantity"], line["waits"]) for line in event.payload["lines"]]
            for event in OutboxEvent.objects.filter(type="stock.promise_lost")
        }
        assert told == {second.id: [(2, 0)], third.id: [(3, 3)]}
        assert_invariants()


def test_what_a_count_finds_elsewhere_is_promised_from_there(acme: Company) -> None:
    """One place has less and another more than the books say: both are put right before anything is promised anew."""
    with acme.scope():
        goods = Goods.create()
        goods.receive(5)
        goods.receive(5, to=goods.other_shelf)
        demand = promise(goods, 10)
        count = opened(goods)
        record(count, goods, 1)
        record(count, goods, 8, location_id=goods.other_shelf.pk)
        stock_count_post(count_id=count.pk)
        rows = Reservation.objects.filter(demand_id=demand.id, status="active").values_list(
            "stock_item__location__code", "quantity",
        )
        assert sorted(rows, key=str) == [("A-1", 1), ("A-2", 3), ("A-2", 5), (None, 1)]
        assert_invariants()


def test_after_an_approval_as_well(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(5)
        demand, count = promise(goods, 5), opened(goods)
        ReasonCode.objects.filter(code="COUNT").update(approval_over_quantity=1)
        record(count, goods, 0)
        assert stock_count_post(count_id=count.pk).status == "pending" and held(demand) == {"A-1": 5}
        StockCount.objects.filter(pk=count.pk).update(requested_by=uuid4())
        assert stock_count_approve(count_id=count.pk).promises_lost == 1 and held(demand) == {None: 5}
        assert StockCount.objects.get(pk=count.pk).promises_lost == 1
        assert_invariants()


def test_the_page_says_so(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(5)
        promise(goods, 4)
        count = opened(goods)
        record(count, goods, 1)
    page = acme.admin.post(f"/admin/inventory/stockcount/{count.pk}/variance/", {"rest": "leave"}, follow=True).content.decode()
    assert "Goods of 1 reservation were not found: they are promised from elsewhere, or wait for goods." in page


def test_processes_promise_while_others_count(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(12)
        goods.receive(4, to=goods.other_shelf)
        counts = []
        for left in (9, 6):
            counts.append(opened(goods, location_id=goods.shelf.pk))
            record(counts[-1], goods, left)

    def act(number: int) -> str:
        with company.scope():
            try:
                if number < 2:
                    return stock_count_post(count_id=counts[number].pk).status
                promise(goods, 2)
            except Conflict as conflict:
                return conflict.code
        return "promised"

    ended = Counter(at_once(10, act))
    assert ended["promised"] == 8 and set(ended) <= {"promised", "posted", "reservation_changed"}, ended
    with company.scope():
        assert all(item.quantity >= item.reserved for item in StockItem.objects.all())
        assert sum(Reservation.objects.filter(status="active").values_list("quantity", flat=True)) == 16
        assert_invariants()


def test_who_posts_meanwhile_is_not_in_a_ring_with_the_count(new_company: Callable[[], Company]) -> None:
    """Goods go to another place of the same variant: cost pools first and reorder rules after them, for both."""
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(5)
        goods.rule()
        promise(goods, 5)
        count = opened(goods, location_id=goods.shelf.pk)
        record(count, goods, 2)
    pairs = [(goods.bolt.pk, goods.warehouse.pk)]
    has_begun = multiprocessing.get_context("fork").Event()

    def work(number: int) -> str:
        with company.scope():
            if number:
                assert has_begun.wait(60)
                return stock_count_post(count_id=count.pk).status
            lock_cost_pools(pairs)
            has_begun.set()
            eventually(somebody_waits)
            goods.receive(3, to=goods.other_shelf)
        return "received"

    assert sorted(at_once(2, work)) == ["posted", "received"]
    with company.scope():
        assert_invariants()
