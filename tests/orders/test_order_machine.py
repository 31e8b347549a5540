"""Whatever becomes of orders, in whatever order, goods and money add up. ORDER_MACHINE_EXAMPLES=100 looks harder."""

import os
from typing import Any, ClassVar

from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.companies import Company
from tests.orders.books import assert_books
from tests.orders.selling import Shop
from tests.orders.trading import VERBS, Clerk, goods_to_sell

BETWEEN = ("change", "pay", "invoice", "credit", "split", "give_back")
BACK = ("ask_back", *["take_back"] * 4)
EXAMPLES = int(os.environ.get("ORDER_MACHINE_EXAMPLES", "2"))


class Orders(RuleBasedStateMachine):
    """Those of a company, in a transaction that is undone."""

    company: ClassVar[Company]

    def __init__(self) -> None:
        super().__init__()
        self.undone, self.scope = transaction.atomic(), self.company.scope()
        self.undone.__enter__()
        self.scope.__enter__()
        self.shop = Shop.create()
        self.variants = goods_to_sell(self.shop, 5)

    def clerk(self, data: Any) -> Clerk:
        return Clerk(self.shop, self.variants, lambda found: data.draw(st.sampled_from(found)))

    @rule(data=st.data(), verbs=st.lists(st.sampled_from(VERBS), max_size=4))
    def sell(self, data: Any, verbs: list[str]) -> None:
        for verb in ("place", *verbs):
            self.clerk(data).act(verb)
        assert_books()

    @rule(data=st.data(), verbs=st.lists(st.sampled_from(BETWEEN), max_size=3))
    def send(self, data: Any, verbs: list[str]) -> None:
        """To the customer, and some of it back."""
        for verb in ("place", "pack", *verbs, "ship", "invoice", *BACK):
            self.clerk(data).act(verb)
        assert_books()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.scope.__exit__(None, None, None)
        self.undone.__exit__(None, None, None)


def test_goods_and_money_add_up(acme: Company) -> None:
    Orders.company = acme
    run_state_machine_as_test(Orders, settings=settings(max_examples=EXAMPLES, stateful_step_count=4, deadline=None))
