"""Statements that the server plans once for each of its connections, without a client being tied to one.

To plan a statement of a posting takes as long as to run it. What a client prepares keeps the plan, and ties the client to one
connection of a proxy. A database function keeps the plans of its statements too, for whoever comes by the connection. So a kept
statement is a function, which `migrate` makes with those of the wall. Its name ends in a digest of what it says: two releases on
one database each find their own. See docs/adr/0061.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from typing import Any, NamedTuple

from django.apps import apps
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from core.wall_sql import KEPT, Function

CALLED = {"timestamptz": "timestamp with time zone", "varchar": "character varying", "int": "integer", "bool": "boolean"}
SHORT = re.compile(r"\b(?:timestamptz|varchar|int|bool)\b")
PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?s(?=(?:::(\w+(?:\[\])?))?)")

type Values = Sequence[Any] | Mapping[str, Any]

_all: list["Kept"] = []
_together: dict[tuple["Kept", ...], "Kept"] = {}


class Kept:
    """A statement of one of the modules that an app's config names in `kept_statements`; called, it is sent.

    Each of its values is cast, as `%s::uuid`; one with a name, as `%(name)s::uuid[]`, at least once. `gives` are the types of the
    columns of its rows, between spaces, if it has any. Raises ValueError for a value that is not cast.
    """

    def __init__(self, name: str, sql: str, *, gives: str = "") -> None:
        self.name, self.sql, self.gives = name, sql.strip(), gives.split()
        self.names, self.takes = self._taken()
        _all.append(self)

    @cached_property
    def function_name(self) -> str:
        said = "\n".join([self.numbered(), *self.takes, *self.gives])
        return f"{KEPT}{self.name}_{sha256(said.encode()).hexdigest()[:8]}"

    @cached_property
    def call(self) -> str:
        placeholders = ", ".join(["%s"] * len(self.takes))
        return f"SELECT {'* FROM ' if self.gives else ''}{self.function_name}({placeholders})"

    def _taken(self) -> tuple[list[str], list[str]]:
        """The names of its values, if they have any, and their types."""
        found = PLACEHOLDER.findall(self.sql)
        casts = {name: cast for name, cast in found if name and cast}
        names = list(dict.fromkeys(name for name, _ in found if name))
        takes = [casts.get(name, "") for name in names] if names else [cast for _, cast in found]
        if not all(takes):
            raise ValueError(f"Cast each value of {self.name}, as in %s::uuid: {found}")
        return names, takes

    def __call__(self, cursor: CursorWrapper, values: Values) -> None:
        cursor.execute(self.call, self.ordered(values))

    def ordered(self, values: Values) -> Sequence[Any]:
        return [values[name] for name in self.names] if isinstance(values, Mapping) else values

    def numbered(self, first: int = 1) -> str:
        """Its SQL with `$1` and so on, or from `first` on, in the place of its values."""
        following = iter(range(first, first + len(self.takes)))

        def number(found: re.Match[str]) -> str:
            name = found[1]
            return f"${first + self.names.index(name) if name else next(following)}"

        return PLACEHOLDER.sub(number, self.sql).replace("%%", "%")

    @property
    def function(self) -> Function:
        columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(self.gives, 1))
        in_the_catalog = ",".join(SHORT.sub(lambda found: CALLED[found[0]], kind) for kind in self.takes)
        return Function(
            f"{self.function_name}({in_the_catalog})", f"TABLE({columns})" if columns else "void",
            f"\nBEGIN\n{'RETURN QUERY ' if columns else ''}{self.numbered()};\nEND\n", callers=("app", "worker"),
            arguments=", ".join(self.takes),
        )


class Together(Kept):
    """A statement with others, which change rows, in a WITH before it: their values come first. All see the rows as before."""

    def __init__(self, statement: Kept, others: Sequence[Kept]) -> None:
        self.statement, self.others = statement, others
        super().__init__(f"{statement.name}_together", "", gives=" ".join(statement.gives))
        _together[statement, *others] = self

    def _taken(self) -> tuple[list[str], list[str]]:
        return [], [kind for one in [*self.others, self.statement] for kind in one.takes]

    def numbered(self, first: int = 1) -> str:
        heads = []
        for one in self.others:
            heads.append(f"{one.name} AS ({one.numbered(first)})")
            first += len(one.takes)
        begins, _, rest = (sql := self.statement.numbered(first)).partition(" ")
        return f"WITH {', '.join(heads)}{f', {rest}' if begins == 'WITH' else f' {sql}'}"


class Beside(NamedTuple):
    """An INSERT or UPDATE that needs nothing of the statement with which it is sent."""

    statement: Kept
    values: Values


def send(cursor: CursorWrapper, statement: Kept, values: Values, besides: Sequence[Beside] = ()) -> None:
    """With those beside it, as one where they are declared to go `Together`, which saves a way and a wait for each."""
    if not besides:
        statement(cursor, values)
    elif together := _together.get((statement, *(one.statement for one in besides))):
        others = [value for one in besides for value in one.statement.ordered(one.values)]
        together(cursor, [*others, *statement.ordered(values)])
    else:
        for one in besides:
            one.statement(cursor, one.values)
        statement(cursor, values)


def send_alone(besides: Sequence[Beside]) -> None:
    if besides:
        *others, last = besides
        with connection.cursor() as cursor:
            send(cursor, last.statement, last.values, others)


def functions() -> list[Function]:
    for config in apps.get_app_configs():
        for module in getattr(config, "kept_statements", ()):
            import_module(module)
    return [one.function for one in _all]


# Those that are there, and since when this release does not want them, as their comment says.
THERE = f"""
    SELECT p.oid::regprocedure::text, proname = ANY (%s), obj_description(p.oid, 'pg_proc')::date AS since
    FROM pg_proc AS p WHERE pronamespace = 'public'::regnamespace AND starts_with(proname, '{KEPT}')
"""
LEFT_FOR = timedelta(days=30)


def forget_unwanted(cursor: CursorWrapper) -> None:
    """Functions that no release has wanted for a month: one that is rolled back to finds its own until then."""
    today = timezone.now().date()
    cursor.execute(THERE, [[one.function_name for one in _all]])
    for signature, is_wanted, since in cursor.fetchall():
        if is_wanted and since:
            cursor.execute(f"COMMENT ON FUNCTION {signature} IS NULL")
        elif not is_wanted and since is None:
            cursor.execute(f"COMMENT ON FUNCTION {signature} IS '{today}'")
        elif not is_wanted and since < today - LEFT_FOR:
            cursor.execute(f"DROP FUNCTION {signature}")
