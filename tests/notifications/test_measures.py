from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from notifications.measuring import first_id_of
from notifications.models import Job, NotificationDelivery, OutboxEvent, Topic, TopicSubscription
from notifications.queries.measures import measures
from notifications.services import alerts
from notifications.services.alerts import dead_letters_tell, missed_tell
from notifications.services.events import publish
from notifications.services.operators import OPS_CRITICAL
from notifications.tasks import metrics
from tests.companies import Company
from tests.core.test_metrics import checked
from tests.factories.notifications import JobFactory
from tests.notifications.playground.events import ThingHappened

type NewCompany = Callable[[], Company]


@pytest.fixture
def company(new_company: NewCompany) -> Iterator[Company]:
    """Somebody has subscribed; what it leaves harms no other test."""
    company = new_company()
    with company.scope():
        topic = Topic.objects.get(key=OPS_CRITICAL)
        TopicSubscription.objects.create(topic=topic, address="ops@example.test", status="confirmed")
    yield company
    with company.scope():
        Job.objects.update(status="failed", heartbeat_at=None)


def told(company: Company) -> list[str]:
    with company.scope():
        return list(NotificationDelivery.objects.order_by("id").values_list("subject", flat=True))


def test_an_organization_begins_with_the_topic(company: Company) -> None:
    with company.scope():
        assert Topic.objects.get(key=OPS_CRITICAL).name == "Trouble in operations"


def test_dead_letters_are_told_once_a_day_to_the_organization_alone(company: Company, new_company: NewCompany) -> None:
    other = new_company()
    dead_letters_tell()
    assert told(company) == []
    with company.scope():
        JobFactory.create_batch(2, status="dead")
    for _ in range(2):
        dead_letters_tell()
    assert told(company) == ["Dead letters: 2 jobs"]
    assert told(other) == []
    with company.scope():
        [body] = NotificationDelivery.objects.values_list("body", flat=True)
        assert "2 jobs" in body
        NotificationDelivery.objects.update(dedupe_key="dead letters 2026-01-01")
    dead_letters_tell()
    assert len(told(company)) == 2, "the next day they are still there"


def test_an_organization_that_was_founded_before_gets_the_topic(company: Company) -> None:
    with company.scope():
        TopicSubscription.objects.all().delete()
        Topic.objects.filter(key=OPS_CRITICAL).delete()
        JobFactory(parent=None, status="dead")
    dead_letters_tell()
    with company.scope():
        assert [one.address for one in TopicSubscription.objects.filter(topic__key=OPS_CRITICAL)] == [company.user.email]


def test_missed_ticks_are_told_where_platform_staff_belong(company: Company, new_company: NewCompany) -> None:
    other, long_ago = new_company(), timezone.now() - timedelta(hours=5)
    company.user.is_superuser = True
    company.user.save(update_fields=["is_superuser"])
    try:
        missed_tell(task="a.task", timezone="UTC", missed=3, since=timezone.now() - timedelta(minutes=5))
        assert told(company) == [], "a deployment is no news"
        for _ in range(2):
            missed_tell(task="a.task", timezone="UTC", missed=3, since=long_ago)
        assert told(company) == ["a.task did not run"]
        assert told(other) == []
    finally:
        company.user.is_superuser = False
        company.user.save(update_fields=["is_superuser"])


def test_an_id_of_a_moment_is_before_what_is_made_then(company: Company) -> None:
    before = timezone.now() - timedelta(milliseconds=2)
    with company.scope():
        job = JobFactory()
    assert first_id_of(before) <= job.pk < first_id_of(timezone.now() + timedelta(seconds=1))


def test_measures_count_what_ended_in_the_minute_before(company: Company, settings: Any) -> None:
    settings.METRICS_OF_EVENTS = {"thing.happened": "Things", "nobody.says": "Nothing"}
    until = timezone.now() + timedelta(days=1500)  # where no other test has anything
    inside, outside = until - timedelta(seconds=30), until - timedelta(seconds=90)
    with company.scope():
        for status, finished in (
            ("succeeded", inside), ("succeeded", inside), ("succeeded", outside), ("failed", inside), ("dead", inside),
        ):
            JobFactory(status=status, finished_at=finished)
        event = publish(ThingHappened(), aggregate_id=uuid4())
        OutboxEvent.objects.filter(pk=event).update(relayed_at=timezone.now())
    found = measures(until=until)
    assert (found["JobsDone"], found["JobsFailed"], found["JobsDead"]) == (2, 1, 1)
    assert found["DeadLetters"] >= 1
    now = measures(until=timezone.now() + timedelta(seconds=1))
    assert now["EventsRelayed"] >= 1
    assert now["Things"] >= 1 and now["Nothing"] == 0


def test_each_minute_has_a_line_and_one_for_each_queue(company: Company, capsys: Any, settings: Any) -> None:
    settings.METRICS = "emf"
    with company.scope():
        JobFactory(parent=None, queue="search", run_after=timezone.now() - timedelta(seconds=90))
    metrics()
    lines = [checked(text) for text in capsys.readouterr().out.splitlines()]
    assert {"JobsDone", "JobsDead", "EventsRelayed", "DeliveriesDelivered", "DeadLetters", "MissedTicks"} <= lines[0].keys()
    by_queue = {found["Queue"]: found for found in lines[1:]}
    assert {"search", "event deliveries", "outbox"} <= by_queue.keys()
    assert by_queue["search"]["QueueDepth"] == 1
    assert by_queue["search"]["OldestAge"] >= 90


def test_the_dead_are_counted_up_to_a_bound(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "MOST", 2)
    with company.scope():
        JobFactory.create_batch(3, status="dead")
    dead_letters_tell()
    assert told(company) == ["Dead letters: 2 or more jobs"]
    assert not connection.in_atomic_block
