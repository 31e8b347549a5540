"""The relay tells each event once to each who listens: a job for a handler, a delivery for a subscription."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.conf import settings
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper

from notifications.patterns import BadPattern, compile_pattern
from notifications.queries.envelopes import envelope
from notifications.services.jobs import DOORBELL, JOB_ONCE
from notifications.services.lanes import Lane, hold, open_in_lane
from notifications.services.ringing import ring_away

logger = logging.getLogger("notifications.relay")

BATCH = 100

# One relay at a time, so that positions rise in the order in which they can be seen. Asked for by itself: what the next
# statement sees is then all that the last holder committed.
TURN = "SELECT pg_try_advisory_xact_lock(7205760, -1)"

NEEDED = "/* needed */"
# The handlers come as four arrays: event type, task, queue, priority. An event that nobody handles is relayed as well.
# A handler's jobs about one aggregate run one after the other, by their lock key.
RELAY = f"""
    WITH batch AS MATERIALIZED (
        SELECT *, row_number() OVER own AS nth, count(*) OVER (PARTITION BY organization_id) AS own_total
        FROM (
            SELECT * FROM notifications_outboxevent WHERE relayed_at IS NULL ORDER BY seq LIMIT {BATCH} FOR UPDATE
        ) AS waiting
        WINDOW own AS (PARTITION BY organization_id ORDER BY seq)
    ), feed AS (
        INSERT INTO notifications_feedposition AS f (id, organization_id, last)
        SELECT uuid7(), organization_id, count(*) FROM batch GROUP BY organization_id
        ON CONFLICT (organization_id) DO UPDATE SET last = f.last + excluded.last
        RETURNING organization_id, last
    ), made AS (
        INSERT INTO notifications_job (id, organization_id, task, queue, priority, arguments, dedupe_key, lock_key, origin)
        SELECT uuid7(), e.organization_id, h.task, h.queue, h.priority,
               jsonb_build_object('kwargs', '{{}}'::jsonb, 'args', jsonb_build_array(jsonb_build_object(
                   'id', e.id, 'type', e.type, 'schema_version', e.schema_version, 'aggregate_type', e.aggregate_type,
                   'aggregate_id', e.aggregate_id, 'payload', e.payload, 'occurred_at', e.occurred_at))),
               e.id || ' ' || h.task, right(h.task, 160) || ' ' || e.aggregate_id,
               jsonb_build_object('request_id', e.correlation_id, 'traceparent', e.traceparent, 'reason', e.type)
        FROM batch AS e
        JOIN unnest(%(type)s::text[], %(task)s::text[], %(queue)s::text[], %(priority)s::int[])
            AS h (type, task, queue, priority) USING (type)
        WHERE {NEEDED}
        ORDER BY e.seq
        {JOB_ONCE} RETURNING id
    ), relayed AS (
        UPDATE notifications_outboxevent AS e
        SET relayed_at = now(), awaits_bus = %(bus)s, position = feed.last - batch.own_total + batch.nth
        FROM batch JOIN feed USING (organization_id) WHERE e.id = batch.id
        RETURNING e.id
    )
    SELECT (SELECT count(*) FROM relayed), array_agg(id), {DOORBELL}, (
        SELECT array_agg({envelope("e", seq="e.seq")} ORDER BY e.seq) FROM batch AS e
        WHERE EXISTS (SELECT FROM notifications_eventsubscription AS s WHERE s.organization_id = e.organization_id AND s.enabled)
    )
    FROM made
"""

SUBSCRIPTIONS = """
    SELECT organization_id, id, bus, pattern, problem FROM notifications_eventsubscription
    WHERE organization_id = ANY (%s) AND enabled
"""

# A subscription that was deleted meanwhile gets nothing; one that is being deleted waits for us.
DELIVER = f"""
    WITH wanted AS MATERIALIZED (
        SELECT w.*, s.organization_id
        FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[]) AS w (subscription_id, event_id, aggregate_id, seq)
        JOIN notifications_eventsubscription AS s ON s.id = w.subscription_id
        FOR KEY SHARE OF s
    ), fresh AS (
        SELECT * FROM wanted AS w WHERE NOT EXISTS (
            SELECT FROM notifications_eventdelivery AS d
            WHERE d.organization_id = w.organization_id AND d.event_id = w.event_id AND d.subscription_id = w.subscription_id
        )
    ), made AS (
        INSERT INTO notifications_eventdelivery
            (id, organization_id, event_id, subscription_id, aggregate_id, seq, is_blocked)
        SELECT uuid7(), organization_id, event_id, subscription_id, aggregate_id, seq,
               row_number() OVER (PARTITION BY subscription_id, aggregate_id ORDER BY seq) > 1 OR {open_in_lane("w")}
        FROM fresh AS w ORDER BY seq
        RETURNING id
    )
    SELECT count(*), {DOORBELL} FROM made
"""

NOTE = "UPDATE notifications_eventsubscription SET problem = %s WHERE organization_id = %s AND id = %s"

type Matches = Callable[[Mapping[str, Any]], bool]


class Handler(NamedTuple):
    """`only_if` is SQL about the event, the row `e` of the outbox: where it does not hold there is no job.

    The worker asks it as it relays, for all organizations, so it stays in the event's and cannot fail, whatever the event holds.
    """

    type: str
    task: str
    queue: str
    priority: int
    only_if: str = ""


class Relayed(NamedTuple):
    events: int
    jobs: int
    deliveries: int


class Subscription(NamedTuple):
    organization_id: UUID
    id: UUID
    bus: str
    pattern: str
    problem: str


def events_relay(handlers: Sequence[Handler]) -> Relayed:
    """One batch, in one transaction: the events have their positions, jobs and deliveries, or wait as before.

    While another relay is at it there is nothing to do.
    """
    columns: dict[str, Any] = {
        name: [getattr(handler, name) for handler in handlers] for name in ("type", "task", "queue", "priority")
    }
    conditions = tuple((handler.task, handler.only_if) for handler in handlers if handler.only_if)
    with transaction.atomic("worker"), connections["worker"].cursor() as cursor:
        cursor.execute(TURN)
        if not cursor.fetchone()[0]:
            return Relayed(0, 0, 0)
        cursor.execute(_statement(conditions), {**columns, "bus": bool(settings.EVENT_BUS_NAME)})
        events, jobs, _, heard = cursor.fetchone()
        ring_away(jobs or [], using="worker")
        return Relayed(events, len(jobs or []), _fan_out(cursor, [orjson.loads(one) for one in heard]) if heard else 0)


@cache
def _statement(conditions: tuple[tuple[str, str], ...]) -> str:
    cases = " ".join(f"WHEN '{task}' THEN {sql}" for task, sql in conditions)
    return RELAY.replace(NEEDED, f"CASE h.task {cases} ELSE true END" if cases else "true")


def _fan_out(cursor: CursorWrapper, events: Sequence[dict[str, Any]]) -> int:
    cursor.execute(SUBSCRIPTIONS, [list({UUID(event["organization"]) for event in events})])
    subscriptions = [Subscription(*row) for row in cursor.fetchall()]
    listening = _by_organization_and_bus(cursor, subscriptions)
    wanted: list[tuple[Lane, UUID, int]] = []
    for event in events:
        seq, aggregate = event.pop("seq"), UUID(event["aggregate_id"])
        for subscription_id, types, matches in listening[event["organization"], event["bus"]]:
            if (types is None or event["type"] in types) and _holds(matches, event, subscription_id):
                wanted.append((Lane(subscription_id, aggregate), UUID(event["id"]), seq))
    if not wanted:
        return 0
    lanes = [lane for lane, _, _ in wanted]
    hold(cursor, lanes)
    cursor.execute(DELIVER, [
        [lane.subscription_id for lane in lanes], [event for _, event, _ in wanted],
        [lane.aggregate_id for lane in lanes], [seq for _, _, seq in wanted],
    ])
    return int(cursor.fetchone()[0])


def _holds(matches: Matches, event: Mapping[str, Any], subscription_id: UUID) -> bool:
    """A mistake of ours in one pattern must not keep everybody's events."""
    try:
        return matches(event)
    except Exception:
        logger.exception("The pattern of subscription %s failed at event %s", subscription_id, event["id"])
        return False


def _by_organization_and_bus(cursor: CursorWrapper, subscriptions: Sequence[Subscription]) -> Mapping[Any, list[Any]]:
    """One whose pattern cannot be understood is left out, and says so."""
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for one in subscriptions:
        types, matches, problem = _compiled(one.pattern)
        if problem != one.problem:
            cursor.execute(NOTE, [problem, one.organization_id, one.id])
            if problem:
                logger.warning("Subscription %s is left out: %s", one.id, problem)
        if matches:
            found[str(one.organization_id), one.bus].append((one.id, types, matches))
    return found


@lru_cache(maxsize=4096)
def _compiled(text: str) -> tuple[frozenset[str] | None, Matches | None, str]:
    """The types that it names, where it names them whole; what tells whether an event matches; what is wrong with it."""
    pattern = orjson.loads(text)
    try:
        matches = compile_pattern(pattern)
    except BadPattern as error:
        return None, None, f"This pattern is not understood: {error}"[:300]
    types = pattern.get("type")
    whole = isinstance(types, list) and all(isinstance(one, str) for one in types)
    return frozenset(types) if whole else None, matches, ""
