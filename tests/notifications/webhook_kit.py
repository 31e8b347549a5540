"""Endpoints, and deliveries to them without the engine."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from standardwebhooks import Webhook
from uuid_utils.compat import uuid7

from notifications.models import WebhookHealth
from notifications.services.delivering import Claimed, Outcome
from notifications.services.webhooks import NewSecret, webhook_endpoint_create
from notifications.webhooks import deliver_webhook
from tests.companies import Company
from tests.notifications.receiver import Received


def endpoint(company: Company, url: str, **values: Any) -> NewSecret:
    with company.scope():
        return webhook_endpoint_create(name="Shop", url=url, **values)


def claimed(company: Company, endpoint_id: UUID, **values: Any) -> Claimed:
    event_id = values.pop("event_id", None) or uuid7()
    envelope = {
        "id": str(event_id), "type": "stock.low", "bus": "default", "schema_version": 1, "aggregate_type": "stock_item",
        "aggregate_id": str(uuid4()), "occurred_at": "2026-11-26T12:00:00Z", "correlation_id": "req-7",
        "traceparent": "", "organization": company.organization.slug, "payload": {"name": "Schraube M4 \u00d7 20"},
    }
    facts: dict[str, Any] = {
        "id": uuid7(), "organization_id": company.organization.pk, "subscription_id": uuid7(), "endpoint_id": endpoint_id,
        "topic_id": None, "task": "", "event_id": event_id, "envelope": envelope, "attempt": 1, "replay_no": 0, **values,
    }
    return Claimed(**facts)


def deliver(company: Company, made: NewSecret, **values: Any) -> Outcome:
    return deliver_webhook(claimed(company, made.row.pk, **values))


def verified(request: Received, secret: str) -> Any:
    return Webhook(secret).verify(request.body, dict(request.headers))


def rewind(company: Company, made: NewSecret, **columns: timedelta) -> None:
    """As if what is noted of the endpoint had been noted so long ago."""
    with company.scope(), connection.cursor() as cursor:
        for column, ago in columns.items():
            cursor.execute(
                f"UPDATE notifications_webhookhealth SET {column} = {column} - %s WHERE endpoint_id = %s", [ago, made.row.pk],
            )  # fmt: skip


def health(company: Company, made: NewSecret) -> WebhookHealth:
    with company.scope():
        return WebhookHealth.objects.get(endpoint=made.row)
