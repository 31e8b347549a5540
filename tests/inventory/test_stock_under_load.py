"""Many processes on a few goods, some of them killed: nothing is oversold, nothing is lost, nobody deadlocks.

Sixteen for two minutes:
STOCK_LOAD_SECONDS=120 STOCK_LOAD_PROCESSES=16 STOCK_LOAD_SKUS=50 make test ARGS=tests/inventory/test_stock_under_load.py
"""

import os
from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from core.invariants import broken
from inventory.models import StockItem, StockMove
from inventory.services.reservations import reservations_expire_everywhere
from tests.companies import Company
from tests.inventory.goods import Goods
from tests.inventory.trading import VERBS, Trader
from tests.under_load import Load, Told

HOT = int(os.environ.get("STOCK_LOAD_SKUS", "6"))
LOAD = Load(
    seconds=float(os.environ.get("STOCK_LOAD_SECONDS", "4")),
    processes=int(os.environ.get("STOCK_LOAD_PROCESSES", "8")),
    killed_each=float(os.environ.get("STOCK_LOAD_KILL_EACH", "0.8")),
    seed=int(os.environ.get("STOCK_LOAD_SEED", "5")),
)


def trade(company: Company, goods: Goods, variants: list[Any], seed: int, told: Told) -> None:
    """Receives the most, so that there is something to fight for."""
    chance = Random(seed)
    while True:
        verb = chance.choice(("receive", "reserve", "reserve", "pick", *VERBS))
        try:
            with company.scope():
                refused = Trader(goods, variants, chance.choice).act(verb)
        except Exception as fault:
            told.put(("fault", f"{verb}: {type(fault).__name__}"))
            raise
        told.put(("refused", refused) if refused else ("done", verb))


def enough(counted: Counter[Any]) -> bool:
    return {("done", verb) for verb in ("receive", "reserve", "pick", "issue", "move")} <= counted.keys()


def test_whoever_trades_and_dies_the_stock_is_whole(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        plain = [goods.tracked("none", f"PLAIN-{number}") for number in range(HOT - 2)]
        variants = [*plain, goods.tracked("lot", "MILK"), goods.tracked("serial", "PUMP")]
        for variant in variants:
            goods.rule(variant=variant)
        for variant in plain:
            goods.receive(20, variant=variant)
    LOAD.put_on(partial(trade, company, goods, variants), enough=enough, meanwhile=reservations_expire_everywhere)
    with company.scope():
        assert {invariant.name: rows for invariant, rows in broken() if rows} == {}
        assert not StockItem.objects.filter(quantity__lt=0).exists()
        assert StockMove.objects.count() > LOAD.processes
