"""What hangs on an object."""

from django.db import models

from accounts.models import JournalEntry, Tag, TaggedItem
from core.objects import object_type

SHOWN = 20


def tags_of(row: models.Model) -> list[Tag]:
    items = TaggedItem.objects.filter(object_type=object_type(row), object_id=row.pk)
    return list(Tag.objects.filter(pk__in=items.values("tag_id")).order_by("slug"))


def journal_of(row: models.Model) -> list[JournalEntry]:
    """The newest, pinned ones first."""
    found = JournalEntry.objects.filter(object_type=object_type(row), object_id=row.pk, archived_at=None)
    return list(found.order_by("-pinned", "-id")[:SHOWN])
