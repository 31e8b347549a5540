"""What the metrics say each minute, of all organizations together."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connections

from notifications.measuring import first_id_of
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

EVENTS = """
    SELECT type, count(*) FROM notifications_outboxevent
    WHERE id >= %(oldest)s AND relayed_at >= %(since)s AND relayed_at < %(until)s AND type = ANY (%(types)s) GROUP BY type
"""

NAMES = (
    "JobsDone", "JobsFailed", "JobsDead", "DeliveriesDelivered", "DeliveriesDead", "DeliveriesRetrying", "EventsRelayed",
    "MissedTicks",
)
OF_NOW = {"DeliveriesRetrying", "MissedTicks", "DeadLetters"}  # all others are of the minute before
RELAYED_WITHIN = timedelta(hours=1)  # of an event that was relayed just now: by its id, which is its time


def measures(*, until: datetime) -> dict[str, int]:
    """Of the minute before: what ended, and what there is now."""
    values: dict[str, Any] = {
        "since": until - timedelta(minutes=1), "until": until, "oldest": first_id_of(until - RELAYED_WITHIN),
        "types": list(settings.METRICS_OF_EVENTS),
    }
    with connections["worker"].cursor() as cursor:
        cursor.execute(ENDED, values)
        numbers = [int(number) for number in cursor.fetchone()]
        cursor.execute(EVENTS, values)
        by_type = dict(cursor.fetchall())
    events = {name: by_type.get(event, 0) for event, name in settings.METRICS_OF_EVENTS.items()}
    now = dead(using="worker")
    return {**dict(zip(NAMES, numbers, strict=True)), **events, "DeadLetters": now.deliveries + now.jobs}
