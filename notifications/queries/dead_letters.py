"""What was given up in an organization: deliveries that are dead, jobs that are dead or were refused.

`queries.dead` counts them.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id

LAST = UUID(int=2**128 - 1)

OWN = "organization_id = %(organization)s"
DELIVERIES = f"""
    SELECT 'delivery' AS kind, d.id, d.finished_at AS died_at, e.type AS what, s.name AS whereto, d.attempts,
           d.last_error AS error
    FROM (
        SELECT * FROM notifications_eventdelivery
        WHERE {OWN} AND status = 'dead' AND id < %(before)s ORDER BY id DESC LIMIT %(limit)s
    ) AS d
    JOIN notifications_outboxevent AS e ON e.organization_id = d.organization_id AND e.id = d.event_id
    JOIN notifications_eventsubscription AS s ON s.organization_id = d.organization_id AND s.id = d.subscription_id
"""
JOBS = f"""
    SELECT * FROM (
        SELECT 'job', id, finished_at, task, queue, attempts, error FROM notifications_job
        WHERE {OWN} AND status = '{{status}}' AND id < %(before)s ORDER BY id DESC LIMIT %(limit)s
    ) AS jobs
"""
PARTS = {"delivery": DELIVERIES, "job": f"{JOBS.format(status='dead')} UNION ALL {JOBS.format(status='failed')}"}


class DeadLetter(NamedTuple):
    kind: str
    id: UUID
    died_at: datetime
    what: str
    whereto: str
    attempts: int
    error: str


def dead_letters(kinds: list[str], *, before: UUID | None, limit: int) -> list[DeadLetter]:
    """The latest first, from before an id on."""
    if not kinds:
        return []
    parts = " UNION ALL ".join(PARTS[kind] for kind in kinds)
    values: dict[str, Any] = {"organization": active_organization_id(), "before": before or LAST, "limit": limit}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({parts}) AS found ORDER BY id DESC LIMIT %(limit)s", values)
        return [DeadLetter(*row) for row in cursor.fetchall()]
