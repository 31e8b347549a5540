"""An order leaves the warehouse, whatever partners say, how often and in which order."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import JournalEntry
from core.errors import Conflict
from core.invariants import broken
from inventory.models import Reservation, StockMove
from inventory.services.reservations import Demand, demand_release, reservations_expire
from orders.models import Channel, SalesOrder
from orders.services.fulfilment import (
    sales_order_complete,
    sales_order_deliver,
    sales_order_fail,
    sales_order_pack,
    sales_order_ship,
)
from orders.services.sales_orders import sales_order_allocated, sales_order_cancel, sales_order_hold, sales_order_release
from tests.accounts.test_old_paths import assert_old_error
from tests.companies import Company
from tests.inventory.test_races import at_once
from tests.orders.shop import Shop

WHOLE = ["order.placed", "order.packed", "order.shipped", "order.delivered", "order.completed"]
PACK, DELIVER = "/orderpacked/", "/orderdelivered/"


@pytest.fixture
def shop(acme: Company) -> Shop:
    return Shop(acme)


def state(shop: Shop, shown: dict[str, Any]) -> tuple[Any, ...]:
    """All that a call-back may change."""
    row = shop.order(shown)
    lines = row.lines.values_list("allocated_quantity", "picked_quantity", "shipped_quantity")
    return row.status, row.version, row.fulfilment_status, [*lines], shop.goods.on_hand(), shop.told(shown), shop.reserved(shown)


def test_the_whole_way_step_by_step_and_nothing_twice(shop: Shop) -> None:
    shown = shop.placed(4)
    with shop.company.scope():
        order = shop.order(shown)
        for verb, status in (
            (sales_order_pack, "packed"), (sales_order_ship, "shipped"), (sales_order_deliver, "delivered"),
            (sales_order_complete, "completed"),
        ):
            assert verb(order=order).status == status
            before = state(shop, shown)
            for earlier in (sales_order_pack, sales_order_ship, sales_order_deliver):
                if status in ("delivered", "completed") or earlier is verb:
                    earlier(order=order)
            assert verb(order=order).status == status and state(shop, shown) == before
        assert shop.told(shown) == WHOLE and shop.goods.on_hand() == 6
        [move] = StockMove.objects.filter(kind="issue")
        assert (move.document_type, move.document_id, move.quantity) == ("sales_order", order.pk, Decimal(4))
        timeline = JournalEntry.objects.filter(object_id=order.pk).order_by("pk").values_list("from_state", "to_state")
        states = ["draft", "placed", "packed", "shipped", "delivered", "completed"]
        assert list(timeline) == list(pairwise(states))
        assert not [rows for _, rows in broken() if rows]


def test_a_call_that_comes_twice_is_answered_as_before(shop: Shop) -> None:
    shown = shop.placed()
    for path in (PACK, DELIVER):
        first = shop.partner.send("post", f"{path}{shown['id']}")
        with shop.company.scope():
            before = state(shop, shown)
        again = shop.partner.send("post", f"{path}{shown['id']}")
        assert (again.status_code, again.json()) == (200, first.json())
        with shop.company.scope():
            assert state(shop, shown) == before
    late = shop.partner.send("post", f"{PACK}{shown['id']}")
    assert (late.status_code, late.json()["status"]) == (200, "delivered"), "packed is long true"


def test_what_comes_too_early_changes_nothing_and_says_what_may_come(shop: Shop) -> None:
    shown = shop.placed()
    with shop.company.scope():
        before = state(shop, shown)
    said = assert_old_error(shop.partner.send("post", f"{DELIVER}{shown['id']}"), 409, "wrong_status")
    assert "placed" in said and "pack" in said
    with shop.company.scope():
        assert state(shop, shown) == before
        with pytest.raises(Conflict) as refused:
            sales_order_ship(order=shop.order(shown))
        assert refused.value.members["status_now"] == "placed" and "pack" in refused.value.members["allowed"]  # type: ignore[operator]


@pytest.mark.parametrize("packed", [False, True])
def test_an_order_in_error_is_refused_clearly_and_keeps_its_goods(packed: bool, shop: Shop) -> None:
    shown = shop.placed()
    with shop.company.scope():
        order = shop.order(shown)
        if packed:
            sales_order_pack(order=order)
        failed = sales_order_fail(order=order, code="warehouse_refused", reason="Unknown article")
        assert (failed.status, failed.error_code, failed.held_from) == (
            "error", "warehouse_refused", "packed" if packed else "placed",
        )
        before = state(shop, shown)
    for path in (PACK, DELIVER):
        said = assert_old_error(shop.partner.send("post", f"{path}{shown['id']}"), 409, "wrong_status")
        assert "is error" in said and "release, cancel" in said
    with shop.company.scope():
        assert state(shop, shown) == before and shop.told(shown)[-1] == "order.failed" and shop.reserved(shown) == ["active"]
    assert shop.partner.get(f"/orders/{shown['id']}").json()["status"] == "error"


def test_is_not_packed_while_goods_are_missing(shop: Shop) -> None:
    with shop.company.scope():
        Channel.objects.update(backorders=True)
    shown = shop.placed(12)
    said = assert_old_error(shop.partner.send("post", f"{PACK}{shown['id']}"), 409, "not_allocated")
    assert "2 of BOLT" in said
    with shop.company.scope():
        assert (shop.order(shown).status, shop.told(shown)) == ("placed", ["order.placed"])


def test_what_is_packed_is_not_free_again_when_its_time_is_up(shop: Shop) -> None:
    shown = shop.placed()
    with shop.company.scope():
        Reservation.objects.update(expires_at=timezone.now() + timedelta(minutes=1))
        sales_order_pack(order=shop.order(shown))
        assert reservations_expire() == 0 and Reservation.objects.get().expires_at is None


def test_what_was_released_meanwhile_does_not_leave_the_stock(shop: Shop) -> None:
    shown = shop.placed()
    with shop.company.scope():
        sales_order_pack(order=shop.order(shown))
        demand_release(demand=Demand("sales_order", shop.order(shown).pk))
        before = state(shop, shown)
    assert_old_error(shop.partner.send("post", f"{DELIVER}{shown['id']}"), 409, "not_allocated")
    with shop.company.scope():
        assert state(shop, shown) == before


def test_calls_at_once_are_one(new_company: Callable[[], Company]) -> None:
    shop = Shop(new_company())
    shown = shop.placed()

    def call(path: str) -> Callable[[int], Any]:
        return lambda _: shop.partner.send("post", f"{path}{shown['id']}").status_code

    for path in (PACK, DELIVER):
        assert at_once(4, call(path)) == [200] * 4
    with shop.company.scope():
        assert shop.told(shown) == WHOLE[:4] and shop.goods.on_hand() == 7
        assert SalesOrder.objects.get().lines.get().shipped_quantity == 3


def test_an_order_that_failed_after_packing_is_canceled_and_its_goods_are_free(shop: Shop) -> None:
    shown = shop.placed(4)
    with shop.company.scope():
        order = shop.order(shown)
        sales_order_pack(order=order)
        sales_order_allocated(order_id=order.pk)  # as the event of its reservation says, later
        sales_order_fail(order=order, code="damaged", reason="The pallet fell")
        sales_order_cancel(order=order, reason="Nothing left to send")
        [line] = order.lines.all()
        assert (line.allocated_quantity, line.picked_quantity, line.cancelled_quantity) == (0, 0, 4)
        assert shop.goods.on_hand() == 10 and not Reservation.objects.filter(status="active").exists()
        assert not [rows for _, rows in broken() if rows]


@pytest.mark.parametrize("stop", [sales_order_hold, partial(sales_order_fail, code="damaged")], ids=["held", "failed"])
def test_an_order_that_is_stopped_keeps_its_goods(stop: Callable[..., SalesOrder], shop: Shop) -> None:
    with shop.company.scope():
        Channel.objects.update(reservation_minutes=5)
    shown = shop.placed(4)
    with shop.company.scope():
        stop(order=shop.order(shown))
        Reservation.objects.filter(expires_at__isnull=False).update(expires_at=timezone.now() - timedelta(seconds=1))
        assert reservations_expire() == 0 and shop.reserved(shown) == ["active"]


def test_an_order_whose_goods_have_left_is_not_canceled(shop: Shop) -> None:
    shown = shop.placed(4)
    with shop.company.scope():
        order = shop.order(shown)
        sales_order_pack(order=order)
        sales_order_ship(order=order)
        sales_order_fail(order=order, code="lost", reason="The delivery service cannot find it")
        before = state(shop, shown)
        with pytest.raises(Conflict, match="have left the warehouse: take what is not to be delivered out of its lines"):
            sales_order_cancel(order=order)
        assert state(shop, shown) == before
        assert sales_order_release(order=order).status == "shipped"
