import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import ProgrammingError, connection
from django.utils import timezone

from accounts.models import Organization
from notifications import schedules as declaring
from notifications.expressions import BadExpression
from notifications.models import Job, Schedule, ScheduleRun
from notifications.schedules import ScheduleFailed, ZoneTick, plans, scheduled, scheduled_in_each_zone
from notifications.services import schedules as service
from notifications.services.schedules import (
    LEASE,
    Due,
    Plan,
    asked_run,
    lost_take,
    run_taken,
    schedule_ask,
    schedule_switch,
    schedules_due,
    schedules_sync,
    tick_run,
    ticks_lose,
)
from tests.companies import Company
from tests.notifications.playground.tasks import hourly, write
from tests.notifications.processes import begin_together, eventually, worker

EACH_ZONE = "tests.notifications.playground.tasks.morning"
HOURLY = "tests.notifications.playground.tasks.hourly"
AT = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)
NOON = AT.replace(minute=0)
A_TASK = Plan("a.task", "rate(1 hour)")
A_DAY = Plan("a.task", "rate(1 day)")
B_DAY = Plan("b.task", "rate(1 day)")


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

    def __call__(self, tick: datetime) -> None:
        self.calls += 1
        if self.error:
            raise self.error


def run(body: Callable[[datetime], object], at: datetime = AT, plan: Plan = A_TASK) -> bool:
    return tick_run(plan=plan, body=body, at=at).ran


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
    schedules_sync([A_TASK])
    schedule = schedules.get()
    assert timedelta(0) < schedule.next_run_at - timezone.now() <= timedelta(hours=1)
    assert schedules_due(["a.task"]) == []
    schedules.update(next_run_at=timezone.now() - timedelta(hours=5))
    assert schedules_due(["a.task"]) == [Due("a.task", "UTC")]
    assert schedules_due(["another.task"]) == []
    run(Body(), timezone.now())
    assert schedules_due(["a.task"]) == []


def test_follows_what_the_code_declares(schedules: Any) -> None:
    schedules_sync([A_DAY, B_DAY])
    planned = schedules.get(task="a.task").next_run_at
    schedules_sync([A_DAY])
    assert schedules.get(task="a.task").next_run_at == planned
    assert schedules.get(task="b.task").next_run_at is None
    schedules_sync([Plan("a.task", "rate(1 minute)"), B_DAY])
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


@pytest.mark.once
def test_two_workers_run_a_tick_once(schedules: Any, tmp_path: Path) -> None:
    schedules_sync([Plan(HOURLY, "rate(1 hour)")])
    schedules.update(next_run_at=timezone.now() - timedelta(hours=2))
    ticks = tmp_path / "ticks"
    with worker("--once", PLAYGROUND_TICKS=str(ticks)) as first, worker("--once", PLAYGROUND_TICKS=str(ticks)) as second:
        begin_together("notifications_schedulerun")
        assert (first.wait(), second.wait()) == (0, 0), first.said + second.said
    runs = ScheduleRun.objects.using("worker").filter(schedule__task=HOURLY).count()
    assert len(ticks.read_text().splitlines()) == runs
    assert runs == 1 or timezone.now().minute == 0  # the hour may have changed meanwhile
    assert schedules.get(task=HOURLY).next_run_at > timezone.now()


def test_counts_what_was_missed_and_runs_the_latest_in_its_place(schedules: Any, caplog: pytest.LogCaptureFixture) -> None:
    run(Body())
    schedules.update(next_run_at=NOON + timedelta(hours=1))
    body = Body()
    ticked = tick_run(plan=A_TASK, body=body, at=NOON + timedelta(hours=5, minutes=10))
    assert (ticked.ran, ticked.missed, ticked.since) == (True, 4, NOON + timedelta(hours=1))
    assert body.calls == 1
    found = schedules.get()
    assert (found.missed, found.last_tick) == (4, NOON + timedelta(hours=5))
    assert found.missed_at
    assert "missed 4 ticks" in caplog.text
    assert tick_run(plan=A_TASK, body=body, at=NOON + timedelta(hours=5, minutes=20)).missed == 0


def test_what_is_not_caught_up_is_missed_when_it_is_late(schedules: Any) -> None:
    plan, body = Plan("a.task", "rate(1 day)", catch_up=False), Body()
    long_ago = timezone.now() - timedelta(days=3)
    schedules_sync([plan])
    schedules.update(next_run_at=long_ago.replace(hour=0, minute=0, second=0, microsecond=0))
    assert tick_run(plan=plan, body=body, at=long_ago).ran is False
    assert body.calls == 0
    found = ScheduleRun.objects.using("worker").get()
    assert found.outcome == "missed"
    assert found.ended_at
    assert (schedules.get().missed, schedules.get().last_status) == (1, "missed")


def test_a_run_whose_process_died_is_lost_and_runs_again_once(schedules: Any) -> None:
    runs = ScheduleRun.objects.using("worker")
    run(Body())
    runs.update(outcome="running", ended_at=None, heartbeat_at=timezone.now() - timedelta(seconds=LEASE - 10))
    assert ticks_lose() == [], "its lease has not run out"
    for attempt in (1, 2):
        runs.update(outcome="running", ended_at=None, heartbeat_at=timezone.now() - timedelta(seconds=LEASE + 1))
        assert ticks_lose() == [("a.task", "UTC", NOON)]
        assert (runs.get().outcome, schedules.get().last_status) == ("lost", "lost")
        again = lost_take(tasks=["a.task"])
        assert (again is not None) == (attempt == 1)
        if again:
            due, taken = again
            assert (due, taken.tick) == (Due("a.task", "UTC"), NOON)
            body = Body()
            run_taken(plan=A_TASK, taken=taken, body=body)
            assert (body.calls, runs.get().outcome, runs.get().attempts) == (1, "succeeded", 2)


def test_a_lost_run_is_left_when_a_later_tick_has_run(schedules: Any) -> None:
    run(Body())
    ScheduleRun.objects.using("worker").update(outcome="lost")
    run(Body(), AT + timedelta(hours=1))
    assert lost_take(tasks=["a.task"]) is None


def test_who_was_thought_dead_does_not_end_the_run_of_another(schedules: Any) -> None:
    runs = ScheduleRun.objects.using("worker")

    def stalls(tick: datetime) -> None:
        runs.update(heartbeat_at=timezone.now() - timedelta(seconds=LEASE + 1))
        assert ticks_lose()
        assert lost_take(tasks=["a.task"])

    run(stalls)
    assert (runs.get().outcome, runs.get().attempts) == ("running", 2)


def test_says_that_it_lives_while_it_runs(schedules: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LEASE", 0.03)
    runs = ScheduleRun.objects.using("worker")

    def long(tick: datetime) -> None:
        first = runs.get().heartbeat_at
        eventually(lambda: runs.get().heartbeat_at > first)

    run(long)
    assert runs.get().outcome == "succeeded"


def test_runs_when_somebody_asks_also_while_it_is_switched_off(schedules: Any) -> None:
    schedules_sync([A_TASK])
    pk = schedules.get().pk
    assert schedule_switch(schedule_id=pk, expression=A_TASK.expression, zone="UTC", enabled=False)
    assert schedules_due(["a.task"]) == []
    assert schedule_ask(schedule_id=pk)
    assert not schedule_ask(schedule_id=pk), "it is asked for already"
    assert schedules_due(["a.task"]) == [Due("a.task", "UTC", True)]
    body = Body()
    assert [asked_run(plan=A_TASK, body=body) for _ in range(2)] == [True, False]
    assert body.calls == 1
    assert schedules_due(["a.task"]) == []


def test_what_comes_while_it_is_switched_off_is_not_missed(schedules: Any) -> None:
    schedules_sync([A_TASK])
    schedules.update(enabled=False, next_run_at=AT)
    assert schedule_switch(schedule_id=schedules.get().pk, expression=A_TASK.expression, zone="UTC", enabled=True)
    assert schedules.get().next_run_at > timezone.now()
    assert tick_run(plan=A_TASK, body=Body(), at=timezone.now()).missed == 0


def test_a_new_zone_of_a_schedule_that_is_off_is_off(schedules: Any) -> None:
    lisbon = Plan("a.task", "cron(0 5 * * ? *)", "Europe/Lisbon", is_per_zone=True)
    schedules_sync([lisbon])
    schedules.update(enabled=False)
    schedules_sync([lisbon, lisbon._replace(timezone="Asia/Tokyo")])
    assert set(schedules.values_list("timezone", "enabled")) == {("Europe/Lisbon", False), ("Asia/Tokyo", False)}
    schedules_sync([lisbon])
    assert schedules.get(timezone="Asia/Tokyo").next_run_at is None


def test_the_tick_of_a_zone_is_a_job_of_each_organization_there_once_a_day(
    schedules: Any, new_company: Callable[[], Company],
) -> None:
    tokyo, other = new_company(), new_company()
    with tokyo.scope():
        Organization.objects.update(timezone="Asia/Tokyo")
    assert "Asia/Tokyo" in {plan.timezone for plan in plans() if plan.task == EACH_ZONE}
    plan = Plan(EACH_ZONE, "cron(0 5 * * ? *)", "Asia/Tokyo", is_per_zone=True)
    at = datetime(2026, 3, 4, 20, 10, tzinfo=UTC)  # 05:10 of the next day
    for moment in (at, at, at + timedelta(hours=1)):
        declaring.tick(plan, moment)
    with tokyo.scope():
        assert [job.arguments["args"] for job in Job.objects.all()] == [["2026-03-05"]]
        tick = ZoneTick("Asia/Tokyo", at, date(2026, 3, 5))
    assert tick.enqueue(write) == 0, "asked for again, that day is done"
    with tokyo.scope():
        assert Job.objects.count() == 1
        Job.objects.update(status="failed")
    with other.scope():
        assert not Job.objects.exists()


def test_a_rate_is_of_no_zone() -> None:
    with pytest.raises(BadExpression):
        scheduled_in_each_zone("rate(1 hour)")


def test_an_error_that_zappa_would_take_for_other_arguments_is_another(schedules: Any) -> None:
    def broken() -> None:
        raise TypeError("takes 0 positional arguments")

    with pytest.raises(ScheduleFailed):
        scheduled("rate(1 hour)")(broken)({"time": "2026-03-04T12:00:03Z"}, None)
    declaring._declared.pop(f"{__name__}.{broken.__qualname__}")
