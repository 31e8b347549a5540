"""What stock is worth follows the moves, by each costing method; layers, entries and reports agree whatever happens."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.models import AuditEntry, Organization
from core.errors import Conflict, Invalid
from core.invariants import broken
from inventory.models import CostLayer, ProductVariant, StockItem, StockMove, ValueEntry
from inventory.services.cost_building import cost_layers_build
from inventory.services.costing_methods import costing_method_change
from inventory.services.posting import Line
from inventory.services.stock import stock_assemble, stock_disassemble
from inventory.services.valuation import moves_value
from tests.companies import Company
from tests.factories.inventory import ProductVariantFactory
from tests.inventory.test_posting import assert_invariants
from tests.inventory.worth import Worth, take_back


def D(*numbers: Any) -> Any:  # noqa: N802  # as short as the numbers
    return tuple(map(Decimal, numbers)) if len(numbers) > 1 else Decimal(numbers[0])


# 10 at 1 and 10 at 2 come, 15 go; the variant's standard cost is 2.5.
@pytest.mark.parametrize(("method", "cost", "left"), [
    ("fifo", "20", "10"), ("average", "22.5", "7.5"), ("standard", "37.5", "12.5"),
])
def test_what_goods_cost_that_leave(method: str, cost: str, left: str, acme: Company) -> None:
    with acme.scope():
        worth = Worth.create(method)
        worth.receive(10, 1)
        worth.receive(10, 2)
        move = worth.issue(15)
        assert (worth.cost(move), worth.value()) == D(cost, left)
        revalued = sum(entry.value for entry in ValueEntry.objects.filter(kind="revaluation"))
        assert revalued == (20 if method == "standard" else 0)  # 50 at standard cost, for which 30 was paid
        assert_invariants()


@pytest.mark.parametrize("method", ["fifo", "average", "standard"])
def test_no_cent_is_left_of_goods_that_are_gone(method: str, acme: Company) -> None:
    with acme.scope():
        worth = Worth.create(method)
        worth.receive(3, "0.333333")
        worth.receive(4, "0.142857")
        for _ in range(7):
            worth.issue(1)
        assert worth.value() == 0
        assert not CostLayer.objects.exclude(value=0).exists()
        assert_invariants()


@pytest.mark.parametrize("method", ["fifo", "average", "standard"])
def test_goods_carry_their_cost_to_another_warehouse(method: str, acme: Company) -> None:
    with acme.scope():
        worth = Worth.create(method)
        worth.receive(2, 1)
        worth.receive(2, 3)
        before = worth.value()
        worth.carry(3)
        assert worth.value() == before
        assert worth.value(worth.branch) == {"fifo": 5, "average": 6, "standard": D("7.5")}[method]
        assert_invariants()
        assert worth.cost(worth.issue(1, branch=True)) == {"fifo": 1, "average": 2, "standard": D("2.5")}[method]


def test_within_a_warehouse_nothing_changes(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        worth.receive(5, 2)
        written = ValueEntry.objects.count()
        worth.goods.move(2, to=worth.goods.other_shelf)
        assert (ValueEntry.objects.count(), worth.value()) == (written, 10)


def test_the_oldest_goods_leave_first_wherever_they_came_from(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        worth.receive(1, 1, occurred_at=timezone.now() - timedelta(days=9))
        worth.receive(1, 5, occurred_at=timezone.now() - timedelta(days=3))
        worth.carry(2)
        worth.carry(1, back=True)  # the oldest comes back
        worth.receive(1, 7, occurred_at=timezone.now() - timedelta(days=20))
        assert [value for _, value in worth.open_layers()] == [7, 1]
        assert worth.cost(worth.issue(2)) == 8


def test_goods_found_cost_what_such_goods_cost_now(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        worth.goods.adjust(change="1")  # nothing is known: standard cost
        worth.receive(1, 4)
        worth.goods.adjust(change="1")
        assert [value for _, value in worth.open_layers()] == list(D("2.5", "4", "4"))
        assert worth.cost(worth.goods.adjust(change="-2").moves[0]) == D("6.5")


@pytest.mark.parametrize(("method", "sold_at"), [("fifo", 2), ("average", 2), ("standard", D("2.5"))])
def test_what_was_sold_before_it_came_gets_its_right_cost_then(method: str, sold_at: Any, acme: Company) -> None:
    with acme.scope():
        worth = Worth.create(method, negative=True)
        worth.receive(1, 2)
        move = worth.issue(4)
        assert (worth.cost(move), worth.value()) == (4 * sold_at, -3 * sold_at)
        worth.receive(2, 5)
        worth.receive(3, 5)
        right = 5 if method != "standard" else D("2.5")
        assert worth.value() == 2 * right
        shown = ValueEntry.objects.filter(kind="revaluation").values_list("value", flat=True)
        assert sum(shown) == {"standard": D("0.5") - D("12.5")}.get(method, -9)  # three were sold at 2 that cost 5
        assert_invariants()


def test_a_cost_below_zero_is_refused(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        with pytest.raises(Invalid, match="below zero"), transaction.atomic():
            worth.receive(1, -1)
        assert not StockMove.objects.exists()


def test_the_largest_quantity_at_the_largest_cost(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create("average")
        most = "9999999999999.999999"
        worth.receive(most, most)
        assert worth.value() == D("99999999999999999980000000.000000")
        worth.issue(most)
        assert worth.value() == 0


# --- Reversals --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["fifo", "average", "standard"])
@pytest.mark.parametrize("do", [
    lambda worth: worth.issue("3.5"), lambda worth: worth.receive(4, 9), lambda worth: worth.carry(3),
    lambda worth: worth.goods.adjust(change="-2").moves[0],
], ids=["issue", "receipt", "transfer", "adjustment"])
def test_a_reversal_gives_back_exactly_what_was_taken(do: Callable[[Worth], Any], method: str, acme: Company) -> None:
    with acme.scope():
        worth = Worth.create(method)
        worth.receive(3, "1.1")
        worth.receive(3, "2.3")
        before = {warehouse: worth.open_layers(warehouse) for warehouse in (worth.main, worth.branch)}
        take_back(do(worth))
        assert {warehouse: worth.open_layers(warehouse) for warehouse in (worth.main, worth.branch)} == before
        assert_invariants()


def test_a_receipt_that_covered_what_was_short_is_taken_back(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create(negative=True)
        worth.issue(3)
        before = worth.value()
        move = worth.receive(5, 4)
        take_back(move)
        assert worth.value() == before == D("-7.5")
        assert_invariants()


def test_a_receipt_whose_goods_are_gone_takes_others(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        move = worth.receive(4, 1)
        worth.receive(4, 3)
        worth.issue(3)
        assert worth.cost(take_back(move)) == 1 + 3 * 3
        assert worth.value() == 3
        assert_invariants()


# --- Standard cost, and changing the method -----------------------------------------------------------------
def test_a_changed_standard_cost_revalues_the_stock_whatever_changes_it(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create("standard")
        worth.receive(4, "2.5")
        worth.carry(1)
    url = f"/api/v1/product-variants/{worth.bolt.pk}/"
    assert acme.api.send("patch", url, {"standard_cost": "3"}).status_code == 200
    with acme.scope():
        assert (worth.value(), worth.value(worth.branch)) == (12, 3)
        assert {entry.note for entry in ValueEntry.objects.exclude(note="")} == {"Standard cost: 2.5 before, 3 now"}
        assert set(ValueEntry.objects.exclude(note="").values_list("actor_id", flat=True)) == {acme.user.pk}
        ProductVariant.objects.update(standard_cost=1)
        assert worth.value() == 4
        assert_invariants()


def test_a_changed_standard_cost_changes_nothing_where_goods_cost_what_was_paid(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create("fifo")
        worth.receive(4, 2)
        ProductVariant.objects.update(standard_cost=9)
        assert worth.value() == 8


@pytest.mark.parametrize(("first", "then", "value", "cost"), [
    ("fifo", "average", 9, 3), ("fifo", "standard", "7.5", "2.5"), ("average", "fifo", 9, 3),
    ("average", "standard", "7.5", "2.5"), ("standard", "fifo", "7.5", "2.5"), ("standard", "average", "7.5", "2.5"),
    ("fifo", "fifo", 9, 2),
])
def test_changing_the_method_says_what_it_revalues(
    first: str, then: str, value: Any, cost: Any, acme: Company,
) -> None:  # fmt: skip
    with acme.scope():
        worth = Worth.create(first)
        worth.receive(1, 2)
        worth.receive(2, "3.5")
        paid = worth.value()
        costing_method_change(method=then)
        assert worth.value() == D(value)
        shown = ValueEntry.objects.filter(kind="revaluation", move=None).values_list("value", flat=True)
        assert sum(shown) == D(value) - paid
        assert worth.cost(worth.issue(1)) == D(cost)
        assert Organization.objects.get().costing_method == then
        trail = AuditEntry.objects.filter(table_name="accounts_organization", changes__costing_method=[first, then])
        assert trail.exists() == (first != then)
        assert_invariants()


def test_goods_go_on_after_each_change_of_method(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create("fifo")
        moves = []
        for method in ("average", "fifo", "standard", "fifo", "average"):
            worth.receive(3, 4)
            moves.append(worth.issue(2))
            costing_method_change(method=method)
            assert_invariants()
        for move in moves:
            take_back(move)
            assert_invariants()
        worth.issue(15)
        assert worth.value() == 0


# --- Kits, and installations that had moves before -----------------------------------------------------------
def written(worth: Worth, kind: str, quantity: Any, variant: Any = None, **values: Any) -> StockMove:
    """A move and its balance, as the posting service writes them, without a value."""
    move: StockMove = StockMove.objects.create(
        kind=kind, variant=variant or worth.bolt, quantity=D(quantity), occurred_at=timezone.now(), **values,
    )
    for location, change in ((move.from_location, -move.quantity), (move.to_location, move.quantity)):
        if location:
            item, _ = StockItem.objects.get_or_create(variant=move.variant, location=location, warehouse=location.warehouse)
            item.quantity += change
            item.save()
    return move


def test_a_kit_costs_what_its_components_cost(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        kit, case = ProductVariantFactory.create_batch(2, product=worth.bolt.product)
        worth.receive(10, "1.1")
        worth.receive(3, "2", variant=worth.goods.nut)
        shelf, document = worth.goods.shelf, {"document_type": "stock_assembly", "document_id": uuid4()}
        moves = [
            written(worth, "assembly", 7, from_location=shelf, **document),
            written(worth, "assembly", 3, worth.goods.nut, from_location=shelf, **document),
            written(worth, "assembly", 2, kit, to_location=shelf, **document),
            written(worth, "assembly", 1, case, to_location=shelf, **document),
        ]
        moves_value(moves=[move.pk for move in moves])
        assert tuple(worth.cost(move.pk) for move in moves) == D("7.7", "6", "-9.133333", "-4.566667")
        for move in reversed(moves):
            take_back(move.pk)
        assert worth.value() == 17
        assert_invariants()


def test_what_a_kit_is_taken_apart_into_costs_in_proportion_to_what_it_cost_before(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        kit, nut, shelf = ProductVariantFactory.create(product=worth.bolt.product), worth.goods.nut, worth.goods.shelf.pk
        ProductVariant.objects.update(standard_cost=0)
        worth.receive(2, "1")
        worth.receive(1, "10", variant=nut)
        parts = [Line(worth.bolt.pk, D(2), from_location_id=shelf), Line(nut.pk, D(1), from_location_id=shelf)]
        stock_assemble(components=parts, kits=[Line(kit.pk, D(1), to_location_id=shelf)])
        apart = stock_disassemble(
            kits=[Line(kit.pk, D(1), from_location_id=shelf)],
            components=[replace(part, from_location_id=None, to_location_id=shelf) for part in parts],
        )  # fmt: skip
        assert sorted(worth.cost(move) for move in apart.moves) == [-10, -2, 12], "not four for each piece"
        assert_invariants()


@pytest.mark.parametrize(("method", "main", "branch"), [("fifo", 6, 5), ("average", "4.5", 6), ("standard", "7.5", 10)])
def test_old_moves_get_the_values_that_they_would_have_had(method: str, main: Any, branch: Any, acme: Company) -> None:
    with acme.scope():
        worth = Worth.create(method)
        shelf, other = worth.goods.shelf, worth.branch_shelf
        written(worth, "receipt", 4, to_location=shelf, unit_cost=D(1))
        written(worth, "receipt", 4, to_location=shelf, unit_cost=D(2))
        written(worth, "move", 5, from_location=shelf, to_location=other)
        written(worth, "issue", 1, from_location=other)
        found = {invariant.name for invariant, rows in broken() if rows}
        assert found == {"goods in stock = goods in cost layers (if not: manage.py build_cost_layers)"}
        after: int | None = 0
        valued = []
        while after is not None:
            after, count = cost_layers_build(after=after)
            valued.append(count)
        assert valued == [4, 0]
        assert (worth.value(worth.main), worth.value(worth.branch)) == D(main, branch)
        assert set(ValueEntry.objects.values_list("created_at")) == set(StockMove.objects.values_list("created_at"))
        assert cost_layers_build()[1] == 0, "a second run finds nothing to do"
        assert_invariants()


def test_a_ledger_stays_as_it_was_written(acme: Company) -> None:
    with acme.scope():
        Worth.create().receive(1, 1)
        with pytest.raises(DatabaseError), transaction.atomic():
            ValueEntry.objects.update(value=0)


def test_short_goods_are_refused_before_anything_is_valued(acme: Company) -> None:
    with acme.scope():
        worth = Worth.create()
        worth.receive(1, 1)
        with pytest.raises(Conflict), transaction.atomic():
            worth.issue(2)
        assert worth.value() == 1
