import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import ProgrammingError, connection
from django.utils import timezone

from notifications.expressions import BadExpression
from notifications.models import Schedule, ScheduleRun
from notifications.schedules import scheduled
from notifications.services.schedules import schedules_due, schedules_sync, tick_run
from tests.notifications.playground.tasks import hourly
from tests.notifications.processes import begin_together, worker

HOURLY = "tests.notifications.playground.tasks.hourly"
AT = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
NOON = AT.replace(minute=0)


@pytest.fixture
def schedules(commits: None) -> Iterator[Any]:
    empty()
    yield Schedule.objects.using("worker")
    empty()


def empty() -> None:
    ScheduleRun.objects.using("worker").all().delete()
    Schedule.objects.using("worker").all().delete()


class Body:
    def __init__(self, error: Exception | None = None) -> None:
        self.calls, self.error = 0, error

    def __call__(self) -> None:
        self.calls += 1
        if self.error:
            raise self.error


def run(body: Callable[[], object], at: datetime = AT, task: str = "a.task", expression: str = "rate(1 hour)") -> bool:
    return tick_run(task=task, expression=expression, function=body, at=at)


def test_runs_a_tick_once(schedules: Any) -> None:
    body = Body()
    ran = [run(body, AT + timedelta(minutes=minutes)) for minutes in (0, 0, 29, 30)]
    assert ran == [True, False, False, True]
    assert body.calls == 2
    schedule = schedules.get(task="a.task")
    assert (schedule.last_tick, schedule.last_status) == (NOON + timedelta(hours=1), "succeeded")
    runs = ScheduleRun.objects.using("worker").order_by("tick")
    assert [(found.tick, found.outcome) for found in runs] == [(NOON, "succeeded"), (NOON + timedelta(hours=1), "succeeded")]
    assert all(found.ended_at for found in runs)


def test_keeps_the_kind_of_an_error_and_not_its_words(schedules: Any) -> None:
    """Every organization's admins see the page, and the words may quote another one's row."""
    with pytest.raises(ValueError, match="secret"):
        run(Body(ValueError("secret")))
    found = ScheduleRun.objects.using("worker").get()
    assert (found.outcome, found.error) == ("failed", "ValueError")
    assert schedules.get().last_status == "failed"
    assert run(Body()) is False


def test_a_schedule_that_is_switched_off_does_not_run(schedules: Any) -> None:
    run(Body())
    schedules.update(enabled=False)
    body = Body()
    assert run(body, AT + timedelta(hours=1)) is False
    assert body.calls == 0
    assert schedules_due(["a.task"]) == []


def test_begins_with_the_tick_after_it_was_first_seen(schedules: Any) -> None:
    schedules_sync({"a.task": "rate(1 hour)"})
    schedule = schedules.get()
    assert timedelta(0) < schedule.next_run_at - timezone.now() <= timedelta(hours=1)
    assert schedules_due(["a.task"]) == []
    schedules.update(next_run_at=timezone.now() - timedelta(hours=5))
    assert schedules_due(["a.task"]) == ["a.task"]
    assert schedules_due(["another.task"]) == []
    run(Body(), timezone.now())
    assert schedules_due(["a.task"]) == []


def test_follows_what_the_code_declares(schedules: Any) -> None:
    schedules_sync({"a.task": "rate(1 day)", "b.task": "rate(1 day)"})
    planned = schedules.get(task="a.task").next_run_at
    schedules_sync({"a.task": "rate(1 day)"})
    assert schedules.get(task="a.task").next_run_at == planned
    assert schedules.get(task="b.task").next_run_at is None
    schedules_sync({"a.task": "rate(1 minute)", "b.task": "rate(1 day)"})
    assert schedules.get(task="a.task").next_run_at < planned or planned - timezone.now() < timedelta(minutes=1)
    assert schedules.get(task="a.task").expression == "rate(1 minute)"
    assert schedules.get(task="b.task").next_run_at


def test_eventbridge_names_the_tick(schedules: Any) -> None:
    event = {"detail-type": "Scheduled Event", "time": "2026-03-04T12:00:03Z"}
    hourly(event, None)
    hourly(event, None)
    assert ScheduleRun.objects.using("worker").get().tick == NOON
    assert schedules.get().task == HOURLY


def test_takes_an_event_and_a_context_whatever_the_function_takes() -> None:
    assert inspect.getfullargspec(hourly).args == ["event", "context"]  # what Zappa looks at


def test_refuses_an_expression_where_it_is_declared() -> None:
    with pytest.raises(BadExpression):
        scheduled("every hour")


def test_the_app_may_look_and_not_touch(schedules: Any) -> None:
    run(Body())
    assert Schedule.objects.count() == ScheduleRun.objects.count() == 1
    for table in ("notifications_schedule", "notifications_schedulerun"):
        with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")


def test_two_workers_run_a_tick_once(schedules: Any, tmp_path: Path) -> None:
    schedules_sync({HOURLY: "rate(1 hour)"})
    schedules.update(next_run_at=timezone.now() - timedelta(hours=2))
    ticks = tmp_path / "ticks"
    with worker("--once", PLAYGROUND_TICKS=str(ticks)) as first, worker("--once", PLAYGROUND_TICKS=str(ticks)) as second:
        begin_together("notifications_schedulerun")
        assert (first.wait(), second.wait()) == (0, 0), first.said + second.said
    runs = ScheduleRun.objects.using("worker").filter(schedule__task=HOURLY).count()
    assert len(ticks.read_text().splitlines()) == runs
    assert runs == 1 or timezone.now().minute == 0  # the hour may have changed meanwhile
    assert schedules.get(task=HOURLY).next_run_at > timezone.now()
