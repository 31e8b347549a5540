"""Orders that stand still are told once, until they move."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from notifications.models import NotificationDelivery, OutboxEvent, Topic, TopicSubscription
from orders.models import Channel, SalesOrder
from orders.services.sales_orders import sales_order_confirm, sales_order_hold, sales_order_place
from orders.services.stuck import STUCK_ORDERS, stuck_orders_find_everywhere
from tests.companies import Company
from tests.orders.selling import Shop


def test_who_stands_still_is_told_once(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create(placed_hours=24, confirmed_hours=2)
        TopicSubscription.objects.create(
            topic=Topic.objects.get(key=STUCK_ORDERS), address="ops@example.com", status="confirmed",
        )
        shop.cart()
        orders = [sales_order_place(order=shop.cart(bolts=1)) for _ in range(3)]
        fresh, confirmed, placed = orders
        sales_order_confirm(order=confirmed)

    def stuck() -> set[str]:
        found = company.api.get("/api/v1/sales-orders/", {"stuck_at__isnull": "false"}).json()["results"]
        return {row["id"] for row in found}

    assert stuck_orders_find_everywhere() == 0
    with company.scope():
        SalesOrder.objects.exclude(pk=fresh.pk).update(moved_at=timezone.now() - timedelta(hours=3))
    assert stuck_orders_find_everywhere() == 1, "a placed one has a day, a confirmed one two hours here"
    assert stuck_orders_find_everywhere() == 0, "told once"
    assert stuck() == {str(confirmed.pk)}
    page = company.admin.get("/admin/orders/salesorder/?stuck=yes").content.decode()
    assert f"{confirmed.number}" in page and f"{placed.number}" not in page
    with company.scope():
        told = OutboxEvent.objects.get(type="order.stuck")
        assert (told.aggregate_id, told.payload["status"]) == (confirmed.pk, "confirmed")
        [message] = NotificationDelivery.objects.filter(address="ops@example.com")
        assert (message.subject, f"{confirmed.number}: confirmed for 3 hours" in message.body) == ("1 order stands still", True)
        Channel.objects.update(placed_hours=1, on_hold_hours=None)
        sales_order_hold(order=confirmed)
    assert stuck() == set(), "it moved"
    with company.scope():
        SalesOrder.objects.filter(pk=confirmed.pk).update(moved_at=timezone.now() - timedelta(days=999))
    assert stuck_orders_find_everywhere() == 1, "the placed one; who is on hold may be so for ever here"
    assert stuck() == {str(placed.pk)}
