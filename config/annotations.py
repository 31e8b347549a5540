"""What the page of a row shows of its tags and its journal, and what may be changed there."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db import models
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import JournalEntry, Tag
from accounts.queries.annotations import journal_of, tags_of
from accounts.queries.history import people_named
from accounts.services.annotations import journal_note, tags_set
from core.errors import Forbidden, Invalid
from core.limits import refuse_object_outside
from core.objects import object_permission, object_type

MOST_CHOICES = 200


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    who: str
    body: str
    from_state: str
    to_state: str
    pinned: bool
    url: str


@dataclass(frozen=True, slots=True)
class Annotations:
    shows_tags: bool = False
    tags: list[Tag] = field(default_factory=list)
    choices: list[Tag] = field(default_factory=list)  # none for those who may not tag the row
    shows_journal: bool = False
    journal: list[Line] = field(default_factory=list)
    may_note: bool = False
    more_url: str = ""


def annotations(request: HttpRequest, row: models.Model) -> Annotations:
    has_perm: Any = request.user.has_perm
    shows_tags, shows_journal = has_perm("accounts.view_taggeditem"), has_perm("accounts.view_journalentry")
    may_tag = _may_tag(request, row)
    return Annotations(
        shows_tags=shows_tags, tags=tags_of(row) if shows_tags else [],
        choices=list(Tag.objects.order_by("slug")[:MOST_CHOICES]) if shows_tags and may_tag else [],
        shows_journal=shows_journal, journal=_lines(request, row) if shows_journal else [],
        may_note=has_perm("accounts.add_journalentry"), more_url=_journal_url(row),
    )


def annotate(request: Any, row: models.Model) -> str:
    """Does what the posted form says and answers a sentence. Raises DomainError."""
    if request.POST.get("what") == "tags":
        if not _may_tag(request, row):
            raise Forbidden("You may not tag this.")
        refuse_object_outside(request.principal, type(row), row.pk, "change")
        tags_set(row=row, tag_ids=_ids(request.POST.getlist("tag")), permissions=request.user.permissions)
        return "The tags are saved."
    if not request.user.has_perm("accounts.add_journalentry"):
        raise Forbidden("You may not write notes.")
    body = request.POST.get("body", "").strip()
    if not body or "\0" in body or len(body) > JournalEntry.LONGEST:
        raise Invalid(f"Write a note of at most {JournalEntry.LONGEST} letters.")
    journal_note(kind=object_type(row), object_id=row.pk, body=body, permissions=request.user.permissions)
    return "The note is added."


def _may_tag(request: HttpRequest, row: models.Model) -> bool:
    needed = ("accounts.add_taggeditem", "accounts.delete_taggeditem", object_permission(type(row), "change"))
    return all(request.user.has_perm(permission) for permission in needed)


def _ids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts[:MOST_CHOICES]]
    except ValueError as error:
        raise Invalid("Choose tags out of the list.") from error


def _lines(request: HttpRequest, row: models.Model) -> list[Line]:
    entries = journal_of(row)
    names = people_named({entry.author_id for entry in entries if entry.author_id})
    return [
        Line(
            entry.created_at, _who(entry, names), entry.body, entry.from_state, entry.to_state, entry.pinned,
            reverse("admin:accounts_journalentry_change", args=[entry.pk]) if _is_own(request, entry) else "",
        )
        for entry in entries
    ]


def _who(entry: JournalEntry, names: dict[UUID, str]) -> str:
    if entry.author_id:
        return names.get(entry.author_id, "Not a member here")
    return "A program" if entry.api_key_id else "The system"


def _is_own(request: HttpRequest, entry: JournalEntry) -> bool:
    return entry.kind == JournalEntry.Kind.NOTE and entry.author_id == request.user.pk


def _journal_url(row: models.Model) -> str:
    query = urlencode({"object_type": object_type(row), "object_id": str(row.pk)})
    return f"{reverse('admin:accounts_journalentry_changelist')}?{query}"
