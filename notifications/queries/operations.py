"""How the machinery is doing: of one organization in its scope, of all for the worker's role.

The same statements serve both, since the app's role sees its organization alone. Each goes by an index, and what may
be without end is counted up to MOST.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connections
from django.utils import timezone

from notifications.queries.depth import queue_depths

MOST = 10_000
HOUR = 60  # minutes

# Of those that wait or are tried again, without the ones behind them in their lanes.
DELIVERIES_DUE = f"""
    SELECT count(*), min(next_attempt_at) FROM (
        SELECT next_attempt_at FROM notifications_eventdelivery
        WHERE status IN ('pending', 'retrying') AND NOT is_blocked AND next_attempt_at <= now()
        ORDER BY next_attempt_at, seq LIMIT {MOST}
    ) AS waiting
"""

OUTBOX = f"""
    SELECT count(*), min(occurred_at) FROM (
        SELECT occurred_at FROM notifications_outboxevent WHERE relayed_at IS NULL ORDER BY seq LIMIT {MOST}
    ) AS waiting
"""

JOBS_OF_AN_HOUR = """
    SELECT date_trunc('minute', finished_at), count(*) FILTER (WHERE status = 'succeeded'), count(*)
    FROM notifications_job WHERE finished_at >= %s GROUP BY 1
"""

DELIVERIES_OF_AN_HOUR = """
    SELECT date_trunc('minute', finished_at), count(*) FILTER (WHERE status = 'delivered'), count(*)
    FROM notifications_eventdelivery WHERE finished_at >= %s GROUP BY 1
"""

STATUSES = ("pending", "in_flight", "retrying", "dead")
# Per organization, because that is how the index begins.
BY_STATUS = f"""
    SELECT s.status, COALESCE(sum(c.number), 0)
    FROM accounts_organization AS o CROSS JOIN unnest(%s::text[]) AS s (status)
    CROSS JOIN LATERAL (SELECT count(*) AS number FROM (
        SELECT FROM notifications_eventdelivery AS d
        WHERE d.organization_id = o.id AND d.status = s.status LIMIT {MOST}) AS found) AS c
    GROUP BY 1
"""

FAILING = """
    SELECT e.id, e.name, h.failures, h.failing_since, h.closed_until, e.disabled_at
    FROM notifications_webhookhealth AS h
    JOIN notifications_webhookendpoint AS e ON e.organization_id = h.organization_id AND e.id = h.endpoint_id
    WHERE h.failures > 0 ORDER BY h.failing_since NULLS LAST LIMIT 20
"""

SCHEDULES = """
    SELECT id, task, timezone, expression, enabled, last_tick, last_status, next_run_at, missed, asked_at
    FROM notifications_schedule
    WHERE next_run_at IS NOT NULL AND (NOT is_per_zone OR %(zone)s::text IS NULL OR timezone = %(zone)s)
    ORDER BY task, timezone LIMIT 200
"""

WORKERS = "SELECT name, first_seen_at, seen_at FROM notifications_workerseen WHERE seen_at > %s ORDER BY seen_at DESC LIMIT 20"


class Queue(NamedTuple):
    name: str
    depth: int
    oldest: datetime | None

    @property
    def is_bounded(self) -> bool:
        return self.depth >= MOST

    @property
    def age(self) -> float:
        """Seconds that the oldest has been waiting."""
        return max(0.0, (timezone.now() - self.oldest).total_seconds()) if self.oldest else 0.0


class Minute(NamedTuple):
    at: datetime
    done: int
    ended: int


class Failing(NamedTuple):
    id: UUID
    name: str
    failures: int
    since: datetime | None
    closed_until: datetime | None
    disabled_at: datetime | None


class ScheduleRow(NamedTuple):
    id: int
    task: str
    timezone: str
    expression: str
    enabled: bool
    last_tick: datetime | None
    last_status: str
    next_run_at: datetime
    missed: int
    asked_at: datetime | None


class Seen(NamedTuple):
    name: str
    first_seen_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Operations:
    queues: list[Queue]
    jobs: list[Minute]
    deliveries: list[Minute]
    by_status: dict[str, int]
    failing: list[Failing]
    schedules: list[ScheduleRow]
    workers: list[Seen]


def operations(*, using: str = "default", zone: str | None = None) -> Operations:
    """Of the last hour and of now. `zone` leaves out other time zones' schedules: they tell of other organizations."""
    now = timezone.now()
    since = now.replace(second=0, microsecond=0) - timedelta(minutes=HOUR - 1)
    return Operations(
        queues(using=using), _minutes(using, JOBS_OF_AN_HOUR, since), _minutes(using, DELIVERIES_OF_AN_HOUR, since),
        {status: int(number) for status, number in _rows(using, BY_STATUS, [list(STATUSES)])},
        [Failing(*row) for row in _rows(using, FAILING)],
        [ScheduleRow(*row) for row in _rows(using, SCHEDULES, {"zone": zone})],
        [Seen(*row) for row in _rows(using, WORKERS, [now - timedelta(days=1)])],
    )


def queues(*, using: str) -> list[Queue]:
    """Of jobs by their names, and those of deliveries and of events that are still to be relayed."""
    now = timezone.now()
    jobs = [
        Queue(depth.queue, depth.ready, now - timedelta(seconds=depth.oldest) if depth.ready else None)
        for depth in queue_depths(using=using)
    ]
    return [
        *jobs, *(Queue(name, *_rows(using, sql)[0]) for name, sql in (("event deliveries", DELIVERIES_DUE), ("outbox", OUTBOX))),
    ]


def _minutes(using: str, sql: str, since: datetime) -> list[Minute]:
    found = {at: (done, ended) for at, done, ended in _rows(using, sql, [since])}
    minutes = [since + timedelta(minutes=number) for number in range(HOUR)]
    return [Minute(at, *found.get(at, (0, 0))) for at in minutes]


def _rows(using: str, sql: str, values: Any = None) -> list[Any]:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())
