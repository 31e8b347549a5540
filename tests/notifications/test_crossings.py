"""People and workers at the same lanes at once: nobody waits for somebody who waits for them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Event
from uuid import UUID, uuid4

from django.db import OperationalError, connections, transaction
from django.utils import timezone

from notifications.models import EventDelivery, EventSubscription
from notifications.services.delivering import Outcome, deliveries_claim, deliveries_record
from notifications.services.lanes import STRIPES, Lane, hold
from notifications.services.replaying import delivery_discard, lanes_hold, subscription_delete
from notifications.services.webhooks import webhook_endpoint_replay
from tests.companies import Company
from tests.factories.notifications import EventDeliveryFactory, EventSubscriptionFactory, WebhookEndpointFactory
from tests.notifications.processes import PATIENCE, eventually
from tests.notifications.test_delivering import company as company
from tests.notifications.test_delivering import subscribed
from tests.notifications.test_relaying import deliveries_of, relay_all, told


@contextmanager
def beside(work: Callable[[], None]) -> Iterator[None]:
    """Something that runs while the block does; what it raises is raised at the end."""
    with ThreadPoolExecutor(1) as pool:

        def run() -> None:
            try:
                work()
            finally:
                connections.close_all()

        running = pool.submit(run)
        yield
    running.result()


def await_a_waiter(kind: str = "%") -> None:
    """Until somebody waits for a lock, in this database: beside it there are those of other runs."""

    def is_there() -> bool:
        with connections["worker"].cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype LIKE %s"
                " AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())", [kind],
            )
            return bool(cursor.fetchone()[0])

    eventually(is_there)


def test_people_who_discard_several_do_not_cross_a_worker(company: Company) -> None:
    subscribed(company)
    with company.scope():
        subscription = EventSubscription.objects.get()
    low, high = (UUID(int=(stripe - subscription.pk.int) % STRIPES) for stripe in (3, 900))
    for payload in ({"n": 1}, {"n": 2}):
        for aggregate in (low, high):
            told(company, payload=payload, aggregate_id=aggregate)
    relay_all()
    claimed = deliveries_claim(limit=10)
    assert len(claimed) == 2
    with company.scope():
        waiting = {one.aggregate_id: one.pk for one in EventDelivery.objects.filter(status="pending")}
    has_first = Event()

    def discard() -> None:
        with company.scope():
            lanes_hold(delivery_ids=[waiting[high], waiting[low]])
            delivery_discard(delivery_id=waiting[high], reason="x")
            has_first.set()
            await_a_waiter("advisory")
            delivery_discard(delivery_id=waiting[low], reason="x")

    with beside(discard):
        assert has_first.wait(PATIENCE)
        assert deliveries_record([(one, Outcome("delivered")) for one in claimed]) == {one.id for one in claimed}
    assert sorted(one.status for one in deliveries_of(company)) == ["delivered", "delivered", "discarded", "discarded"]


def test_an_endpoint_of_several_subscriptions_is_replayed_beside_a_worker(company: Company) -> None:
    with company.scope():
        endpoint = WebhookEndpointFactory()
        both = sorted(EventSubscriptionFactory.create_batch(2, endpoint=endpoint), key=lambda one: one.pk)
        lanes = [Lane(one.pk, UUID(int=(stripe - one.pk.int) % STRIPES)) for one, stripe in zip(both, (900, 3), strict=True)]
        for one, lane in zip(both, lanes, strict=True):
            EventDeliveryFactory(subscription=one, aggregate_id=lane.aggregate_id, status="dead", finished_at=timezone.now())
    may_replay, replayed = Event(), []

    def replay() -> None:
        assert may_replay.wait(PATIENCE)
        with company.scope():
            replayed.extend(webhook_endpoint_replay(endpoint=endpoint, statuses=["dead"]))

    with beside(replay), transaction.atomic("worker"), connections["worker"].cursor() as cursor:
        hold(cursor, lanes[1:])
        may_replay.set()
        await_a_waiter("advisory")
        hold(cursor, lanes[:1])
    assert [(pk, one.replayed) for pk, one in replayed] == [(one.pk, 1) for one in both]


def test_a_subscription_is_deleted_beside_a_worker(company: Company) -> None:
    subscribed(company)
    aggregate = uuid4()
    for n in (1, 2):
        told(company, payload={"n": n}, aggregate_id=aggregate)
    relay_all()
    [claimed] = deliveries_claim(limit=10)
    with company.scope():
        subscription = EventSubscription.objects.get()

    may_delete = Event()

    def delete() -> None:
        assert may_delete.wait(PATIENCE)
        with company.scope():
            subscription_delete(subscription_id=subscription.pk)

    with beside(delete), transaction.atomic("worker"), connections["worker"].cursor() as cursor:
        hold(cursor, [claimed.lane])
        cursor.execute("SELECT FROM notifications_eventdelivery WHERE id = %s FOR NO KEY UPDATE", [claimed.id])
        may_delete.set()
        await_a_waiter()
        assert deliveries_record([(claimed, Outcome("delivered"))]) == {claimed.id}
    assert deliveries_of(company) == []


def test_an_outcome_survives_a_deadlock(company: Company) -> None:
    subscribed(company)
    told(company)
    relay_all()
    [claimed] = deliveries_claim(limit=10)
    has_row = Event()

    def cross() -> None:
        """On a busy machine the server may end this one of the two, in the place of who waited first."""
        with suppress(OperationalError), transaction.atomic("worker"), connections["worker"].cursor() as cursor:
            cursor.execute("SELECT FROM notifications_eventdelivery WHERE id = %s FOR UPDATE", [claimed.id])
            has_row.set()
            await_a_waiter()
            hold(cursor, [claimed.lane])

    with beside(cross):
        assert has_row.wait(PATIENCE)
        assert deliveries_record([(claimed, Outcome("delivered"))]) == {claimed.id}
    [delivery] = deliveries_of(company)
    assert delivery.status == "delivered"
