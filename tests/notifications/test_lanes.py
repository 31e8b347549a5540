"""Relays and deliverers that are killed at random: no lane is left blocked, nothing is lost, all is in order."""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection

from core.invariants import broken
from notifications.deliveries import deliver_due
from notifications.models import EventDelivery, EventSubscription, OutboxEvent
from notifications.services.events import publish
from notifications.services.relaying import events_relay
from notifications.services.replaying import delivery_replay
from tests.companies import Company
from tests.factories.notifications import EventSubscriptionFactory, WebhookEndpointFactory
from tests.notifications.forks import end_deliverers, ended, forks
from tests.notifications.playground.events import ThingHappened
from tests.notifications.test_delivering import expire_leases, hurry
from tests.notifications.test_relaying import relay_all, untold

KILLS, WRITERS, WRITES, AGGREGATES, SUBSCRIPTIONS = 40, 2, 100, 5, 2


@pytest.fixture
def received(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "received"
    monkeypatch.setenv("PLAYGROUND_RECEIVED", str(path))
    settings.DELIVERY_SENDERS = {**settings.DELIVERY_SENDERS, "webhook": "tests.notifications.playground.senders.write_a_line"}
    settings.DELIVERY_RETRY_SECONDS = [0]
    yield path
    end_deliverers()


def write(company: Company, aggregates: list[UUID], seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(WRITES):
        aggregate = chance.choice(aggregates)
        with company.scope(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(aggregate)])  # as a row's lock
            n = OutboxEvent.objects.filter(aggregate_id=aggregate).count() + 1
            publish(ThingHappened(n=n), aggregate_id=aggregate)


def work() -> None:
    """One of the workers, for ever."""
    while True:
        events_relay([])
        deliver_due(Event(), 20)


def replay(company: Company) -> None:
    """Somebody who replays what was delivered, all the while."""
    for _ in range(30):
        with company.scope():
            if row := EventDelivery.objects.filter(status="delivered", replay_no=0).order_by("?").first():
                delivery_replay(delivery_id=row.pk)


def unfinished(company: Company) -> int:
    with company.scope():
        return int(EventDelivery.objects.filter(status__in=EventDelivery.UNFINISHED).count())


@pytest.mark.once
def test_workers_that_are_killed_lose_nothing_and_block_nobody(new_company: Callable[[], Company], received: Path) -> None:
    company = untold(new_company())
    relay_all()
    aggregates = [uuid4() for _ in range(AGGREGATES)]
    with company.scope():
        for _ in range(SUBSCRIPTIONS):
            EventSubscriptionFactory(endpoint=WebhookEndpointFactory(max_attempts=30))
    with forks() as fork:
        writers = [fork(write, company, aggregates, seed) for seed in range(WRITERS)]
        workers = [fork(work) for _ in range(3)]
        replays = fork(replay, company)
        for number in range(KILLS):
            time.sleep(random.uniform(0, 0.15))  # when a kill comes is chance
            victim = number % len(workers)
            workers[victim].kill()
            expire_leases()  # those of the living too: they are taken for dead
            workers[victim] = fork(work)
        ended([*writers, replays])
    for _ in range(200):
        relay_all()
        expire_leases()
        hurry()
        deliver_due(Event(), 1000)
        if not unfinished(company):
            break
    assert_all_delivered_in_order(company, received)


def assert_all_delivered_in_order(company: Company, received: Path) -> None:
    first_seen: dict[tuple[str, str], list[int]] = defaultdict(list)
    for line in received.read_text().splitlines():
        subscription, aggregate, n = line.split()
        if int(n) not in (lane := first_seen[subscription, aggregate]):
            lane.append(int(n))
    with company.scope():
        assert set(EventDelivery.objects.values_list("status", "is_blocked")) == {("delivered", False)}
        assert OutboxEvent.objects.filter(relayed_at=None).count() == 0
        subscriptions = [str(pk) for pk in EventSubscription.objects.values_list("pk", flat=True)]
        aggregates = {str(pk) for pk in OutboxEvent.objects.values_list("aggregate_id", flat=True)}
        for subscription in subscriptions:
            for aggregate in aggregates:
                told = OutboxEvent.objects.filter(aggregate_id=aggregate).count()
                assert first_seen[subscription, aggregate] == list(range(1, told + 1))
        assert not [rows for invariant, rows in broken() if rows]
    # The workers serve all organizations: what another test has left is delivered as well, and is none of ours.
    ours = [seen for (subscription, _), seen in first_seen.items() if subscription in subscriptions]
    assert sum(map(len, ours)) == WRITERS * WRITES * SUBSCRIPTIONS
