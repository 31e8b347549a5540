"""Fills resources from records of another system, as a mapping says, and by the rules of bulk requests."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from decimal import Decimal
from functools import cache
from itertools import batched
from typing import Any

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models
from rest_framework import serializers

from accounts.permissions import known
from config.api import router
from core.bulk import CREATE, MOST_ROWS, UPDATE, BulkRun
from core.bulk_rows import Entry
from core.models import ArchivableModel
from core.record_mapping import OF_A_COLUMN, BadMapping, Column, TableMapping
from core.records import BadValue, Record, text_of
from inventory.services.table_run import TableRun
from inventory.services.upsert import Counts

UNCHANGED = "unchanged"
TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
RAW = (serializers.JSONField, serializers.DictField, serializers.ListField)


@dataclass(frozen=True)
class Operator:
    """Who runs a command may do what anybody may."""

    permissions: frozenset[str] = field(default_factory=known)
    limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """As much of a request as writing in bulk looks at."""

    principal: Operator = field(default_factory=Operator)
    method: str = "POST"
    META: Mapping[str, str] = field(default_factory=dict)

    @property
    def _request(self) -> "Asked":
        return self


class Waits(BadValue):
    """The record refers to a row that is not there, or not yet."""


@dataclass(frozen=True, slots=True)
class Draft:
    record: Record
    values: dict[str, Any]
    key: tuple[Any, ...]


class ChangedAlone(BulkRun):
    """Leaves rows alone that are as the file says."""

    def _check(self, entry: Entry) -> None:
        super()._check(entry)
        is_same = all(getattr(entry.row, name) == value for name, value in entry.changes.items())
        if entry.op == UPDATE and not entry.errors and is_same:
            entry.op = UNCHANGED


class ResourceImport:
    """Raises BadMapping for what the resource does not have or take."""

    def __init__(self, run: TableRun, mapping: TableMapping, zone: tzinfo) -> None:
        self.run, self.mapping, self.zone = run, mapping, zone
        self.view = self._view()
        self.model: Any = self.view.model()
        self.fields: Mapping[str, Any] = {
            str(one.field_name): one for one in self.view.get_serializer()._writable_fields
        }
        self.seen: set[tuple[Any, ...]] = set()
        for column in mapping.columns:
            self._refuse_misfit(column)

    def _view(self) -> Any:
        place, into = self.mapping.place, self.mapping.into
        if into not in _resources():
            raise BadMapping(f"{place}: there is no such resource. Known: {', '.join(sorted(_resources()))}.")
        view = _resources()[into]()
        view.request, view.kwargs, view.action, view.format_kwarg = Asked(), {}, "bulk", None
        if not (hasattr(view, "takes_bulk") and view.takes_bulk() and CREATE in view.bulk_operations):
            why = getattr(view, "no_bulk", "") or "It is written by the product alone."
            raise BadMapping(f"{place}: rows of it are not made in bulk. {why}")
        return view

    def _refuse_misfit(self, column: Column) -> None:
        name, _, inner = column.name.partition(".")
        place = f"{self.mapping.place}, {column.name}"
        if name not in self.fields:
            raise BadMapping(f"{place}: there is no such column to be written. Known: {', '.join(sorted(self.fields))}.")
        if inner and not isinstance(self.fields[name], RAW):
            raise BadMapping(f"{place}: unknown {inner!r}. Known: {', '.join(sorted(OF_A_COLUMN))}.")
        if column.by:
            target = self._referenced(name)
            if target is None:
                raise BadMapping(f"{place}: it refers to no other row, so leave `by` out.")
            if column.by not in (known := sorted(one.name for one in target._meta.concrete_fields)):
                raise BadMapping(f"{place}: {target._meta.verbose_name} has no {column.by!r}. Known: {', '.join(known)}.")

    def _referenced(self, name: str) -> Any:
        try:
            return self.model._meta.get_field(name).related_model
        except FieldDoesNotExist:
            return None

    def take(self, records: Sequence[Record]) -> None:
        """Records that wait for a row of the same table get their turn after it."""
        pending, counts = list(self.mapping.chosen(records)), Counts()
        while pending:
            before, waiting = counts.created, list[tuple[Record, Waits]]()
            for chunk in batched(pending, MOST_ROWS, strict=False):
                waiting += self._write(chunk, counts)
            if counts.created == before:
                for record, reason in waiting:
                    self.run.leave_out(record, reason.name, reason.reason)
                break
            pending = [record for record, _ in waiting]
        self.run.count(self.mapping.into, counts)

    def _write(self, records: Sequence[Record], counts: Counts) -> list[tuple[Record, Waits]]:
        waiting, drafts = list[tuple[Record, Waits]](), list[Draft]()
        found = {column.name: self._found(column, records) for column in self.mapping.columns if column.by}
        for record in records:
            try:
                drafts.append(self._draft(record, found))
            except Waits as error:
                waiting.append((record, error))
            except BadValue as error:
                self.run.leave_out(record, error.name, error.reason)
        self._bulk([draft for draft in drafts if self._is_first(draft)], counts)
        return waiting

    def _found(self, column: Column, records: Sequence[Record]) -> dict[str, list[Any]]:
        """The keys of rows by what records call them."""
        target = self._referenced(column.name)
        wanted = {text for record in records if (text := _quietly(column, record))}
        rows = target._default_manager.filter(**{f"{column.by}__in": wanted})
        if issubclass(target, ArchivableModel):
            rows = rows.filter(archived_at=None)
        found: dict[str, list[Any]] = {}
        for name, key in rows.values_list(column.by, "pk"):
            found.setdefault(str(name), []).append(str(key))
        return found

    def _draft(self, record: Record, found: Mapping[str, Mapping[str, Sequence[Any]]]) -> Draft:
        values: dict[str, Any] = {}
        for column in self.mapping.columns:
            if (value := column.of(record)) is None:
                continue
            name, _, inner = column.name.partition(".")
            if column.by:
                value = self._reference(column, text_of(column.source, value), found[column.name])
            else:
                value = self._fitted(column, self.fields[name], value)
            if inner:
                values.setdefault(name, {})[inner] = value
            else:
                values[name] = value
        return Draft(record, values, tuple(self._key(values)))

    def _reference(self, column: Column, text: str, found: Mapping[str, Sequence[Any]]) -> Any:
        keys = found.get(text, ())
        what = self._referenced(column.name)._meta.verbose_name
        if not keys:
            raise Waits(column.source or column.name, f"there is no {what} whose {column.by} is {text!r}")
        if len(keys) > 1:
            raise BadValue(column.source or column.name, f"several {what} rows have the {column.by} {text!r}")
        return keys[0]

    def _key(self, values: Mapping[str, Any]) -> Iterator[Any]:
        for name in self.mapping.key:
            column = next(one for one in self.mapping.columns if one.name == name)
            if name not in values:
                raise BadValue(column.source or name, "a value is required, which finds the row again")
            try:
                yield self._key_field(name).to_python(values[name])
            except ValidationError as error:
                raise BadValue(column.source or name, " ".join(error.messages).rstrip(".")) from error

    def _key_field(self, name: str) -> Any:
        column = self.model._meta.get_field(name)
        return column.target_field if isinstance(column, models.ForeignKey) else column

    def _fitted(self, column: Column, kind: Any, value: Any) -> Any:
        """As the API wants it: a file of DynamoDB has numbers where CSV has text."""
        if isinstance(kind, RAW):
            return _raw(value)
        if isinstance(kind, serializers.DateTimeField):
            moment = Record("", "", {column.source: value}).moment(column.source, self.zone)
            return moment and moment.isoformat()
        for field_type, fit in FITTING.items():
            if isinstance(kind, field_type):
                return fit(column.source, value)
        return text_of(column.source, value)

    def _is_first(self, draft: Draft) -> bool:
        if draft.key in self.seen:
            self.run.leave_out(draft.record, "", "an earlier record is about the same row")
            return False
        self.seen.add(draft.key)
        return True

    def _bulk(self, drafts: Sequence[Draft], counts: Counts) -> None:
        here, entries, asked = self._here(drafts), list[Entry](), list[Draft]()
        for draft in drafts:
            row = here.get(draft.key)
            if isinstance(row, ArchivableModel) and row.archived_at is not None:
                self.run.leave_out(draft.record, "", f"the row is archived: restore {row.pk} first")
            elif row is not None and UPDATE not in self.view.bulk_operations:
                counts.unchanged += 1
            else:
                named = {} if row is None else {"id": str(row.pk)}
                entries.append(Entry(len(entries), CREATE if row is None else UPDATE, {**named, **draft.values}))
                asked.append(draft)
        ChangedAlone(self.view, entries).execute()
        for entry, draft in zip(entries, asked, strict=True):
            if entry.errors:
                self._leave_out(draft.record, entry.errors[0])
            else:
                counts.add(Counts(entry.op == CREATE, entry.op == UPDATE, entry.op == UNCHANGED))

    def _here(self, drafts: Sequence[Draft]) -> dict[tuple[Any, ...], Any]:
        names = [self.model._meta.get_field(name).attname for name in self.mapping.key]
        wanted = {f"{name}__in": {draft.key[place] for draft in drafts} for place, name in enumerate(names)}
        return {tuple(getattr(row, name) for name in names): row for row in self.view.get_queryset().filter(**wanted)}

    def _leave_out(self, record: Record, error: Mapping[str, str]) -> None:
        name = error["pointer"].split("/", 3)[3] if error["pointer"].count("/") > 2 else ""
        sources = {column.name.replace(".", "/"): column.source or column.name for column in self.mapping.columns}
        self.run.leave_out(record, sources.get(name, name), error["detail"].rstrip("."))


@cache
def _resources() -> Mapping[str, Any]:
    return {prefix: viewset for prefix, viewset, _ in router.registry}


def _quietly(column: Column, record: Record) -> str:
    """What is wrong with it is said when its turn comes."""
    try:
        return text_of(column.source, column.of(record))
    except BadValue:
        return ""


def _raw(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {name: _raw(one) for name, one in value.items()}
    return [_raw(one) for one in value] if isinstance(value, list) else value


def _truth(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if (text := text_of(name, value).lower()) not in TRUTHS:
        raise BadValue(name, f"{value!r} is neither true nor false")
    return TRUTHS[text]


def _whole(name: str, value: Any) -> int:
    number = Record("", "", {name: value}).number(name, least=-(10**9))
    if number is None or number != number.to_integral_value():
        raise BadValue(name, f"{str(value)!r} is no whole number")
    return int(number)


FITTING: Mapping[type[Any], Callable[[str, Any], Any]] = {
    serializers.BooleanField: _truth, serializers.IntegerField: _whole, serializers.DecimalField: text_of,
}
