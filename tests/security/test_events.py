"""Members who reach for more by events, webhooks and jobs than their role gives them."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.permissions import MANAGER, VIEWER
from notifications.models import Job, NotificationDelivery, OutboxEvent, TopicSubscription
from notifications.services.operators import operators_tell, operators_topic
from notifications.services.webhooks import webhook_endpoint_disable
from notifications.subscriptions import MOST
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.inventory import WarehouseFactory
from tests.factories.notifications import (
    EventDeliveryFactory,
    EventSubscriptionFactory,
    JobFactory,
    OutboxEventFactory,
    TopicFactory,
    WebhookEndpointFactory,
)
from tests.limited import limited_api

V1 = "/api/v1/"
PATTERN = {"type": [{"prefix": "user."}]}


def dead_letter(kind: str, row: Any) -> str:
    return f"/admin/notifications/eventdelivery/dead-letters/{kind}/{row.pk}/"


def test_a_role_for_some_warehouses_hears_nothing_of_the_others(acme: Company) -> None:
    with acme.scope():
        house, topic = WarehouseFactory(), TopicFactory()
    api = limited_api(acme, house, limited=MANAGER)
    for path in ("events/", "jobs/", "event-deliveries/", "topics/"):
        assert_problem(api.get(V1 + path), 403)
    body = {"topic": str(topic.pk), "address": "me@evil.example", "status": "confirmed"}
    assert_problem(api.send("post", V1 + "topic-subscriptions/", body), 403)
    check = api.send("post", V1 + "reorder-tasks/check/", headers={"Prefer": "respond-async"})
    assert check.status_code == 200, "nobody waits for a job that they may not look at"


def test_who_outside_is_told_is_for_an_admin_to_say(acme: Company) -> None:
    with acme.scope():
        endpoint, topic, delivery = WebhookEndpointFactory(), TopicFactory(), EventDeliveryFactory(finished_at=timezone.now())
    api = acme.api_as(MANAGER)
    for target in ({"endpoint": str(endpoint.pk)}, {"topic": str(topic.pk)}):
        assert_problem(api.send("post", V1 + "event-subscriptions/", {"name": "all", "pattern": PATTERN, **target}), 403)
    replay = f"{V1}event-deliveries/{delivery.pk}/replay/"
    assert_problem(api.send("post", replay, {"payload": {"said": "by me"}}), 403)
    edited = acme.admin_as(MANAGER).post(dead_letter("delivery", delivery), {"verb": "replay", "payload": '{"said": "by me"}'})
    assert edited.status_code == 403
    assert api.send("post", replay).status_code == 201, "as it was, a Manager may"


def test_a_job_with_other_arguments_is_done_in_the_name_of_who_gave_them(acme: Company) -> None:
    origin = {"actor_id": str(acme.user.pk), "ip": "203.0.113.77", "reason": "asked by the Admin"}
    with acme.scope():
        jobs = [
            JobFactory(status="dead", finished_at=timezone.now(), task="inventory.tasks.check", origin=origin) for _ in range(3)
        ]
    manager = acme.members[MANAGER].user
    given = {"args": [], "kwargs": {"warehouses": None}}
    page = {"verb": "replay", "payload": '{"args": [], "kwargs": {"warehouses": null}}'}
    assert acme.admin_as(MANAGER).post(dead_letter("job", jobs[0]), page).status_code == 302
    assert acme.api_as(MANAGER).send("post", f"{V1}jobs/{jobs[1].pk}/retry/", {"arguments": given}).status_code == 200
    assert acme.api_as(MANAGER).send("post", f"{V1}jobs/{jobs[2].pk}/retry/").status_code == 200
    with acme.scope():
        actors = [Job.objects.get(pk=job.pk).origin["actor_id"] for job in jobs]
    assert actors == [str(manager.pk), str(manager.pk), str(acme.user.pk)]


def test_a_viewer_does_not_see_by_events_and_jobs_what_is_hidden(acme: Company) -> None:
    with acme.scope():
        OutboxEventFactory(type="inbound_webhook.received", payload={"payload": {"card": "4111"}})
        job = JobFactory(
            status="dead", finished_at=timezone.now(), origin={"ip": "203.0.113.77"}, arguments={"args": ["4111"], "kwargs": {}},
        )
    assert_problem(acme.api_as(VIEWER).get(V1 + "events/"), 403)
    browser = acme.admin_as(VIEWER)
    for address in (f"/admin/notifications/job/{job.pk}/change/", dead_letter("job", job)):
        page = browser.get(address).content
        assert b"203.0.113.77" not in page and b"4111" not in page
    assert browser.get("/admin/notifications/outboxevent/").status_code == 403


def test_a_secret_in_an_endpoints_path_is_told_to_nobody(acme: Company) -> None:
    with acme.scope():
        endpoint = WebhookEndpointFactory(url="https://hooks.example.com/services/T0/TOPSECRET")
        webhook_endpoint_disable(endpoint_id=endpoint.pk, reason="It answered 410.", by_itself=True)
        told = [OutboxEvent.objects.get(type="webhook_endpoint.disabled").payload, *NotificationDelivery.objects.values("body")]
    assert len(told) == 2 and "TOPSECRET" not in str(told) and "hooks.example.com" in str(told)


@pytest.mark.parametrize("status", ["pending", "unsubscribed"])
def test_a_subscription_that_reaches_nobody_silences_no_alert(acme: Company, status: str) -> None:
    with acme.scope():
        TopicSubscription.objects.create(topic=operators_topic(), address="ops@acme.example", status=status)
        operators_tell(subject="Dead letters", body="Look.", dedupe_key="one")
        told = set(NotificationDelivery.objects.values_list("address", flat=True))
    assert told == {acme.user.email}


def test_nobody_lets_the_one_relay_try_thousands_of_patterns(acme: Company) -> None:
    with acme.scope():
        endpoint = WebhookEndpointFactory()
        EventSubscriptionFactory.create_batch(MOST - 1, endpoint=endpoint)
    rows = [{"name": f"one more {n}", "pattern": PATTERN, "endpoint": str(endpoint.pk)} for n in range(2)]
    assert_problem(acme.api.send("post", V1 + "event-subscriptions/bulk/", {"rows": rows}), 409, "too_many")
    assert acme.api.send("post", V1 + "event-subscriptions/", rows[0]).status_code == 201
    assert_problem(acme.api.send("post", V1 + "event-subscriptions/", rows[1]), 409, "too_many")


@pytest.mark.parametrize("payload", ['{"a": "\\u0000"}', '{"a": "\\ud800"}'])
def test_a_payload_that_cannot_be_stored_is_refused_in_words(acme: Company, payload: str) -> None:
    with acme.scope():
        job = JobFactory(status="dead", finished_at=timezone.now())
        delivery = EventDeliveryFactory(finished_at=timezone.now())
    pages = {dead_letter("delivery", delivery): payload, dead_letter("job", job): f'{{"args": [{payload}], "kwargs": {{}}}}'}
    for address, text in pages.items():
        assert acme.admin.post(address, {"verb": "replay", "payload": text}).status_code == 200
