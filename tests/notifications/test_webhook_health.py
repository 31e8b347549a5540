"""When an endpoint is tried: its circuit, and its rate."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from notifications.models import WebhookHealth
from notifications.queries.webhooks import line_to
from notifications.services.webhook_health import health_admit, health_failed
from notifications.services.webhooks import NewSecret
from tests.companies import Company
from tests.notifications.receiver import Receiver, Reply
from tests.notifications.webhook_kit import deliver, endpoint, health, rewind

# --- The circuit ------------------------------------------------------------------------------------------


@pytest.fixture
def circuit(settings: Any) -> None:
    settings.WEBHOOK_CIRCUIT_FAILURES, settings.WEBHOOK_CIRCUIT_SECONDS = 3, 60


def test_the_circuit_opens_and_a_probe_closes_it(acme: Company, listener: Receiver, circuit: None) -> None:
    made = endpoint(acme, listener.url)
    listener.reply(500, 500, 500)
    assert [deliver(acme, made).status for _ in range(4)] == ["retry", "retry", "retry", "postponed"]
    assert len(listener.received) == 3
    waits = deliver(acme, made)
    assert waits.status == "postponed" and waits.retry_after and 30 < waits.retry_after < 67
    rewind(acme, made, closed_until=timedelta(seconds=61))
    assert deliver(acme, made).status == "delivered"
    noted = health(acme, made)
    assert (noted.failures, noted.failing_since, noted.closed_until) == (0, None, None)


def test_while_one_probes_the_others_wait(acme: Company, listener: Receiver, circuit: None) -> None:
    made = endpoint(acme, listener.url)
    listener.reply(500, 500, 500)
    for _ in range(3):
        deliver(acme, made)
    rewind(acme, made, closed_until=timedelta(seconds=61))
    with acme.scope():
        probe, late = line_to(made.row.pk), line_to(made.row.pk)
        assert probe and late and probe.state == "probing"
        assert health_admit(line=probe)[0] == 0
        assert health_admit(line=late)[0] > 0
    assert deliver(acme, made).status == "postponed" and len(listener.received) == 3


def test_a_probe_that_fails_opens_it_for_twice_as_long(acme: Company, listener: Receiver, circuit: None) -> None:
    made = endpoint(acme, listener.url)
    listener.answer = lambda request: Reply(500)
    for _ in range(3):
        deliver(acme, made)
    for expected in (120, 240, 480):
        rewind(acme, made, closed_until=timedelta(hours=2))
        assert deliver(acme, made).status == "retry"
        left = (health(acme, made).closed_until - datetime.now(UTC)).total_seconds()
        assert expected - 30 < left <= expected + 1
    with acme.scope():
        WebhookHealth.objects.update(failures=5000)
    rewind(acme, made, closed_until=timedelta(hours=2))
    deliver(acme, made)
    assert (health(acme, made).closed_until - datetime.now(UTC)).total_seconds() <= 3601


def test_failures_that_were_under_way_count_once(acme: Company, listener: Receiver, circuit: None) -> None:
    made = endpoint(acme, listener.url)
    with acme.scope():
        line = line_to(made.row.pk)
        assert line
        for _ in range(8):
            health_failed(line=line, retry_after=None)
    noted = health(acme, made)
    assert noted.failures == 3 and (noted.closed_until - datetime.now(UTC)).total_seconds() <= 60


# --- The rate ---------------------------------------------------------------------------------------------


def test_the_rate_hands_out_slots(acme: Company, listener: Receiver) -> None:
    """Who comes too early is told when to come, each another time."""
    made = endpoint(acme, listener.url, max_per_second=1)
    first = deliver(acme, made)
    assert first.status == "delivered"
    with acme.scope():
        WebhookHealth.objects.update(next_slot_at=timezone.now() + timedelta(seconds=60))
    waits = [deliver(acme, made) for _ in range(4)]
    assert [one.status for one in waits] == ["postponed"] * 4 and len(listener.received) == 1
    noted = health(acme, made)
    assert noted.promised_until - noted.next_slot_at == timedelta(seconds=3)
    rewind(acme, made, next_slot_at=timedelta(seconds=70), promised_until=timedelta(seconds=70))
    assert deliver(acme, made).status == "delivered"


def test_without_a_rate_nothing_is_noted(acme: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    assert [deliver(acme, made).status for _ in range(5)] == ["delivered"] * 5
    with acme.scope():
        assert not WebhookHealth.objects.exists()


# --- Many at once -----------------------------------------------------------------------------------------


def admitted(company: Company, made: NewSecret, together: int = 8) -> list[float]:
    """The waits of deliveries that ask at the same moment, each by a connection of its own."""
    begin = Barrier(together)

    def ask(_: int) -> float:
        try:
            with company.scope():
                line = line_to(made.row.pk)
                assert line
                begin.wait(60)
                return health_admit(line=line)[0]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(together) as threads:
        return sorted(threads.map(ask, range(together)))


def test_of_many_at_once_one_is_the_probe(new_company: Callable[[], Company], listener: Receiver, circuit: None) -> None:
    company = new_company()
    made = endpoint(company, listener.url)
    listener.reply(500, 500, 500)
    for _ in range(3):
        deliver(company, made)
    rewind(company, made, closed_until=timedelta(seconds=61))
    waits = admitted(company, made)
    assert waits.count(0) == 1 and all(waits[1:])


def test_of_many_at_once_each_has_another_slot(new_company: Callable[[], Company], listener: Receiver) -> None:
    company = new_company()
    made = endpoint(company, listener.url, max_per_second=1)
    with company.scope():  # so that the first of them is not two of them, were the machine slow
        WebhookHealth.objects.create(endpoint=made.row, next_slot_at=timezone.now() + timedelta(seconds=600))
    waits = admitted(company, made)
    assert all(waits)
    noted = health(company, made)
    assert noted.promised_until - noted.next_slot_at == timedelta(seconds=7)
