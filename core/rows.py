"""Instances of models from SQL of one's own: a queryset is compiled anew each time, which may take longer than its answer."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db import connection, models

from core.tenancy import active_organization_id


class Columns[M: models.Model]:
    """All columns of a model's table, which is called `alias` in the SQL, and what they make."""

    def __init__(self, model: type[M], alias: str) -> None:
        self.model, self.alias = model, alias
        self.names = [field.attname for field in model._meta.concrete_fields]

    def __len__(self) -> int:
        return len(self.names)

    def __str__(self) -> str:
        return self._sql

    def fetch(self, condition: str, values: Sequence[Any]) -> list[M]:
        """Of the active organization, where `condition` holds, which may end with an ORDER BY."""
        table = self.model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {self} FROM {table} AS {self.alias} WHERE {self.alias}.organization_id = %s AND {condition}",
                [active_organization_id(), *values],
            )
            return [self.make(row) for row in cursor.fetchall()]

    def make(self, values: Sequence[Any]) -> M:
        found = list(values)
        for number, convert in self._converters:
            found[number] = convert(found[number], None, connection)
        return self.model.from_db(connection.alias, self.names, found)

    def make_joined(self, values: Sequence[Any]) -> M | None:
        """None where an outer join found no row."""
        return None if values[self._key] is None else self.make(values)

    @cached_property
    def _sql(self) -> str:
        return ", ".join(f"{self.alias}.{field.column}" for field in self.model._meta.concrete_fields)

    @cached_property
    def _key(self) -> int:
        return self.names.index(str(self.model._meta.pk.attname))

    @cached_property
    def _converters(self) -> list[tuple[int, Any]]:
        fields = enumerate(self.model._meta.concrete_fields)
        return [(number, convert) for number, field in fields for convert in field.get_db_converters(connection)]
