"""What was held back, as its recipient wants it, goes out together: one message of all that waited."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from uuid_utils.compat import uuid7

from accounts.models import Membership
from notifications.channels import Channel
from notifications.models import NotificationDelivery, TopicSubscription
from notifications.services.jobs import Order, job_enqueue
from notifications.services.messages import DELIVER

Kind, Status = NotificationDelivery.Kind, NotificationDelivery.Status
LEFT = "The subscriber left, or moved, before the message was sent."
MOST = 200  # messages whose text stands in a digest; of what follows the subjects alone


def digest_make(*, membership_id: UUID, channel: str) -> int:
    """Of what this member was to get by now, one for each address; returns how many messages go out.

    Twice at the same time makes one: whoever comes second waits, and finds nothing that is still held.
    """
    held = NotificationDelivery.objects.select_for_update(of=("self",), no_key=True).filter(
        status=Status.HELD, channel=channel, not_before__lte=timezone.now(),
        subscription_id__in=TopicSubscription.objects.filter(membership_id=membership_id).values("pk"),
    )  # fmt: skip
    by_address: dict[str, list[NotificationDelivery]] = {}
    for part in held.select_related("subscription__topic", "subscription__membership").order_by("id"):
        if _still_wants(part):
            by_address.setdefault(part.address, []).append(part)
        else:
            part.status, part.error = Status.FAILED, LEFT
            part.save(update_fields=["status", "error"])
    NotificationDelivery.objects.filter(status=Status.HELD, subscription=None).update(status=Status.FAILED, error=LEFT)
    for address, parts in by_address.items():
        _send_together(channel, address, parts)
    return sum(map(len, by_address.values()))


def _still_wants(part: NotificationDelivery) -> bool:
    row: Any = part.subscription
    is_there = row.status == TopicSubscription.Status.CONFIRMED and row.membership.status == Membership.Status.ACTIVE
    return bool(is_there and row.address == part.address)


def _send_together(channel: str, address: str, parts: list[NotificationDelivery]) -> None:
    keys, sent = [part.pk for part in parts], parts[0]
    topics = ", ".join(sorted({str(part.subscription.topic) for part in parts if part.subscription}))
    if len(parts) > 1:
        sent = NotificationDelivery.objects.create(
            subscription=None, dedupe_key=f"digest {uuid7()}", kind=Kind.DIGEST, channel=channel, address=address,
            subject=f"{len(parts)} messages: {topics}"[:200],
            body=_short(parts) if channel == Channel.SMS else _long(parts),
            window_start=min(part.created_at for part in parts), window_end=timezone.now(),
        )
    NotificationDelivery.objects.filter(pk__in=keys).update(status=Status.QUEUED, digest=sent if len(parts) > 1 else None)
    job_enqueue(Order(task=DELIVER, queue="mail", args=[str(sent.pk)], dedupe_key=f"deliver {sent.pk}"))


def _short(parts: list[NotificationDelivery]) -> str:
    return "\n".join(part.subject for part in parts)


def _long(parts: list[NotificationDelivery]) -> str:
    found = [f"{part.subject}\n{'=' * len(part.subject)}\n\n{part.body.strip()}\n" for part in parts[:MOST]]
    return "\n\n".join([*found, _short(parts[MOST:])]).strip() + "\n"
