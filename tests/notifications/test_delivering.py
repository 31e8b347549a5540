"""A delivery's life: claimed on a lease, tried, recorded; and those behind it in its lane."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections, transaction
from django.utils import timezone

from notifications.deliveries import deliver_due
from notifications.models import DeliveryAttempt, NotificationDelivery, OutboxEvent, Topic
from notifications.services.delivering import (
    Claimed,
    Outcome,
    deliveries_claim,
    deliveries_record,
    deliveries_recover,
    deliveries_renew,
)
from notifications.services.relaying import events_relay
from notifications.targets import body, run_task, subject
from tests.companies import Company
from tests.factories.notifications import EventSubscriptionFactory, TopicFactory, TopicSubscriptionFactory, WebhookEndpointFactory
from tests.notifications.forks import end_deliverers
from tests.notifications.playground import handlers, senders
from tests.notifications.processes import eventually
from tests.notifications.test_relaying import deliveries_of, relay_all, told

type NewCompany = Callable[[], Company]
NOTE = f"{handlers.__name__}.note"


@pytest.fixture(autouse=True)
def stand_in(settings: Any) -> Iterator[None]:
    settings.DELIVERY_SENDERS = {**settings.DELIVERY_SENDERS, "webhook": "tests.notifications.playground.senders.answer"}
    senders.told.clear()
    senders.outcomes.clear()
    yield
    end_deliverers()


@pytest.fixture
def company(new_company: NewCompany) -> Company:
    """Alone: what others have left is done."""
    relay_all()
    with connections["worker"].cursor() as cursor:
        cursor.execute("UPDATE notifications_eventdelivery SET status = 'discarded' WHERE status NOT IN ('delivered', 'dead')")
    return new_company()


def subscribed(company: Company, **values: Any) -> None:
    with company.scope():
        EventSubscriptionFactory(**values)


def deliver() -> int:
    return deliver_due(Event(), 1000)


def hurry() -> None:
    """As if the time of every next attempt had come."""
    with connections["worker"].cursor() as cursor:
        cursor.execute("UPDATE notifications_eventdelivery SET next_attempt_at = now() WHERE status IN ('pending', 'retrying')")


def expire_leases() -> None:
    with connections["worker"].cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_eventdelivery SET leased_until = now() - interval '1 s' WHERE id = ANY (ARRAY("
            "SELECT id FROM notifications_eventdelivery WHERE status = 'in_flight' FOR NO KEY UPDATE SKIP LOCKED))"
        )


def tries(company: Company) -> list[tuple[Any, ...]]:
    with company.scope():
        rows = DeliveryAttempt.objects.order_by("delivery__seq", "number")
        return list(rows.values_list("number", "status_code", "error"))


# --- Attempts ---------------------------------------------------------------------------------------------


def test_delivers_the_envelope(company: Company) -> None:
    subscribed(company)
    event = told(company, payload={"key": "k"})
    relay_all()
    assert deliver() == 1
    assert deliver() == 0
    [claimed] = senders.told
    occurred_at = claimed.envelope.pop("occurred_at")
    with company.scope():
        row = OutboxEvent.objects.get(pk=event)
        assert occurred_at == row.occurred_at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        assert claimed.envelope == {
            "id": str(event), "type": "thing.happened", "bus": "default", "schema_version": 1, "aggregate_type": "thing",
            "aggregate_id": str(row.aggregate_id), "correlation_id": "req-0", "traceparent": "",
            "organization": str(company.organization.pk), "payload": {"key": "k"},
        }
    [delivery] = deliveries_of(company)
    assert (delivery.status, delivery.attempts, delivery.leased_until) == ("delivered", 1, None)
    assert delivery.finished_at
    assert tries(company) == [(1, 204, "")]


def test_tries_again_later_and_is_dead_in_the_end(company: Company) -> None:
    with company.scope():
        EventSubscriptionFactory(endpoint=WebhookEndpointFactory(max_attempts=3))
    told(company)
    relay_all()
    senders.outcomes[:] = [Outcome("retry", error="No answer."), OSError("gone"), Outcome("retry", error="500", status_code=500)]
    for attempt in range(1, 4):
        assert deliver() == 1
        assert deliver() == 0, "it is not due yet"
        [delivery] = deliveries_of(company)
        assert (delivery.status, delivery.attempts) == ("retrying" if attempt < 3 else "dead", attempt)
        hurry()
    assert deliver() == 0
    assert delivery.last_error == "500" and delivery.finished_at
    assert tries(company) == [(1, None, "No answer."), (2, None, "OSError: gone"), (3, 500, "500")]


def test_waits_as_long_as_it_is_told(company: Company) -> None:
    subscribed(company)
    told(company)
    relay_all()
    senders.outcomes[:] = [Outcome("retry", error="429", retry_after=7200)]
    before = timezone.now()
    deliver()
    [delivery] = deliveries_of(company)
    assert timedelta(seconds=7200) <= delivery.next_attempt_at - before


def test_the_waits_grow_to_about_a_day(settings: Any) -> None:
    waits = settings.DELIVERY_RETRY_SECONDS
    assert waits == sorted(waits) and len(waits) == 7
    assert 20 * 3600 < sum(waits) < 28 * 3600


def test_what_is_refused_for_good_is_dead_at_once(company: Company) -> None:
    subscribed(company)
    told(company)
    relay_all()
    senders.outcomes[:] = [Outcome("dead", error="410 Gone", status_code=410)]
    deliver()
    [delivery] = deliveries_of(company)
    assert (delivery.status, delivery.attempts, delivery.last_error) == ("dead", 1, "410 Gone")


def test_a_postponed_attempt_does_not_count(company: Company) -> None:
    subscribed(company)
    told(company)
    relay_all()
    senders.outcomes[:] = [Outcome("postponed", retry_after=60)]
    deliver()
    [delivery] = deliveries_of(company)
    assert (delivery.status, delivery.attempts, tries(company)) == ("pending", 0, [])
    hurry()
    deliver()
    assert [row.status for row in deliveries_of(company)] == ["delivered"]
    assert tries(company) == [(1, 204, "")]


# --- Lanes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [Outcome("delivered"), Outcome("dead", error="no")])
def test_the_next_of_a_lane_follows_when_one_has_ended(company: Company, end: Outcome) -> None:
    subscribed(company)
    aggregate = uuid4()
    for n in range(3):
        told(company, aggregate_id=aggregate, payload={"n": n})
    relay_all()
    senders.outcomes[:] = [end]
    assert deliver() == 3
    assert [claimed.envelope["payload"]["n"] for claimed in senders.told] == [0, 1, 2]


def test_a_lane_waits_for_one_that_is_tried_again_and_others_do_not(company: Company) -> None:
    subscribed(company)
    aggregate = uuid4()
    told(company, aggregate_id=aggregate, payload={"n": 0})
    told(company, aggregate_id=aggregate, payload={"n": 1})
    told(company, payload={"n": 2})
    relay_all()
    senders.outcomes[:] = [Outcome("retry", error="later")]
    assert deliver_due(Event(), 1) == 1
    assert deliver() == 1
    assert {claimed.envelope["payload"]["n"] for claimed in senders.told} == {0, 2}
    hurry()
    deliver()
    assert {row.status for row in deliveries_of(company)} == {"delivered"}


class Elsewhere:
    """Another worker, in a thread with connections of its own, in a transaction that it keeps open."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.done, self.leave = Event(), Event()
        self.pool = ThreadPoolExecutor(1)
        self.result = self.pool.submit(self._run, work)

    def _run(self, work: Callable[[], Any]) -> Any:
        try:
            with transaction.atomic("worker"):
                found = work()
                self.done.set()
                self.leave.wait(60)
            return found
        finally:
            connections.close_all()

    def commit(self) -> Any:
        self.leave.set()
        return self.result.result(60)


def somebody_waits() -> bool:
    with connections["worker"].cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        )
        return bool(cursor.fetchone()[0])


def test_what_is_relayed_while_its_predecessor_ends_is_not_blocked(company: Company) -> None:
    subscribed(company)
    aggregate = uuid4()
    told(company, aggregate_id=aggregate)
    relay_all()
    [claimed] = deliveries_claim(limit=1)
    ending = Elsewhere(lambda: deliveries_record([(claimed, Outcome("delivered"))]))
    ending.done.wait(60)
    told(company, aggregate_id=aggregate)
    relaying = Elsewhere(lambda: events_relay([]))
    eventually(somebody_waits)
    ending.commit()
    relaying.commit()
    assert [(row.status, row.is_blocked) for row in deliveries_of(company)] == [("delivered", False), ("pending", False)]


def test_what_ends_while_its_successor_is_relayed_unblocks_it(company: Company) -> None:
    subscribed(company)
    aggregate = uuid4()
    told(company, aggregate_id=aggregate)
    relay_all()
    [claimed] = deliveries_claim(limit=1)
    told(company, aggregate_id=aggregate)
    relaying = Elsewhere(lambda: events_relay([]))
    relaying.done.wait(60)
    ending = Elsewhere(lambda: deliveries_record([(claimed, Outcome("delivered"))]))
    eventually(somebody_waits)
    relaying.commit()
    ending.commit()
    assert [(row.status, row.is_blocked) for row in deliveries_of(company)] == [("delivered", False), ("pending", False)]


# --- Leases -----------------------------------------------------------------------------------------------


def claimed_one(company: Company) -> Claimed:
    subscribed(company)
    told(company)
    relay_all()
    [claimed] = deliveries_claim(limit=10)
    return claimed


def test_what_is_in_flight_is_taken_by_nobody_else(company: Company) -> None:
    claimed_one(company)
    assert deliveries_claim(limit=10) == []
    assert deliveries_recover() == 0


def test_what_a_lost_worker_had_is_delivered_by_another(company: Company) -> None:
    lost = claimed_one(company)
    expire_leases()
    assert deliver() == 1
    [delivery] = deliveries_of(company)
    assert (delivery.status, delivery.attempts) == ("delivered", 2)
    assert deliveries_record([(lost, Outcome("dead", error="too late"))]) == set()
    [delivery] = deliveries_of(company)
    assert delivery.status == "delivered"
    assert tries(company) == [(1, None, "Its worker went away."), (2, 204, "")]


def test_renewing_waits_for_nobody_who_is_about_to_end_one(company: Company) -> None:
    subscribed(company)
    told(company)
    told(company)
    relay_all()
    held, other = deliveries_claim(limit=10)
    expire_leases()
    with transaction.atomic("worker"), connections["worker"].cursor() as cursor, ThreadPoolExecutor(1) as elsewhere:
        cursor.execute("SELECT FROM notifications_eventdelivery WHERE id = %s FOR NO KEY UPDATE", [held.id])
        elsewhere.submit(renewed, [held, other]).result(timeout=20)
    with connections["worker"].cursor() as cursor:
        cursor.execute("SELECT id FROM notifications_eventdelivery WHERE leased_until > now() AND status = 'in_flight'")
        assert cursor.fetchall() == [(other.id,)]


def renewed(claimed: list[Claimed]) -> None:
    try:
        with connections["worker"].cursor() as cursor:
            cursor.execute("SET lock_timeout = '3s'")
        deliveries_renew(claimed)
    finally:
        connections.close_all()


def test_what_loses_every_worker_is_dead_in_the_end(company: Company, settings: Any) -> None:
    settings.DELIVERY_RETRY_SECONDS = [0]
    with company.scope():
        EventSubscriptionFactory(endpoint=WebhookEndpointFactory(max_attempts=2))
    told(company)
    relay_all()
    for _ in range(2):
        assert len(deliveries_claim(limit=1)) == 1
        expire_leases()
        assert deliveries_recover() == 1
    assert [row.status for row in deliveries_of(company)] == ["dead"]


# --- Topics and tasks -------------------------------------------------------------------------------------


def test_tells_a_topics_subscribers_once(company: Company) -> None:
    with company.scope():
        topic = TopicFactory(key="ops")
        TopicSubscriptionFactory.create_batch(2, topic=topic)
        EventSubscriptionFactory(topic=topic)
    told(company, type="thing.went_wrong", payload={"what": "fuse", "parts": [{"sku": "A"}, {"sku": "B"}]})
    relay_all()
    deliver()
    with company.scope():
        messages = list(NotificationDelivery.objects.filter(subscription__topic=topic))
    assert [row.status for row in deliveries_of(company)] == ["delivered"]
    assert len(messages) == 2
    assert messages[0].subject == "Thing: went wrong"
    assert messages[0].body.endswith("\n\nwhat: fuse\nparts 1 sku: A\nparts 2 sku: B")


def test_a_long_payload_is_cut() -> None:
    event = {"aggregate_type": "a", "aggregate_id": "b", "occurred_at": "c", "payload": {"n": list(range(100))}, "type": "x"}
    assert body(event).endswith("n 60: 59\nand 40 more lines")
    assert subject(event) == "X"


def test_runs_a_task_in_one_transaction_with_the_note_that_it_did(company: Company) -> None:
    subscribed(company, task=NOTE)
    told(company, payload={"key": "k"})
    relay_all()
    deliver()
    with company.scope():
        assert Topic.objects.get(key="k").name == "thing.happened"
    assert [row.status for row in deliveries_of(company)] == ["delivered"]
    assert tries(company) == []


@pytest.mark.parametrize(("then", "status", "error"), [
    ("fail", "retrying", "ZeroDivisionError: by nothing"), ("refuse", "dead", "There is no such thing."),
])
def test_what_a_task_wrote_before_it_failed_is_gone(company: Company, then: str, status: str, error: str) -> None:
    subscribed(company, task=NOTE)
    told(company, payload={"key": "k", then: True})
    relay_all()
    deliver()
    with company.scope():
        assert not Topic.objects.filter(key="k").exists()
    assert [(row.status, row.last_error) for row in deliveries_of(company)] == [(status, error)]


def test_a_worker_that_was_thought_dead_writes_nothing(company: Company) -> None:
    subscribed(company, task=NOTE)
    told(company, payload={"key": "k"})
    relay_all()
    [late] = deliveries_claim(limit=1)
    expire_leases()
    deliveries_recover()
    [other] = deliveries_claim(limit=1)
    assert run_task(late) is None
    with company.scope():
        assert not Topic.objects.filter(key="k").exists()
    assert run_task(other) is None
    with company.scope():
        assert Topic.objects.filter(key="k").exists()


def test_a_task_that_no_code_declares_is_a_dead_letter(company: Company) -> None:
    subscribed(company, task="no.such")
    told(company)
    relay_all()
    deliver()
    assert [row.status for row in deliveries_of(company)] == ["dead"]
