"""Many processes sell, send, bill and take back the same few goods, and some are killed: nothing is oversold, the money adds up.

Sixteen for two minutes:
ORDER_LOAD_SECONDS=120 ORDER_LOAD_PROCESSES=16 ORDER_LOAD_SKUS=30 make test ARGS=tests/orders/test_orders_under_load.py
"""

import os
from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from orders.models import SalesOrder
from orders.services.backorders import backorders_fill_everywhere
from tests.companies import Company
from tests.orders.books import assert_books
from tests.orders.selling import Shop
from tests.orders.trading import VERBS, Clerk, goods_to_sell
from tests.under_load import Load, Told

HOT = int(os.environ.get("ORDER_LOAD_SKUS", "6"))
LOAD = Load(
    seconds=float(os.environ.get("ORDER_LOAD_SECONDS", "8")),
    processes=int(os.environ.get("ORDER_LOAD_PROCESSES", "5")),
    killed_each=float(os.environ.get("ORDER_LOAD_KILL_EACH", "1.2")),
    seed=int(os.environ.get("ORDER_LOAD_SEED", "6")),
)
NEEDED = {"place", "change", "cancel", "split", "pack", "ship", "deliver", "pay", "invoice", "ask_back", "take_back"}
STEPS_BACK = 5  # from the wish to the money


def sell(company: Company, shop: Shop, variants: list[Any], seed: int, told: Told) -> None:
    chance = Random(seed)
    while True:
        verb = chance.choice(VERBS)
        try:
            with company.scope():
                refused = Clerk(shop, variants, chance.choice).act(verb)
        except Exception as fault:
            told.put(("fault", f"{verb}: {type(fault).__name__}"))
            raise
        told.put((verb, refused))


def enough(counted: Counter[Any]) -> bool:
    return {(verb, "") for verb in NEEDED} <= counted.keys() and counted["take_back", ""] >= STEPS_BACK


def test_whoever_sells_and_dies_the_books_are_right(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create()
        variants = goods_to_sell(shop, HOT)
    LOAD.put_on(partial(sell, company, shop, variants), enough=enough, meanwhile=backorders_fill_everywhere)
    with company.scope():
        assert_books()
        assert SalesOrder.objects.count() > LOAD.processes
