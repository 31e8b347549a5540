"""Jobs and a schedule that tests give to a worker; a topic stands for what a job writes."""

import os
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.db import connection
from django_tasks import task

from accounts.models import Membership
from core.errors import Invalid
from core.tenancy import active_scope
from notifications.models import Topic
from notifications.schedules import ZoneTick, scheduled, scheduled_in_each_zone
from notifications.services.jobs import TryAgain


@task()
def write(key: str) -> str:
    Topic.objects.create(key=key, name=key)
    return key


@task()
def write_and_raise(key: str) -> None:
    Topic.objects.create(key=key, name=key)
    raise ZeroDivisionError("by nothing")


@task()
def write_what_the_commit_refuses(key: str) -> None:
    """The reference to a user is checked at the end."""
    Topic.objects.create(key=key, name=key)
    Membership.objects.create(user_id=uuid4())


@task()
def write_and_refuse(key: str) -> None:
    Topic.objects.create(key=key, name=key)
    raise Invalid("There is no such thing: name another.")


@task(takes_context=True, max_attempts=2)
def write_and_try_again(context: Any, key: str) -> str:
    Topic.objects.create(key=f"{key}-{context.attempt}", name=key)
    if not context.is_last_attempt:
        raise TryAgain("Not all of it is done.")
    return "done"


@task()
def write_at_the_end(key: str, folder: str) -> None:
    """Says that it has begun, waits for `go`, says how often it has ended."""
    started, go, parent = Path(folder, "started"), Path(folder, "go"), os.getppid()
    _line(started)
    while not go.exists() and os.getppid() == parent:
        time.sleep(0.01)
    Topic.objects.create(key=key, name=key)


@task()
def look_around(other: str) -> dict[str, Any]:
    """What a job sees by the ORM, without naming the organization, and by raw SQL."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id::text FROM notifications_topic UNION SELECT id::text FROM accounts_organization")
        raw = sorted(row[0] for row in cursor.fetchall())
        cursor.execute("UPDATE notifications_topic SET name = 'taken' WHERE organization_id = %s", [other])
        changed = cursor.rowcount
    found = sorted({str(row) for row in Topic.every_organization.values_list("organization_id", flat=True)})
    return {"organization": str(active_scope().organization_id), "raw": raw, "orm": found, "changed": changed}


@scheduled("rate(1 hour)")
def hourly() -> None:
    if path := os.environ.get("PLAYGROUND_TICKS"):
        _line(Path(path))


@scheduled_in_each_zone("cron(0 5 * * ? *)")
def morning(tick: ZoneTick) -> None:
    tick.enqueue(write)


def _line(path: Path) -> None:
    with path.open("a") as file:
        file.write(f"{os.getpid()}\n")
