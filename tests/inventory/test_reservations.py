"""Goods are promised once, picked by who was promised them, and free again when nobody fetches them."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from core.errors import Conflict, Invalid
from core.invariants import broken
from inventory.models import ReorderRule, Reservation, StockItem, StockMove
from inventory.services.candidates import Wanted
from inventory.services.lots import lot_status_change
from inventory.services.reservations import (
    Demand,
    Pick,
    Reserved,
    Shortage,
    demand_release,
    reservation_allocate,
    reservations_expire_everywhere,
    stock_pick,
    stock_release,
    stock_reserve,
)
from inventory.services.stock import Circumstances
from notifications.models import OutboxEvent
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.goods import Goods
from tests.inventory.test_posting import assert_invariants
from tests.inventory.test_races import at_once

RESERVATIONS = "/api/v1/reservations/"


def reserve(goods: Goods, quantity: Any, variant: Any = None, shortage: Shortage = Shortage.REFUSE, **demand: Any) -> Reserved:
    line = Wanted((variant or goods.bolt).pk, goods.warehouse.pk, Decimal(quantity))
    return stock_reserve(lines=[line], demand=Demand("test", uuid4(), **demand), shortage=shortage)


def reserved(goods: Goods) -> Decimal:
    return sum(StockItem.objects.filter(variant=goods.bolt).values_list("reserved", flat=True), Decimal(0))


def test_what_is_reserved_is_not_available(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        rule = goods.rule(minimum=5)
        by_hand = goods.rule(minimum=5, variant=goods.nut, basis="on_hand")
        done = reserve(goods, 6)
        assert (done.balances[0]["reserved"], done.balances[0]["available"]) == ("6.000000", "4.000000")
        with pytest.raises(Conflict, match="only 4"), transaction.atomic():
            goods.issue(5)
        with pytest.raises(Conflict, match="1 of the 5 wanted"), transaction.atomic():
            reserve(goods, 5)
        rule.refresh_from_db()
        assert (rule.level, rule.is_low, ReorderRule.objects.get(pk=by_hand.pk).level) == (4, True, 0)
        event = OutboxEvent.objects.get(type="stock.reserved")
        assert (event.payload["lines"][0]["reserved"], event.payload["reservations"]) == (6, [str(done.reservations[0])])
        stock_release(reservations=done.reservations)
        rule.refresh_from_db()
        assert (reserved(goods), rule.level) == (0, 10)
        assert OutboxEvent.objects.get(type="stock.reservation_ended").payload["status"] == "released"
        assert stock_release(reservations=done.reservations) == []
        assert_invariants()


def test_picking_uses_the_reservation(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        [key] = reserve(goods, 6).reservations
        with pytest.raises(Conflict, match="less left"), transaction.atomic():
            stock_pick(picks=[Pick(key, Decimal(7))])
        stock_pick(picks=[Pick(key, Decimal(2))])
        row = Reservation.objects.get(pk=key)
        assert (row.status, row.picked_quantity, reserved(goods), goods.on_hand()) == ("active", 2, 4, 8)
        move = StockMove.objects.latest("seq")
        assert (move.kind, move.quantity, move.document_id) == ("issue", 2, row.demand_id)
        stock_pick(picks=[Pick(key)])
        row.refresh_from_db()
        assert (row.status, reserved(goods), goods.on_hand()) == ("consumed", 0, 4)
        assert row.closed_at is not None
        with pytest.raises(Conflict, match="is consumed already"):
            stock_pick(picks=[Pick(key)])
        assert_invariants()


def test_lines_of_many_places_are_all_or_what_there_is(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(3)
        goods.receive(4, to=goods.other_shelf)
        goods.receive(50, to=goods.quarantine)
        goods.receive(1, variant=goods.nut)
        lines = [Wanted(goods.bolt.pk, goods.warehouse.pk, Decimal(5)), Wanted(goods.nut.pk, goods.warehouse.pk, Decimal(3))]
        demand = Demand("test", uuid4())
        with pytest.raises(Conflict, match="2 of the 3 wanted"), transaction.atomic():
            stock_reserve(lines=lines, demand=demand)
        assert not Reservation.objects.exists()
        done = stock_reserve(lines=lines, demand=demand, shortage=Shortage.PARTIAL)
        assert (len(done.reservations), done.short, reserved(goods)) == (3, {1: Decimal(2)}, 5)
        assert len(demand_release(demand=demand)) == 3
        assert_invariants()


def test_demand_waits_for_goods(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(3)
        done = reserve(goods, 5, shortage=Shortage.BACKORDER)
        waiting = Reservation.objects.get(stock_item=None)
        assert (waiting.quantity, reserved(goods), done.short) == (2, 3, {0: Decimal(2)})
        with pytest.raises(Conflict, match="waits for goods"):
            stock_pick(picks=[Pick(waiting.pk)])
        goods.receive(1)
        again = reservation_allocate(reservations=[waiting.pk])
        assert (again.short, reserved(goods)) == ({0: Decimal(1)}, 4)
        assert Reservation.objects.get(stock_item=None, status="active").quantity == 1
        assert_invariants()


def test_a_hold_stops_what_was_reserved(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        milk = goods.tracked()
        lot = goods.receive_lot(5, milk, "L1")
        [key] = reserve(goods, 2, variant=milk).reservations
        assert Reservation.objects.get(pk=key).lot == lot
        lot_status_change(lot_ids=[lot.pk], status="recalled", reason="Notice")
        with pytest.raises(Conflict, match="is recalled"), transaction.atomic():
            stock_pick(picks=[Pick(key)])
        with pytest.raises(Conflict, match="not enough stock"), transaction.atomic():
            reserve(goods, 1, variant=milk)
        stock_release(reservations=[key])
        assert_invariants()


def test_a_key_reserves_once(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        line, demand = Wanted(goods.bolt.pk, goods.warehouse.pk, Decimal(3)), Demand("test", uuid4())
        first, again = (stock_reserve(lines=[line], demand=demand, idempotency_key="order 7") for _ in range(2))
        assert (again.replayed, again.reservations, reserved(goods)) == (True, first.reservations, 3)
        picks = [Pick(key) for key in first.reservations]
        one, two = (stock_pick(picks=picks, circumstances=Circumstances(idempotency_key="ship 7")) for _ in range(2))
        assert (two.replayed, two.moves, goods.on_hand()) == (True, one.moves, 7)


def test_time_gives_back_what_nobody_fetched(new_company: Callable[[], Company]) -> None:
    companies = [new_company(), new_company()]
    for company in companies:
        with company.scope():
            goods = Goods.create()
            goods.receive(10)
            [key] = reserve(goods, 4, expires_at=timezone.now() + timedelta(hours=1)).reservations
            reserve(goods, 2)
            reserve(goods, 1, expires_at=timezone.now() + timedelta(hours=1))
            Reservation.objects.filter(pk=key).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert reservations_expire_everywhere() == 2
    for company in companies:
        with company.scope():
            counted = Counter(Reservation.objects.values_list("status", flat=True))
            assert counted == {"expired": 1, "active": 2}
            assert OutboxEvent.objects.get(type="stock.reservation_ended").payload["status"] == "expired"
            assert [rows for _, rows in broken() if rows] == []
    assert reservations_expire_everywhere() == 0


@pytest.mark.parametrize("wrong", [{"quantity": Decimal(0)}, {"expires_at": timezone.now() - timedelta(days=1)}])
def test_refuses_what_makes_no_sense(wrong: dict[str, Any], acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        with pytest.raises(Invalid):
            reserve(goods, **{"quantity": 1, **wrong})


def test_statements_do_not_grow_with_the_lines(acme: Company, django_assert_max_num_queries: Any) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(50)
        goods.receive(50, variant=goods.nut)
        for wanted in ([goods.bolt], [goods.bolt, goods.nut]):
            lines = [Wanted(variant.pk, goods.warehouse.pk, Decimal(2)) for variant in wanted]
            with django_assert_max_num_queries(3):
                done = stock_reserve(lines=lines, demand=Demand("test", uuid4()))
            with django_assert_max_num_queries(5):
                stock_pick(picks=[Pick(key, Decimal(1)) for key in done.reservations])
            with django_assert_max_num_queries(5):
                stock_release(reservations=done.reservations)


def test_reserves_picks_and_releases_over_the_api(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
    demand = {"demand_type": "sales_order", "demand_id": str(uuid4())}
    line = {"variant": str(goods.bolt.pk), "warehouse": str(goods.warehouse.pk), "quantity": "4"}
    api = acme.api
    made = api.send("post", f"{RESERVATIONS}reserve/", {**demand, "lines": [line]})
    assert made.status_code == 201, made.content
    [key] = made.json()["reservations"]
    row = api.get(f"{RESERVATIONS}{key}/").json()
    assert (row["location"], row["quantity"], row["status"]) == (str(goods.shelf.pk), "4.000000", "active")
    picked = api.send("post", f"{RESERVATIONS}pick/", {"lines": [{"reservation": key, "quantity": "1"}]})
    assert (picked.status_code, picked.json()["balances"][0]["reserved"]) == (201, "3.000000")
    short = api.send("post", f"{RESERVATIONS}reserve/", {**demand, "lines": [{**line, "quantity": "7"}]})
    assert_problem(short, 409, "insufficient_stock")
    assert api.send("post", f"{RESERVATIONS}release/", demand).json() == {"released": [key]}
    assert_problem(api.send("post", f"{RESERVATIONS}release/", {}), 400)
    with acme.scope():
        assert_invariants()


def test_twenty_processes_reserve_ten(new_company: Callable[[], Company]) -> None:
    """In ten places of one piece each, so that all look for the next place."""
    company = new_company()
    with company.scope():
        goods = Goods.create()
        pump = goods.tracked("serial", "PUMP")
        for number in range(10):
            goods.receive_lot(1, pump, f"S{number}")

    def take(number: int) -> str:
        with company.scope():
            try:
                return str(len(reserve(goods, 1, variant=pump).reservations))
            except Conflict as refused:
                return refused.code

    assert Counter(at_once(20, take)) == {"1": 10, "insufficient_stock": 10}
    with company.scope():
        assert [rows for _, rows in broken() if rows] == []
