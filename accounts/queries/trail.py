"""The audit trail of an organization in words: whom, what, and which object, by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db.models import Model
from django.utils.text import capfirst

from accounts.models import AuditEntry, User
from accounts.queries.history import lines_of, people_of
from core.history import AuditLine, Change, labelled
from core.models import AuditedModel

NAMES = ("name", "code", "sku", "key", "number", "email")  # columns that name a row which is gone


@dataclass(frozen=True, slots=True)
class Told:
    """`name` is what the object is called now, or was called; `exists` says whether it is still there."""

    line: AuditLine
    model: type[Model] | None
    kind: str
    name: str
    exists: bool
    changes: list[Change]


@cache
def audited_models() -> dict[str, type[Model]]:
    """By table."""
    return {model._meta.db_table: model for model in apps.get_models() if issubclass(model, AuditedModel)}


def kind_of(table: str) -> str:
    model = audited_models().get(table)
    return capfirst(str(model._meta.verbose_name)) if model else table


def told(entries: Sequence[AuditEntry]) -> list[Told]:
    """As many queries as there are kinds of objects, whatever the number of entries."""
    lines = lines_of(entries)
    by_table: dict[str, list[int]] = {}
    for position, entry in enumerate(entries):
        by_table.setdefault(entry.table_name, []).append(position)
    found: dict[int, Told] = {}
    for table, positions in by_table.items():
        model = audited_models().get(table)
        names = _names(model, {entries[position].row_id for position in positions}) if model else {}
        words = labelled(model, [lines[position] for position in positions]) if model else []
        for number, position in enumerate(positions):
            entry = entries[position]
            name = names.get(entry.row_id)
            changes = words[number][1] if words else []
            found[position] = Told(
                lines[position], model, kind_of(table), name or _last_name(entry), name is not None, changes,
            )
    return [found[position] for position in range(len(entries))]


def _names(model: type[Model], ids: set[UUID]) -> dict[UUID, str]:
    if model is User:
        return {pk: name or email for pk, (name, email) in people_of(ids).items() if pk}
    rows: Any = model._default_manager.select_related().in_bulk(list(ids))
    return {pk: str(row) for pk, row in rows.items()}


def _last_name(entry: AuditEntry) -> str:
    for column in NAMES:
        before, after = entry.changes.get(column, (None, None))
        if isinstance(after or before, str):
            return str(after or before)
    return str(entry.row_id)[-12:]
