"""The table of orders as a stream: each change with the row as it is then, and without whom it is for."""

from collections.abc import Callable

from jsonschema import Draft202012Validator

from notifications.event_types import event_types
from notifications.models import EventDelivery, OutboxEvent
from orders.models import SalesOrder
from orders.services.sales_orders import sales_order_change, sales_order_confirm, sales_order_place
from tests.companies import Company
from tests.factories.notifications import EventSubscriptionFactory, WebhookEndpointFactory
from tests.notifications.test_feed import FEED, follow
from tests.notifications.test_relaying import relay_all, untold
from tests.orders.selling import Shop

SHOWN = ("id", "version", "external_ref", "status", "channel", "customer", "currency", "payment_status")
PERSONAL = {"email", "shipping_address", "billing_address", "note"}


def test_the_feed_has_each_change_with_the_new_image_of_the_row(new_company: Callable[[], Company]) -> None:
    company = untold(new_company())
    with company.scope():
        order = sales_order_confirm(order=sales_order_place(order=Shop.create().cart()))
        SalesOrder.objects.filter(pk=order.pk).update(external_ref="by raw SQL, too")
    relay_all()
    events = [event for event in follow(company.api, aggregate_id=order.pk) if event["aggregate_type"] == "sales_order"]
    images = [event["payload"]["object"] for event in events if event["type"].startswith("sales_order.")]
    assert events[0]["type"] == "sales_order.created"
    assert [(image["status"], image["number"]) for image in (images[0], images[-1])] == [
        ("draft", None), ("confirmed", "SO-000001"),
    ]  # fmt: skip
    shown = company.api.get(f"/api/v1/sales-orders/{order.pk}/").json()
    assert {name: images[-1][name] for name in SHOWN} == {name: shown[name] for name in SHOWN}
    assert company.api.get(FEED, {"after": 0, "type": "sales_order.updated"}).json()["results"][-1]["payload"]["changed"] == [
        "external_ref",
    ]


def test_it_says_that_an_address_changed_and_not_to_what(acme: Company) -> None:
    with acme.scope():
        order = Shop.create().cart()
        sales_order_change(order=order, email="ann@example.test", shipping_address={"name": "Ann", "country": "PT"})
        told = OutboxEvent.objects.filter(aggregate_id=order.pk).latest("seq")
        assert told.payload["changed"] == ["email", "shipping_address"]
        assert not PERSONAL & told.payload["object"].keys() and "Ann" not in str(told.payload).title()
        Draft202012Validator(event_types()[told.type].schema).validate(told.payload)


def test_a_subscription_chooses_by_what_the_row_holds_now(new_company: Callable[[], Company]) -> None:
    company = untold(new_company())
    with company.scope():
        subscription = EventSubscriptionFactory(endpoint=WebhookEndpointFactory(), pattern={
            "type": [{"prefix": "sales_order."}], "payload": {"object": {"status": ["confirmed"]}, "changed": ["status"]},
        })  # fmt: skip
        shop = Shop.create()
        first, _ = (sales_order_place(order=shop.cart(1)) for _ in range(2))
        sales_order_confirm(order=first)
    relay_all()
    with company.scope():
        [delivery] = EventDelivery.objects.filter(subscription=subscription)
        assert OutboxEvent.objects.get(pk=delivery.event_id).payload["object"]["number"] == "SO-000001"
