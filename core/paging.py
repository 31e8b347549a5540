"""Pages by key: page 10,000 costs what page 1 costs. The API's lists and the admin's changelists share this."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db.models import Field, IntegerField, Model, Q, QuerySet

DEFAULT_PAGE, LARGEST_PAGE = 50, 500  # rows
RANK = "search_rank"  # how well a row fits a search, 0 best: an order that no column has


class BadCursor(Exception):
    """The cursor is damaged, or was made for another order."""


@dataclass(frozen=True, slots=True)
class SortKey:
    field: Field
    descending: bool
    expression: Callable[[str], str] | None = None  # SQL in place of a column, given the alias of the table

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.field.attname}"

    def sql(self, alias: str) -> str:
        return self.expression(alias) if self.expression else f"{alias}.{self.field.column}"

    def reversed(self) -> "SortKey":
        return SortKey(self.field, not self.descending, self.expression)


@dataclass(frozen=True, slots=True)
class Page[Row]:
    rows: list[Row]
    previous: str | None
    next: str | None


class Window:
    """At most `size` rows in a total order, after or before a cursor."""

    def __init__(
        self, model: type[Model], ordering: Sequence[str], size: int, cursor: str | None = None,
        rank: Callable[[str], str] | None = None,
    ) -> None:
        """`rank` comes before the ordering: SQL of the whole number by which what was searched is sorted."""
        self.size = size
        self.keys = _total_order(model, [RANK, *ordering] if rank else ordering, rank)
        self.columns = [key.field.attname for key in self.keys]
        self.backward, self.position = _decode(cursor, self.keys) if cursor else (False, [])

    @property
    def scan_keys(self) -> list[SortKey]:
        """The order in which the database walks: reversed for a page that ends before the cursor."""
        return [key.reversed() for key in self.keys] if self.backward else self.keys

    def slice(self, queryset: QuerySet) -> QuerySet:
        """One row more than the page, to know whether another page follows."""
        if self.position:
            queryset = queryset.filter(_beyond(self.scan_keys, self.position))
        return queryset.order_by(*map(str, self.scan_keys))[: self.size + 1]

    def sql(self, alias: str) -> tuple[str, list[Any], str]:
        """The same for hand-made SQL: condition (may be empty), its parameters, and what follows ORDER BY."""
        keys = self.scan_keys
        order = ", ".join(f"{key.sql(alias)}{' DESC' if key.descending else ''}" for key in keys)
        if not self.position:
            return "", [], order
        condition, parameters = _beyond_sql(alias, keys, self.position)
        return condition, parameters, order

    def page[Row](self, found: list[Row], position: Callable[[Row], Sequence[Any]]) -> Page[Row]:
        """`found` is what `slice` or `sql` gave; `position` reads the values of `columns` from a row."""
        rows, more = found[: self.size], len(found) > self.size
        if self.backward:
            rows.reverse()
        has_previous = more if self.backward else bool(self.position)
        has_next = self.backward or more
        return Page(
            rows,
            previous=_encode(True, self.keys, position(rows[0])) if rows and has_previous else None,
            next=_encode(False, self.keys, position(rows[-1])) if rows and has_next else None,
        )

    def position_of(self, instance: Model) -> list[Any]:
        return [getattr(instance, column) for column in self.columns]


def _total_order(
    model: type[Model], ordering: Sequence[str], rank: Callable[[str], str] | None = None,
) -> list[SortKey]:
    """Ends in the id, so that no two rows tie. Null has no place in an order by comparison: such columns are refused."""
    keys: list[SortKey] = []
    names = [name.lstrip("-") for name in ordering]
    last = [] if model._meta.pk.name in names or "pk" in names else [
        # In the direction of the key before it, so that one index and one row comparison serve both.
        "-pk" if ordering and ordering[-1].startswith("-") else "pk"
    ]
    for name in (*ordering, *last):
        if name == RANK:
            keys.append(SortKey(_rank_field(), False, rank))
            continue
        field: Any = model._meta.pk if name.lstrip("-") == "pk" else model._meta.get_field(name.lstrip("-"))
        if field.null:
            raise ImproperlyConfigured(f"{field} may be null: it cannot be sorted by.")
        if field.attname not in {key.field.attname for key in keys}:
            keys.append(SortKey(field, name.startswith("-")))
    return keys


def _rank_field() -> Field:
    field: Field = IntegerField()
    field.set_attributes_from_name(RANK)
    return field


def _beyond(keys: Sequence[SortKey], position: Sequence[Any]) -> Q:
    """a >= x AND (a > x OR beyond the rest): unlike the usual OR, an index scan can start at x."""
    key, operator = keys[0].field.attname, "lt" if keys[0].descending else "gt"
    beyond = Q(**{f"{key}__{operator}": position[0]})
    if len(keys) == 1:
        return beyond
    return Q(**{f"{key}__{operator}e": position[0]}) & (beyond | _beyond(keys[1:], position[1:]))


def _beyond_sql(alias: str, keys: Sequence[SortKey], position: Sequence[Any]) -> tuple[str, list[Any]]:
    columns = [key.sql(alias) for key in keys]
    operator = "<" if keys[0].descending else ">"
    if len({key.descending for key in keys}) == 1:  # one comparison of rows: one range of an index
        marks = ", ".join(["%s"] * len(keys))
        return f"({', '.join(columns)}) {operator} ({marks})", list(position)
    rest, parameters = _beyond_sql(alias, keys[1:], position[1:])
    condition = f"({columns[0]} {operator}= %s AND ({columns[0]} {operator} %s OR {rest}))"
    return condition, [position[0], position[0], *parameters]


def _encode(backward: bool, keys: Sequence[SortKey], position: Sequence[Any]) -> str:
    content = [backward, [str(key) for key in keys], [str(value) for value in position]]
    return urlsafe_b64encode(orjson.dumps(content)).decode().rstrip("=")


def _decode(cursor: str, keys: Sequence[SortKey]) -> tuple[bool, list[Any]]:
    try:
        backward, order, values = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if order != [str(key) for key in keys]:
            raise BadCursor("This cursor belongs to another order: start again without it.")
        return bool(backward), [key.field.to_python(value) for key, value in zip(keys, values, strict=True)]
    except (ValueError, TypeError, ValidationError) as error:
        raise BadCursor("This cursor is damaged: start again without it.") from error
