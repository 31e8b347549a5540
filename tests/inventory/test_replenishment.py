"""What is low becomes a task, once; goods that come finish it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import Party
from core.errors import Conflict
from core.invariants import broken
from inventory.models import Product, ReorderRule, ReorderTask, Supplier, SupplierProduct
from inventory.queries.dashboard import overview
from inventory.services.candidates import Wanted
from inventory.services.reorder_tasks import tasks_dismiss
from inventory.services.replenishment import reorder_check, reorder_check_everywhere
from inventory.services.reservations import Demand, stock_reserve
from notifications.models import OutboxEvent
from tests.companies import Company
from tests.inventory.goods import Goods
from tests.inventory.test_races import at_once

Basis = ReorderRule.Basis


@pytest.mark.parametrize(("stock", "low"), [(4, True), (5, True), (6, False)])
def test_equality_counts(stock: int, low: bool, acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(stock)
        goods.rule(minimum=5)
        assert reorder_check() == int(low)


@pytest.mark.parametrize(("basis", "level"), [(Basis.ON_HAND, 10), (Basis.AVAILABLE, 4), (Basis.PROJECTED, 4)])
def test_a_rule_looks_at_the_stock_of_its_basis(basis: str, level: int, acme: Company) -> None:
    """Ten on hand: three in quarantine, three of the rest reserved."""
    with acme.scope():
        goods = Goods.create()
        goods.receive(10)
        wanted = Wanted(goods.bolt.pk, goods.warehouse.pk, Decimal(3))
        stock_reserve(lines=[wanted], demand=Demand("test", uuid4()))
        rule = goods.rule(basis=basis)
        goods.move(3, to=goods.quarantine)
        rule.refresh_from_db()
        assert rule.level == level
        assert not [rows for _, rows in broken() if rows]


def test_no_task_twice_and_none_for_what_is_not_sold(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.rule()
        goods.rule(variant=goods.nut, is_active=False)
        assert (reorder_check(), reorder_check()) == (1, 0)
        ReorderTask.objects.update(status="done")
        Product.objects.update(status=Product.Status.DISCONTINUED)
        assert reorder_check() == 0
        Product.objects.update(status=Product.Status.ACTIVE, archived_at=timezone.now())
        assert reorder_check() == 0


@pytest.mark.parametrize(("rule", "item", "suggested"), [
    ({}, {}, 4),  # two on hand, minimum five: six is the least above it
    ({"max_quantity": 20}, {}, 18),
    ({"order_quantity": 7}, {}, 7),
    ({}, {"order_multiple": 10}, 10),
    ({"max_quantity": 20}, {"order_multiple": 12}, 24),
    ({"order_quantity": 12}, {"order_multiple": 12}, 12),
    ({}, {"min_order_quantity": 50}, 50),
])
def test_suggests_what_the_supplier_sells(rule: dict[str, int], item: dict[str, int], suggested: int, acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(2)
        supplier = Supplier.objects.create(party=Party.objects.create(name="Bolts & Co"), code="S1")
        SupplierProduct.objects.create(supplier=supplier, variant=goods.bolt, supplier_sku="B", is_preferred=True, **item)
        goods.rule(minimum=5, **rule)
        reorder_check()
        task = ReorderTask.objects.get()
        assert (task.suggested_quantity, task.supplier) == (suggested, supplier)
        assert (task.triggered_quantity, task.threshold) == (2, 5)
        assert task.explanation["on_hand"] == "2.000000"
        assert task.explanation["basis"] == "available"


def test_a_receipt_finishes_the_task(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.rule(minimum=5)
        reorder_check()
        goods.receive(5)
        assert ReorderTask.objects.get().status == "open", "five is not above five"
        goods.receive(1)
        task = ReorderTask.objects.get()
        assert (task.status, task.closed_at is not None) == ("done", True)
        goods.issue(6)
        assert reorder_check() == 1, "low again: a new task"


def test_dismissing(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.rule()
        reorder_check()
        task = ReorderTask.objects.get()
        tasks_dismiss(tasks=[task.pk])
        with pytest.raises(Conflict, match="dismissed already"):
            tasks_dismiss(tasks=[task.pk])


def test_one_event_tells_of_all_tasks(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.rule()
        goods.rule(variant=goods.nut)
        reorder_check()
        reorder_check()
        event = OutboxEvent.objects.get(type="reorder.tasks_created")
        assert event.payload["tasks"] == 2


def test_the_check_of_all_organizations_at_once(new_company: Callable[[], Company]) -> None:
    companies = [new_company(), new_company()]
    for company in companies:
        with company.scope():
            Goods.create().rule(minimum=Decimal(3))
    connections["worker"].close()
    answers = at_once(3, lambda number: reorder_check_everywhere())
    assert sum(answers) >= 2
    for company in companies:
        with company.scope():
            assert ReorderTask.objects.count() == 1
            assert OutboxEvent.objects.filter(type="reorder.tasks_created").count() == 1


def test_the_api_checks_lists_and_is_refused_to_viewers(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.rule()
    check = "/api/v1/reorder-tasks/check/"
    refused = acme.api_as("viewer").send("post", check)
    assert (refused.status_code, refused.json()["missing_permission"]) == (403, "inventory.run_reorder_check")
    answer: Any = acme.api_as("manager").send("post", check)
    assert (answer.status_code, answer.json()) == (200, {"created": 1})
    tasks = acme.api.get("/api/v1/reorder-tasks/?status=open").json()["results"]
    assert [(task["sku"], task["threshold"]) for task in tasks] == [("BOLT", "5.000000")]
    low = acme.api.get("/api/v1/low-stock/").json()["results"]
    assert [(rule["sku"], rule["level"], rule["is_low"]) for rule in low] == [("BOLT", "0.000000", True)]


def test_what_is_not_bought_again_is_not_low(acme: Company) -> None:
    with acme.scope():
        Goods.create().rule()
        assert overview().low == 1
        Product.objects.update(status=Product.Status.DISCONTINUED)
        assert overview().low == 0
    assert acme.api.get("/api/v1/low-stock/").json()["results"] == []
