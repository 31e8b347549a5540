"""Facts leave a transaction when it commits: publishing writes the outbox, from which the relay tells them."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import connection
from uuid_utils.compat import uuid7

from core.json import dumps
from core.tenancy import active_scope

# No doorbell: a transaction that notifies commits under a lock of the whole server, so that the busiest writers
# would wait for each other's disks. The worker looks for events every second.
PUBLISH = """
    INSERT INTO notifications_outboxevent
        (id, organization_id, bus, type, schema_version, aggregate_type, aggregate_id, payload, correlation_id)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def publish(
    *, type: str, aggregate_type: str, aggregate_id: UUID, payload: Mapping[str, Any],
    schema_version: int = 1, bus: str = "default",
) -> UUID:
    """Tell a fact about an aggregate, in the transaction that makes it true; returns the event's id.

    Events of one aggregate are in order if its writers take turns, which they do once they have locked its row:
    publish after the write. `payload` is the state after the change.
    """
    scope, event_id = active_scope(), uuid7()
    with connection.cursor() as cursor:
        cursor.execute(PUBLISH, [
            event_id, scope.organization_id, bus, type, schema_version, aggregate_type, aggregate_id,
            dumps(payload).decode(), scope.origin.request_id,
        ])
    return event_id


def publish_from(
    source: str, *, type: str, aggregate_type: str, aggregate_id: str, payload: str, schema_version: int = 1,
) -> str:
    """SQL that publishes an event for each row of `source`, which has a column organization_id.

    A whole INSERT, to stand in a WITH or alone. `source` is a table, a WITH name or a subselect with an alias;
    `aggregate_id` and `payload` (jsonb) are SQL over its columns. The app publishes for its organization alone,
    the worker for any.
    """
    for word in (type, aggregate_type):
        if not re.fullmatch(r"[a-z0-9_.]+", word):
            raise ValueError(f"{word!r} is no event type: use small letters, digits, _ and dots.")
    return f"""
        INSERT INTO notifications_outboxevent
            (id, organization_id, bus, type, schema_version, aggregate_type, aggregate_id, payload, correlation_id)
        SELECT uuid7(), organization_id, 'default', '{type}', {schema_version}, '{aggregate_type}', {aggregate_id}, {payload},
               COALESCE(NULLIF(current_setting('app.origin', true), '')::jsonb ->> 'request_id', '')
        FROM {source}
    """
