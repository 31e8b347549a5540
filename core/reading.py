"""The compiled read path: from a serializer's declaration to SQL once, then rows to JSON without instances.

Gives what the ordinary serializer would give, byte for byte (a contract test compares them), for serializers
whose readable fields are columns of the row, or of rows it refers to, or SQL; `compile_plan` refuses any other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from functools import cache, lru_cache
from typing import Any, ClassVar

import orjson
from django.db import connection, models
from psycopg.types.datetime import TimestamptzLoader
from rest_framework import serializers

from core.models import AuditedModel, LedgerModel, TenantRow

BASE = "t"


class UtcDateTimeField(serializers.DateTimeField):
    """The API speaks UTC, whatever time zone the request has activated."""

    def enforce_timezone(self, value: Any) -> Any:
        return super().enforce_timezone(value).astimezone(UTC)


class SqlField(serializers.CharField):
    """A text that SQL makes of the row, called {0}; `changed` is when what it is made of last changed.

    A subclass says what the ordinary serializer gives, by `get_attribute`.
    """

    sql: ClassVar[str]
    changed: ClassVar[str]

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "read_only": True})


class NotCompilable(TypeError):
    """A field needs the instance; the message says which."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`columns` maps each readable field to its SQL expression; `joins` follows the base table in FROM.

    `state` are the row's version (null without one) and when it or a row whose columns it shows last changed.
    """

    names: tuple[str, ...]
    columns: dict[str, str]
    table: str
    joins: str
    json: frozenset[str] = frozenset()  # fields that Django's connection leaves as text
    state: tuple[str, str] = ("NULL", "NULL")

    def row(self, where: str, extra: Sequence[str] = ()) -> str:
        return f"SELECT {', '.join([*self.columns.values(), *extra])} FROM {self.table} AS {BASE}{self.joins} WHERE {where}"

    def page(self, where: str, order: str, size: int, extra: Sequence[str]) -> str:
        """The page is found first and joined then, so that no join makes the planner leave the index of the order."""
        page = f"SELECT {BASE}.* FROM {self.table} AS {BASE} WHERE {where} ORDER BY {order} LIMIT {size}"
        return f"SELECT {', '.join([*self.columns.values(), *extra])} FROM ({page}) AS {BASE}{self.joins} ORDER BY {order}"

    def read(self, found: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
        """Each row starts with the values of `columns`; what follows is ignored."""
        rows = [dict(zip(self.names, row, strict=False)) for row in found]
        for name in self.json:
            for row in rows:
                row[name] = row[name] and orjson.loads(row[name])
        return rows

    def only(self, names: Iterable[str]) -> "Plan":
        """With fewer fields, each of which must be known; joins that nobody needs stay: PostgreSQL drops them where it can."""
        kept = {name: self.columns[name] for name in self.names if name in set(names)}
        return replace(self, names=tuple(kept), columns=kept, json=self.json & kept.keys())


class Compiler:
    # Fields whose JSON is not what psycopg and orjson make of the column; the cast gives DRF's own text.
    AS_TEXT: ClassVar = (models.DecimalField,)

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model
        self.joined: dict[str, tuple[str, type[models.Model]]] = {}
        self.joins = ""
        self.made_of: list[str] = []  # when that which SQL fields are made of last changed

    @property
    def state(self) -> tuple[str, str]:
        version = f"{BASE}.version" if issubclass(self.model, AuditedModel) else "NULL"
        if not _time_of_change(self.model):  # machinery: only its tag knows, whatever rows beside it say
            return version, "NULL"
        tables = [(BASE, self.model), *self.joined.values()]
        times = [*(f"{alias}.{name}" for alias, model in tables if (name := _time_of_change(model))), *self.made_of]
        return version, f"GREATEST({', '.join(times)})" if times else "NULL"

    def column(self, field: serializers.Field) -> str:
        if isinstance(field, SqlField):
            self.made_of.append(field.changed.format(BASE))
            return field.sql.format(BASE)
        if field.source == "*" or isinstance(field, serializers.SerializerMethodField):
            raise NotCompilable(f"{field.field_name}: {type(field).__name__} needs the instance")
        alias, model = BASE, self.model
        for relation in field.source_attrs[:-1]:
            alias, model = self._join(alias, model, relation, field)
        column = self._find(model, field.source_attrs[-1], field)
        expression = f"{alias}.{column.column}"
        output = column.output_field if isinstance(column, models.GeneratedField) else column
        return f"{expression}::text" if isinstance(output, self.AS_TEXT) else expression

    def _join(
        self, alias: str, model: type[models.Model], relation: str, field: serializers.Field,
    ) -> tuple[str, type[models.Model]]:
        key = f"{alias}.{relation}"
        if key not in self.joined:
            reference = self._find(model, relation, field)
            if not isinstance(reference, models.ForeignKey):
                raise NotCompilable(f"{field.field_name}: {relation} is not a reference")
            target: Any = reference.related_model
            joined = f"j{len(self.joined) + 1}"
            same = f"{joined}.organization_id = {alias}.organization_id AND " if issubclass(target, TenantRow) else ""
            self.joins += (
                f" LEFT JOIN {target._meta.db_table} AS {joined}"
                f" ON {same}{joined}.{target._meta.pk.column} = {alias}.{reference.column}"
            )
            self.joined[key] = joined, target
        return self.joined[key]

    @staticmethod
    def _find(model: type[models.Model], name: str, field: serializers.Field) -> Any:
        for column in model._meta.concrete_fields:
            if name in (column.name, column.attname) or (name == "pk" and column.primary_key):
                return column
        raise NotCompilable(f"{field.field_name}: {name!r} is not a column of {model.__name__}")


def _time_of_change(model: type[models.Model]) -> str:
    if issubclass(model, AuditedModel):
        return "updated_at"
    return "created_at" if issubclass(model, LedgerModel) else ""


@cache
def compile_plan(serializer: type[serializers.ModelSerializer]) -> Plan:
    if serializer.to_representation is not serializers.ModelSerializer.to_representation:
        raise NotCompilable(f"{serializer.__name__} overrides to_representation")
    compiler = Compiler(serializer.Meta.model)
    fields = [field for field in serializer().fields.values() if not field.write_only]
    columns = {str(field.field_name): compiler.column(field) for field in fields}
    json = {str(field.field_name) for field in fields if isinstance(field, serializers.JSONField)}
    table = compiler.model._meta.db_table
    return Plan(tuple(columns), columns, table, compiler.joins, frozenset(json), compiler.state)


@lru_cache(maxsize=512)  # clients ask for the same fields again and again
def plan_of(serializer: type[serializers.ModelSerializer], fields: str) -> Plan:
    """With the fields of a list like "id,name" alone. Raises KeyError, which names one that is not known."""
    plan, asked = compile_plan(serializer), fields.split(",")
    for name in asked:
        if name not in plan.columns:
            raise KeyError(name)
    return plan.only(asked)


def fetch(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        # psycopg's, which is in C: Django's own takes more time for 100 rows than the database does.
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
