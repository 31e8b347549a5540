"""The history of a row as people read it: labels in place of columns, names in place of ids."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import capfirst

from core.fields import SearchKeyField
from core.models import TenantRow
from core.paging import Page

REDACTED = ["redacted", "redacted"]  # what the audit trigger writes for a secret
UNTOLD = ("id", "organization_id", "created_at", "version")


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One entry of the audit trail. `changes` maps a column to its values before and after, as JSON."""

    at: datetime
    action: str
    who: str
    email: str
    changes: Mapping[str, list[Any]]
    reason: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Change:
    label: str
    before: str
    after: str
    secret: bool = False


class HistorySource(Protocol):
    """What the admin site gives to the pages, because only upper layers know the audit trail."""

    def audit_lines(self, model: type[models.Model], pk: Any, cursor: str | None) -> Page[AuditLine]: ...

    def shows_history(self, request: Any) -> bool: ...


def labelled(model: type[models.Model], lines: Iterable[AuditLine]) -> list[tuple[AuditLine, list[Change]]]:
    """Each line with its changes in words; one query for each kind of referred row, however many lines there are."""
    lines = list(lines)
    columns: dict[str, Any] = {str(field.column): field for field in model._meta.concrete_fields}
    names = _names(columns, lines)
    return [(line, _changes(columns, names, line.changes)) for line in lines]


def _changes(columns: Mapping[str, Any], names: Mapping[str, str], changes: Mapping[str, list[Any]]) -> list[Change]:
    found = []
    for column, values in changes.items():
        field = columns.get(column)
        if column in UNTOLD or isinstance(field, SearchKeyField):
            continue
        label = capfirst(str(getattr(field, "verbose_name", column.replace("_", " "))))
        before, after = (_text(field, names, value) for value in values)
        if values == REDACTED or before != after:
            found.append(Change(label, before, after, secret=values == REDACTED))
    return found


def _text(field: Any, names: Mapping[str, str], value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(None, {}, part)}" for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    choices = dict(getattr(field, "flatchoices", None) or ())
    text = str(choices.get(value, value))
    if isinstance(field, models.DateTimeField) and isinstance(value, str):
        return text[:19].replace("T", " ")
    return names.get(text, text)


def _names(columns: Mapping[str, Any], lines: Iterable[AuditLine]) -> dict[str, str]:
    wanted: dict[type[models.Model], set[UUID]] = {}
    for line in lines:
        for column, values in line.changes.items():
            field = columns.get(column)
            if isinstance(field, models.ForeignKey) and issubclass(field.related_model, TenantRow):
                wanted.setdefault(field.related_model, set()).update(_ids(field, values))
    return {
        str(pk): str(row)
        for target, ids in wanted.items() for pk, row in target._default_manager.in_bulk(list(ids)).items()
    }


def _ids(field: models.ForeignKey, values: Iterable[Any]) -> Iterable[Any]:
    for value in values:
        try:
            if value is not None:
                yield field.target_field.to_python(value)
        except ValidationError:
            continue
