"""Schedules: each tick is leased once, by the row that says so, whoever calls."""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from django.db import connections
from django.utils import timezone

from notifications.expressions import parse

logger = logging.getLogger("notifications.schedules")

# A schedule begins with the tick that follows its first sight, and keeps what it has unless its times change.
SYNC = """
    INSERT INTO notifications_schedule AS s (task, expression, enabled, last_status, next_run_at)
    VALUES (%(task)s, %(expression)s, true, '', %(next)s)
    ON CONFLICT (task) DO UPDATE SET expression = excluded.expression, next_run_at = excluded.next_run_at
    WHERE s.expression <> excluded.expression OR s.next_run_at IS NULL
"""

FORGET = "UPDATE notifications_schedule SET next_run_at = NULL WHERE task <> ALL (%s) AND next_run_at IS NOT NULL"

DUE = "SELECT task FROM notifications_schedule WHERE enabled AND next_run_at <= %s AND task = ANY (%s) ORDER BY next_run_at"

LEASE = """
    WITH leased AS (
        INSERT INTO notifications_schedulerun (schedule_id, tick, outcome, error)
        SELECT id, %(tick)s, 'running', '' FROM notifications_schedule WHERE task = %(task)s AND enabled
        ON CONFLICT (schedule_id, tick) DO NOTHING
        RETURNING id, schedule_id
    )
    UPDATE notifications_schedule AS s
    SET last_tick = %(tick)s, last_status = 'running', next_run_at = GREATEST(next_run_at, %(next)s)
    FROM leased WHERE s.id = leased.schedule_id
    RETURNING leased.id
"""

FINISH = """
    WITH ended AS (
        UPDATE notifications_schedulerun SET ended_at = now(), outcome = %(outcome)s, error = %(error)s WHERE id = %(run)s
        RETURNING schedule_id, tick, outcome
    )
    UPDATE notifications_schedule AS s SET last_status = ended.outcome
    FROM ended WHERE s.id = ended.schedule_id AND s.last_tick = ended.tick
"""


def schedules_sync(expressions: Mapping[str, str]) -> None:
    """Task and expression of each schedule that the code declares."""
    for task, expression in expressions.items():
        _sync(task, expression)
    with connections["worker"].cursor() as cursor:
        cursor.execute(FORGET, [list(expressions)])


def schedules_due(tasks: Collection[str]) -> list[str]:
    with connections["worker"].cursor() as cursor:
        cursor.execute(DUE, [timezone.now(), list(tasks)])
        return [task for (task,) in cursor.fetchall()]


def tick_run(*, task: str, expression: str, function: Callable[[], object], at: datetime) -> bool:
    """Run the tick of this moment, unless it has been run or the schedule is switched off; raises what it raises."""
    parsed = parse(expression)
    tick = parsed.tick(at)
    _sync(task, expression)
    with connections["worker"].cursor() as cursor:
        cursor.execute(LEASE, {"task": task, "tick": tick, "next": parsed.following(tick)})
        row = cursor.fetchone()
    if row is None:
        return False
    try:
        function()
    except Exception as error:
        _finish(row[0], "failed", type(error).__name__)  # its words may tell one organization about another
        logger.info("Schedule %s, tick %s: failed", task, tick.isoformat())
        raise
    _finish(row[0], "succeeded", "")
    logger.info("Schedule %s, tick %s: succeeded", task, tick.isoformat())
    return True


def _sync(task: str, expression: str) -> None:
    with connections["worker"].cursor() as cursor:
        following = parse(expression).following(timezone.now())
        cursor.execute(SYNC, {"task": task, "expression": expression, "next": following})


def _finish(run: int, outcome: str, error: str) -> None:
    with connections["worker"].cursor() as cursor:
        cursor.execute(FINISH, {"run": run, "outcome": outcome, "error": error})
