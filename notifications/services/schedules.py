"""Schedules: each tick is leased once, by the row that says so, whoever calls. See ADR 29."""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any, NamedTuple

from django.db import Error, connections, transaction
from django.utils import timezone

from notifications.expressions import count_between, parse

logger = logging.getLogger("notifications.schedules")

LEASE = 60  # seconds after its last heartbeat in which a run counts as running
LATE = timedelta(minutes=15)  # a tick that is not caught up may be so late
MOST_MISSED = 10_000  # counted at once

# A schedule begins with the tick that follows its first sight, and keeps what it has unless its times change. A new
# zone of a schedule that is switched off is switched off as well.
SYNC = """
    INSERT INTO notifications_schedule AS s
        (task, timezone, is_per_zone, expression, catch_up, enabled, last_status, next_run_at)
    VALUES (%(task)s, %(timezone)s, %(is_per_zone)s, %(expression)s, %(catch_up)s,
            COALESCE((SELECT bool_and(o.enabled) FROM notifications_schedule AS o WHERE o.task = %(task)s), true), '', %(next)s)
    ON CONFLICT (task, timezone) DO UPDATE
    SET expression = excluded.expression, catch_up = excluded.catch_up, is_per_zone = excluded.is_per_zone,
        next_run_at = CASE WHEN s.expression <> excluded.expression OR s.next_run_at IS NULL
                           THEN excluded.next_run_at ELSE s.next_run_at END
    WHERE (s.expression, s.catch_up, s.is_per_zone) <> (excluded.expression, excluded.catch_up, excluded.is_per_zone)
        OR (s.next_run_at IS NULL AND excluded.next_run_at IS NOT NULL)
"""

FORGET = """
    UPDATE notifications_schedule SET next_run_at = NULL, asked_at = NULL
    WHERE task || ' ' || timezone <> ALL (%s) AND COALESCE(next_run_at, asked_at) IS NOT NULL
"""

DUE = """
    SELECT task, timezone, asked_at IS NOT NULL FROM notifications_schedule
    WHERE (asked_at IS NOT NULL OR (enabled AND next_run_at <= %s)) AND task = ANY (%s) ORDER BY next_run_at
"""

OF = "task = %(task)s AND timezone = %(timezone)s"

LEASE_TICK = f"""
    INSERT INTO notifications_schedulerun (schedule_id, tick, heartbeat_at, outcome, ended_at, error)
    SELECT id, %(tick)s, now(), %(outcome)s, CASE WHEN %(outcome)s = 'missed' THEN now() END, ''
    FROM notifications_schedule WHERE {OF} AND enabled
    ON CONFLICT (schedule_id, tick) DO NOTHING RETURNING id
"""

# After the insert: two ticks of a schedule take turns here.
EXPECTED = f"SELECT next_run_at FROM notifications_schedule WHERE {OF} FOR UPDATE"

MOVE_ON = f"""
    UPDATE notifications_schedule
    SET last_tick = GREATEST(last_tick, %(tick)s), last_status = %(outcome)s, missed = missed + %(missed)s,
        next_run_at = GREATEST(next_run_at, %(next)s), missed_at = CASE WHEN %(missed)s > 0 THEN now() ELSE missed_at END
    WHERE {OF}
"""

TAKE_ASKED = f"""
    WITH asked AS (
        SELECT id, asked_at FROM notifications_schedule WHERE {OF} AND asked_at IS NOT NULL FOR UPDATE
    ), cleared AS (
        UPDATE notifications_schedule AS s SET asked_at = NULL FROM asked WHERE s.id = asked.id
    )
    INSERT INTO notifications_schedulerun (schedule_id, tick, heartbeat_at, outcome, error)
    SELECT id, asked_at, now(), 'running', '' FROM asked ON CONFLICT (schedule_id, tick) DO NOTHING RETURNING id, tick
"""

LOSE = f"""
    WITH lost AS (
        UPDATE notifications_schedulerun SET outcome = 'lost', ended_at = now()
        WHERE outcome = 'running' AND COALESCE(heartbeat_at, started_at) < now() - make_interval(secs => {LEASE})
        RETURNING schedule_id, tick
    ), noted AS (
        UPDATE notifications_schedule AS s SET last_status = 'lost'
        FROM lost WHERE s.id = lost.schedule_id AND s.last_tick = lost.tick
    )
    SELECT s.task, s.timezone, lost.tick FROM lost JOIN notifications_schedule AS s ON s.id = lost.schedule_id
"""

# Once, and not when a later tick has run meanwhile.
AGAIN = """
    UPDATE notifications_schedulerun AS r
    SET outcome = 'running', attempts = 2, started_at = now(), heartbeat_at = now(), ended_at = NULL
    FROM (
        SELECT l.id, s.task, s.timezone
        FROM notifications_schedulerun AS l JOIN notifications_schedule AS s ON s.id = l.schedule_id
        WHERE l.outcome = 'lost' AND l.attempts = 1 AND s.catch_up AND s.enabled AND l.tick >= s.last_tick AND s.task = ANY (%s)
        ORDER BY l.id LIMIT 1 FOR UPDATE OF l SKIP LOCKED
    ) AS found
    WHERE r.id = found.id RETURNING found.task, found.timezone, r.id, r.tick
"""

BEAT = "UPDATE notifications_schedulerun SET heartbeat_at = now() WHERE id = %s AND attempts = %s AND outcome = 'running'"

# Also of one that was thought lost, unless it has been started again: it did end so.
FINISH = """
    WITH ended AS (
        UPDATE notifications_schedulerun SET ended_at = now(), outcome = %(outcome)s, error = %(error)s
        WHERE id = %(run)s AND attempts = %(attempt)s RETURNING schedule_id, tick, outcome
    )
    UPDATE notifications_schedule AS s SET last_status = ended.outcome
    FROM ended WHERE s.id = ended.schedule_id AND s.last_tick = ended.tick
"""

SWITCH = """
    UPDATE notifications_schedule
    SET enabled = %(enabled)s, next_run_at = CASE WHEN %(enabled)s THEN %(next)s ELSE next_run_at END
    WHERE id = %(id)s AND enabled <> %(enabled)s
"""

ASK = "UPDATE notifications_schedule SET asked_at = now() WHERE id = %s AND next_run_at IS NOT NULL AND asked_at IS NULL"

SEEN = "INSERT INTO notifications_workerseen (name) VALUES (%s) ON CONFLICT (name) DO UPDATE SET seen_at = now()"

type Body = Callable[[datetime], object]


class Plan(NamedTuple):
    """A schedule in one time zone, as the code declares it."""

    task: str
    expression: str
    timezone: str = "UTC"
    is_per_zone: bool = False
    catch_up: bool = True

    @property
    def key(self) -> dict[str, str]:
        return {"task": self.task, "timezone": self.timezone}


class Due(NamedTuple):
    task: str
    timezone: str
    is_asked_for: bool = False


class Taken(NamedTuple):
    """A run that is this process's."""

    run: int
    tick: datetime
    attempt: int = 1


class Ticked(NamedTuple):
    """What came of a call. `missed` ticks before it never ran; `since` is the first of them."""

    ran: bool
    missed: int = 0
    since: datetime | None = None


def schedules_sync(plans: Sequence[Plan]) -> None:
    """All that the code declares."""
    for plan in plans:
        schedule_sync(plan=plan)
    with connections["worker"].cursor() as cursor:
        cursor.execute(FORGET, [[f"{plan.task} {plan.timezone}" for plan in plans]])


def schedule_sync(*, plan: Plan) -> None:
    following = parse(plan.expression, plan.timezone).following(timezone.now())
    _execute(SYNC, {**plan._asdict(), "next": following})


def schedules_due(tasks: Collection[str]) -> list[Due]:
    return [Due(*row) for row in _rows(DUE, [timezone.now(), list(tasks)])]


def tick_run(*, plan: Plan, body: Body, at: datetime) -> Ticked:
    """Run the tick of this moment, unless it has been run or the schedule is switched off; raises what it raises.

    Ticks between the one that was expected and this one were missed: this one runs in their place.
    """
    parsed = parse(plan.expression, plan.timezone)
    schedule_sync(plan=plan)
    if (tick := parsed.tick(at)) is None:
        return Ticked(False)
    outcome = "running" if plan.catch_up or timezone.now() - tick < LATE else "missed"
    with transaction.atomic("worker"):
        row = _row(LEASE_TICK, {**plan.key, "tick": tick, "outcome": outcome})
        if row is None:
            return Ticked(False)
        [expected] = _row(EXPECTED, plan.key) or [None]
        missed = count_between(parsed, expected, tick, MOST_MISSED) if expected and expected < tick else 0
        missed += outcome == "missed"
        values = {**plan.key, "tick": tick, "outcome": outcome, "missed": missed, "next": parsed.following(tick)}
        _execute(MOVE_ON, values)
    if missed:
        logger.warning("Schedule %s in %s missed %d ticks before %s", plan.task, plan.timezone, missed, tick.isoformat())
    if outcome == "running":
        run_taken(plan=plan, taken=Taken(row[0], tick), body=body)
    return Ticked(outcome == "running", missed, min(expected, tick) if missed and expected else None)


def asked_run(*, plan: Plan, body: Body) -> bool:
    """Run it now if somebody asked for that, switched off or not."""
    row = _row(TAKE_ASKED, plan.key)
    if row:
        run_taken(plan=plan, taken=Taken(*row), body=body)
    return row is not None


def ticks_lose() -> list[tuple[str, str, datetime]]:
    """Marks the runs whose processes went away: task, time zone, tick."""
    return _rows(LOSE, None)


def lost_take(*, tasks: Collection[str]) -> tuple[Due, Taken] | None:
    """One that was lost and is to run again."""
    if row := _row(AGAIN, [list(tasks)]):
        task, zone, run, tick = row
        return Due(task, zone), Taken(run, tick, attempt=2)
    return None


def run_taken(*, plan: Plan, taken: Taken, body: Body) -> None:
    try:
        with _heartbeat(taken):
            body(taken.tick)
    except Exception as error:
        _finish(taken, "failed", type(error).__name__)  # its words may tell one organization about another
        logger.info("Schedule %s, tick %s: failed", plan.task, taken.tick.isoformat())
        raise
    _finish(taken, "succeeded", "")
    logger.info("Schedule %s, tick %s: succeeded", plan.task, taken.tick.isoformat())


def schedule_switch(*, schedule_id: int, expression: str, zone: str, enabled: bool) -> bool:
    """Switched on, it begins with the next tick: what came meanwhile was not missed."""
    following = parse(expression, zone).following(timezone.now())
    return bool(_execute(SWITCH, {"id": schedule_id, "enabled": enabled, "next": following}))


def schedule_ask(*, schedule_id: int) -> bool:
    """The clock's next turn runs it."""
    return bool(_execute(ASK, [schedule_id]))


def worker_seen(*, name: str) -> None:
    _execute(SEEN, [name[:120]])


def _finish(taken: Taken, outcome: str, error: str) -> None:
    _execute(FINISH, {"run": taken.run, "attempt": taken.attempt, "outcome": outcome, "error": error})


@contextmanager
def _heartbeat(taken: Taken) -> Iterator[None]:
    """A short run ends before the first beat, and costs no connection."""
    ended = Event()

    def beat() -> None:
        try:
            while not ended.wait(LEASE / 3):
                _execute(BEAT, [taken.run, taken.attempt])
        except Error:
            logger.warning("Run %d: its lease could not be renewed", taken.run)
        finally:
            connections["worker"].close()  # this thread's own

    Thread(target=beat, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _execute(sql: str, values: Any) -> int:
    with connections["worker"].cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


def _rows(sql: str, values: Any) -> list[Any]:
    with connections["worker"].cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _row(sql: str, values: Any) -> Any:
    with connections["worker"].cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()
