"""What runs when: declared beside the function, called by the clock or by EventBridge alike."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache, wraps
from typing import Any, NamedTuple

from django.utils import timezone as clock
from django.utils.module_loading import autodiscover_modules
from django_tasks.base import Task

from notifications.expressions import BadExpression, parse
from notifications.services.alerts import missed_tell
from notifications.services.schedules import (
    Due,
    Plan,
    Taken,
    asked_run,
    lost_take,
    run_taken,
    schedule_sync,
    schedules_due,
    tick_run,
)
from notifications.services.zones import zone_jobs_enqueue, zones_in_use

type Entry = Callable[[Any, Any], None]


class ScheduleFailed(RuntimeError):
    """In the place of a TypeError, which Zappa takes for a function with other arguments, and calls again."""


class ZoneTick(NamedTuple):
    """A tick in one time zone; `day` is of its calendar."""

    timezone: str
    at: datetime
    day: date

    def enqueue(self, task: Task) -> int:
        """The task with the day, for each organization of the zone: once for an organization and a day."""
        return zone_jobs_enqueue(task=task, timezone=self.timezone, day=self.day)


class Declared(NamedTuple):
    name: str
    expression: str
    function: Entry
    plan: Plan
    body: Callable[[Plan, datetime], object]

    def plans(self) -> list[Plan]:
        if not self.plan.is_per_zone:
            return [self.plan]
        return [self.plan._replace(timezone=zone) for zone in zones_in_use()]


_declared: dict[str, Declared] = {}


def scheduled(expression: str, *, timezone: str = "UTC", catch_up: bool = True) -> Callable[[Callable[..., object]], Entry]:
    """Runs the function, called without arguments and outside any scope, once for each tick of the expression.

    What it makes of the function takes (event, context), as EventBridge calls it: a second call of a tick does
    nothing. Without `catch_up` a tick that is 15 minutes late does not run at all. Raises BadExpression.
    """
    parse(expression, timezone)

    def declare(function: Callable[..., object]) -> Entry:
        plan = Plan(_name(function), expression, timezone, False, catch_up)
        return _declare(function, plan, lambda _plan, _tick: function())

    return declare


def scheduled_in_each_zone(expression: str, *, catch_up: bool = True) -> Callable[[Callable[[ZoneTick], object]], Entry]:
    """Runs the function with a ZoneTick once for each tick in each time zone that an organization lives in."""
    parse(expression)
    if not expression.startswith("cron"):
        raise BadExpression(f"{expression!r}: a rate is the same in all time zones, write cron(0 5 * * ? *).")

    def declare(function: Callable[[ZoneTick], object]) -> Entry:
        def body(plan: Plan, tick: datetime) -> object:
            return function(ZoneTick(plan.timezone, tick, parse(plan.expression, plan.timezone).day(tick)))

        return _declare(function, Plan(_name(function), expression, "UTC", True, catch_up), body)

    return declare


def _name(function: Callable[..., object]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _declare(function: Callable[..., object], plan: Plan, body: Callable[[Plan, datetime], object]) -> Entry:
    @wraps(function)
    def entry(event: Any = None, context: Any = None) -> None:
        try:
            if plan.is_per_zone:
                _due_zones_run(plan.task)
            else:
                tick(plan, _moment(event))
        except TypeError as error:
            raise ScheduleFailed(f"{plan.task}: {error}") from error

    _declared[plan.task] = Declared(plan.task, plan.expression, entry, plan, body)
    return entry


def _due_zones_run(task: str) -> None:
    """Called at any time, those zones run whose tick has come."""
    for plan in _declared[task].plans():
        schedule_sync(plan=plan)
    for due in schedules_due([task]):
        due_run(due)


def tick(plan: Plan, at: datetime) -> bool:
    """Whether it ran; who looks after the installation is told what was missed."""
    ticked = tick_run(plan=plan, body=_body(plan), at=at)
    if ticked.since:
        missed_tell(task=plan.task, timezone=plan.timezone, missed=ticked.missed, since=ticked.since)
    return ticked.ran


def due_run(due: Due) -> bool:
    """What `schedules_due` found."""
    plan = plan_of(due)
    return asked_run(plan=plan, body=_body(plan)) if due.is_asked_for else tick(plan, clock.now())


def lost_run() -> bool:
    """One that was lost, again; whether there was any."""
    found: tuple[Due, Taken] | None = lost_take(tasks=list(declared()))
    if found:
        plan = plan_of(found[0])
        run_taken(plan=plan, taken=found[1], body=_body(plan))
    return found is not None


def plan_of(due: Due) -> Plan:
    return declared()[due.task].plan._replace(timezone=due.timezone)


def plans() -> list[Plan]:
    return [plan for schedule in declared().values() for plan in schedule.plans()]


@cache
def declared() -> Mapping[str, Declared]:
    """By name, the dotted path of the function; all apps' `tasks.py` are read for it."""
    autodiscover_modules("tasks")
    return dict(_declared)


def _body(plan: Plan) -> Callable[[datetime], object]:
    return lambda at: _declared[plan.task].body(plan, at)


def _moment(event: Any) -> datetime:
    """EventBridge names the tick; two deliveries of it name the same."""
    named = event.get("time") if isinstance(event, Mapping) else None
    return datetime.fromisoformat(named) if named else clock.now()
