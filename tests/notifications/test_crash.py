"""Writers and workers are killed at random while they work: what was committed is told, and nothing else is.

A small run is part of the tests. The large one, of which bench/README.md tells:
CRASH_TEST_WRITES=20000 CRASH_TEST_KILLS=200 CRASH_TEST_PATIENCE=1800 make test ARGS=tests/notifications/test_crash.py
"""

import multiprocessing
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from random import Random
from typing import Any

import pytest
from django.db import connection, connections

from inventory.models import Product
from notifications.models import EventDelivery, OutboxEvent
from tests.companies import Company
from tests.factories.inventory import ProductFactory
from tests.factories.notifications import EventSubscriptionFactory, WebhookEndpointFactory
from tests.notifications.processes import WorkerProcess, eventually
from tests.notifications.receiver import Receiver, receiver

pytestmark = pytest.mark.once

WRITES = int(os.environ.get("CRASH_TEST_WRITES", "400"))
KILLS = int(os.environ.get("CRASH_TEST_KILLS", "12"))
PATIENCE = float(os.environ.get("CRASH_TEST_PATIENCE", "180"))
PRODUCTS, WRITERS, WORKERS = 20, 2, 2
LEASE = {"DELIVERY_LEASE_SECONDS": "5"}  # what a killed worker was sending is sent again after so many

WRITE = """
    UPDATE inventory_product SET description = (COALESCE(NULLIF(description, ''), '0')::int + 1)::text, hs_code = %s
    WHERE organization_id = %s AND id = %s
"""
DONE = """
    SELECT COALESCE(sum(NULLIF(description, '')::int), 0) FROM inventory_product WHERE organization_id = %s AND name ^@ 'Crash '
"""


class GaveUp(Exception):
    """The business transaction is rolled back after its event was written."""


def write_for_ever(company: Company, products: list[Any], seed: int) -> None:
    """Each committed write counts a product up by one; one in eight is rolled back."""
    chance = Random(seed)
    while True:
        gives_up = chance.random() < 1 / 8
        try:
            with company.scope(), connection.cursor() as cursor:
                cursor.execute(WRITE, ["never" if gives_up else "", company.organization.pk, chance.choice(products)])
                if gives_up:
                    raise GaveUp
        except GaveUp:
            continue


class Staff:
    """Writers and workers; who is killed is replaced at once."""

    def __init__(self, company: Company, products: list[Any]) -> None:
        self.company, self.products, self.seeds = company, products, count(1)
        self.writers = [self._writer() for _ in range(WRITERS)]
        self.workers = [self._worker() for _ in range(WORKERS)]

    def _writer(self) -> Any:
        connections.close_all()
        started = multiprocessing.get_context("fork").Process(
            target=write_for_ever, args=(self.company, self.products, next(self.seeds)), daemon=True,
        )
        started.start()
        return started

    def _worker(self) -> WorkerProcess:
        return WorkerProcess(**LEASE)

    def kill_one(self, chance: Random) -> None:
        """kill -9, wherever it is at the moment."""
        number = chance.randrange(WRITERS + WORKERS)
        if number < WRITERS:
            self.writers[number].kill()
            self.writers[number].join()
            self.writers[number] = self._writer()
        else:
            worker = self.workers[number - WRITERS]
            worker.process.kill()
            worker.wait()
            self.workers[number - WRITERS] = self._worker()

    def send_writers_home(self) -> None:
        for writer in self.writers:
            writer.kill()
            writer.join()
        self.writers = []

    def close(self) -> None:
        self.send_writers_home()
        for worker in self.workers:
            worker.process.kill()
            worker.wait()


@contextmanager
def staff(company: Company, products: list[Any]) -> Iterator[Staff]:
    hired = Staff(company, products)
    try:
        yield hired
    finally:
        hired.close()


def written(company: Company) -> int:
    with company.scope(), connection.cursor() as cursor:
        cursor.execute(DONE, [company.organization.pk])
        return int(cursor.fetchone()[0])


@pytest.fixture
def partner() -> Iterator[Receiver]:
    with receiver() as listening:
        yield listening


def await_writes(company: Company, many: int) -> None:
    eventually(lambda: written(company) >= many, PATIENCE)


def test_nothing_is_lost_and_nothing_else_is_told(new_company: Callable[[], Company], partner: Receiver) -> None:
    company, chance = new_company(), Random(20_000)
    with company.scope():
        products = [row.pk for row in ProductFactory.create_batch(PRODUCTS)]
        for number, pk in enumerate(products):
            Product.objects.filter(pk=pk).update(name=f"Crash {number}")
        pattern = {"type": ["product.updated"], "payload": {"changed": ["description"]}}
        EventSubscriptionFactory(pattern=pattern, endpoint=WebhookEndpointFactory(url=partner.url))

    with staff(company, products) as everybody:
        for number in range(1, KILLS + 1):
            await_writes(company, WRITES * number // (KILLS + 1))
            everybody.kill_one(chance)
        await_writes(company, WRITES)
        everybody.send_writers_home()
        total = written(company)
        eventually(lambda: len(partner.messages) >= total and nothing_is_open(company), PATIENCE)

    told = [request.json for request in partner.messages]
    assert len(told) == total
    assert {event["payload"]["object"]["hs_code"] for event in told} == {""}, "what was rolled back was told"
    by_product = defaultdict(list)
    for event in told:
        by_product[event["aggregate_id"]].append(int(event["payload"]["object"]["description"]))
    with company.scope():
        rows = Product.objects.filter(pk__in=products).values_list("pk", "description")
        counts = {str(pk): int(count or 0) for pk, count in rows}
        positions = list(OutboxEvent.objects.order_by("position").values_list("position", flat=True))
    assert {pk: len(numbers) for pk, numbers in by_product.items()} == {pk: count for pk, count in counts.items() if count}
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in by_product.values()), "told out of order"
    assert positions == list(range(1, len(positions) + 1)), "the feed has a hole"


def nothing_is_open(company: Company) -> bool:
    with company.scope():
        waiting = OutboxEvent.objects.filter(relayed_at=None).exists()
        return not waiting and not EventDelivery.objects.filter(status__in=EventDelivery.UNFINISHED).exists()
