"""The life of a delivery, an event on its way to one subscription: claimed on a lease, tried, recorded.

`notifications.deliveries` drives it, and `notifications.senders` says who tries.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import orjson
from django.conf import settings
from django.db import OperationalError, connections, transaction

from core.tenancy import Origin
from core.text import storable
from notifications.events import WebhookDelivered
from notifications.queries.envelopes import envelope
from notifications.services.events import publish_from
from notifications.services.lanes import Lane, hold

LEASE = settings.DELIVERY_LEASE_SECONDS  # after its last renewal in which nobody else takes a delivery that is in flight
LONGEST_WAIT = 24 * 3600  # seconds, whatever a receiver asks for
POSTPONED = 30  # seconds, where the sender does not say how long
RECOVERED = 500  # leases of one look
LOST = "lost"
DEADLOCK, DEADLOCKS = "40P01", 3  # of which a record is given up at the next
WENT_AWAY = "Its worker went away."

CLAIM = f"""
    WITH taken AS (
        UPDATE notifications_eventdelivery AS d
        SET status = 'in_flight', attempts = d.attempts + 1, leased_until = now() + make_interval(secs => {LEASE})
        WHERE d.id = ANY (ARRAY(SELECT notifications_deliveries_due(%s)))
        RETURNING d.id, d.organization_id, d.subscription_id, d.event_id, d.payload, d.attempts, d.replay_no, d.seq
    )
    SELECT t.id, t.organization_id, t.subscription_id, s.endpoint_id, s.topic_id, s.task, t.event_id,
           {envelope("e", "COALESCE(t.payload, e.payload)")}, t.attempts, t.replay_no
    FROM taken AS t
    JOIN notifications_eventsubscription AS s ON s.organization_id = t.organization_id AND s.id = t.subscription_id
    JOIN notifications_outboxevent AS e ON e.organization_id = t.organization_id AND e.id = t.event_id
    ORDER BY t.seq
"""

# Whoever holds a row is about to end it: waiting for them could be a deadlock, and renewing it is too late.
RENEW = f"""
    WITH mine AS MATERIALIZED (
        SELECT d.id FROM notifications_eventdelivery AS d
        JOIN unnest(%s::uuid[], %s::int[]) AS m (id, attempt) ON d.id = m.id AND d.attempts = m.attempt
        WHERE d.status = 'in_flight' FOR NO KEY UPDATE OF d SKIP LOCKED
    )
    UPDATE notifications_eventdelivery AS d SET leased_until = now() + make_interval(secs => {LEASE})
    FROM mine WHERE d.id = mine.id
"""

EXPIRED = f"""
    SELECT id, organization_id, subscription_id, aggregate_id, attempts FROM notifications_eventdelivery
    WHERE status = 'in_flight' AND leased_until < now() ORDER BY leased_until LIMIT {RECOVERED}
"""

ANNOUNCE = publish_from(
    WebhookDelivered, """(
        SELECT m.*, e.type AS event_type, e.aggregate_type, e.correlation_id, e.traceparent FROM mine AS m
        JOIN notifications_outboxevent AS e ON e.organization_id = m.organization_id AND e.id = m.event_id
        WHERE m.purpose <> '' AND m.becomes = 'delivered' AND e.type <> 'webhook.delivered'
    ) AS taken""",
    aggregate_id="id", caused_by="correlation_id, traceparent", endpoint="endpoint_id", purpose="purpose", event="event_id",
    type="event_type", aggregate_type="aggregate_type", aggregate="aggregate_id",
)

# The number of the attempt says whose a delivery is: a worker that was thought dead changes nothing any more.
# The next of the lane is the first by the event's number; the lanes are held, so that no other comes meanwhile.
RECORD = f"""
    WITH mine AS MATERIALIZED (
        SELECT d.id, d.organization_id, d.subscription_id, d.event_id, d.aggregate_id, d.attempts, s.endpoint_id, w.purpose,
               o.outcome, o.error, o.wait, o.code, o.excerpt, o.took,
               CASE WHEN o.outcome = 'delivered' THEN 'delivered'
                    WHEN o.outcome = 'postponed' THEN CASE WHEN d.attempts > 1 THEN 'retrying' ELSE 'pending' END
                    WHEN o.outcome <> 'dead' AND d.attempts < COALESCE(w.max_attempts, %(most)s) THEN 'retrying'
                    ELSE 'dead' END AS becomes
        FROM unnest(
            %(id)s::uuid[], %(attempt)s::int[], %(outcome)s::text[], %(error)s::text[], %(wait)s::float[], %(code)s::int[],
            %(excerpt)s::text[], %(took)s::int[]
        ) AS o (id, attempt, outcome, error, wait, code, excerpt, took)
        JOIN notifications_eventdelivery AS d ON d.id = o.id
        JOIN notifications_eventsubscription AS s ON s.organization_id = d.organization_id AND s.id = d.subscription_id
        LEFT JOIN notifications_webhookendpoint AS w ON w.organization_id = s.organization_id AND w.id = s.endpoint_id
        WHERE d.status = 'in_flight' AND d.attempts = o.attempt AND (o.outcome <> 'lost' OR d.leased_until < now())
        FOR NO KEY UPDATE OF d
    ), ended AS (
        UPDATE notifications_eventdelivery AS d
        SET status = m.becomes, leased_until = NULL,
            attempts = d.attempts - CASE WHEN m.outcome = 'postponed' THEN 1 ELSE 0 END,
            next_attempt_at = clock_timestamp() + make_interval(secs => m.wait),
            finished_at = CASE WHEN m.becomes IN ('delivered', 'dead') THEN clock_timestamp() END,
            last_error = CASE m.outcome WHEN 'postponed' THEN d.last_error ELSE m.error END
        FROM mine AS m WHERE d.id = m.id
        RETURNING d.id
    ), tried AS (
        INSERT INTO notifications_deliveryattempt
            (id, organization_id, delivery_id, number, status_code, response_excerpt, error, duration_ms)
        SELECT uuid7(), organization_id, id, attempts, code, excerpt, error, took FROM mine
        WHERE endpoint_id IS NOT NULL AND outcome <> 'postponed'
    ), announced AS ({ANNOUNCE}
    ), next AS (
        SELECT n.id FROM mine AS m CROSS JOIN LATERAL (
            SELECT id FROM notifications_eventdelivery AS n
            WHERE n.organization_id = m.organization_id AND n.subscription_id = m.subscription_id
                AND n.aggregate_id = m.aggregate_id AND n.status IN ('pending', 'in_flight', 'retrying') AND n.id <> m.id
            ORDER BY n.seq, n.replay_no LIMIT 1
        ) AS n
        WHERE m.becomes IN ('delivered', 'dead')
    ), freed AS (
        UPDATE notifications_eventdelivery AS d SET is_blocked = false, next_attempt_at = clock_timestamp()
        FROM next WHERE d.id = next.id
    )
    SELECT id FROM ended
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker has taken. `attempt` is the number of the try that is due, from 1."""

    id: UUID
    organization_id: UUID
    subscription_id: UUID
    endpoint_id: UUID | None
    topic_id: UUID | None
    task: str
    event_id: UUID
    envelope: dict[str, Any]
    attempt: int
    replay_no: int

    def origin(self, reason: str = "") -> Origin:
        """Of what is done about it: the request that caused the event."""
        told = self.envelope
        return Origin(request_id=told.get("correlation_id", ""), traceparent=told.get("traceparent", ""), reason=reason)

    @property
    def target_kind(self) -> str:
        return "webhook" if self.endpoint_id else "topic" if self.topic_id else "task"

    @property
    def lane(self) -> Lane:
        return Lane(self.subscription_id, UUID(self.envelope["aggregate_id"]))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. `postponed` was not tried (the circuit is open, the rate is used up): no attempt is counted."""

    status: Literal["delivered", "retry", "dead", "postponed"]
    error: str = ""
    retry_after: float | None = None  # seconds
    status_code: int | None = None
    response_excerpt: str = ""
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt and its outcome, or LOST where its worker went away."""

    id: UUID
    lane: Lane
    attempt: int
    status: str
    outcome: Outcome

    @property
    def wait(self) -> float:
        """Until the next attempt, in seconds, spread out so that what failed together does not come back together."""
        asked = self.outcome.retry_after
        if self.status == LOST:
            return 0
        if asked is None and self.status == "postponed":
            asked = POSTPONED
        if asked is not None:
            return min(max(asked, 0), LONGEST_WAIT) * random.uniform(1, 1.1)  # noqa: S311  # no secret
        waits = settings.DELIVERY_RETRY_SECONDS
        return float(waits[min(self.attempt, len(waits)) - 1]) * random.uniform(0.75, 1.25)  # noqa: S311


def deliveries_claim(*, limit: int) -> list[Claimed]:
    """What is due; no other worker gets it while its lease is renewed."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(CLAIM, [limit])
        return [_claimed(row) for row in cursor.fetchall()]


def _claimed(row: Sequence[Any]) -> Claimed:
    values = [*row]
    values[7] = orjson.loads(row[7])  # the envelope
    return Claimed(*values)


def deliveries_renew(claimed: Sequence[Claimed]) -> None:
    with connections["worker"].cursor() as cursor:
        cursor.execute(RENEW, [[one.id for one in claimed], [one.attempt for one in claimed]])


def deliveries_record(tried: Sequence[tuple[Claimed, Outcome]], *, using: str = "worker") -> set[UUID]:
    """Each outcome with what follows from it, the next of its lane unblocked. Answers which were still this worker's."""
    return _record([Ended(one.id, one.lane, one.attempt, outcome.status, outcome) for one, outcome in tried], using)


def deliveries_recover() -> int:
    """Deliveries whose workers were killed can be taken again; one that has killed as many as may try is dead."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(EXPIRED)
        rows = cursor.fetchall()
    outcome = Outcome("retry", error=WENT_AWAY)
    lost = [Ended(id, Lane(subscription, aggregate), attempt, LOST, outcome) for id, _, subscription, aggregate, attempt in rows]
    return len(_record(lost, "worker")) if lost else 0


def _record(ended: Sequence[Ended], using: str) -> set[UUID]:
    """What the database gives up for somebody else's sake is written again; a task's own transaction ends with it."""
    for _ in range(DEADLOCKS if using == "worker" else 0):
        try:
            return _recorded(ended, using)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != DEADLOCK:
                raise
    return _recorded(ended, using)


def _recorded(ended: Sequence[Ended], using: str) -> set[UUID]:
    """Holding the lanes is a statement of its own: what the next one sees is then all that the last holder wrote."""
    with transaction.atomic(using), connections[using].cursor() as cursor:
        hold(cursor, [one.lane for one in ended])
        cursor.execute(RECORD, {
            "id": [one.id for one in ended], "attempt": [one.attempt for one in ended],
            "outcome": [one.status for one in ended], "error": [_text(one.outcome.error) for one in ended],
            "wait": [one.wait for one in ended], "code": [one.outcome.status_code for one in ended],
            "excerpt": [_text(one.outcome.response_excerpt) for one in ended],
            "took": [one.outcome.duration_ms for one in ended], "most": len(settings.DELIVERY_RETRY_SECONDS) + 1,
        })
        return {id for (id,) in cursor.fetchall()}


def _text(text: str) -> str:
    return storable(text[:2000])
