"""Statements that the server plans once for each of its connections, without a client being tied to one.

To plan a statement of a posting takes as long as to run it. What a client prepares keeps the plan, and ties the client to one
connection of a proxy. A database function keeps the plans of its statements too, for whoever comes by the connection. So a kept
statement is a function, which `migrate` makes with those of the wall. Its name ends in a digest of what it says: two releases on
one database each find their own. See docs/adr/0061.
"""

import re
from collections.abc import Callable, Mapping, Sequence
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

# A plan that is kept is for any values. These statements find rows by their keys, one by one, however small a table was when the
# plan was made, and whatever part of an index the planner believes a merge to read.
BY_KEYS = ("enable_seqscan = off", "enable_hashjoin = off", "enable_mergejoin = off")

type Values = Sequence[Any] | Mapping[str, Any]

_all: list["Kept"] = []
_together: dict[tuple["Statement", ...], "Kept"] = {}


class Statement:
    """What goes beside another one, or is sent as it stands when it is called.

    Each of its values is cast, as `%s::uuid`; one with a name, as `%(name)s::uuid[]`, at least once. Raises ValueError for one
    that is not.
    """

    def __init__(self, name: str, sql: str) -> None:
        self.name, self.sql = name, sql.strip()
        self.names, self.takes = self._taken()

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
        cursor.execute(self.sql, values)

    def ordered(self, values: Values) -> Sequence[Any]:
        return [values[name] for name in self.names] if isinstance(values, Mapping) else values

    def _with(self, place: Callable[[int], str]) -> str:
        """Its SQL with these in the place of its values, which are counted from 0."""
        following = iter(range(len(self.takes)))
        return PLACEHOLDER.sub(lambda found: place(self.names.index(found[1]) if found[1] else next(following)), self.sql)

    @cached_property
    def head(self) -> str:
        """For the WITH of a statement that is not kept and names its values: these are called by its name and their number."""
        return f"{self.name} AS ({self._with(lambda number: f'%({self.name}_{number})s')})"


class Kept(Statement):
    """A statement of one of the modules that an app's config names in `kept_statements`; called, it is sent.

    `gives` are the types of the columns of its rows, between spaces, if it has any.
    """

    def __init__(self, name: str, sql: str, *, gives: str = "") -> None:
        self.gives = gives.split()
        super().__init__(name, sql)
        _all.append(self)

    @cached_property
    def function_name(self) -> str:
        said = "\n".join([self.numbered(), *self.takes, *self.gives, *BY_KEYS])
        return f"{KEPT}{self.name}_{sha256(said.encode()).hexdigest()[:8]}"

    @cached_property
    def call(self) -> str:
        placeholders = ", ".join(["%s"] * len(self.takes))
        return f"SELECT {'* FROM ' if self.gives else ''}{self.function_name}({placeholders})"

    def __call__(self, cursor: CursorWrapper, values: Values) -> None:
        cursor.execute(self.call, self.ordered(values))

    def numbered(self, first: int = 1) -> str:
        """Its SQL with `$1` and so on, or from `first` on, in the place of its values."""
        return self._with(lambda number: f"${first + number}").replace("%%", "%")

    @property
    def function(self) -> Function:
        columns = ", ".join(f"c{number} {kind}" for number, kind in enumerate(self.gives, 1))
        in_the_catalog = ",".join(SHORT.sub(lambda found: CALLED[found[0]], kind) for kind in self.takes)
        return Function(
            f"{self.function_name}({in_the_catalog})", f"TABLE({columns})" if columns else "void",
            f"\nBEGIN\n{'RETURN QUERY ' if columns else ''}{self.numbered()};\nEND\n", callers=("app", "worker"),
            arguments=", ".join(self.takes), settings=BY_KEYS,
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

    statement: Statement
    values: Values


def values_of(besides: Sequence[Beside]) -> dict[str, Any]:
    """By the names that they have in the `head` of each."""
    return {
        f"{one.statement.name}_{number}": value
        for one in besides for number, value in enumerate(one.statement.ordered(one.values))
    }


def send(cursor: CursorWrapper, statement: Statement, values: Values, besides: Sequence[Beside] = ()) -> None:
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
