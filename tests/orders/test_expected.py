"""What purchase orders are still to bring counts as incoming, with a reorder task or without, and never twice."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from core.errors import Conflict
from core.invariants import broken
from inventory.models import ExpectedReceipt, ReorderTask, StockMove
from inventory.services.levels import levels_refresh
from inventory.services.reorder_tasks import TaskOrder, tasks_dismiss, tasks_order, tasks_reopen
from inventory.services.replenishment import reorder_check
from orders.models import PurchaseOrder
from orders.services.purchase_goods import Part, purchase_order_receive, purchase_order_send_back
from orders.services.purchase_proposals import purchase_orders_from_tasks
from orders.services.purchase_states import (
    purchase_order_approve,
    purchase_order_cancel,
    purchase_order_close,
    purchase_order_reject,
    purchase_order_revise,
    purchase_order_send,
    purchase_order_submit,
)
from orders.services.purchasing import PurchaseLine, purchase_order_change
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.test_races import at_once
from tests.orders.buying import Buying, limit_purchases


def clean() -> bool:
    return [rows for _, rows in broken() if rows] == []


def decided(order: PurchaseOrder) -> None:
    """As if somebody else had submitted it."""
    PurchaseOrder.objects.filter(pk=order.pk).update(requested_by=None)


def test_an_order_without_a_task_lowers_what_is_proposed(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        rule = buys.goods.rule(9, basis="projected", max_quantity=20)
        order = buys.order((buys.goods.bolt, 8))

        def level() -> Decimal:
            rule.refresh_from_db()
            assert clean()
            return rule.level

        assert level() == 0, "a draft brings nothing"
        limit_purchases(10)
        purchase_order_submit(order=order)
        assert level() == 0, "nobody has approved it"
        decided(order)
        purchase_order_approve(order=order)
        assert level() == 8
        purchase_order_send(order=order)
        assert level() == 8
        purchase_order_revise(order=order)
        assert level() == 0
        purchase_order_change(order=order, lines=[PurchaseLine(buys.goods.bolt.pk, Decimal(5), Decimal(2))])
        limit_purchases(None)
        purchase_order_send(order=purchase_order_submit(order=order))
        assert level() == 5
        reorder_check()
        task = ReorderTask.objects.get(rule=rule)
        assert (task.suggested_quantity, task.explanation["incoming"]) == (15, "5.000000"), "twenty, less five that are to come"
        tasks_order(orders=[TaskOrder(task.pk)])
        assert level() == 20
        line = order.lines.get()
        purchase_order_receive(order=order, parts=[Part(line.pk, Decimal(3))], location=buys.goods.shelf)
        task.refresh_from_db()
        assert (level(), task.received_quantity) == (20, 0), "three came of the order; the task was ordered elsewhere"
        purchase_order_send_back(order=order, parts=[Part(line.pk, Decimal(1), buys.goods.shelf.pk)])
        assert level() == 20, "it is waited for again"
        purchase_order_close(order=order)
        assert level() == 17
        assert not ExpectedReceipt.objects.exists()


def test_with_a_task_it_counts_once(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        buys.sells(buys.goods.bolt)
        task = buys.task(minimum=9, basis="projected")
        [order] = purchase_orders_from_tasks()

        def seen() -> tuple[str, int, int]:
            task.refresh_from_db()
            task.rule.refresh_from_db()
            assert clean()
            return task.status, int(task.rule.level), int(task.received_quantity)

        assert seen() == ("ordered", 10, 0), "even while it is a draft"
        for refused in (tasks_dismiss, tasks_reopen):
            with pytest.raises(Conflict, match=f"{order.number} is to bring the BOLT"):
                refused(tasks=[task.pk])
        limit_purchases(1)
        purchase_order_submit(order=order)
        decided(order)
        purchase_order_reject(order=order, reason="Dear")
        limit_purchases(None)
        dozen = PurchaseLine(buys.goods.bolt.pk, Decimal(12), Decimal(2), reorder_task_id=task.pk)
        purchase_order_change(order=order, lines=[dozen])
        purchase_order_send(order=purchase_order_submit(order=order))
        assert seen() == ("ordered", 12, 0)
        buys.goods.receive(2)
        assert seen() == ("ordered", 14, 0), "goods from elsewhere are not those of the order"
        line = order.lines.get()
        purchase_order_receive(order=order, parts=[Part(line.pk, Decimal(5))], location=buys.goods.shelf)
        assert seen() == ("ordered", 14, 5)
        purchase_order_receive(order=order)
        assert seen() == ("done", 14, 12)
        purchase_order_send_back(order=order, parts=[Part(line.pk, Decimal(4), buys.goods.shelf.pk)])
        assert seen() == ("done", 14, 12), "what replaces them is waited for"
        purchase_order_close(order=order)
        assert seen() == ("done", 10, 12)


def test_canceled_its_task_asks_again(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        buys.sells(buys.goods.bolt)
        task = buys.task(minimum=9, basis="projected")
        [order] = purchase_orders_from_tasks()
        purchase_order_submit(order=order)
        purchase_order_cancel(order=order)
        task.refresh_from_db()
        task.rule.refresh_from_db()
        assert (task.status, task.rule.level) == ("open", 0)
        assert clean()


def test_moves_of_a_goods_receipt_are_undone_by_the_order(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        order = buys.sent((buys.goods.bolt, 4))
        purchase_order_receive(order=order, location=buys.goods.shelf)
        move = StockMove.objects.get(variant=buys.goods.bolt)
    for body in ({"moves": [str(move.pk)]}, {"document_type": move.document_type, "document_id": str(move.document_id)}):
        problem = assert_problem(acme.api.send("post", "/api/v1/stock-moves/reverse/", body), 409, "undone_by_document")
        assert "send-back" in problem["detail"]
    with acme.scope():
        assert clean()


def test_the_stock_card_shows_what_is_to_come(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        buys.sent((buys.goods.bolt, 37))
        rule = buys.goods.rule(9, basis="projected")
    card = acme.admin.get(f"/admin/stock/card/?variant={buys.goods.bolt.pk}")
    numbers = acme.api.get(f"/api/v1/reorder-rules/{rule.pk}/numbers/")
    assert numbers.json()["incoming"] == "37.000000", numbers.content
    assert (card.status_code, "37" in card.content.decode()) == (200, True)


def test_orders_of_before_are_expected_once_migrated(acme: Company) -> None:
    migration = import_module("orders.migrations.0009_purchasing")
    with acme.scope():
        buys = Buying.create()
        buys.sells(buys.goods.bolt)
        buys.task(minimum=9, basis="projected")
        purchase_orders_from_tasks()
        order = buys.sent((buys.goods.bolt, 7))
        purchase_order_receive(order=order, parts=[Part(order.lines.get().pk, Decimal(3))], location=buys.goods.shelf)
        purchase_order_close(order=buys.sent((buys.goods.bolt, 2)))
        buys.order((buys.goods.bolt, 5))
        kept = ExpectedReceipt.objects.values_list("document_line_id", "quantity", "reorder_task_id").order_by("document_line_id")
        before = list(kept)
        ExpectedReceipt.objects.all().delete()
        levels_refresh()
        assert clean() is False
        with connection.cursor() as cursor:
            cursor.execute(migration.EXPECTED)
            cursor.execute(migration.LEVELS)
        assert list(kept) == before
        assert clean()


def test_receiving_and_ordering_at_once_leaves_the_level_right(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        buys = Buying.create()
        rule = buys.goods.rule(900, basis="projected")
        orders = [buys.sent((buys.goods.bolt, 6)) for _ in range(4)]
        drafts = [buys.order((buys.goods.bolt, 5)) for _ in range(4)]

    def work(number: int) -> Any:
        with company.scope():
            if number < 4:
                return purchase_order_receive(order=orders[number], location=buys.goods.shelf).order.status
            return purchase_order_submit(order=drafts[number - 4]).status

    assert Counter(at_once(8, work)) == {"received": 4, "approved": 4}
    with company.scope():
        rule.refresh_from_db()
        assert rule.level == 44
        assert clean()
