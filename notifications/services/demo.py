"""A webhook of the demo that has been at work. Its server is invented, so nothing more is sent: the subscription is off."""

from collections.abc import Sequence
from itertools import cycle
from typing import NamedTuple

from django.utils import timezone

from notifications.models import DeliveryAttempt, EventDelivery, EventSubscription, OutboxEvent
from notifications.services.webhooks import webhook_endpoint_create

SHIPPED = "order.shipped"
MOST = 8  # deliveries
Status = EventDelivery.Status


class Try(NamedTuple):
    code: int
    took: int  # milliseconds
    said: str = ""

    @property
    def error(self) -> str:
        return "" if self.code == 200 else f"It answered {self.code}."


TAKEN, BUSY, UNKNOWN = Try(200, 84, '{"ok": true}'), Try(503, 5_012, "Service Unavailable"), Try(422, 61, "Unknown order")
# What became of them, one after the other.
TRIES: Sequence[Sequence[Try]] = ((TAKEN,), (TAKEN,), (BUSY, TAKEN), (UNKNOWN,) * 3, (TAKEN,))


def webhook_demo() -> None:
    """Of the events of orders that were shipped. To be called after those."""
    endpoint = webhook_endpoint_create(name="Customer portal", url="https://portal.example/hooks", max_attempts=3).row
    subscription = EventSubscription.objects.create(
        name="Orders that were shipped", pattern={"type": [SHIPPED]}, target_kind=EventSubscription.Target.WEBHOOK,
        endpoint=endpoint, enabled=False,
    )
    events = OutboxEvent.objects.filter(type=SHIPPED).order_by("seq")[:MOST]
    for event, tries in zip(events, cycle(TRIES), strict=False):
        delivery = EventDelivery.objects.create(
            event=event, subscription=subscription, aggregate_id=event.aggregate_id, seq=event.seq, attempts=len(tries),
            status=Status.DEAD if tries[-1].error else Status.DELIVERED, last_error=tries[-1].error, finished_at=timezone.now(),
        )
        DeliveryAttempt.objects.bulk_create([
            DeliveryAttempt(
                delivery=delivery, number=number, status_code=one.code, response_excerpt=one.said, error=one.error,
                duration_ms=one.took,
            )
            for number, one in enumerate(tries, 1)
        ])
