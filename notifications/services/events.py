"""Facts leave a transaction when it commits: publishing writes the outbox, from which the relay tells them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db import connection
from uuid_utils.compat import uuid7

from core.tenancy import active_scope
from notifications.event_types import field_names, type_of
from notifications.services.ringing import ring_for_the_relay

# No doorbell: a transaction that notifies commits under a lock of the whole server, so that the busiest writers
# would wait for each other's disks. The worker looks for events every second.
INSERT = """
    INSERT INTO notifications_outboxevent
        (id, organization_id, bus, type, schema_version, aggregate_type, aggregate_id, payload, correlation_id)
    """
EVENT = ", ".join(["%s"] * 9)


def publish(event: object, *, aggregate_id: UUID) -> UUID:
    """Tell a fact about an aggregate, in the transaction that makes it true; returns the event's id.

    Raises Undeclared for what is no event type. Events of one aggregate are in order if its writers take turns, which
    they do once they have locked its row: publish after the write, with the state after the change.
    """
    [event_id] = publish_all([(event, aggregate_id)])
    return event_id


def publish_all(events: Sequence[tuple[object, UUID]]) -> list[UUID]:
    """The same of several facts, each with the id of its aggregate, in their order and in one statement."""
    if not events:
        return []
    ids, sql, values = published(events)
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
    return ids


def published(events: Sequence[tuple[object, UUID]]) -> tuple[list[UUID], str, list[Any]]:
    """The same for who sends the statement, beside others of the transaction: the ids, the INSERT and its values."""
    ids, values = [uuid7() for _ in events], list[Any]()
    for event_id, (event, aggregate_id) in zip(ids, events, strict=True):
        values += _values(event_id, event, aggregate_id)
    ring_for_the_relay()
    return ids, f"{INSERT}VALUES {', '.join([f'({EVENT})'] * len(events))}", values


def published_where(event: object, *, aggregate_id: UUID, source: str) -> tuple[str, list[Any]]:
    """The same of one fact, which is told if `source`, a name in the WITH of the statement, has its one row."""
    ring_for_the_relay()
    return f"{INSERT}SELECT {EVENT} FROM {source}", _values(uuid7(), event, aggregate_id)


def _values(event_id: UUID, event: object, aggregate_id: UUID) -> list[Any]:
    scope, declared = active_scope(), type_of(event)
    return [
        event_id, scope.organization_id, declared.bus, declared.name, declared.version, declared.aggregate, aggregate_id,
        orjson.dumps(event, default=_number, option=orjson.OPT_UTC_Z).decode(), scope.origin.request_id,
    ]


def _number(value: object) -> orjson.Fragment:
    """An amount with all of its digits."""
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(f"{value:f}".encode())
    raise TypeError(f"{value!r} has no place in an event")


def publish_from(shape: type, source: str, *, aggregate_id: str, **values: str) -> str:
    """SQL that publishes an event of this type for each row of `source`, which has a column organization_id.

    A whole INSERT, to stand in a WITH or alone. `source` is a table, a WITH name or a subselect with an alias, with an
    ORDER BY if need be; `aggregate_id` and the value of each field are SQL over its columns. The app publishes for its
    organization alone, the worker for any. Raises Undeclared, or TypeError for fields that are missing or not there.
    """
    declared = type_of(shape)
    if set(values) != set(field_names(shape)):
        wrong = ", ".join(sorted(set(values) ^ set(field_names(shape))))
        raise TypeError(f"{declared.name} has other fields; look at {wrong}.")
    payload = ", ".join(f"'{name}', {value}" for name, value in values.items())
    return f"""
        INSERT INTO notifications_outboxevent
            (id, organization_id, bus, type, schema_version, aggregate_type, aggregate_id, payload, correlation_id)
        SELECT uuid7(), organization_id, '{declared.bus}', '{declared.name}', {declared.version}, '{declared.aggregate}',
               {aggregate_id}, jsonb_build_object({payload}),
               COALESCE(NULLIF(current_setting('app.origin', true), '')::jsonb ->> 'request_id', '')
        FROM {source}
    """
