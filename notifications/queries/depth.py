"""How much waits in the queues, and how long."""

from typing import NamedTuple

from django.conf import settings
from django.db import connections

MOST = 100_000  # rows are counted up to here: looking must not cost more than working

READY = "queue = q.name AND status = 'queued' AND waits_for = ''"
DEPTHS = f"""
    SELECT q.name,
           (SELECT count(*) FROM (SELECT FROM notifications_job WHERE {READY} LIMIT {MOST}) AS part),
           (SELECT count(*) FROM (
               SELECT queue FROM notifications_job WHERE status = 'queued' AND waits_for = 'time' LIMIT {MOST}
           ) AS part WHERE queue = q.name),
           (SELECT count(*) FROM notifications_job WHERE queue = q.name AND status IN ('running', 'cancelling')
                AND heartbeat_at IS NOT NULL AND waits_for <> 'steps'),
           (SELECT COALESCE(extract(epoch FROM now() - min(run_after)), 0)::float FROM (
               SELECT run_after FROM notifications_job WHERE {READY} LIMIT {MOST}
           ) AS part)
    FROM unnest(%s::text[]) AS q (name)
"""


class Depth(NamedTuple):
    queue: str
    ready: int
    delayed: int  # what waits for its time
    running: int
    oldest: float  # seconds that the oldest ready one has waited


def queue_depths(*, using: str = "worker") -> list[Depth]:
    """Of every queue: as the worker of all organizations together, as the app of its own."""
    with connections[using].cursor() as cursor:
        cursor.execute(DEPTHS, [list(settings.JOB_QUEUES)])
        found = [Depth(*row) for row in cursor.fetchall()]
    return [depth._replace(oldest=max(0.0, depth.oldest)) for depth in found]
