"""The events of a day as a file."""

import gzip
import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Organization
from core.files import private_files
from notifications.event_archive import FOLDER, event_archive_purge
from notifications.models import OutboxEvent
from notifications.tasks import archive_events
from tests.companies import Company
from tests.notifications.test_feed import follow
from tests.notifications.test_relaying import relay_all, told, untold

ZONE = ZoneInfo("Asia/Tokyo")
TODAY = date(2026, 3, 1)


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Company:
    """Told on its days of February 28, March 1 (twice) and March 2, by the clocks of Tokyo."""
    company, other = untold(new_company()), untold(new_company())
    told(other)
    hours = (-1, 0, 23, 24)
    for _ in hours:
        told(company)
    relay_all()
    with company.scope():
        Organization.objects.update(timezone=ZONE.key)
        for position, hour in enumerate(hours, 1):
            moment = datetime(2026, 3, 1, 0, 30, tzinfo=ZONE) + timedelta(hours=hour)
            OutboxEvent.objects.filter(position=position).update(relayed_at=moment)
    return company


def archive(company: Company, day: date) -> tuple[int, list[dict[str, Any]]]:
    """How many the job of the night after wrote, and what stands in the file."""
    with company.scope():
        written = archive_events.call(day=(day + timedelta(1)).isoformat())["events"]
    key = f"{FOLDER}/{company.organization.pk}/{day}.jsonl.gz"
    with private_files().open(key) as file:
        return written, [json.loads(line) for line in gzip.decompress(file.read()).splitlines()]


def test_a_day_is_that_of_the_organization_and_its_file_is_the_feed(company: Company) -> None:
    written, events = archive(company, TODAY)
    assert (written, [event["position"] for event in events]) == (2, [2, 3])
    feed = {row["position"]: row for row in follow(company.api)}
    assert all(feed[event["position"]].items() >= event.items() for event in events)
    assert archive(company, TODAY) == (0, events), "a second run leaves the file as it is"
    assert archive(company, TODAY + timedelta(1))[1][0]["position"] == 4, "the next one goes on without a gap"


def test_files_go_when_their_time_is_over(company: Company, settings: Any) -> None:
    archive(company, TODAY)
    settings.EVENT_ARCHIVE_DAYS = 1
    assert event_archive_purge(dry_run=True) == 0
    settings.EVENT_ARCHIVE_DAYS = -1  # as if tomorrow
    assert event_archive_purge() >= 1
    settings.EVENT_ARCHIVE_DAYS = 0
    assert event_archive_purge() == 0
