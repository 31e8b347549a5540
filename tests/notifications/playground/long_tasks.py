"""Jobs that take long, tell how far they are, rest, and are stopped."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django_tasks import task

from notifications.models import Topic
from notifications.services.sittings import Cancelled, Continue


def wait_for(path: Path) -> None:
    parent = os.getppid()
    while not path.exists() and os.getppid() == parent:
        time.sleep(0.01)


def say(folder: str, line: str) -> None:
    with Path(folder, "log").open("a") as file:
        file.write(f"{line}\n")


@contextmanager
def alone(folder: str, name: str) -> Iterator[None]:
    """A lock that the kernel gives back when its process dies, so that two at once are seen for certain."""
    with Path(folder, f"{name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(folder, f"overlap {name}")
            raise
        yield


@task(takes_context=True, max_attempts=1000)
def count_up(context: Any, folder: str, name: str, units: int, key: str = "") -> int:
    """Each unit writes a row with its checkpoint; a unit that is begun again after its checkpoint shows in the log."""
    with ExitStack() as stack:
        for lock in [name, *([f"key-{key}"] if key else [])]:
            stack.enter_context(alone(folder, lock))
        say(folder, f"start {name} {key}")
        for unit in range((context.state or 0) + 1, units + 1):
            say(folder, f"begin {name} {unit}")
            Topic.objects.create(key=f"{name}-{unit}", name=name)
            time.sleep(0.02)
            context.checkpoint(unit)
            say(folder, f"done {name} {unit}")
            context.progress(unit, units)
    return units


@task(takes_context=True)
def stop_after(context: Any, folder: str, units: int) -> str:
    """Takes a checkpoint for each unit, and after it waits for a file of its number."""
    for unit in range((context.state or 0) + 1, units + 1):
        Topic.objects.create(key=f"unit-{unit}", name="unit")
        context.progress(unit, units, f"unit {unit}")
        say(folder, f"unit {unit}")
        wait_for(Path(folder, f"go-{unit}"))
        context.checkpoint(unit)
    return "all"


@task(takes_context=True)
def rest_after_each(context: Any, units: int) -> str:
    """One unit in each sitting."""
    unit = (context.state or 0) + 1
    Topic.objects.create(key=f"sitting-{unit}", name=f"attempt {context.attempt}")
    if unit < units:
        raise Continue(unit)
    return f"{unit} units"


@task(takes_context=True)
def rest_when_time_is_short(context: Any, folder: str) -> str:
    if context.state:
        return "went on"
    say(folder, "begun")
    while context.time_left() > 1:
        time.sleep(0.01)
    return Continue("rested")  # type: ignore[return-value]


@task(takes_context=True)
def tidy_up(context: Any, folder: str) -> str:
    say(folder, "begun")
    while not context.is_cancelled():
        time.sleep(0.02)
    say(folder, "tidied")
    raise Cancelled


@task(takes_context=True)
def checkpoint_inside(context: Any) -> None:
    with transaction.atomic():
        context.checkpoint(1)


@task(time_limit=1)
def sleep_in_the_database(key: str) -> None:
    Topic.objects.create(key=key, name=key)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(120)")


@task(time_limit=1)
def sleep_outside(key: str) -> None:
    Topic.objects.create(key=key, name=key)
    time.sleep(3)


@task(max_attempts=1, takes_context=True)
def say_what_no_column_takes(context: Any) -> None:
    context.progress(1, 2, "a\0b\ud800")
    raise ValueError("a\0b\ud800")


@task()
def give(value: int) -> int:
    return value


@task()
def add(numbers: Any, more: int = 0) -> int:
    return sum(numbers if isinstance(numbers, list) else [numbers]) + more
