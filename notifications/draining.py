"""What the entries for AWS run, as long as there is time: the worker's departments, one after the other."""

from collections.abc import Collection
from threading import Event
from uuid import UUID

from core.budget import Budget
from core.roles import refuse_wrong_roles
from notifications.clock import Clock
from notifications.deliveries import time_for_one
from notifications.departments import DEPARTMENTS, Tally, Turn
from notifications.departments import relay as relay_some
from notifications.services import running
from notifications.services.endings import jobs_recover, keys_wake

_checked: list[bool] = []


def roles_checked() -> None:
    """Once for each process: it closes connections, which a warm one wants to keep."""
    if not _checked:
        refuse_wrong_roles()
        _checked.append(True)


def jobs_run_ids(ids: Collection[UUID], budget: Budget) -> list[UUID]:
    """Those that there was no time for. One that is done, runs elsewhere or must wait is nothing to do."""
    return running.jobs_run_ids(ids, budget)


def relay(budget: Budget) -> int:
    """Until no event is left; how many there were."""
    turn = _turn(budget)
    while budget.has_time() and relay_some(turn):
        pass
    return turn.tally.take().get("events", 0)


def drain(budget: Budget) -> bool:
    """All that can be done now but for schedules, which have their own entry; whether all of it was, for sure."""
    turn = _turn(budget)
    departments = [department for department in DEPARTMENTS if department.name != "clock"]
    jobs_recover()
    keys_wake()
    while budget.has_time():
        if not any([department.turn(turn) for department in departments]):
            break
    return not budget.ran_out and budget.left() >= time_for_one()  # with less, not everything is begun


def _turn(budget: Budget) -> Turn:
    return Turn(Event(), budget, Tally(), Clock("AWS Lambda"))
