"""What somebody must look at goes to the topic ops-critical: dead letters of an organization, ticks that were missed."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connections
from django.utils import timezone as clock

from core.tenancy import Origin, organization_scope
from notifications.queries.dead import DEAD, MOST
from notifications.services.operators import operators_tell

WORTH_A_MESSAGE = timedelta(hours=1)  # a deployment of some minutes is no news

# Where platform staff belong: who looks after the installation reads there.
OPERATORS = """
    SELECT DISTINCT m.organization_id FROM accounts_membership AS m JOIN accounts_user AS u ON u.id = m.user_id
    WHERE u.is_superuser AND m.status = 'active' LIMIT 20
"""


def dead_letters_tell() -> int:
    """Each organization that has any, once a day as long as it has; returns how many messages were made."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(DEAD)
        found = [row for row in cursor.fetchall() if row[1] or row[2]]
    today = clock.now().date()
    return sum(_dead_letters(organization, deliveries, jobs, f"dead letters {today}") for organization, deliveries, jobs in found)


def missed_tell(*, task: str, timezone: str, missed: int, since: datetime) -> int:
    """Where platform staff belong, once a day for a schedule."""
    if clock.now() - since < WORTH_A_MESSAGE:
        return 0
    with connections["worker"].cursor() as cursor:
        cursor.execute(OPERATORS)
        operators = [organization for (organization,) in cursor.fetchall()]
    body = (
        f"The schedule {task} ({timezone}) was due {missed} times from {since:%Y-%m-%d %H:%M} UTC on and did not run.\n"
        "Was the worker down? The page Operations of the admin shows all schedules.\n"
    )
    key = f"missed {task} {timezone} {clock.now().date()}"[:200]
    return sum(_told(organization, f"{task} did not run", body, key) for organization in operators)


def _dead_letters(organization: UUID, deliveries: int, jobs: int, key: str) -> int:
    parts = [f"{_counted(number)} {what}" for number, what in ((deliveries, "event deliveries"), (jobs, "jobs")) if number]
    body = (
        f"Given up after every attempt: {' and '.join(parts)}.\n"
        "The page Operations of the admin leads to them: put right what they failed for, then replay or discard them.\n"
    )
    return _told(organization, f"Dead letters: {', '.join(parts)}", body, key)


def _counted(number: int) -> str:
    return f"{MOST} or more" if number >= MOST else str(number)


def _told(organization: UUID, subject: str, body: str, key: str) -> int:
    with organization_scope(organization, origin=Origin(reason="alert")):
        return operators_tell(subject=subject, body=body, dedupe_key=key)
