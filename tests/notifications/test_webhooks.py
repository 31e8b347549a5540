"""Webhooks as they arrive at a real receiver, verified by the specification's own library."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone
from standardwebhooks import WebhookVerificationError
from uuid_utils.compat import uuid7

from notifications.models import NotificationDelivery, OutboxEvent, Topic, TopicSubscription, WebhookEndpoint
from notifications.services.webhooks import webhook_endpoint_rotate
from notifications.webhooks import deliver_webhook, retry_after
from tests.companies import Company
from tests.notifications.receiver import Received, Receiver, Reply
from tests.notifications.webhook_kit import claimed, deliver, endpoint, health, rewind, verified

ANOTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


# --- The message ------------------------------------------------------------------------------------------


def test_arrives_signed(acme: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    one = claimed(acme, made.row.pk)
    outcome = deliver_webhook(one)
    assert (outcome.status, outcome.status_code, outcome.error) == ("delivered", 204, "")
    [request] = listener.received
    assert verified(request, made.secret) == one.envelope == request.json
    assert request.id == str(one.event_id) and request.path == "/hooks"
    assert request.headers["content-type"] == "application/json" and request.headers["x-request-id"] == "req-7"
    assert request.headers["user-agent"].startswith("Quartermaster-Webhooks/")


def test_a_changed_message_is_not_verified(acme: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    deliver(acme, made)
    [request] = listener.received
    for changed in (
        Received(request.path, request.headers, request.body + b" "),
        Received(request.path, {**request.headers, "webhook-id": "another"}, request.body),
        Received(request.path, {**request.headers, "webhook-timestamp": "1"}, request.body),
    ):
        with pytest.raises(WebhookVerificationError):
            verified(changed, made.secret)
    with pytest.raises(WebhookVerificationError):
        verified(request, ANOTHER)


def test_a_replay_has_the_same_id(acme: Company, listener: Receiver) -> None:
    made, event_id = endpoint(acme, listener.url), uuid7()
    for replay_no, attempt in ((0, 1), (0, 2), (1, 1)):
        deliver(acme, made, event_id=event_id, replay_no=replay_no, attempt=attempt)
    assert listener.times == {str(event_id): 3} and len(listener.messages) == 1


def test_both_secrets_sign_while_one_gives_way(acme: Company, listener: Receiver) -> None:
    first = endpoint(acme, listener.url)
    with acme.scope():
        second = webhook_endpoint_rotate(endpoint=first.row)
    deliver(acme, first)
    request = listener.received[-1]
    assert first.secret != second.secret and request.headers["webhook-signature"].count("v1,") == 2
    assert verified(request, first.secret) == verified(request, second.secret)
    with acme.scope():
        WebhookEndpoint.objects.update(previous_secret_until=timezone.now() - timedelta(seconds=1))
    deliver(acme, first)
    request = listener.received[-1]
    assert request.headers["webhook-signature"].count("v1,") == 1 and verified(request, second.secret)
    with pytest.raises(WebhookVerificationError):
        verified(request, first.secret)


def test_no_transaction_is_open_while_the_receiver_thinks(new_company: Callable[[], Company], listener: Receiver) -> None:
    company, senders = new_company(), connections["default"]
    seen: list[bool] = []
    listener.answer = lambda request: seen.append(senders.in_atomic_block)
    assert deliver(company, endpoint(company, listener.url)).status == "delivered"
    assert seen == [False]


def test_costs_one_look_at_the_database_while_all_is_well(
    acme: Company, listener: Receiver, django_assert_num_queries: Any,
) -> None:
    made = endpoint(acme, listener.url)
    with acme.scope():
        one = claimed(acme, made.row.pk)
        with django_assert_num_queries(3):  # the savepoint around it
            deliver_webhook(one)


# --- What comes of it -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_yes(status: int, acme: Company, listener: Receiver) -> None:
    listener.reply(status)
    assert deliver(acme, endpoint(acme, listener.url)).status == "delivered"


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 422, 500, 502, 599])
def test_anything_else_is_tried_again(status: int, acme: Company, listener: Receiver) -> None:
    listener.reply(status, headers={"location": "http://169.254.169.254/"}, body=b"no")
    outcome = deliver(acme, endpoint(acme, listener.url))
    assert (outcome.status, outcome.status_code, outcome.response_excerpt) == ("retry", status, "no")
    assert str(status) in outcome.error and len(listener.received) == 1


def test_no_answer_is_tried_again(acme: Company, listener: Receiver, settings: Any) -> None:
    settings.WEBHOOK_SECONDS = 0.3
    made = endpoint(acme, listener.url)
    for how in ("drops", "hangs", "drips"):
        listener.reply(200, **{how: True})
        outcome = deliver(acme, made)
        assert (outcome.status, outcome.status_code) == ("retry", None) and outcome.error


def test_an_address_within_networks_is_never_asked(acme: Company, listener: Receiver, settings: Any) -> None:
    made = endpoint(acme, listener.url)
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    outcome = deliver(acme, made)
    assert outcome.status == "retry" and "open internet" in outcome.error
    assert not listener.connections


@pytest.mark.parametrize("status", [429, 503])
def test_is_as_patient_as_it_is_asked_to_be(status: int, acme: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    listener.reply(status, headers={"retry-after": "120"})
    outcome = deliver(acme, made)
    assert (outcome.status, outcome.retry_after) == ("retry", 120)
    waits = deliver(acme, made)  # the others wait as well
    assert waits.status == "postponed" and waits.retry_after and 100 < waits.retry_after <= 132
    assert len(listener.received) == 1


def test_retry_after_is_a_number_or_a_date_and_has_a_bound(settings: Any) -> None:
    settings.WEBHOOK_LONGEST_WAIT = 3600
    assert retry_after(" 120 ") == 120 and retry_after("0") is None
    assert retry_after("99999999") == 3600 and retry_after("9" * 40) is None
    date = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    found = retry_after(date)
    assert found and 590 < found <= 600
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") is None and retry_after("Wed, 21 Oct 9999 07:28:00 GMT") == 3600
    for nonsense in ("", "soon", "-5", "1.5", "Wed, 99 Oct 2015 07:28:00 GMT", "\u0661"):
        assert retry_after(nonsense) is None


def test_another_status_says_nothing_about_waiting(acme: Company, listener: Receiver) -> None:
    listener.reply(500, headers={"retry-after": "120"})
    assert deliver(acme, endpoint(acme, listener.url)).retry_after is None


def test_keeps_the_beginning_of_the_answer_without_secrets(acme: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    said = {"error": "Bad signature", "yours": made.secret, "raw": made.secret.removeprefix("whsec_"), "token": "abc"}
    listener.reply(500, body=json.dumps(said).encode() + b"\0" + b"x" * 2000)
    excerpt = deliver(acme, made).response_excerpt
    assert "Bad signature" in excerpt and len(excerpt) == 1000
    assert made.secret not in excerpt and said["raw"] not in excerpt and "abc" not in excerpt and "\0" not in excerpt


# --- Endpoints that are gone or disabled ------------------------------------------------------------------


def test_gone_disables_the_endpoint_and_tells_the_admins(acme: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    listener.reply(410)
    outcome = deliver(acme, made)
    assert (outcome.status, outcome.status_code) == ("dead", 410) and "410" in outcome.error
    with acme.scope():
        row = WebhookEndpoint.objects.get()
        assert row.disabled_at and row.disabled_reason == "It answered 410 Gone."
        [message] = NotificationDelivery.objects.all()
        assert message.address == acme.user.email and "Shop" in message.subject and "410" in message.body
        [event] = OutboxEvent.objects.filter(type="webhook_endpoint.disabled")
        assert event.aggregate_id == row.pk and event.payload["by_itself"] and event.correlation_id == "req-7"
    again = deliver(acme, made)
    assert again.status == "dead" and "disabled" in again.error and len(listener.received) == 1


def test_who_subscribed_to_trouble_is_told_instead(acme: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    with acme.scope():
        topic = Topic.objects.get(key="ops-critical")
        TopicSubscription.objects.create(topic=topic, address="ops@example.test", status="confirmed")
    listener.reply(410)
    deliver(acme, made)
    with acme.scope():
        assert [message.address for message in NotificationDelivery.objects.all()] == ["ops@example.test"]


def test_failing_for_days_disables_the_endpoint(acme: Company, listener: Receiver, settings: Any) -> None:
    settings.WEBHOOK_DISABLE_AFTER_DAYS = 5
    made = endpoint(acme, listener.url)
    listener.answer = lambda request: Reply(500)
    assert deliver(acme, made).status == "retry"
    rewind(acme, made, failing_since=timedelta(days=4, hours=23))
    assert deliver(acme, made).status == "retry"
    rewind(acme, made, failing_since=timedelta(hours=2))
    outcome = deliver(acme, made)
    assert outcome.status == "dead" and "failing for 5 days" in outcome.error
    with acme.scope():
        assert "failing for 5 days" in WebhookEndpoint.objects.get().disabled_reason
        assert NotificationDelivery.objects.count() == 1


def test_a_success_in_between_starts_anew(acme: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    listener.reply(500, 200, 500)
    deliver(acme, made)
    rewind(acme, made, failing_since=timedelta(days=9))
    assert [deliver(acme, made).status for _ in range(2)] == ["delivered", "retry"]
    assert health(acme, made).failures == 1


def test_nothing_goes_to_an_endpoint_of_another_organization(acme: Company, bolt: Company, listener: Receiver) -> None:
    made = endpoint(acme, listener.url)
    outcome = deliver(bolt, made)
    assert outcome.status == "dead" and "deleted" in outcome.error and not listener.received


def test_a_secret_that_cannot_be_opened_says_what_to_do(acme: Company, listener: Receiver, settings: Any) -> None:
    made = endpoint(acme, listener.url)
    settings.SECRET_KEY = "another"
    outcome = deliver(acme, made)
    assert outcome.status == "retry" and "Rotate" in outcome.error and not listener.received
    with acme.scope():
        new = webhook_endpoint_rotate(endpoint=made.row)  # the former one cannot be opened any more
    assert deliver(acme, made).status == "delivered" and verified(listener.received[0], new.secret)
