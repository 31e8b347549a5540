from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone

from accounts.models import JournalEntry, Tag, TaggedItem
from core.errors import Conflict, Forbidden, Invalid
from core.objects import object_model, object_of, object_type, refuse_without
from core.tenancy import active_scope


def object_tag(*, tag_id: UUID, kind: str, object_id: UUID, permissions: Collection[str]) -> TaggedItem:
    """Raises Forbidden without the right to change the object, Invalid if it is not there."""
    refuse_without(permissions, kind, "change")
    found = object_of(kind, object_id)
    item: TaggedItem = TaggedItem.objects.create(tag_id=tag_id, object_type=kind, object_id=found.pk)
    return item


def object_untag(*, item: TaggedItem, permissions: Collection[str]) -> None:
    refuse_without(permissions, item.object_type, "change")
    item.delete()


def objects_tag(*, tag: Tag, rows: models.QuerySet[Any], permissions: Collection[str]) -> int:
    """In one statement; those that have the tag keep it. Answers how many got it."""
    kind = object_type(rows.model)
    refuse_without(permissions, kind, "change")
    there = TaggedItem.objects.filter(tag=tag, object_type=kind).values("object_id")
    new = rows.order_by().exclude(pk__in=there).values_list("pk", flat=True)
    items = [TaggedItem(tag=tag, object_type=kind, object_id=pk) for pk in new]
    TaggedItem.objects.bulk_create(items, ignore_conflicts=True)
    return len(items)


def tags_set(*, row: models.Model, tag_ids: Collection[UUID], permissions: Collection[str]) -> None:
    """The tags of an object from now on. Raises Forbidden, or IntegrityError for a tag that is not there."""
    kind = object_type(row)
    refuse_without(permissions, kind, "change")
    items = TaggedItem.objects.filter(object_type=kind, object_id=row.pk)
    items.exclude(tag_id__in=tag_ids).delete()
    there = set(items.values_list("tag_id", flat=True))
    new = [TaggedItem(tag_id=tag_id, object_type=kind, object_id=row.pk) for tag_id in tag_ids if tag_id not in there]
    TaggedItem.objects.bulk_create(new, ignore_conflicts=True)


def journal_note(
    *, kind: str, object_id: UUID, body: str, permissions: Collection[str], pinned: bool = False,
) -> JournalEntry:
    """Who sees an object may note something on it. Raises Forbidden, or Invalid if it is not there."""
    refuse_without(permissions, kind, "view")
    found = object_of(kind, object_id)
    return _written(object_type=kind, object_id=found.pk, body=body, pinned=pinned)


def journal_told(*, object: models.Model, body: str) -> JournalEntry:
    """What a handler says to whoever looks at the object."""
    return _written(object_type=object_type(object), object_id=object.pk, body=body)


def journal_status(*, object: models.Model, from_state: str, to_state: str, body: str = "") -> JournalEntry:
    """A change of status, in the transaction that makes it; nobody can change it afterwards."""
    kind = object_type(object)
    object_model(kind)
    return _written(
        object_type=kind, object_id=object.pk, kind=JournalEntry.Kind.STATUS, from_state=from_state, to_state=to_state, body=body,
    )


def _written(**values: Any) -> JournalEntry:
    origin = active_scope().origin
    entry: JournalEntry = JournalEntry.objects.create(**values, author_id=origin.actor_id, api_key_id=origin.api_key_id)
    return entry


def refuse_other_author(entry: JournalEntry) -> None:
    """Raises Conflict for a change of status, Forbidden for what somebody else noted."""
    if entry.kind == JournalEntry.Kind.STATUS:
        raise Conflict("A change of status stays in the journal as it was written.", code="append_only")
    origin = active_scope().origin
    writer = (origin.actor_id, origin.api_key_id)
    if writer == (None, None) or writer != (entry.author_id, entry.api_key_id):
        raise Forbidden("Only its author changes or archives a note.")


def note_change(*, entry: JournalEntry, body: str, pinned: bool) -> JournalEntry:
    refuse_other_author(entry)
    if not body.strip():
        raise Invalid("A note has a body.", fields={"body": "A note has a body."})
    entry.body, entry.pinned = body, pinned
    entry.save(update_fields=["body", "pinned"])
    return entry


def note_archive(*, entry: JournalEntry) -> None:
    refuse_other_author(entry)
    entry.archived_at = timezone.now()
    entry.save(update_fields=["archived_at"])
