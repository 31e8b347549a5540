"""Many processes sell, send, bill and take back the same few goods, and some are killed: nothing is oversold, the money adds up.

Sixteen for two minutes:
ORDER_LOAD_SECONDS=120 ORDER_LOAD_PROCESSES=16 ORDER_LOAD_SKUS=30 make test ARGS=tests/orders/test_orders_under_load.py
"""

import os
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue
from random import Random
from typing import Any

from orders.models import SalesOrder
from orders.services.backorders import backorders_fill_everywhere
from tests.companies import Company
from tests.notifications.forks import FORK, PATIENCE, forks
from tests.orders.books import assert_books
from tests.orders.selling import Shop
from tests.orders.trading import VERBS, Clerk, goods_to_sell

SECONDS = float(os.environ.get("ORDER_LOAD_SECONDS", "8"))
PROCESSES = int(os.environ.get("ORDER_LOAD_PROCESSES", "5"))
HOT = int(os.environ.get("ORDER_LOAD_SKUS", "6"))
KILLED_EACH = float(os.environ.get("ORDER_LOAD_KILL_EACH", "1.2"))  # seconds
SEED = int(os.environ.get("ORDER_LOAD_SEED", "6"))
NEEDED = {"place", "change", "cancel", "split", "pack", "ship", "deliver", "pay", "invoice", "ask_back", "take_back"}
STEPS_BACK = 5  # from the wish to the money


def sell(company: Company, shop: Shop, variants: list[Any], seed: int, told: "SimpleQueue[Any]") -> None:
    chance = Random(seed)
    while True:
        verb = chance.choice(VERBS)
        try:
            with company.scope():
                refused = Clerk(shop, variants, chance.choice).act(verb)
        except Exception as fault:
            told.put(("fault", f"{verb}: {fault!r}"))
            raise
        told.put((verb, refused))


def enough(counted: Counter[Any]) -> bool:
    return {(verb, "") for verb in NEEDED} <= counted.keys() and counted["take_back", ""] >= STEPS_BACK


def test_whoever_sells_and_dies_the_books_are_right(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create()
        variants = goods_to_sell(shop, HOT)
    counted: Counter[Any] = Counter()
    chance = Random(SEED)
    with forks() as fork:
        seeds = iter(range(SEED * 1_000, SEED * 1_000_000))
        lines: dict[Any, Any] = {}

        def begin() -> None:
            told = FORK.SimpleQueue()  # of one process alone: who is killed may leave it locked
            lines[fork(sell, company, shop, variants, next(seeds), told)] = told

        for _ in range(PROCESSES):
            begin()
        until, kill_at = time.monotonic() + SECONDS, time.monotonic() + KILLED_EACH
        while time.monotonic() < until or (time.monotonic() < until + PATIENCE and not enough(counted)):
            for told in list(lines.values()):
                while not told.empty():
                    counted[told.get()] += 1
            if time.monotonic() >= kill_at:
                victim = chance.choice(list(lines))
                victim.kill()
                victim.join()
                lines.pop(victim)
                begin()
                kill_at = time.monotonic() + KILLED_EACH
            backorders_fill_everywhere()
        for process in lines:
            process.kill()
            process.join()
    assert not [what for what in counted if what[0] == "fault"], counted
    assert enough(counted), counted
    with company.scope():
        assert_books()
        assert SalesOrder.objects.count() > PROCESSES
