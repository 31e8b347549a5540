"""Whatever is done with a stock, in whatever order, its invariants hold. STOCK_MACHINE_EXAMPLES=100 looks harder."""

import os
from typing import Any, ClassVar

from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from inventory.models import StockMove
from inventory.services.reversal import stock_reverse
from tests.companies import Company
from tests.inventory.goods import Goods
from tests.inventory.test_posting import assert_invariants
from tests.inventory.test_reversal import state
from tests.inventory.trading import VERBS, Trader

EXAMPLES = int(os.environ.get("STOCK_MACHINE_EXAMPLES", "5"))


class Stock(RuleBasedStateMachine):
    """The stock of a company, in a transaction that is undone."""

    company: ClassVar[Company]

    def __init__(self) -> None:
        super().__init__()
        self.undone, self.scope = transaction.atomic(), self.company.scope()
        self.undone.__enter__()
        self.scope.__enter__()
        self.goods = Goods.create()
        self.variants = [self.goods.bolt, self.goods.nut, self.goods.tracked(), self.goods.tracked("serial", "PUMP")]
        for variant in self.variants:
            self.goods.rule(variant=variant)

    def trader(self, data: Any) -> Trader:
        return Trader(self.goods, self.variants, lambda found: data.draw(st.sampled_from(found)))

    @rule(data=st.data())
    def begin(self, data: Any) -> None:
        for _ in range(3):
            self.trader(data).act("receive")

    @rule(data=st.data(), verbs=st.lists(st.sampled_from(VERBS), min_size=3, max_size=8))
    def trade(self, data: Any, verbs: list[str]) -> None:
        for verb in verbs:
            self.trader(data).act(verb)
        assert_invariants()

    @rule(data=st.data(), verb=st.sampled_from(["receive", "issue", "move", "count", "assemble"]))
    def undo(self, data: Any, verb: str) -> None:
        before, moves = state(), moves_now()
        if self.trader(data).act(verb) == "" and (new := moves_now() - moves):
            stock_reverse(moves=list(new))
            assert state() == before

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.scope.__exit__(None, None, None)
        self.undone.__exit__(None, None, None)


def moves_now() -> set[Any]:
    return set(StockMove.objects.values_list("pk", flat=True))


def test_the_invariants_hold(acme: Company) -> None:
    Stock.company = acme
    run_state_machine_as_test(Stock, settings=settings(max_examples=EXAMPLES, stateful_step_count=6, deadline=None))
