"""What the metrics say each minute, of all organizations together."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connections

from notifications.queries.dead import dead

ENDED = """
    SELECT
        (SELECT count(*) FROM notifications_job WHERE {window} AND status = 'succeeded'),
        (SELECT count(*) FROM notifications_job WHERE {window} AND status = 'failed'),
        (SELECT count(*) FROM notifications_job WHERE {window} AND status = 'dead'),
        (SELECT count(*) FROM notifications_eventdelivery WHERE {window} AND status = 'delivered'),
        (SELECT count(*) FROM notifications_eventdelivery WHERE {window} AND status = 'dead'),
        (SELECT count(*) FROM notifications_eventdelivery WHERE status = 'retrying' AND NOT is_blocked),
        (SELECT count(*) FROM notifications_outboxevent
         WHERE id >= %(oldest)s AND relayed_at >= %(since)s AND relayed_at < %(until)s),
        (SELECT COALESCE(sum(missed), 0) FROM notifications_schedule)
""".replace("{window}", "finished_at >= %(since)s AND finished_at < %(until)s")

NAMES = (
    "JobsDone", "JobsFailed", "JobsDead", "DeliveriesDelivered", "DeliveriesDead", "DeliveriesRetrying", "EventsRelayed",
    "MissedTicks",
)
RELAYED_WITHIN = timedelta(hours=1)  # of an event that was relayed just now: by its id, which is its time


def measures(*, until: datetime) -> dict[str, int]:
    """Of the minute before: what ended, and what there is now."""
    values: dict[str, Any] = {
        "since": until - timedelta(minutes=1), "until": until, "oldest": first_id_of(until - RELAYED_WITHIN),
    }
    with connections["worker"].cursor() as cursor:
        cursor.execute(ENDED, values)
        numbers = [int(number) for number in cursor.fetchone()]
    now = dead(using="worker")
    return {**dict(zip(NAMES, numbers, strict=True)), "DeadLetters": now.deliveries + now.jobs}


def first_id_of(moment: datetime) -> UUID:
    """No UUIDv7 that was made since then is smaller."""
    return UUID(int=int(moment.timestamp() * 1000) << 80 | 0x7 << 76 | 0x2 << 62)
