"""A person who stands in every table of notifications that knows people."""

from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile

from accounts.models import Membership
from core.files import private_files
from tests.factories.accounts import IdempotencyRecordFactory
from tests.factories.notifications import (
    AlertFactory,
    ChannelConfigFactory,
    DeliveryAttemptFactory,
    EventDeliveryFactory,
    ExternalCacheEntryFactory,
    ExternalSubjectFactory,
    InboundWebhookFactory,
    JobAttemptFactory,
    JobFactory,
    NotificationDeliveryFactory,
    NotificationFactory,
    NotificationPreferenceFactory,
    OutboxEventFactory,
    TopicSubscriptionFactory,
    WatchHitFactory,
)


def _about(user_id: UUID, email: str) -> dict[str, Any]:
    """An event as a handler gets it."""
    changed = {"email": email, "name": "Ada Lovelace", "phone": "+351 555 0100"}
    return {"aggregate_type": "user", "aggregate_id": str(user_id), "payload": {"object": {**changed, "status": "active"}}}


def in_machinery(membership: Membership, email: str) -> None:
    subscription = TopicSubscriptionFactory(address=email, membership=membership)
    NotificationDeliveryFactory(subscription=subscription, address=email, body=f"Dear {email}, ...", error=f"refused {email}")
    NotificationDeliveryFactory(body=f"{email} has asked for something.")
    JobFactory(
        task="about.a_member", arguments={"args": [_about(membership.user_id, email)], "kwargs": {}},
        error=f"SMTPRecipientsRefused: {email}", dedupe_key=f"welcome {email}",
    )
    JobAttemptFactory(error=f"SMTPRecipientsRefused: {email}")
    JobFactory(origin={"actor_id": str(membership.user_id), "ip": "192.0.2.66"})
    file = private_files().save("exports/customers", ContentFile(f"{email} and everybody else".encode()))
    JobFactory(task="notifications.tasks.export", origin={"actor_id": str(membership.user_id)}, result={"key": file, "rows": 9})
    OutboxEventFactory(payload={"who": email})
    InboundWebhookFactory(payload={"who": email}, external_id=f"order of {email}", error=f"No such {email}")
    delivery = EventDeliveryFactory(payload={"who": email}, last_error=f"refused {email}", discard_reason=f"{email} said so")
    NotificationFactory(recipient=membership)
    NotificationFactory(title=f"{email} left", body=f"Dear {email}", dedupe_key=f"about {email}")
    NotificationPreferenceFactory(membership=membership)
    AlertFactory(acknowledged_by=membership, note=f"{email} knows more")
    ChannelConfigFactory(from_address=email, username=email)
    DeliveryAttemptFactory(delivery=delivery, response_excerpt=f"Who is {email}?", error=f"refused {email}")
    WatchHitFactory(watch__membership=membership)
    subject = ExternalSubjectFactory(external_id=email, label=f"Rating of {email}", attributes={"mail": email})
    WatchHitFactory(watch__subject=subject, watch__last_value={"mail": email}, watch__name=email, before=email, after=[email])
    ExternalCacheEntryFactory(cache_key=f"price:{email}", payload={"mail": email})
    IdempotencyRecordFactory(principal=f"user:{membership.user_id}")
    IdempotencyRecordFactory(body=f'{{"email": "{email}"}}'.encode())
