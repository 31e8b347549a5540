"""The events of a day as a file, for analytics that read files: JSON lines, packed by gzip, by position."""

import gzip
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from tempfile import TemporaryFile
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.base import File
from django.db import connection

from accounts.models import Organization
from core.files import private_files
from core.tenancy import active_organization_id
from notifications.queries.envelopes import envelope

FOLDER = "event-archive"
PAGE = 1_000
ROWS = f"""
    SELECT e.position, {envelope("e", position="e.position")} FROM notifications_outboxevent AS e
    WHERE e.organization_id = %s AND e.position > %s AND e.relayed_at >= %s AND e.relayed_at < %s
    ORDER BY e.position LIMIT {PAGE}
"""


def events_archive(*, day: date) -> int:
    """Of what was relayed on a day that is over, in the organization's time zone. What is written already stays as it is."""
    key = f"{FOLDER}/{active_organization_id()}/{day.isoformat()}.jsonl.gz"
    if private_files().exists(key):
        return 0
    count = 0
    with TemporaryFile() as file:
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
            for line in _lines(day):
                packed.write(line.encode() + b"\n")
                count += 1
        file.seek(0)
        if count:
            private_files().save(key, File(file))
    return count


def _lines(day: date) -> Iterator[str]:
    zone = ZoneInfo(Organization.objects.values_list("timezone", flat=True).get(pk=active_organization_id()))
    begins, ends = (datetime.combine(one, time(), zone) for one in (day, day + timedelta(1)))
    after = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(ROWS, [active_organization_id(), after, begins, ends])
            rows = cursor.fetchall()
        yield from (line for _, line in rows)
        if len(rows) < PAGE:
            return
        after = rows[-1][0]


def event_archive_purge(*, dry_run: bool = False) -> int:
    """Whoever switches the archive off removes what is left themselves."""
    if not settings.EVENT_ARCHIVE_DAYS:
        return 0
    seconds = settings.EVENT_ARCHIVE_DAYS * 24 * 60 * 60
    return private_files().delete_below(FOLDER, older_than_seconds=seconds, dry_run=dry_run)
