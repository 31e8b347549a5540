"""Real processes on one stock: nothing is sold twice, and nobody deadlocks."""

import multiprocessing
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any
from uuid import uuid4

from django.db import connections

from core.errors import Conflict
from core.invariants import broken
from inventory.models import CostLayer, StockMove
from inventory.services.candidates import Wanted
from inventory.services.costing_methods import costing_method_change
from inventory.services.posting import Line
from inventory.services.reservations import Demand, Pick, stock_pick, stock_reserve
from inventory.services.reversal import stock_reverse
from inventory.services.stock import stock_issue, stock_move, stock_receive
from tests.companies import Company
from tests.factories.inventory import ProductVariantFactory
from tests.inventory.goods import Goods
from tests.notifications.processes import eventually

ISSUE = "/api/v1/stock-items/issue/"


def at_once(processes: int, work: Callable[[int], Any]) -> list[Any]:
    """Run `work(0)`, `work(1)`, … in processes of their own that start together; their answers."""
    connections.close_all()
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(processes), context.SimpleQueue()

    def run(number: int) -> None:
        try:
            barrier.wait(60)
            answers.put(work(number))
        except BaseException as error:
            answers.put(repr(error))
        finally:
            connections.close_all()

    started = [context.Process(target=run, args=(number,)) for number in range(processes)]
    for process in started:
        process.start()
    for process in started:
        process.join(120)
        if process.is_alive():
            process.kill()
            raise AssertionError("a process did not come back")
    return [answers.get() for _ in started]


def somebody_waits() -> bool:
    """For a lock. Asked in a transaction, pg_stat_activity would answer as it did first."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def test_twenty_processes_take_one_each_from_ten(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(10)
        goods.rule()
    api = company.api
    body = {"lines": [{"variant": str(goods.bolt.pk), "quantity": "1", "from_location": str(goods.shelf.pk)}]}

    def take(number: int) -> tuple[int, str]:
        response = api.send("post", ISSUE, body)
        return response.status_code, response.json().get("code", "")

    assert Counter(at_once(20, take)) == {(201, ""): 10, (409, "insufficient_stock"): 10}
    with company.scope():
        assert (goods.on_hand(), StockMove.objects.filter(kind="issue").count()) == (0, 10)
        assert [rows for _, rows in broken() if rows] == []


def test_who_waits_for_a_new_place_holds_no_goods(new_company: Callable[[], Company]) -> None:
    """The first has made a place, and then wants goods; the second wants both."""
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(10)
    has_made_it = multiprocessing.get_context("fork").Event()

    def work(number: int) -> str:
        with company.scope():
            if number:
                assert has_made_it.wait(60)
                stock_move(lines=[Line(goods.bolt.pk, Decimal(1), goods.shelf.pk, goods.other_shelf.pk)])
                return "moved"
            stock_receive(lines=[Line(goods.bolt.pk, Decimal(5), to_location_id=goods.other_shelf.pk)])
            has_made_it.set()
            eventually(somebody_waits)
            stock_issue(lines=[Line(goods.bolt.pk, Decimal(2), from_location_id=goods.shelf.pk)])
            return "issued"

    assert sorted(at_once(2, work)) == ["issued", "moved"]
    with company.scope():
        assert (goods.on_hand(), goods.on_hand(location=goods.other_shelf)) == (7, 6)
        assert [rows for _, rows in broken() if rows] == []


def test_six_processes_reverse_a_receipt_once(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(10)
        goods.receive(10)
        key = StockMove.objects.values_list("pk", flat=True).order_by("seq").first()

    def undo(number: int) -> str:
        with company.scope():
            try:
                stock_reverse(moves=[key])
            except Conflict as refused:
                return refused.code
            return "done"

    assert Counter(at_once(6, undo)) == {"done": 1, "reversed": 5}
    with company.scope():
        assert goods.on_hand() == 10


def test_postings_of_overlapping_goods_do_not_deadlock(new_company: Callable[[], Company]) -> None:
    """Two to twelve of twelve variants at a time, so that no two postings name theirs in the same order."""
    company = new_company()
    with company.scope():
        goods = Goods.create()
        variants = [goods.bolt, *ProductVariantFactory.create_batch(11, product=goods.bolt.product)]
        for variant in variants:
            goods.receive(1000, variant=variant)
            goods.rule(variant=variant)

    def issue_some(number: int) -> int:
        chance, issued = Random(number), 0
        for _ in range(25):
            chosen = chance.sample(variants, chance.randint(2, 12))
            with company.scope():
                stock_issue(lines=[Line(variant.pk, Decimal(1), from_location_id=goods.shelf.pk) for variant in chosen])
            issued += len(chosen)
        return issued

    issued = at_once(8, issue_some)
    assert all(isinstance(count, int) for count in issued), issued
    with company.scope():
        assert sum(goods.on_hand(variant) for variant in variants) == 12_000 - sum(issued)
        assert [rows for _, rows in broken() if rows] == []


def test_requests_with_one_key_have_one_effect(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(100)
    api = company.api
    body = {
        "lines": [{"variant": str(goods.bolt.pk), "quantity": "1", "from_location": str(goods.shelf.pk)}],
        "idempotency_key": "pick 4711",
    }
    answers = at_once(10, lambda number: api.send("post", ISSUE, body).status_code)
    assert Counter(answers) == {201: 1, 200: 9}
    with company.scope():
        assert goods.on_hand() == 99


def test_a_new_place_is_made_once(new_company: Callable[[], Company]) -> None:
    """Eight first receipts of one variant at one location: one balance, the sum of all."""
    company = new_company()
    with company.scope():
        goods = Goods.create()

    def receive(number: int) -> str:
        with company.scope():
            goods.receive(1)
        return "done"

    assert at_once(8, receive) == ["done"] * 8
    with company.scope():
        assert goods.on_hand() == 8


def test_six_processes_pick_a_reservation_once(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(10)
        lines = [Wanted(goods.bolt.pk, goods.warehouse.pk, Decimal(4))]
        [reservation] = stock_reserve(lines=lines, demand=Demand("test", uuid4())).reservations

    def pick(number: int) -> str:
        try:
            with company.scope():
                stock_pick(picks=[Pick(reservation)])
        except Conflict as refusal:
            return refusal.code
        return "picked"

    assert Counter(at_once(6, pick)) == {"picked": 1, "not_active": 5}, "each sees what the one before it left"
    with company.scope():
        assert goods.on_hand() == 6
        assert [rows for _, rows in broken() if rows] == []


def test_whoever_receives_while_the_costing_method_changes_leaves_no_layer_behind(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(1)

    def work(number: int) -> str:
        line = Line(goods.bolt.pk, Decimal(1), to_location_id=goods.shelf.pk, unit_cost=Decimal(number))
        for _ in range(8):
            with company.scope():
                if number:
                    stock_receive(lines=[line])
                else:
                    costing_method_change(method="average")
        return "done"

    assert at_once(4, work) == ["done"] * 4
    with company.scope():
        assert not CostLayer.objects.filter(kind="receipt").exclude(remaining=0).exists(), "all of it is in the pool"
        assert [rows for _, rows in broken() if rows] == []
