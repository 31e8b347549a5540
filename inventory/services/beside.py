"""Statements that need nothing of each other go to the database as one, which saves a way and a wait for each."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.backends.utils import CursorWrapper


class Beside(NamedTuple):
    """An INSERT or UPDATE, or a SELECT that another one refers to by its name."""

    name: str
    sql: str
    values: Sequence[Any]


def send(cursor: CursorWrapper, sql: str, values: Sequence[Any] | Mapping[str, Any], besides: Sequence[Beside]) -> None:
    """The statement, and those beside it in a WITH before it. All see the rows as they were before."""
    if not besides:
        cursor.execute(sql, values)
    elif isinstance(values, Mapping):
        given = [named(one) for one in besides]
        parts = tuple((one.name, part) for one, (part, _) in zip(besides, given, strict=True))
        cursor.execute(_with(parts, sql), {**values, **{name: value for _, own in given for name, value in own.items()}})
    else:
        parts = tuple((one.name, one.sql) for one in besides)
        cursor.execute(_with(parts, sql), [*(value for one in besides for value in one.values), *values])


def send_alone(besides: Sequence[Beside]) -> None:
    if besides:
        *others, last = besides
        with connection.cursor() as cursor:
            send(cursor, last.sql, last.values, others)


def named(one: Beside) -> tuple[str, dict[str, Any]]:
    """Its SQL and values as a statement takes them that names its own."""
    return _named(one.name, one.sql), {f"{one.name}_{number}": value for number, value in enumerate(one.values)}


@cache
def _with(parts: tuple[tuple[str, str], ...], sql: str) -> str:
    heads = ", ".join(f"{name} AS ({part})" for name, part in parts)
    first, _, rest = sql.strip().partition(" ")
    return f"WITH {heads}, {rest}" if first == "WITH" else f"WITH {heads} {sql}"


@cache
def _named(name: str, sql: str) -> str:
    first, *rest = sql.split("%s")
    return first + "".join(f"%({name}_{number})s{part}" for number, part in enumerate(rest))
