"""The audit trail of one row, with the people's names."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Model

from accounts.models import ApiKey, AuditEntry, Impersonation, Membership
from core.history import AuditLine
from core.paging import Page, Window

PAGE_SIZE = 50

type People = dict[UUID | None, tuple[str, str]]


def audit_lines(model: type[Model], pk: Any, cursor: str | None = None) -> Page[AuditLine]:
    """The newest first. Raises BadCursor."""
    window = Window(AuditEntry, ["-id"], PAGE_SIZE, cursor)
    entries = AuditEntry.objects.filter(table_name=model._meta.db_table, row_id=pk)
    page = window.page(list(window.slice(entries)), window.position_of)
    return Page(lines_of(page.rows), page.previous, page.next)


def lines_of(entries: Sequence[AuditEntry]) -> list[AuditLine]:
    people = people_of({entry.actor_id for entry in entries if entry.actor_id})
    people |= _staff({entry.impersonator_id for entry in entries if entry.impersonator_id})
    keys = _keys({entry.api_key_id for entry in entries if entry.api_key_id})
    return [_line(entry, people, keys) for entry in entries]


def _line(entry: AuditEntry, people: People, keys: People) -> AuditLine:
    if entry.api_key_id:
        who, email = keys.get(entry.api_key_id, ("A deleted API key", ""))
    elif entry.actor_id:
        who, email = people.get(entry.actor_id, ("Not a member here", ""))
    else:
        who, email = "The system", ""
    if entry.impersonator_id:
        who = f"{people.get(entry.impersonator_id, ('Platform staff', ''))[0]} for {who}"
    return AuditLine(
        entry.created_at, entry.get_action_display(), who, email, entry.changes, entry.reason, entry.request_id,
    )


def people_of(ids: Collection[UUID]) -> People:
    """Through memberships: the users of other organizations stay unknown."""
    members = Membership.objects.filter(user_id__in=ids).select_related("user") if ids else ()
    return {member.user_id: (member.user.name, member.user.email) for member in members}


def people_named(ids: Collection[UUID]) -> dict[UUID, str]:
    return {pk: name for pk, (name, _) in people_of(ids).items() if pk}


def _staff(ids: Collection[UUID]) -> People:
    """Platform staff need not be members; their impersonations name them."""
    acted = Impersonation.objects.filter(impersonator_id__in=ids).select_related("impersonator") if ids else ()
    return {row.impersonator_id: (str(row.impersonator), row.impersonator.email) for row in acted}


def _keys(ids: Collection[UUID]) -> People:
    return {key.pk: (f"API key {key.name}", "") for key in ApiKey.objects.filter(pk__in=ids)} if ids else {}
