"""The whole way: an event is published, relayed, delivered to a real receiver and noted."""

from collections.abc import Callable, Iterator
from threading import Barrier, Event
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connections

from notifications.deliveries import _pool, deliver_due
from notifications.models import DeliveryAttempt, EventDelivery, EventSubscription, NotificationDelivery, WebhookEndpoint
from notifications.services.webhooks import NewSecret
from tests.companies import Company
from tests.factories.notifications import EventSubscriptionFactory
from tests.notifications.receiver import Receiver, Reply
from tests.notifications.test_relaying import relay_all, told
from tests.notifications.test_webhook_endpoints import ADMIN, ENDPOINTS, act
from tests.notifications.webhook_kit import endpoint, verified


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Iterator[Company]:
    """Alone: what others have left is done."""
    relay_all()
    with connections["worker"].cursor() as cursor:
        cursor.execute("UPDATE notifications_eventdelivery SET status = 'discarded' WHERE status NOT IN ('delivered', 'dead')")
    yield new_company()
    close_connections_of_threads()


def close_connections_of_threads() -> None:
    """They would keep the test's database from being dropped."""
    together = Barrier(settings.DELIVERY_THREADS)

    def close(_: int) -> None:
        together.wait(60)
        connections.close_all()

    list(_pool().map(close, range(settings.DELIVERY_THREADS)))


@pytest.fixture
def made(company: Company, listener: Receiver) -> NewSecret:
    found = endpoint(company, listener.url)
    with company.scope():
        EventSubscriptionFactory(endpoint=found.row)
    return found


def work() -> None:
    """Relays, and delivers as if the time of every next attempt had come."""
    relay_all()
    with connections["worker"].cursor() as cursor:
        cursor.execute("UPDATE notifications_eventdelivery SET next_attempt_at = now() WHERE status IN ('pending', 'retrying')")
    deliver_due(Event(), 1000)


def statuses(company: Company) -> list[str]:
    with company.scope():
        return list(EventDelivery.objects.order_by("seq", "replay_no").values_list("status", flat=True))


def numbers(listener: Receiver) -> list[Any]:
    return [request.json["payload"]["n"] for request in listener.received]


def test_an_event_arrives_and_its_tries_are_noted(company: Company, made: NewSecret, listener: Receiver) -> None:
    listener.reply(500, body=f"Your secret is {made.secret}".encode())
    event_id = told(company, payload={"n": 1})
    work()
    assert statuses(company) == ["retrying"]
    work()
    assert statuses(company) == ["delivered"] and listener.times == {str(event_id): 2}
    sent = verified(listener.received[1], made.secret)
    assert sent["id"] == str(event_id) and sent["payload"] == {"n": 1} and sent["type"] == "thing.happened"
    with company.scope():
        first, second = DeliveryAttempt.objects.order_by("number")
    assert (first.status_code, second.status_code) == (500, 204)
    assert made.secret not in first.response_excerpt and first.error == "It answered 500."


def test_one_object_is_told_in_order(company: Company, made: NewSecret, listener: Receiver) -> None:
    thing = uuid4()
    for n in (1, 2, 3):
        told(company, aggregate_id=thing, payload={"n": n})
    listener.reply(500)
    work()
    assert numbers(listener) == [1]
    for _ in range(3):
        work()
    assert numbers(listener) == [1, 1, 2, 3]


def test_what_a_disabled_endpoint_missed_is_replayed(company: Company, made: NewSecret, listener: Receiver) -> None:
    listener.reply(410)
    told(company, payload={"n": 1})
    work()
    told(company, payload={"n": 2})
    work()
    assert statuses(company) == ["dead", "dead"] and numbers(listener) == [1]
    with company.scope():
        assert "disabled" in EventDelivery.objects.latest("seq").last_error
        assert NotificationDelivery.objects.filter(subject="The webhook Shop was disabled").count() == 1
    assert act(company, made, "replay").status_code == 409
    act(company, made, "enable")
    found = act(company, made, "replay").json()
    assert found["replayed"] == 2 and not found["subscriptions"][0]["more"]
    work()
    assert sorted(numbers(listener)) == [1, 1, 2]  # two objects, in no order between them
    assert statuses(company) == ["discarded", "delivered", "discarded", "delivered"]
    assert len(listener.messages) == 2  # of three requests: the first event has one id


def test_replays_since_a_date(company: Company, made: NewSecret, listener: Receiver) -> None:
    for n in (1, 2):
        told(company, payload={"n": n})
        work()
    with company.scope():
        since = EventDelivery.objects.latest("seq").event.occurred_at
    body = {"since": since.isoformat().replace("+00:00", "Z"), "status": ["delivered"]}
    assert act(company, made, "replay", body).json()["replayed"] == 1
    work()
    assert numbers(listener) == [1, 2, 2]


def test_an_open_circuit_uses_up_no_attempts(
    company: Company, made: NewSecret, listener: Receiver, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "WEBHOOK_CIRCUIT_FAILURES", 2)
    listener.answer = lambda request: Reply(500)
    for n in range(4):
        told(company, payload={"n": n})
    for _ in range(4):
        work()
    with company.scope():
        tried = list(EventDelivery.objects.values_list("attempts", flat=True))
        assert sum(tried) == DeliveryAttempt.objects.count() == len(listener.received)
        assert set(EventDelivery.objects.values_list("status", flat=True)) <= {"pending", "retrying"}
    assert len(listener.received) <= 4  # those under way when it opened; 16 without a circuit


def test_the_admin_replays(company: Company, made: NewSecret, listener: Receiver) -> None:
    with company.scope():
        WebhookEndpoint.objects.update(max_attempts=1)
    listener.reply(500)
    told(company, payload={"n": 1})
    work()
    assert statuses(company) == ["dead"]
    page = company.admin.post(f"{ADMIN}{made.row.pk}/replay/", follow=True).content.decode()
    assert "1 events are sent again." in page
    work()
    assert numbers(listener) == [1, 1]


def test_an_endpoint_goes_with_its_subscriptions(company: Company, made: NewSecret, listener: Receiver) -> None:
    told(company, payload={"n": 1})
    work()
    assert company.api.delete(f"{ENDPOINTS}{made.row.pk}/").status_code == 204
    with company.scope():
        assert not EventSubscription.objects.exists() and not EventDelivery.objects.exists()
        assert not DeliveryAttempt.objects.exists()
