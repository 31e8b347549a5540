"""What the purge cannot remove by SQL alone; see `core.retention`."""

from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.models import Attachment, RateWindow
from accounts.services.attachments import attachment_delete_files
from accounts.services.uploads import uploads_purge
from core.budget import Budget
from core.tenancy import Origin, organization_scope

BATCH = 100  # attachments of a transaction
ORIGIN = Origin(reason="Retention policy")


def rate_windows_purge(*, organization_id: UUID | None, before: datetime, dry_run: bool, budget: Budget) -> int:
    """Who has not asked since. A function alone may lock these rows, so they go in one statement."""
    old = RateWindow.objects.using("worker").filter(ends__lt=int(before.timestamp()))
    return old.count() if dry_run else old.delete()[0]


def staged_uploads_purge(*, organization_id: UUID | None, before: datetime, dry_run: bool, budget: Budget) -> int:
    age = int((timezone.now() - before).total_seconds())
    return uploads_purge(older_than_seconds=age, dry_run=dry_run)


def archived_attachments_purge(*, organization_id: UUID | None, before: datetime, dry_run: bool, budget: Budget) -> int:
    """With all their versions, thumbnails and files."""
    assert organization_id  # noqa: S101  # each organization says how long
    rows, count = 0, BATCH
    while count == BATCH and (dry_run or budget.has_time()):
        with organization_scope(organization_id, origin=ORIGIN):
            old = Attachment.objects.filter(archived_at__lt=before)
            if dry_run:
                return int(old.count())
            found = list(old.select_for_update(skip_locked=True)[:BATCH])
            for attachment in found:
                attachment_delete_files(attachment=attachment)
        count = len(found)
        rows += count
    return rows
