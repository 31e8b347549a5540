"""Rows from outside, matched with those that are there: new ones are added, changed ones changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet

type Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a line of a file says about a row: `says` follows the file, `starts` is for a new row alone.

    Both are by column, so a reference is `party_id`.
    """

    line: int
    says: dict[str, Any]
    starts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    line: int
    column: str
    reason: str


@dataclass(slots=True)
class Counts:
    created: int = 0
    updated: int = 0
    unchanged: int = 0

    def add(self, other: "Counts") -> None:
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged


@dataclass(slots=True)
class Outcome:
    """`ids`, by the line of the draft, of the rows that are as the drafts say."""

    ids: dict[int, UUID] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    refused: list[Refusal] = field(default_factory=list)


def rows_upsert(existing: QuerySet[Any], drafts: Iterable[Draft], *, key: Sequence[str]) -> Outcome:
    """One statement each to look, to add and to change. A draft that no column takes is refused; the rest goes in.

    `existing` may hold more rows than the drafts name. A row that is as its draft says is not written at all.
    """
    known = {_key(vars(row), key): row for row in existing.select_for_update(no_key=True).order_by("pk")}
    outcome, lines = Outcome(), dict[Key, int]()
    new: list[Model] = []
    changed: list[Model] = []
    columns: set[str] = set()
    for draft in drafts:
        identity = _key(draft.says, key)
        if identity in lines:
            outcome.refused.append(Refusal(draft.line, key[0], f"line {lines[identity]} is about the same"))
            continue
        lines[identity] = draft.line
        row = known.get(identity) or existing.model(**draft.starts)
        differing = {name for name, value in draft.says.items() if row._state.adding or getattr(row, name) != value}
        if refusal := _set(row, draft, differing):
            outcome.refused.append(refusal)
            continue
        outcome.ids[draft.line] = row.pk
        if row._state.adding:
            new.append(row)
        elif differing:
            changed.append(row)
            columns |= differing
    existing.model.objects.bulk_create(new)
    if changed:
        existing.model.objects.bulk_update(changed, sorted(columns))
    outcome.counts = Counts(len(new), len(changed), len(outcome.ids) - len(new) - len(changed))
    return outcome


def _key(values: dict[str, Any], key: Sequence[str]) -> Key:
    return tuple(values[name] for name in key)


def _set(row: Model, draft: Draft, names: set[str]) -> Refusal | None:
    for name in names:
        setattr(row, name, draft.says[name])
    checked = names | (draft.starts.keys() if row._state.adding else set())
    # References were looked up within the organization; checking one again would cost a query for each row.
    left = {one.name for one in row._meta.fields if one.attname not in checked or one.is_relation}
    try:
        row.clean_fields(exclude=left)
    except ValidationError as error:
        column, messages = next(iter(error.message_dict.items()))
        return Refusal(draft.line, column, messages[0].rstrip("."))
    return None
