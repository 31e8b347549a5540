"""What happens in a time zone happens for each organization that lives there."""

from datetime import date
from typing import Any

from django.db import connections

from core.json import dumps
from notifications.services.jobs import DOORBELL, JOB_ONCE

ZONES = "SELECT DISTINCT timezone FROM accounts_organization WHERE status = 'active' ORDER BY timezone"

ENQUEUE = f"""
    WITH made AS (
        INSERT INTO notifications_job (id, organization_id, task, queue, priority, arguments, dedupe_key, origin)
        SELECT uuid7(), id, %(task)s, %(queue)s, %(priority)s, %(arguments)s, %(task)s || ' ' || %(day)s,
               jsonb_build_object('reason', 'schedule')
        FROM accounts_organization WHERE timezone = %(timezone)s AND status = 'active'
        {JOB_ONCE} RETURNING id
    )
    SELECT count(*), {DOORBELL} FROM made
"""


def zones_in_use() -> list[str]:
    with connections["worker"].cursor() as cursor:
        cursor.execute(ZONES)
        return [zone for (zone,) in cursor.fetchall()]


def zone_jobs_enqueue(*, task: Any, timezone: str, day: date) -> int:
    """A job for each organization of the zone, called with the day as text; none for one that had it that day."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(ENQUEUE, {
            "task": task.module_path, "queue": task.queue_name, "priority": task.priority, "timezone": timezone,
            "day": day.isoformat(), "arguments": dumps({"args": [day.isoformat()], "kwargs": {}}).decode(),
        })
        return int(cursor.fetchone()[0])
