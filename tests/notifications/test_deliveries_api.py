"""Subscriptions, and what people do with deliveries."""

from typing import Any
from uuid import uuid4

import pytest

from accounts.permissions import MANAGER, VIEWER
from notifications.models import EventDelivery, EventSubscription, OutboxEvent
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers
from tests.factories.notifications import (
    EventDeliveryFactory,
    EventSubscriptionFactory,
    OutboxEventFactory,
    TopicFactory,
    WebhookEndpointFactory,
)
from tests.notifications.playground import handlers

SUBSCRIPTIONS, DELIVERIES = "/api/v1/event-subscriptions/", "/api/v1/event-deliveries/"
NOTE = f"{handlers.__name__}.note"


def delivery(company: Company, **values: Any) -> EventDelivery:
    with company.scope():
        return EventDeliveryFactory(**values)


def states(company: Company) -> list[tuple[str, int, bool]]:
    with company.scope():
        return list(EventDelivery.objects.order_by("seq", "replay_no").values_list("status", "replay_no", "is_blocked"))


# --- Subscriptions ----------------------------------------------------------------------------------------


def test_the_target_is_the_one_that_is_named(acme: Company) -> None:
    with acme.scope():
        topic, endpoint = TopicFactory(), WebhookEndpointFactory()
    body = {"name": "Low stock", "pattern": {"type": ["stock.low"]}, "topic": str(topic.pk)}
    made = acme.api.send("post", SUBSCRIPTIONS, body).json()
    assert (made["target_kind"], made["topic"], made["endpoint"], made["task"]) == ("topic", str(topic.pk), None, "")
    url = f"{SUBSCRIPTIONS}{made['id']}/"
    changed = acme.api.send("patch", url, {"endpoint": str(endpoint.pk)}).json()
    assert (changed["target_kind"], changed["topic"], changed["endpoint"]) == ("webhook", None, str(endpoint.pk))
    assert acme.api.send("patch", url, {"task": NOTE}).json()["target_kind"] == "task"
    assert acme.api.send("patch", url, {"enabled": False}).json()["target_kind"] == "task"


def test_refuses_no_target_two_targets_and_unknown_tasks(acme: Company) -> None:
    with acme.scope():
        topic = str(TopicFactory().pk)
    body = {"name": "x", "pattern": {"type": ["a"]}}
    assert pointers(assert_problem(acme.api.send("post", SUBSCRIPTIONS, body), 400)) == {"/endpoint", "/topic", "/task"}
    assert pointers(assert_problem(acme.api.send("post", SUBSCRIPTIONS, {**body, "topic": topic, "task": NOTE}), 400)) == {
        "/topic", "/task",
    }
    problem = assert_problem(acme.api.send("post", SUBSCRIPTIONS, {**body, "task": "os.system"}), 400)
    assert pointers(problem) == {"/task"} and NOTE in problem["errors"][0]["detail"]


def test_refuses_a_pattern_that_cannot_be_understood(acme: Company) -> None:
    with acme.scope():
        topic = str(TopicFactory().pk)
    body = {"name": "x", "pattern": {"type": [{"prefxi": "a"}]}, "topic": topic}
    problem = assert_problem(acme.api.send("post", SUBSCRIPTIONS, body), 400)
    assert pointers(problem) == {"/pattern"} and "/type/0" in problem["errors"][0]["detail"]


def test_a_pattern_that_is_mended_is_no_problem_any_more(acme: Company) -> None:
    with acme.scope():
        row = EventSubscriptionFactory(problem="This pattern is not understood.")
    changed = acme.api.send("patch", f"{SUBSCRIPTIONS}{row.pk}/", {"pattern": {"type": ["a"]}}).json()
    assert changed["problem"] == ""


def test_a_subscription_goes_with_its_deliveries(acme: Company) -> None:
    row = delivery(acme)
    assert acme.api.delete(f"{SUBSCRIPTIONS}{row.subscription_id}/").status_code == 204
    with acme.scope():
        assert not EventDelivery.objects.filter(pk=row.pk).exists()
        assert not EventSubscription.objects.filter(pk=row.subscription_id).exists()
        assert OutboxEvent.objects.filter(pk=row.event_id).exists()


# --- Replaying --------------------------------------------------------------------------------------------


def test_replays_one_in_a_new_row(acme: Company) -> None:
    row = delivery(acme, last_error="500", attempts=8)
    response = acme.api.send("post", f"{DELIVERIES}{row.pk}/replay/")
    made = response.json()
    assert (response.status_code, made["status"], made["replay_no"], made["attempts"]) == (201, "pending", 1, 0)
    assert states(acme) == [("discarded", 0, False), ("pending", 1, False)]
    assert acme.api.get(f"{DELIVERIES}{row.pk}/").json()["discard_reason"] == "Replayed."


def test_replays_with_another_payload(acme: Company) -> None:
    row = delivery(acme)
    made = acme.api.send("post", f"{DELIVERIES}{row.pk}/replay/", {"payload": {"n": 2}}).json()
    assert made["payload"] == {"n": 2}
    again = delivery(acme, status="delivered", payload={"n": 3})
    assert acme.api.send("post", f"{DELIVERIES}{again.pk}/replay/").json()["payload"] == {"n": 3}
    assert_problem(acme.api.send("post", f"{DELIVERIES}{row.pk}/replay/", {"payload": [1]}), 400)


def test_a_replay_waits_for_its_lane(acme: Company) -> None:
    row = delivery(acme)
    delivery(acme, subscription=row.subscription, aggregate_id=row.aggregate_id, status="pending", seq=row.seq + 1)
    assert acme.api.send("post", f"{DELIVERIES}{row.pk}/replay/").json()["is_blocked"] is True


def test_what_is_on_its_way_is_not_replayed(acme: Company) -> None:
    row = delivery(acme, status="retrying")
    assert_problem(acme.api.send("post", f"{DELIVERIES}{row.pk}/replay/"), 409, "unfinished")


def test_replays_many_by_a_filter(acme: Company) -> None:
    with acme.scope():
        wanted, other = EventSubscriptionFactory.create_batch(2)
        old, new = OutboxEventFactory(type="thing.old"), OutboxEventFactory(type="thing.new")
        OutboxEvent.objects.filter(pk=old.pk).update(occurred_at="2020-01-01T00:00:00Z")
        aggregate = uuid4()
        for event in (old, new):
            EventDeliveryFactory(event=event, subscription=wanted, aggregate_id=aggregate)
        EventDeliveryFactory(event=new, subscription=other, status="delivered")
    many = f"{DELIVERIES}replay-many/"
    since = "2021-01-01T00:00:00Z"
    assert acme.api.send("post", many, {"type": "no.such"}).json()["replayed"] == 0
    assert acme.api.send("post", many, {"since": since, "subscription": str(other.pk)}).json()["replayed"] == 0
    assert acme.api.send("post", many, {"since": since, "status": ["delivered"]}).json()["replayed"] == 1
    first = acme.api.send("post", many, {"subscription": str(wanted.pk), "limit": 1}).json()
    assert (first["replayed"], first["more"]) == (1, True)
    second = acme.api.send("post", many, {"subscription": str(wanted.pk), "after_seq": first["last_seq"]}).json()
    assert (second["replayed"], second["more"]) == (1, False)
    with acme.scope():
        made = EventDelivery.objects.filter(subscription=wanted, replay_no=1).order_by("seq")
        assert [row.is_blocked for row in made] == [False, True]
        assert not EventDelivery.objects.filter(status="dead").exists()
    assert_problem(acme.api.send("post", many, {"status": ["pending"]}), 400)


def test_an_event_that_was_replayed_is_replayed_again_once(acme: Company) -> None:
    row = delivery(acme, status="delivered")
    delivery(acme, event=row.event, subscription=row.subscription, replay_no=1, status="delivered", seq=row.seq)
    assert acme.api.send("post", f"{DELIVERIES}replay-many/", {"status": ["delivered"]}).json()["replayed"] == 1
    assert states(acme)[-1] == ("pending", 2, False)


def test_one_organization_replays_nothing_of_another(acme: Company, bolt: Company) -> None:
    row = delivery(bolt)
    assert acme.api.send("post", f"{DELIVERIES}replay-many/", {"subscription": str(row.subscription_id)}).json()["replayed"] == 0
    assert states(bolt) == [("dead", 0, False)]


# --- Discarding -------------------------------------------------------------------------------------------


def test_discards_with_a_reason_and_lets_the_lane_go_on(acme: Company) -> None:
    row = delivery(acme, status="retrying")
    lane = {"subscription": row.subscription, "aggregate_id": row.aggregate_id}
    delivery(acme, **lane, status="pending", seq=row.seq + 1, is_blocked=True)
    assert_problem(acme.api.send("post", f"{DELIVERIES}{row.pk}/discard/", {}), 400)
    assert_problem(acme.api.send("post", f"{DELIVERIES}{row.pk}/discard/", {"reason": " "}), 400)
    found = acme.api.send("post", f"{DELIVERIES}{row.pk}/discard/", {"reason": "Obsolete"}).json()
    assert (found["status"], found["discard_reason"]) == ("discarded", "Obsolete")
    assert states(acme) == [("discarded", 0, False), ("pending", 0, False)]


def test_discarding_a_blocked_one_frees_nobody(acme: Company) -> None:
    first = delivery(acme, status="retrying")
    lane = {"subscription": first.subscription, "aggregate_id": first.aggregate_id, "status": "pending", "is_blocked": True}
    second = delivery(acme, seq=first.seq + 1, **lane)
    delivery(acme, seq=first.seq + 2, **lane)
    acme.api.send("post", f"{DELIVERIES}{second.pk}/discard/", {"reason": "Obsolete"})
    assert states(acme) == [("retrying", 0, False), ("discarded", 0, True), ("pending", 0, True)]


@pytest.mark.parametrize("status", ["delivered", "discarded"])
def test_what_has_ended_is_not_discarded(acme: Company, status: str) -> None:
    row = delivery(acme, status=status)
    assert_problem(acme.api.send("post", f"{DELIVERIES}{row.pk}/discard/", {"reason": "x"}), 409, "not_waiting")


def test_a_viewer_looks_and_does_nothing(acme: Company) -> None:
    row = delivery(acme)
    viewer = acme.api_as(VIEWER)
    assert viewer.get(f"{DELIVERIES}{row.pk}/").json()["status"] == "dead"
    for action, body in (("replay", {}), ("discard", {"reason": "x"})):
        problem = assert_problem(viewer.send("post", f"{DELIVERIES}{row.pk}/{action}/", body), 403)
        assert problem["missing_permission"] == f"notifications.{action}_eventdelivery"
    assert acme.api_as(MANAGER).send("post", f"{DELIVERIES}{row.pk}/replay/").status_code == 201
