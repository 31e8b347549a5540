"""Source 001 end to end: an order is placed, a warehouse packs it, a delivery service brings it, the customer gets a mail."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from jsonschema import Draft202012Validator, FormatChecker

from core.invariants import broken
from notifications.deliveries import deliver_due
from notifications.event_types import event_types
from notifications.models import EventDelivery, EventSubscription, OutboxEvent, WebhookEndpoint
from notifications.registry import handlers
from notifications.services.relaying import events_relay
from orders.models import SalesOrder
from tests.companies import Api, Company
from tests.notifications.at_work import quiet, run_all
from tests.notifications.test_relaying import relay_all
from tests.notifications.test_webhook_engine import close_connections_of_threads
from tests.orders.partners import Partner, partners
from tests.orders.shop import ADDRESS, FULFIL, Shop

pytestmark = pytest.mark.once

WHOLE = ["order.placed", "order.packed", "order.shipped", "order.delivered", "order.completed"]
ENDPOINTS, SUBSCRIPTIONS = "/api/v1/webhook-endpoints/", "/api/v1/event-subscriptions/"


@pytest.fixture
def shop(new_company: Callable[[], Company]) -> Iterator[Shop]:
    """Alone: what others have left is done."""
    relay_all()
    with connections["worker"].cursor() as cursor:
        cursor.execute("UPDATE notifications_eventdelivery SET status = 'discarded' WHERE status NOT IN ('delivered', 'dead')")
    quiet()
    yield Shop(new_company())
    close_connections_of_threads()


@pytest.fixture
def both(shop: Shop, server: str) -> Iterator[tuple[Partner, Partner]]:
    """Wired as an administrator does it."""
    with partners() as made:
        for partner, purpose in zip(made, ("warehouse", "delivery"), strict=True):
            body = {"name": purpose, "url": partner.listening.url, "purpose": purpose}
            endpoint = shop.company.api.send("post", ENDPOINTS, body).json()
            wired = {"name": purpose, "pattern": {"type": [partner.wants]}, "endpoint": endpoint["id"]}
            assert shop.company.api.send("post", SUBSCRIPTIONS, wired).status_code == 201
            partner.url, partner.secret, partner.key = server, endpoint["secret"], shop.company.key(FULFIL)[1]
        yield made


def work(*, hours: int = 0) -> None:
    """What the worker does until nothing is due, as if so much time had gone by."""
    with connections["worker"].cursor() as cursor:
        ago = timedelta(hours=hours)
        cursor.execute("UPDATE notifications_eventdelivery SET next_attempt_at = next_attempt_at - %s", [ago])
        cursor.execute("UPDATE notifications_webhookhealth SET closed_until = closed_until - %s", [ago])
    while events_relay(handlers()).events or deliver_due(Event(), 1000) or run_all():
        pass


def statuses(shop: Shop) -> list[tuple[str, str]]:
    with shop.company.scope():
        return list(SalesOrder.objects.order_by("number").values_list("status", "fulfilment_status"))


def mails() -> list[tuple[list[str], str]]:
    return [(one.to, one.subject) for one in mail.outbox if one.subject.startswith("Your order")]


def test_an_order_goes_the_whole_way(shop: Shop, both: tuple[Partner, Partner]) -> None:
    warehouse, delivery = both
    customer = shop.customer()
    shown = shop.placed(3, customer)
    assert statuses(shop) == [("placed", "not_started")]
    work()
    assert statuses(shop) == [("placed", "warehouse_notified")] and warehouse.work == [shown["id"]]
    assert warehouse.call_back() == [200]
    assert statuses(shop) == [("packed", "packed")]
    work()
    assert statuses(shop) == [("packed", "delivery_notified")]
    assert delivery.call_back() == [200] and delivery.addresses == [ADDRESS]
    assert statuses(shop) == [("delivered", "delivered")]
    work()
    assert statuses(shop) == [("completed", "delivered")]
    assert customer.get(f"/orders/{shown['id']}").json()["status"] == "delivered"
    assert mails() == [([shown["userEmail"]], "Your order SO-000001 was delivered")]
    [sent] = [one for one in mail.outbox if one.subject.startswith("Your order")]
    assert "3 x Bolt" in sent.body
    with shop.company.scope():
        assert shop.told(shown) == WHOLE and shop.goods.on_hand() == 7
        told = [one.payload for one in OutboxEvent.objects.filter(type="webhook.delivered").order_by("seq")]
        assert [(one["purpose"], one["type"], one["aggregate"]) for one in told] == [
            ("warehouse", "order.placed", shown["id"]), ("delivery", "order.packed", shown["id"]),
        ]
        declared = Draft202012Validator(event_types()["webhook.delivered"].schema, format_checker=FormatChecker())
        for payload in told:
            declared.validate(payload)
        everything = str([one.payload for one in OutboxEvent.objects.filter(type__in=WHOLE)])
        assert ADDRESS["name"] not in everything and shown["userEmail"] not in everything, "events name no person"
        assert not [rows for _, rows in broken() if rows]
    assert {request.path for request in warehouse.listening.received} == {"/hooks"}


def test_call_backs_twice_and_too_early(shop: Shop, both: tuple[Partner, Partner]) -> None:
    warehouse, delivery = both
    order = shop.placed()["id"]
    assert delivery.say(order).status == 409, "it was not packed yet"
    assert warehouse.say(order).status == 200, "quicker than our own note that it was told"
    work()
    assert statuses(shop) == [("packed", "delivery_notified")]
    assert warehouse.call_back() == [200] and warehouse.say(order).status == 200
    assert [delivery.say(order).status for _ in range(2)] == [200, 200]
    work()
    assert warehouse.say(order).body["status"] == "delivered"
    work()
    with shop.company.scope():
        assert shop.told({"id": order}) == WHOLE and shop.goods.on_hand() == 7
    assert statuses(shop) == [("completed", "delivered")] and len(mails()) == 1


def test_both_are_down_for_an_hour_and_nothing_is_lost_nor_done_twice(shop: Shop, both: tuple[Partner, Partner]) -> None:
    warehouse, delivery = both
    warehouse.is_down = delivery.is_down = True
    orders = [shop.placed(1)["id"] for _ in range(3)]
    for _ in range(3):
        work()
    assert statuses(shop) == [("placed", "not_started")] * 3 and not warehouse.seen
    warehouse.is_down = False
    for _ in range(3):
        work(hours=1)
    assert warehouse.work and sorted(warehouse.work) == sorted(orders)
    assert warehouse.call_back() == [200] * 3
    work()
    assert statuses(shop) == [("packed", "packed")] * 3 and not delivery.seen
    delivery.is_down = False
    for _ in range(3):
        work(hours=1)
    assert delivery.call_back() == [200] * 3
    work()
    assert statuses(shop) == [("completed", "delivered")] * 3 and len(mails()) == 3
    with shop.company.scope():
        assert [shop.told({"id": order}) for order in orders] == [WHOLE] * 3 and shop.goods.on_hand() == 7
        assert not EventDelivery.objects.exclude(status="delivered").exists()


def test_who_has_no_purpose_is_told_and_nothing_follows(shop: Shop, both: tuple[Partner, Partner]) -> None:
    """A partner that listens to everything is told of what it was told, and of that no more."""
    with shop.company.scope():
        WebhookEndpoint.objects.filter(name="warehouse").update(purpose="")
        EventSubscription.objects.filter(name="delivery").update(pattern={"bus": ["default"]})
    shop.placed()
    work()
    assert both[0].work and statuses(shop) == [("placed", "not_started")]
    with shop.company.scope():
        noted = OutboxEvent.objects.filter(type="webhook.delivered").values_list("payload__purpose", "payload__type")
        assert ("delivery", "order.placed") in noted and {purpose for purpose, _ in noted} == {"delivery"}
        assert "webhook.delivered" not in {kind for _, kind in noted}


def test_an_api_answers_what_an_endpoint_is_for(shop: Shop) -> None:
    api: Api = shop.company.api
    body: dict[str, Any] = {"name": "A", "url": "https://example.com/hooks"}
    assert api.send("post", ENDPOINTS, {**body, "purpose": "nobody"}).status_code == 400
    made = api.send("post", ENDPOINTS, body).json()
    assert made["purpose"] == ""
    changed = api.send("patch", f"{ENDPOINTS}{made['id']}/", {"purpose": "delivery"})
    assert changed.json()["purpose"] == "delivery"
