"""The page of dead letters: deliveries and jobs together."""

from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.permissions import VIEWER
from notifications.models import EventDelivery, EventSubscription, Job
from notifications.queries.dead import dead
from tests.companies import Company
from tests.factories.notifications import EventDeliveryFactory, EventSubscriptionFactory, JobFactory, TopicFactory

PAGE = "/admin/notifications/eventdelivery/dead-letters/"


def dead_delivery(company: Company, **values: Any) -> EventDelivery:
    with company.scope():
        return EventDeliveryFactory(finished_at=timezone.now(), last_error="It said 500.", **values)


def dead_job(company: Company, **values: Any) -> Job:
    with company.scope():
        options = {"status": "dead", "finished_at": timezone.now(), "error": "It raised.", "task": "a.task", **values}
        return JobFactory(**options)


def text(response: Any) -> str:
    return str(response.content.decode())


def status(row: Any, company: Company) -> str:
    with company.scope():
        found = type(row).objects.filter(pk=row.pk).first()
        return str(found.status) if found else "gone"


def test_lists_both_kinds_of_this_organization(acme: Company, bolt: Company) -> None:
    mine, job, refused = dead_delivery(acme), dead_job(acme), dead_job(acme, status="failed")
    foreign, fine = dead_delivery(bolt), dead_delivery(acme, status="delivered")
    page = text(acme.admin.get(PAGE))
    for row in (mine, job, refused):
        assert str(row.pk) in page
    for row in (foreign, fine):
        assert str(row.pk) not in page
    assert "It said 500." in page and "It raised." in page
    with acme.scope():
        assert dead() == (1, 2)


def test_pages_by_key(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.admin.dead_letters.PAGE", 2)
    rows = [dead_delivery(acme), dead_job(acme), dead_delivery(acme)]
    first = text(acme.admin.get(PAGE))
    assert str(rows[2].pk) in first and str(rows[1].pk) in first and str(rows[0].pk) not in first
    assert f"?before={rows[1].pk}" in first
    second = text(acme.admin.get(PAGE, {"before": str(rows[1].pk)}))
    assert str(rows[0].pk) in second and str(rows[1].pk) not in second
    assert acme.admin.get(PAGE, {"before": "x"}).status_code == 200


def test_replays_several_after_asking(acme: Company) -> None:
    delivery, job = dead_delivery(acme), dead_job(acme)
    body = {"verb": "replay", "chosen": [f"delivery:{delivery.pk}", f"job:{job.pk}"]}
    asked = text(acme.admin.post(PAGE, body))
    assert "Replay 2 dead letters?" in asked and status(delivery, acme) == "dead"
    acme.admin.post(PAGE, {**body, "confirmed": "yes"})
    assert (status(delivery, acme), status(job, acme)) == ("discarded", "queued")
    with acme.scope():
        assert EventDelivery.objects.filter(event_id=delivery.event_id, replay_no=1, status="pending").exists()
        assert dead() == (0, 0)


def test_several_are_replayed_in_the_order_of_their_events(acme: Company) -> None:
    with acme.scope():
        subscription, aggregate = EventSubscriptionFactory(), uuid4()
    values = {"subscription": subscription, "aggregate_id": aggregate, "status": "dead"}
    several = [dead_delivery(acme, seq=seq, **values) for seq in (7, 8, 9)]
    chosen = [f"delivery:{one.pk}" for one in reversed(several)]  # as the page has them, the latest first
    acme.admin.post(PAGE, {"verb": "replay", "chosen": chosen, "confirmed": "yes"})
    with acme.scope():
        made = EventDelivery.objects.filter(replay_no=1, aggregate_id=aggregate).order_by("id")
        assert list(made.values_list("seq", "is_blocked")) == [(7, False), (8, True), (9, True)]


def test_discards_several_with_a_reason(acme: Company) -> None:
    delivery, job = dead_delivery(acme), dead_job(acme)
    body = {"verb": "discard", "chosen": [f"delivery:{delivery.pk}", f"job:{job.pk}"], "confirmed": "yes"}
    page = acme.admin.post(PAGE, {**body, "reason": "  "}, follow=True)
    assert "Say why" in text(page) and status(delivery, acme) == "dead"
    acme.admin.post(PAGE, {**body, "reason": "Obsolete"})
    assert status(delivery, acme) == "discarded" and status(job, acme) in ("discarded", "gone")


def test_shows_one_and_replays_it_edited(acme: Company) -> None:
    delivery, job = dead_delivery(acme), dead_job(acme, arguments={"args": ["x"], "kwargs": {}})
    assert "number" in text(acme.admin.get(f"{PAGE}delivery/{delivery.pk}/"))
    bad = acme.admin.post(f"{PAGE}delivery/{delivery.pk}/", {"verb": "replay", "payload": "{"})
    assert "This is not JSON" in text(bad) and status(delivery, acme) == "dead"
    acme.admin.post(f"{PAGE}delivery/{delivery.pk}/", {"verb": "replay", "payload": '{"edited": true}'})
    with acme.scope():
        assert EventDelivery.objects.get(event_id=delivery.event_id, replay_no=1).payload == {"edited": True}
    acme.admin.post(f"{PAGE}job/{job.pk}/", {"verb": "replay", "payload": '{"args": ["y"], "kwargs": {}}'})
    with acme.scope():
        assert Job.objects.get(pk=job.pk).arguments == {"args": ["y"], "kwargs": {}}


def test_what_is_gone_or_foreign_is_not_there(acme: Company, bolt: Company) -> None:
    foreign = dead_delivery(bolt)
    for address in (f"delivery/{foreign.pk}/", f"delivery/{uuid4()}/", f"other/{foreign.pk}/"):
        assert acme.admin.get(f"{PAGE}{address}").status_code == 404
    acme.admin.post(PAGE, {"verb": "discard", "chosen": [f"delivery:{foreign.pk}"], "confirmed": "y", "reason": "x"})
    assert status(foreign, bolt) == "dead"
    assert acme.admin.post(PAGE, {"verb": "burn", "chosen": [f"delivery:{foreign.pk}"]}).status_code == 302


def test_a_viewer_only_looks(acme: Company) -> None:
    delivery = dead_delivery(acme)
    viewer = acme.admin_as(VIEWER)
    page = text(viewer.get(PAGE))
    assert str(delivery.pk) in page and "Replay the chosen" not in page
    assert viewer.post(f"{PAGE}delivery/{delivery.pk}/", {"verb": "replay"}).status_code == 403
    assert status(delivery, acme) == "dead"


def test_a_subscription_is_made_in_the_admin(acme: Company) -> None:
    with acme.scope():
        topic = TopicFactory()
    add = "/admin/notifications/eventsubscription/add/"
    body = {"name": "Low", "bus": "default", "pattern": '{"type": ["stock.low"]}', "enabled": "on", "topic": str(topic.pk)}
    assert "Name one target" in text(acme.admin.post(add, {**body, "topic": ""}))
    assert "is no operator" in text(acme.admin.post(add, {**body, "pattern": '{"type": [{"prefxi": "a"}]}'}))
    assert acme.admin.post(add, body).status_code == 302
    with acme.scope():
        made = EventSubscription.objects.get(name="Low")
        assert (made.target_kind, made.topic_id) == ("topic", topic.pk)
    change = f"/admin/notifications/eventsubscription/{made.pk}/change/"
    assert acme.admin.post(change, {**body, "name": "Lower"}).status_code == 302
    with acme.scope():
        other = EventSubscriptionFactory()
        assert EventSubscription.objects.get(pk=made.pk).name == "Lower"
        EventDeliveryFactory(subscription=other)
    assert acme.admin.post(f"/admin/notifications/eventsubscription/{other.pk}/delete/", {"post": "yes"}).status_code == 302
    with acme.scope():
        assert not EventSubscription.objects.filter(pk=other.pk).exists()
