"""The relay: each event told once, in order, with a position in its organization's feed."""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections, transaction

from notifications.models import EventDelivery, EventSubscription, FeedPosition, Job, OutboxEvent, Topic
from notifications.services.events import publish
from notifications.services.relaying import BATCH, Handler, events_relay
from tests.companies import Company
from tests.factories.notifications import EventSubscriptionFactory, OutboxEventFactory
from tests.notifications.playground.events import Happened, ThingHappened
from tests.notifications.processes import worker

WRITE = "tests.notifications.playground.tasks.write"
HANDLER = "tests.notifications.playground.handlers.write_it_down"
type NewCompany = Callable[[], Company]


def told(company: Company, **values: Any) -> Any:
    with company.scope():
        facts = {"type": "thing.happened", "aggregate_type": "thing", "payload": {"n": 1}, "correlation_id": "req-0", **values}
        return OutboxEventFactory(**facts).pk


def untold(company: Company) -> Company:
    """What tells of its people is forgotten: its feed begins with what the test tells."""
    relay_all()
    with company.scope():
        OutboxEvent.objects.all().delete()
        FeedPosition.objects.all().delete()
    return company


def jobs_of(company: Company) -> list[Job]:
    with company.scope():
        return list(Job.objects.order_by("created_at", "pk"))


def relay_all(*handlers: Handler) -> None:
    while events_relay(handlers).events:
        pass


# --- Jobs -------------------------------------------------------------------------------------------------


def test_makes_one_job_for_each_event_and_handler(new_company: NewCompany) -> None:
    company, aggregate = untold(new_company()), uuid4()
    event = told(company, aggregate_id=aggregate, payload={"key": "k"})
    told(company, type="nobody.listens")
    with company.scope():
        expected = OutboxEvent.objects.get(pk=event)
    handlers = [Handler("thing.happened", WRITE, "default", 0), Handler("thing.happened", "another.task", "mail", 5)]
    relay_all(*handlers)
    relay_all(*handlers)
    jobs = {job.task: job for job in jobs_of(company)}
    assert set(jobs) == {WRITE, "another.task"}
    assert (jobs["another.task"].queue, jobs["another.task"].priority) == ("mail", 5)
    assert jobs[WRITE].origin == {"request_id": "req-0", "traceparent": "", "reason": "thing.happened"}
    [argument] = jobs[WRITE].arguments["args"]
    assert argument.pop("occurred_at") and expected.relayed_at is None
    assert argument == {
        "id": str(event), "type": "thing.happened", "schema_version": 1, "aggregate_type": "thing",
        "aggregate_id": str(aggregate), "payload": {"key": "k"},
    }
    with company.scope():
        assert not OutboxEvent.objects.filter(relayed_at=None).exists()


def test_makes_no_job_where_a_handler_says_that_it_is_not_needed(new_company: NewCompany) -> None:
    company = untold(new_company())
    for key in ("wanted", "other", None):
        told(company, payload={"key": key})
    wanted = Handler("thing.happened", WRITE, "default", 0, "e.payload ->> 'key' = 'wanted'")
    relay_all(wanted, Handler("thing.happened", "another.task", "mail", 5))
    found = [(job.task, job.arguments["args"][0]["payload"]["key"]) for job in jobs_of(company)]
    assert sorted(found, key=str) == [
        ("another.task", "other"), ("another.task", "wanted"), ("another.task", None), (WRITE, "wanted"),
    ]


def test_a_relay_that_dies_before_its_commit_loses_nothing_and_doubles_nothing(new_company: NewCompany) -> None:
    company = untold(new_company())
    told(company)
    handler = Handler("thing.happened", WRITE, "default", 0)
    with transaction.atomic("worker"):
        relay_all(handler)
        transaction.set_rollback(True, "worker")
    assert not jobs_of(company)
    relay_all(handler)
    assert len(jobs_of(company)) == 1


def test_a_handler_that_has_its_job_gets_no_second_one(new_company: NewCompany) -> None:
    company = untold(new_company())
    event = told(company)
    relay_all(Handler("thing.happened", WRITE, "default", 0))
    with company.scope():
        OutboxEvent.objects.filter(pk=event).update(relayed_at=None)
    relay_all(Handler("thing.happened", WRITE, "default", 0))
    assert len(jobs_of(company)) == 1


def test_relays_in_batches_from_the_oldest_on(new_company: NewCompany) -> None:
    company = untold(new_company())
    relay_all()
    with company.scope():
        events = [publish(ThingHappened(), aggregate_id=uuid4()) for _ in range(BATCH + 1)]
    assert events_relay([]).events == BATCH
    with company.scope():
        assert OutboxEvent.objects.get(relayed_at=None).pk == events[-1]
    assert events_relay([]).events == 1


@pytest.mark.once
def test_several_workers_take_turns_and_double_nothing(new_company: NewCompany) -> None:
    relay_all()  # what other tests have left: here is counted what is relayed
    companies = [untold(new_company()), untold(new_company())]
    keys = {f"k-{number}" for number in range(3 * BATCH)}
    for company in companies:
        with company.scope():
            for key in keys:
                publish(Happened(key=key), aggregate_id=uuid4())
    with worker("--once") as first, worker("--once") as second, worker("--once") as third:
        processes = first, second, third
        assert [process.wait() for process in processes] == [0, 0, 0], [process.said for process in processes]
    relayed = [sum(map(int, re.findall(r"Relayed (\d+) events", process.said))) for process in processes]
    # The minute's schedules of all who are in the database may tell something too; whose is whose is looked at below.
    assert sum(relayed) >= len(companies) * len(keys)
    with worker("--once") as last:  # what one had relayed when the others were about to leave
        assert last.wait() == 0
    for company in companies:
        with company.scope():
            # Each key is unique: a job that ran twice would have failed.
            own = Topic.objects.exclude(key__in=["reorder-reminders", "ops-critical", "stuck-orders"])
            assert set(own.values_list("key", flat=True)) == keys
            written = Job.objects.filter(task=HANDLER)
            assert written.count() == written.filter(status="succeeded", attempts=1).count() == len(keys)
            assert positions(company) == list(range(1, len(keys) + 1))


# --- Positions --------------------------------------------------------------------------------------------


def positions(company: Company) -> list[int]:
    with company.scope():
        return list(OutboxEvent.objects.exclude(position=None).order_by("position").values_list("position", flat=True))


def test_each_feed_counts_from_one_without_a_gap(new_company: NewCompany) -> None:
    relay_all()
    first, second = untold(new_company()), untold(new_company())
    for number in range(5):
        told(first)
        if number % 2:
            told(second)
    relay_all()
    told(first)
    relay_all()
    assert positions(first) == [1, 2, 3, 4, 5, 6]
    assert positions(second) == [1, 2]
    with first.scope():
        assert FeedPosition.objects.get().last == 6
        by_position = OutboxEvent.objects.order_by("position").values_list("seq", flat=True)
        assert list(by_position) == sorted(by_position)


def test_while_one_relays_another_has_nothing_to_do(new_company: NewCompany) -> None:
    company = untold(new_company())
    told(company)
    other = connections["worker"].copy()
    try:
        with transaction.atomic("worker"):
            assert events_relay([]).events
            own, connections["worker"] = connections["worker"], other
            try:
                assert events_relay([]) == (0, 0, 0)
            finally:
                connections["worker"] = own
    finally:
        other.close()


# --- Subscriptions ----------------------------------------------------------------------------------------


def deliveries_of(company: Company) -> list[EventDelivery]:
    with company.scope():
        return list(EventDelivery.objects.order_by("seq", "subscription__name"))


def subscribed(company: Company, **values: Any) -> EventSubscription:
    with company.scope():
        return EventSubscriptionFactory(**values)


def test_makes_a_delivery_for_each_subscription_that_matches(new_company: NewCompany) -> None:
    company, other = untold(new_company()), untold(new_company())
    wanted = [
        subscribed(company, name="a", pattern={"type": ["thing.happened"]}),
        subscribed(company, name="b", pattern={"payload": {"n": [{"numeric": [">", 0]}]}}),
    ]
    subscribed(company, name="c", pattern={"type": ["thing.else"]})
    subscribed(company, name="d", pattern={"type": ["thing.happened"]}, enabled=False)
    subscribed(company, name="e", pattern={"type": ["thing.happened"]}, bus="audit")
    subscribed(other, name="f", pattern={"type": ["thing.happened"]})
    event = told(company)
    relay_all()
    relay_all()
    found = deliveries_of(company)
    assert [(row.event_id, row.subscription_id) for row in found] == [(event, one.pk) for one in wanted]
    assert {(row.status, row.is_blocked, row.attempts, row.replay_no) for row in found} == {("pending", False, 0, 0)}
    assert not deliveries_of(other)


def test_one_delivery_of_a_lane_is_open_at_a_time(new_company: NewCompany) -> None:
    company, aggregate = untold(new_company()), uuid4()
    subscribed(company)
    told(company, aggregate_id=aggregate)
    told(company)
    told(company, aggregate_id=aggregate)
    relay_all()
    told(company, aggregate_id=aggregate)
    relay_all()
    assert [row.is_blocked for row in deliveries_of(company)] == [False, False, True, True]


def test_an_event_that_is_relayed_again_is_not_delivered_again(new_company: NewCompany) -> None:
    company = untold(new_company())
    subscribed(company)
    event = told(company)
    relay_all()
    with company.scope():
        OutboxEvent.objects.filter(pk=event).update(relayed_at=None)
    relay_all()
    assert len(deliveries_of(company)) == 1


def test_a_pattern_that_got_in_somehow_stops_nobody(new_company: NewCompany) -> None:
    company = untold(new_company())
    bad = subscribed(company, name="bad", pattern={"type": [{"no-such": 1}]})
    good = subscribed(company, name="good")
    told(company)
    told(company)
    relay_all()
    assert {row.subscription_id for row in deliveries_of(company)} == {good.pk}
    with company.scope():
        bad.refresh_from_db()
        assert "no-such" in bad.problem
        EventSubscription.objects.filter(pk=bad.pk).update(pattern={"type": ["thing.happened"]})
    told(company)
    relay_all()
    with company.scope():
        bad.refresh_from_db()
        assert bad.problem == "" and bad.deliveries.count() == 1


def test_a_pattern_that_fails_at_an_event_stops_nobody(new_company: NewCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(event: Any) -> bool:
        raise ZeroDivisionError

    company = untold(new_company())
    subscribed(company)
    told(company)
    monkeypatch.setattr("notifications.services.relaying._compiled", lambda text: (None, fails, ""))
    relay_all()
    assert (deliveries_of(company), positions(company)) == ([], [1])


def test_a_subscription_that_is_deleted_meanwhile_gets_nothing(new_company: NewCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at the subscriptions and the deliveries."""
    company = untold(new_company())
    gone, stays = subscribed(company), subscribed(company)

    def delete(event: Any) -> bool:
        with company.scope():
            EventSubscription.objects.filter(pk=gone.pk).delete()
        return True

    told(company)
    monkeypatch.setattr("notifications.services.relaying._compiled", lambda text: (None, delete, ""))
    relay_all()
    assert [row.subscription_id for row in deliveries_of(company)] == [stays.pk]


def test_a_relay_that_dies_leaves_no_delivery_and_no_position(new_company: NewCompany) -> None:
    company = untold(new_company())
    subscribed(company)
    told(company)
    with transaction.atomic("worker"):
        relay_all()
        transaction.set_rollback(True, "worker")
    assert (deliveries_of(company), positions(company)) == ([], [])
    relay_all()
    assert (len(deliveries_of(company)), positions(company)) == (1, [1])
