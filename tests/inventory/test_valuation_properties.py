"""Whatever is posted, in whatever order and at the same time, values are those of a slow oracle, and the invariants hold."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.invariants import broken
from inventory.services.posting import Line
from inventory.services.stock import stock_move, stock_receive
from tests.companies import Company
from tests.factories.inventory import ProductVariantFactory
from tests.inventory.test_posting import assert_invariants
from tests.inventory.test_races import at_once
from tests.inventory.worth import Worth, take_back

QUANTITIES = st.decimals(min_value="0.001", max_value=50, places=3)
COSTS = st.none() | st.decimals(min_value=0, max_value=100, places=4)
STEPS = st.lists(st.one_of(
    st.tuples(st.just("receive"), QUANTITIES, COSTS), st.tuples(st.just("issue"), QUANTITIES, st.booleans()),
    st.tuples(st.just("carry"), QUANTITIES, st.booleans()), st.tuples(st.just("back"), st.integers(0, 30), st.none()),
), max_size=14)  # fmt: skip

MILLIONTH = Fraction(1, 10**6)


class Oracle:
    """The same in plain Python, slowly, with fractions that are never rounded: lots of [quantity, cost] in two warehouses."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.lots: dict[bool, list[list[Fraction]]] = {True: [], False: []}
        self.last: dict[bool, Fraction | None] = {True: None, False: None}
        self.basis: dict[bool, Fraction] = {}  # of how many pieces the average is, or was when the last ones left

    def put(self, branch: bool, lots: list[list[Fraction]]) -> None:
        self.lots[branch] += [list(lot) for lot in lots]
        self.last[branch] = lots[-1][1]
        if self.method == "average":
            self.lots[branch] = [[self.quantity(branch), self.value(branch) / self.quantity(branch)]]
            self.last[branch] = self.lots[branch][0][1]
        self.basis[branch] = self.quantity(branch)

    def take(self, branch: bool, quantity: Fraction) -> list[list[Fraction]]:
        taken = []
        while quantity:
            lot = self.lots[branch][0]
            part = min(quantity, lot[0])
            taken.append([part, lot[1]])
            lot[0] -= part
            quantity -= part
            if not lot[0]:
                self.lots[branch].pop(0)
        self.basis[branch] = self.quantity(branch) or self.basis[branch]
        return taken

    def quantity(self, branch: bool) -> Fraction:
        return sum((quantity for quantity, _ in self.lots[branch]), Fraction(0))

    def value(self, branch: bool) -> Fraction:
        return sum((quantity * cost for quantity, cost in self.lots[branch]), Fraction(0))


@pytest.mark.parametrize("method", ["fifo", "average", "standard"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(steps=[("receive", Decimal("0.001"), Decimal("0.0002")), ("receive", Decimal(40), None)])
def test_values_are_those_of_a_slow_oracle(steps: list[Any], method: str, acme: Company) -> None:
    """Within a millionth for each posting: no drift. A cost that is taken over is as exact as the value that it is taken from."""
    with transaction.atomic(), acme.scope():
        worth, oracle, slack = Worth.create(method), Oracle(method), Fraction(0)
        for verb, number, option in steps:
            slack += 3 * MILLIONTH
            if verb == "back":
                continue
            quantity, branch = Fraction(number), verb == "issue" and bool(option)
            source = branch if verb == "issue" else bool(option)
            if verb == "receive":
                worth.receive(number, option)
                last = oracle.last[False]
                if option is None and last is not None:
                    slack += quantity * ((slack / oracle.basis[False] if method == "average" else 0) + MILLIONTH)
                cost = Fraction("2.5") if method == "standard" else Fraction(option) if option is not None else last
                oracle.put(False, [[quantity, Fraction("2.5") if cost is None else cost]])
            elif quantity <= oracle.quantity(source):
                taken = oracle.take(source, quantity)
                if verb == "issue":
                    worth.issue(number, branch=branch)
                else:
                    worth.carry(number, back=source)
                    oracle.put(not source, taken)
        for branch, warehouse in ((False, worth.main), (True, worth.branch)):
            assert abs(Fraction(worth.value(warehouse)) - oracle.value(branch)) <= slack
        assert_invariants()
        transaction.set_rollback(True)


@pytest.mark.parametrize("method", ["fifo", "average", "standard"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_the_invariants_hold_below_zero_and_with_reversals(steps: list[Any], method: str, acme: Company) -> None:
    with transaction.atomic(), acme.scope():
        worth = Worth.create(method, negative=True)
        moves: list[Any] = []
        for verb, number, option in steps:
            if verb == "receive":
                moves.append(worth.receive(number, option))
            elif verb == "issue":
                moves.append(worth.issue(number, branch=option))
            elif verb == "carry":
                moves.append(worth.carry(number, back=option))
            elif moves:
                take_back(moves.pop(number % len(moves)))
        worth.value()
        assert_invariants()
        transaction.set_rollback(True)


@pytest.mark.parametrize("method", ["fifo", "average"])
def test_processes_that_take_the_same_goods(method: str, new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        worth = Worth.create(method)
        variants = [worth.bolt, *ProductVariantFactory.create_batch(3, product=worth.bolt.product)]
        for variant in variants:
            for cost in (1, 2, 3):
                worth.receive(100, cost, variant=variant)

    def trade(number: int) -> str:
        order = variants[number % 4 :] + variants[: number % 4]
        for turn in range(6):
            with company.scope():
                if (number + turn) % 3:
                    lines = [Line(variant.pk, Decimal(7), worth.goods.shelf.pk, worth.branch_shelf.pk) for variant in order]
                    stock_move(lines=lines)
                else:
                    shelf = worth.goods.shelf.pk
                    stock_receive(lines=[Line(one.pk, Decimal(3), None, shelf, unit_cost=Decimal(turn)) for one in order])
        return "done"

    assert at_once(6, trade) == ["done"] * 6
    with company.scope():
        assert [rows for _, rows in broken() if rows] == []
        worth.value()
