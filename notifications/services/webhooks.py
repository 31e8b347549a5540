"""Endpoints of webhooks: their secrets, and whether they are told of events."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from core.errors import Conflict, Invalid
from core.sealing import seal, unseal
from notifications.events import WebhookEndpointDisabled
from notifications.models import EventSubscription, WebhookEndpoint, WebhookHealth
from notifications.services.events import publish
from notifications.services.operators import operators_tell
from notifications.services.replaying import Replayed, subscriptions_delete, subscriptions_replay

OVERLAP, LONGEST_OVERLAP = timedelta(hours=24), timedelta(days=30)
PURPOSE = "webhook secret"  # of its seal
PREFIX, BYTES = "whsec_", 32


@dataclass(frozen=True, slots=True)
class NewSecret:
    """`secret` is seen here and never again."""

    row: WebhookEndpoint
    secret: str


def secret_make() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(BYTES)).decode()


def secret_seal(secret: str) -> bytes:
    return seal(secret.encode(), purpose=PURPOSE)


def secret_open(sealed: bytes) -> str:
    """Raises BrokenSeal."""
    return unseal(sealed, purpose=PURPOSE).decode()


def webhook_endpoint_create(*, name: str, url: str, **values: Any) -> NewSecret:
    secret = secret_make()
    return NewSecret(WebhookEndpoint.objects.create(name=name, url=url, secret=secret_seal(secret), **values), secret)


@transaction.atomic
def webhook_endpoint_rotate(*, endpoint: WebhookEndpoint, overlap: timedelta = OVERLAP) -> NewSecret:
    """A new secret; the present one signs beside it for the overlap. One that was still signing from before ends now.

    Raises Invalid for the overlap.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid("The former secret may sign for 0 to 720 hours (30 days).", fields={"overlap_hours": "Give 0 to 720."})
    # Locked: of two rotations at once the second keeps the first one's secret.
    row: WebhookEndpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    secret = secret_make()
    row.previous_secret = row.secret if overlap else None
    row.previous_secret_until = timezone.now() + overlap if overlap else None
    row.secret = secret_seal(secret)
    row.save(update_fields=["secret", "previous_secret", "previous_secret_until"])
    return NewSecret(row, secret)


@transaction.atomic
def webhook_endpoint_enable(*, endpoint: WebhookEndpoint) -> None:
    """From now on it is told again, with a clean slate; what died meanwhile stays dead until it is replayed."""
    if endpoint.disabled_at is None:
        raise Conflict("This endpoint is not disabled.", code="not_disabled")
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(disabled_at=None, disabled_reason="")
    webhook_health_forget(endpoint_ids=[endpoint.pk])


def webhook_endpoint_disable(*, endpoint_id: UUID, reason: str, by_itself: bool = False) -> bool:
    """Whether it was enabled before. When nobody asked for it, the operators are told."""
    endpoints = WebhookEndpoint.objects.filter(pk=endpoint_id, disabled_at=None)
    with transaction.atomic():
        if not endpoints.update(disabled_at=timezone.now(), disabled_reason=reason[:200]):
            return False
        _tell(WebhookEndpoint.objects.get(pk=endpoint_id), by_itself=by_itself)
    return True


def _tell(endpoint: WebhookEndpoint, *, by_itself: bool) -> None:
    where = f"https://{urlsplit(endpoint.url).hostname}/…"  # a path may be a secret
    disabled = WebhookEndpointDisabled(
        name=endpoint.name, url=where, reason=endpoint.disabled_reason, by_itself=by_itself,
    )
    event_id = publish(disabled, aggregate_id=endpoint.pk)
    if by_itself:
        operators_tell(
            subject=f"The webhook {endpoint.name} was disabled",
            body=(
                f"{endpoint.name} ({where}) is told of no more events: {endpoint.disabled_reason}\n\n"
                "Events for it become dead letters from now on. Once the receiver answers again (the test event says so), "
                "enable the endpoint and replay them."
            ),
            dedupe_key=f"webhook disabled {event_id}",
        )


def webhook_endpoint_delete(*, endpoint: WebhookEndpoint) -> None:
    """With its subscriptions and what they were told."""
    with transaction.atomic():
        subscriptions_delete(endpoint_id=endpoint.pk)
        endpoint.delete()


def webhook_endpoint_replay(
    *, endpoint: WebhookEndpoint, statuses: Sequence[str], since: datetime | None = None, event_type: str = "",
) -> list[tuple[UUID, Replayed]]:
    """Of each subscription to it, as `deliveries_replay` does it. Raises Conflict for a disabled endpoint."""
    if endpoint.disabled_at:
        raise Conflict("This endpoint is disabled: enable it first, or all of it is dead again.", code="disabled")
    ids = list(EventSubscription.objects.filter(endpoint=endpoint).order_by("pk").values_list("pk", flat=True))
    replayed = subscriptions_replay(subscription_ids=ids, statuses=statuses, since=since, event_type=event_type)
    return list(zip(ids, replayed, strict=True))


def webhook_health_forget(*, endpoint_ids: list[UUID]) -> None:
    """After its address or its rate was changed: what was noted of the former ones says nothing."""
    WebhookHealth.objects.filter(endpoint__in=endpoint_ids).delete()
