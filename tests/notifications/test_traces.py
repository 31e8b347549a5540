"""A request's trace goes on wherever its events go: the feed, handlers' jobs, webhooks, messages, and what comes of those."""

from collections.abc import Callable, Iterator

import pytest

from core.traces import trace_of
from notifications.models import Job, OutboxEvent
from notifications.services.relaying import Handler
from notifications.services.webhooks import NewSecret
from tests.companies import Company
from tests.factories.notifications import EventSubscriptionFactory, TopicFactory, TopicSubscriptionFactory
from tests.notifications.receiver import Receiver
from tests.notifications.senders import sender
from tests.notifications.test_relaying import relay_all, untold
from tests.notifications.test_webhook_engine import close_connections_of_threads, work
from tests.notifications.webhook_kit import endpoint, verified

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
HANDLERS = [
    Handler(name, "tests.notifications.playground.tasks.write", "default", 0) for name in ("user.updated", "webhook.delivered")
]


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Iterator[Company]:
    yield untold(new_company())
    close_connections_of_threads()


@pytest.fixture
def partner(company: Company, listener: Receiver) -> NewSecret:
    made = endpoint(company, listener.url, purpose="warehouse")
    with company.scope():
        EventSubscriptionFactory(name="partner", endpoint=made.row, pattern={"type": ["user.updated"]})
    return made


def renamed(company: Company, **headers: str) -> None:
    response = company.api.send("patch", "/api/v1/me/", {"name": "Ada Byron"}, headers=headers)
    assert response.status_code == 200, response.content


def test_the_trace_of_a_request_goes_with_its_event(company: Company, partner: NewSecret, listener: Receiver) -> None:
    with company.scope():
        topic = TopicFactory()
        TopicSubscriptionFactory(topic=topic)
        EventSubscriptionFactory(
            name="told", target_kind="topic", endpoint=None, topic=topic, pattern={"type": ["user.updated"]},
        )
    renamed(company, traceparent=TRACEPARENT)
    relay_all(*HANDLERS)
    work()
    relay_all(*HANDLERS)
    [request] = listener.received
    heard = verified(request, partner.secret)
    assert (heard["type"], heard["traceparent"]) == ("user.updated", TRACEPARENT)
    header = request.headers["traceparent"]
    assert trace_of(header) == TRACE and header != TRACEPARENT, "the call is a span of its own"
    feed = company.api.get("/api/v1/events/?after=0").json()["results"]
    assert {one["type"]: one["traceparent"] for one in feed} == {
        "user.created": "", "user.updated": TRACEPARENT, "webhook.delivered": TRACEPARENT,
    }
    with company.scope():
        jobs = list(Job.objects.values_list("task", "origin__traceparent"))
    assert len(jobs) == 3, "of both handlers, and the message"
    assert {traceparent for _, traceparent in jobs} == {TRACEPARENT}


def test_without_a_trace_none_is_made_up(company: Company, partner: NewSecret, listener: Receiver) -> None:
    renamed(company, traceparent="of my own making")
    work()
    [request] = listener.received
    assert "traceparent" not in request.headers and request.json["traceparent"] == ""
    with company.scope():
        assert set(OutboxEvent.objects.values_list("traceparent", flat=True)) == {""}


def test_a_webhook_that_comes_in_brings_its_trace(acme: Company) -> None:
    one, body = sender(acme), b'{"id": "evt_1"}'
    assert one.send(body, {**one.signed(body), "traceparent": TRACEPARENT}).status_code == 202
    with acme.scope():
        assert Job.objects.latest("created_at").origin["traceparent"] == TRACEPARENT
