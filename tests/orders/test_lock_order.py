"""Verbs of several steps lock what they need in the one order of locks.py, before the first step: real processes wait for each
other then, and none is ended by the database.
"""

import multiprocessing
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from core.errors import Conflict
from core.invariants import broken
from inventory.models import Location, Reservation, StockItem, Warehouse
from inventory.services.count_posting import Rest, stock_count_post
from inventory.services.locks import Place, lock_pools_and_rules, lock_stock_items
from inventory.services.reservations import reservations_expire
from inventory.services.transfer_moves import transfer_order_ship
from inventory.services.tray import tray_put, tray_put_down
from orders.models import SalesOrder
from orders.services.fulfilment import sales_order_pack, sales_order_ship
from orders.services.past_orders import orders_promise
from orders.services.pick_lists import pick_list_create
from orders.services.sales_orders import NewLine, sales_order_change, sales_order_confirm, sales_order_place
from tests.companies import Company
from tests.inventory.counting import opened, record
from tests.inventory.test_races import at_once, somebody_waits
from tests.inventory.transfers import Two
from tests.notifications.processes import eventually
from tests.orders.kits import cart, kit_of
from tests.orders.selling import Shop

type NewCompany = Callable[[], Company]
type Work = Callable[[], object]


@pytest.fixture
def company(new_company: NewCompany) -> Company:
    return new_company()


def bolts(shop: Shop) -> Place:
    """On the shelf, before the nuts: they were there first."""
    return Place(shop.goods.bolt.pk, shop.goods.shelf.pk)


def nuts(shop: Shop) -> list[Place]:
    """Wherever they are."""
    places = StockItem.objects.filter(variant=shop.goods.nut)
    return [Place(*row) for row in places.values_list("variant_id", "location_id", "lot_id")]


# --- Two things, of which somebody else has the first and wants the second ---------------------------------


def counted(shop: Shop) -> Work:
    """The bolts; nobody found the nuts."""
    count = opened(shop.goods)
    record(count, shop.goods, 10)
    return lambda: stock_count_post(count_id=count.pk, rest=Rest.ZERO)


def listed(shop: Shop) -> Work:
    """The order that comes first wants nuts."""
    orders = [sales_order_place(order=shop.cart(*wanted)).pk for wanted in ((0, 2), (2, 0))]
    Reservation.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    return lambda: pick_list_create(orders=orders)


def confirmed(shop: Shop) -> Work:
    """The bolts have been given up, the nuts are still promised."""
    order = sales_order_place(order=shop.cart(2, 2))
    Reservation.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    Reservation.objects.filter(variant=shop.goods.bolt).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert reservations_expire() == 1
    return lambda: sales_order_confirm(order=order)


def imported(shop: Shop) -> Work:
    orders = [shop.cart(*wanted) for wanted in ((0, 2), (2, 0))]
    placed = {"status": SalesOrder.Status.PLACED, "placed_at": timezone.now()}
    for order in orders:
        SalesOrder.objects.filter(pk=order.pk).update(number=f"OLD-{order.pk}", **placed)
    return lambda: orders_promise([(order, list(order.lines.all())) for order in orders])


def put_down(shop: Shop) -> Work:
    """A tray with bolts of this warehouse, and before them with nuts of another one, whose code comes first."""
    first, last = (Warehouse.objects.create(code=code, name=code) for code in ("A", "Z"))
    there, table = (Location.objects.create(warehouse=one, code="TABLE") for one in (first, last))
    shop.goods.receive(5, variant=shop.goods.nut, to=there)
    for item in StockItem.objects.exclude(variant=shop.goods.nut, location=shop.goods.shelf):
        tray_put(item_id=item.pk)
    return lambda: tray_put_down(location=table, key="tray")


@pytest.mark.parametrize("prepared", [counted, listed, confirmed, imported, put_down])
def test_what_comes_first_is_locked_first(prepared: Callable[[Shop], Work], company: Company) -> None:
    with company.scope():
        shop = Shop.create()
        work = prepared(shop)
    has_the_first = multiprocessing.get_context("fork").Event()

    def run(number: int) -> str:
        if number:
            assert has_the_first.wait(60)
        with company.scope():
            if number:
                work()
            else:
                lock_stock_items({bolts(shop)})
                has_the_first.set()
                eventually(somebody_waits)
                lock_stock_items(nuts(shop))
        return "done"

    assert at_once(2, run) == ["done", "done"]
    with company.scope():
        assert [rows for _, rows in broken() if rows] == []


# --- A place that is new since the locks, and whoever has it wants what is locked ---------------------------


def shipped(shop: Shop) -> tuple[Work, Any]:
    """A draft, which is reserved as it is shipped."""
    order = Two.create(shop.goods).order((shop.goods.bolt, 2))
    return lambda: transfer_order_ship(order=order), {(shop.goods.bolt.pk, shop.goods.warehouse.pk)}


def amended(shop: Shop) -> tuple[Work, Any]:
    """Nuts are given back, and more bolts are wanted."""
    shop.goods.rule(variant=shop.goods.nut)
    order = sales_order_place(order=shop.cart(2, 4))
    wanted = [NewLine(shop.goods.bolt.pk, Decimal(3)), NewLine(shop.goods.nut.pk, Decimal(1))]
    return lambda: sales_order_change(order=order, lines=wanted), {(shop.goods.nut.pk, shop.goods.warehouse.pk)}


@pytest.mark.parametrize("prepared", [shipped, amended])
def test_nobody_waits_for_a_place_that_is_new(prepared: Callable[[Shop], tuple[Work, Any]], company: Company) -> None:
    """Bolts come to another shelf while the verb waits for those on the first one."""
    with company.scope():
        shop = Shop.create()
        work, wants = prepared(shop)
    context = multiprocessing.get_context("fork")
    has_the_first, is_free, verb_waits, has_the_new, is_done = (context.Event() for _ in range(5))

    def hold() -> None:
        with company.scope():
            lock_stock_items({bolts(shop)})
            has_the_first.set()
            eventually(somebody_waits)
            verb_waits.set()
            assert has_the_new.wait(60)
        is_free.set()

    def do() -> None:
        assert has_the_first.wait(60)
        with company.scope():
            work()
        is_done.set()

    def bring() -> None:
        assert verb_waits.wait(60)
        new = Place(shop.goods.bolt.pk, shop.goods.other_shelf.pk)
        with company.scope():
            shop.goods.receive(5, to=shop.goods.other_shelf)
        with company.scope():
            lock_stock_items({new})
            has_the_new.set()
            assert is_free.wait(60)
            eventually(lambda: is_done.is_set() or somebody_waits())
            lock_pools_and_rules(wants)

    assert at_once(3, lambda number: (hold, do, bring)[number]()) == [None] * 3
    with company.scope():
        assert [rows for _, rows in broken() if rows] == []


# --- Kits: an order is amended from one to the other, while others place and ship the same goods ---------------


def test_orders_swap_kits_beside_others(company: Company) -> None:
    with company.scope():
        shop = Shop.create(stock=60)
        pair = kit_of(shop, "PAIR", 5, {shop.goods.nut: 2})
        kits = (kit_of(shop, "BOLTS", 9, {shop.goods.bolt: 2}), kit_of(shop, "NUTS", 9, {pair: 1}))
        orders = [sales_order_place(order=cart(shop, (kits[number % 2], 2))) for number in range(4)]

    def run(number: int) -> list[str]:
        said = []
        for turn in range(6):
            with company.scope():
                try:
                    if number < 4:
                        wanted = [NewLine(kits[(number + turn + 1) % 2].pk, Decimal(2))]
                        sales_order_change(order=orders[number], lines=wanted)
                    else:
                        placed = sales_order_place(order=cart(shop, (shop.goods.nut, 1), (kits[turn % 2], 1)))
                        sales_order_ship(order=sales_order_pack(order=placed))
                except Conflict as conflict:
                    said.append(str(conflict.code))
        return said

    assert [error for said in at_once(6, run) for error in said if error != "insufficient_stock"] == []
    with company.scope():
        assert [rows for _, rows in broken() if rows] == []
