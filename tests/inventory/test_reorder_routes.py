"""Goods are fetched from another warehouse before any are bought, by transfer orders that are on their way."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from accounts.models import Party
from core.errors import Conflict
from core.invariants import broken
from inventory.models import Location, ReasonCode, ReorderRule, ReorderTask, Supplier, SupplierProduct, TransferOrder, Warehouse
from inventory.services.levels import levels_refresh
from inventory.services.reorder_tasks import TaskOrder, tasks_dismiss, tasks_order, tasks_reopen
from inventory.services.replenishment import reorder_check
from inventory.services.stock import Circumstances
from inventory.services.transfer_moves import (
    Part,
    transfer_order_close,
    transfer_order_receive,
    transfer_order_ship,
    transfer_order_take_back,
)
from inventory.services.transfers import transfer_order_cancel, transfer_order_confirm
from notifications.models import OutboxEvent
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.goods import Goods


@dataclass
class Chain:
    """A main warehouse, and a branch that fetches from it, up to ten."""

    goods: Goods
    branch: Warehouse
    rule: ReorderRule

    @classmethod
    def create(cls, stock: int, *, keeps: int = 0, **values: Any) -> "Chain":
        goods = Goods.create()
        goods.receive(stock)
        branch = Warehouse.objects.create(code="W2", name="Branch")
        Location.objects.create(warehouse=branch, code="IN", kind="receiving")
        Location.objects.create(warehouse=branch, code="Q", kind="quarantine")
        if keeps:
            goods.rule(minimum=keeps)
        rule = ReorderRule.objects.create(**{
            "variant": goods.bolt, "warehouse": branch, "min_quantity": 3, "max_quantity": 10, "basis": "projected",
            "source_warehouse": goods.warehouse, **values,
        })
        levels_refresh([rule.pk])
        return cls(goods, branch, rule)

    def task(self) -> ReorderTask:
        task: ReorderTask = ReorderTask.objects.get(warehouse=self.branch)
        return task

    def ordered(self) -> TransferOrder:
        reorder_check()
        tasks_order(orders=[TaskOrder(self.task().pk)])
        order: TransferOrder = TransferOrder.objects.get(pk=self.task().transfer_order_id)
        return order

    def level(self) -> Decimal:
        """Of the branch's rule; the invariants hold whenever one asks."""
        assert not [rows for _, rows in broken() if rows]
        self.rule.refresh_from_db()
        return self.rule.level


@pytest.mark.parametrize(("stock", "keeps", "fetched"), [
    (50, 0, 10), (50, 45, 5), (50, 46, 4), (50, 47, None), (50, 80, None), (10, 0, 10), (0, 0, None),
])
def test_fetches_what_the_other_warehouse_can_spare_if_that_is_enough(
    stock: int, keeps: int, fetched: int | None, acme: Company,
) -> None:
    """More than three lift the branch above its minimum; else the goods are bought, in packs of six."""
    with acme.scope():
        chain = Chain.create(stock or 1, keeps=keeps)
        if not stock:
            chain.goods.issue(1)
        supplier = Supplier.objects.create(party=Party.objects.create(name="B"), code="S1")
        SupplierProduct.objects.create(
            supplier=supplier, variant=chain.goods.bolt, supplier_sku="B", pack_size=6, is_preferred=True,
        )
        reorder_check(warehouses=[chain.branch.pk])
        task = chain.task()
        source = chain.goods.warehouse if fetched else None
        assert (task.source_warehouse, task.suggested_quantity) == (source, fetched or 12)
        assert task.supplier == (None if fetched else supplier)
        event = OutboxEvent.objects.get(type="stock.low")
        assert event.payload["source_warehouse"] == (str(source.pk) if source else None)


def test_from_the_draft_to_the_shelf(acme: Company) -> None:
    with acme.scope():
        chain = Chain.create(50)
        order = chain.ordered()
        assert (order.status, order.source, order.destination) == ("draft", chain.goods.warehouse, chain.branch)
        assert [(line.variant, line.quantity) for line in order.lines.all()] == [(chain.goods.bolt, 10)]
        assert (chain.task().status, chain.level(), reorder_check()) == ("ordered", 0, 0), "a draft promises nothing"
        transfer_order_confirm(order=order)
        assert chain.level() == 10, "on its way"
        transfer_order_ship(order=order)
        assert chain.level() == 10
        [line] = order.lines.all()
        transfer_order_receive(order=order, lines=[Part(line.pk, Decimal(4))])
        assert (chain.level(), chain.task().status) == (10, "ordered")
        quarantine = Location.objects.get(warehouse=chain.branch, code="Q")
        transfer_order_receive(order=order, location=quarantine)
        assert (chain.level(), chain.task().status) == (4, "done"), "what is in quarantine is of no use yet"


def test_what_is_taken_back_canceled_or_lost_is_on_its_way_no_longer(acme: Company) -> None:
    with acme.scope():
        chain = Chain.create(50)
        order = chain.ordered()
        transfer_order_ship(order=order)
        transfer_order_take_back(order=order)
        assert chain.level() == 10, "still to be sent"
        transfer_order_cancel(order=order)
        task = chain.task()
        assert (chain.level(), task.status, task.transfer_order) == (0, "open", None)
        order = chain.ordered()
        [line] = order.lines.all()
        transfer_order_ship(order=order, lines=[Part(line.pk, Decimal(7))])
        lost = ReasonCode.objects.get(kind="adjustment", code="LOST")
        transfer_order_close(order=order, circumstances=Circumstances(reason_id=lost.pk, note="Fell off"))
        assert (chain.level(), chain.task().status) == (0, "done")
        assert reorder_check() == 1, "and is needed again"


def test_undone_as_long_as_it_is_a_draft(acme: Company) -> None:
    with acme.scope():
        chain = Chain.create(50)
        order = chain.ordered()
        with pytest.raises(Conflict, match="cancel that first"), transaction.atomic():
            tasks_dismiss(tasks=[chain.task().pk], reason="No")
        tasks_reopen(tasks=[chain.task().pk])
        order.refresh_from_db()
        assert (order.status, chain.task().status, chain.task().transfer_order) == ("cancelled", "open", None)
        transfer_order_confirm(order=chain.ordered())
        with pytest.raises(Conflict, match="is confirmed: cancel it"), transaction.atomic():
            tasks_reopen(tasks=[chain.task().pk])


def test_bought_all_the_same_from_a_supplier_that_is_named(acme: Company) -> None:
    with acme.scope():
        chain = Chain.create(50)
        reorder_check()
        supplier = Supplier.objects.create(party=Party.objects.create(name="B"), code="S1")
        tasks_order(orders=[TaskOrder(chain.task().pk, supplier_id=supplier.pk)])
        task = chain.task()
        assert (task.supplier, task.source_warehouse, task.transfer_order) == (supplier, None, None)
        assert (chain.level(), TransferOrder.objects.count()) == (10, 0)


def test_a_rule_does_not_fetch_from_its_own_warehouse(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
    body = {
        "variant": goods.bolt.pk, "warehouse": goods.warehouse.pk, "min_quantity": "3", "source_warehouse": goods.warehouse.pk,
    }
    refused = assert_problem(acme.api.send("post", "/api/v1/reorder-rules/", body), 400)
    assert "from another warehouse" in refused["errors"][0]["detail"]
