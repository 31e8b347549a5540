"""Facts leave a transaction when it commits: publishing writes the outbox, from which the relay tells them."""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from uuid_utils.compat import uuid7

from core.arrays import array
from core.kept import Beside, Kept, Statement, send_alone
from core.tenancy import active_scope
from notifications.event_types import field_names, type_of
from notifications.queries.envelopes import ORIGIN, OUTBOX, causes
from notifications.services.ringing import ring_for_the_relay

# No doorbell: a transaction that notifies commits under a lock of the whole server, so that the busiest writers
# would wait for each other's disks. The worker looks for events every second.
PUBLISH = Kept("published", f"""{OUTBOX}
    SELECT e.id, %s::uuid, e.bus, e.type, e.version, e.aggregate_type, e.aggregate_id, e.payload::jsonb, %s::text, %s::text
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::int[], %s::text[], %s::uuid[], %s::text[]) WITH ORDINALITY
        AS e(id, bus, type, version, aggregate_type, aggregate_id, payload, number)
    ORDER BY e.number
""")


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
    ids, told = published(events)
    send_alone([told])
    return ids


def published(events: Sequence[tuple[object, UUID]]) -> tuple[list[UUID], Beside]:
    """The same for who sends it beside other statements of the transaction: the ids, and what is to be sent."""
    scope, ids = active_scope(), [uuid7() for _ in events]
    types = [type_of(event) for event, _ in events]
    ring_for_the_relay()
    return ids, Beside(PUBLISH, [
        scope.organization_id, scope.origin.request_id, scope.origin.traceparent,
        array(ids), [one.bus for one in types], [one.name for one in types], array(one.version for one in types),
        [one.aggregate for one in types], array(key for _, key in events),
        [_json(event) for event, _ in events],
    ])


@cache
def telling(source: str) -> Statement:
    """An event that is told if `source`, a name in the WITH of the statement, has its one row. `told_of` gives its values."""
    return Statement("published", f"""{OUTBOX}
        SELECT %s::uuid, %s::uuid, %s::text, %s::text, %s::int, %s::text, %s::uuid, %s::jsonb, %s::text, %s::text
        FROM {source}""")


def told_of(event: object, *, aggregate_id: UUID) -> list[Any]:
    scope, declared = active_scope(), type_of(event)
    ring_for_the_relay()
    return [
        uuid7(), scope.organization_id, declared.bus, declared.name, declared.version, declared.aggregate, aggregate_id,
        _json(event), scope.origin.request_id, scope.origin.traceparent,
    ]


def _json(event: object) -> str:
    return orjson.dumps(event, default=_number, option=orjson.OPT_UTC_Z).decode()


def _number(value: object) -> orjson.Fragment:
    """An amount with all of its digits."""
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(f"{value:f}".encode())
    raise TypeError(f"{value!r} has no place in an event")


def publish_from(shape: type, source: str, *, aggregate_id: str, caused_by: str = causes(ORIGIN), **values: str) -> str:
    """SQL that publishes an event of this type for each row of `source`, which has a column organization_id.

    A whole INSERT, to stand in a WITH or alone. `source` is a table, a WITH name or a subselect with an alias, with an
    ORDER BY if need be; `aggregate_id` and the value of each field are SQL over its columns, and so is `caused_by`, a request's
    id and its trace, where that is not the scope's. The app publishes for its organization alone, the worker for any.
    Raises Undeclared, or TypeError for fields that are missing or not there.
    """
    declared = type_of(shape)
    if set(values) != set(field_names(shape)):
        wrong = ", ".join(sorted(set(values) ^ set(field_names(shape))))
        raise TypeError(f"{declared.name} has other fields; look at {wrong}.")
    payload = ", ".join(f"'{name}', {value}" for name, value in values.items())
    return f"""{OUTBOX}
        SELECT uuid7(), organization_id, '{declared.bus}', '{declared.name}', {declared.version}, '{declared.aggregate}',
               {aggregate_id}, jsonb_build_object({payload}), {caused_by}
        FROM {source}
    """
