"""What a database constraint that refused a write means to the person who made it."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from django.apps import apps
from django.db import models
from django.db.backends.utils import truncate_name

from core.fields import TenantForeignKey

UNIQUE, FOREIGN_KEY, NOT_NULL, CHECK = "23505", "23503", "23502", "23514"
TOO_LONG, OUT_OF_RANGE = "22001", "22003"
CONFLICT = "conflict"  # the hint by which a trigger says that the rows' state, not the input, is the obstacle
NAMED = "named"  # the hint by which a trigger says that its constraint's name is the code


class Violation(NamedTuple):
    status: int
    code: str
    detail: str
    fields: tuple[str, ...]


def violated(error: Exception) -> Violation | None:
    """None where the database's complaint says nothing about the caller's input."""
    if isinstance(error, models.ProtectedError):  # Django looks before it deletes
        return _in_use(next(iter(error.protected_objects))._meta.db_table)
    diagnosis = getattr(error.__cause__, "diag", None)
    state = getattr(error.__cause__, "sqlstate", None)
    if diagnosis is None:
        return None
    name = diagnosis.constraint_name or ""
    if state == NOT_NULL:
        return Violation(400, "required", "This may not be empty.", (diagnosis.column_name or "",))
    if state == OUT_OF_RANGE:
        return Violation(400, "invalid", "A number, or one that is computed from it, is larger than can be kept.", ())
    if state == TOO_LONG:
        return Violation(400, "invalid", f"{diagnosis.message_primary}.".capitalize(), ())
    if state == FOREIGN_KEY:
        return _reference(name, diagnosis)
    if state == CHECK and diagnosis.message_hint == CONFLICT:
        return Violation(409, name, diagnosis.message_primary or "", ())
    if state in (UNIQUE, CHECK):
        # A trigger's own words name the column; a constraint that no model declares has a name alone.
        column, words = diagnosis.column_name, diagnosis.message_primary or ""
        code = name if diagnosis.message_hint == NAMED else "invalid"
        own = Violation(400, code, words, (column,)) if column else None
        return _declared().get(name) or own or Violation(400, "invalid", f"The database refuses this ({name}).", ())
    return None


def _reference(name: str, diagnosis: Any) -> Violation:
    # PostgreSQL says which side broke in the detail alone: "... is not present" or "... is still referenced".
    if "still referenced" in (diagnosis.message_detail or ""):
        return _in_use(diagnosis.table_name)
    field = _references().get(name)
    return Violation(400, "does_not_exist", "There is no such row in this organization.", (field,) if field else ())


def _in_use(table: str) -> Violation:
    return Violation(409, "in_use", f"{_plural(table)} still refer to this one.", ())


@cache
def _plural(table: str) -> str:
    model = next((model for model in apps.get_models() if model._meta.db_table == table), None)
    return str(model._meta.verbose_name_plural).capitalize() if model else f"Rows of {table}"


@cache
def _declared() -> dict[str, Violation]:
    found: dict[str, Violation] = {}
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if isinstance(constraint, models.UniqueConstraint):
                fields = tuple(name for name in constraint.fields if name != "organization")
                what = " and ".join(fields) or "value"
                detail = _own_words(constraint) or f"Another {model._meta.verbose_name} has this {what} already."
                found[constraint.name] = Violation(400, "unique", detail, fields)
            elif isinstance(constraint, models.CheckConstraint):
                fields = tuple(sorted({name.partition("__")[0] for name in _names(constraint.condition)}))
                detail = (
                    _own_words(constraint) or _bounds(constraint.condition)
                    or f"These values are not possible together ({constraint.name})."
                )
                found[constraint.name] = Violation(400, "invalid", detail, fields)
    return found


def _own_words(constraint: models.BaseConstraint) -> str:
    message = str(constraint.violation_error_message)
    return "" if message == str(constraint.default_violation_error_message) else message


BOUNDS = {"gt": "above {}", "gte": "at least {}", "lte": "at most {}", "range": "from {} to {}"}


def _bounds(condition: Any) -> str:
    """In words, where the condition holds values within numbers, such as "The quantity must be above 0."; else nothing."""
    found: dict[str, list[str]] = {}
    for name, bound in _bounded(condition):
        found.setdefault(bound, []).append(name.replace("_", " "))
    if "" in found:
        return ""
    return " ".join(
        f"The {', '.join(names[:-1])}{' and ' if names[1:] else ''}{names[-1]} must be {bound}." for bound, names in found.items()
    )


def _bounded(condition: Any) -> Iterator[tuple[str, str]]:
    """Each value with its bound, which is empty for what is none. A value that may be empty is bounded where it is not."""
    if isinstance(condition, tuple):
        name, _, lookup = condition[0].partition("__")
        numbers = condition[1] if isinstance(condition[1], tuple) else (condition[1],)
        is_bound = lookup in BOUNDS and all(isinstance(number, int | Decimal) for number in numbers)
        yield name, BOUNDS[lookup].format(*numbers) if is_bound else ""
    elif not isinstance(condition, models.Q) or condition.negated:
        yield "", ""
    elif condition.connector == models.Q.AND:
        for child in condition.children:
            yield from _bounded(child)
    else:
        given = [child for child in condition.children if not (isinstance(child, tuple) and child[0].endswith("__isnull"))]
        yield from _bounded(given[0]) if len(given) == 1 else [("", "")]


def _names(condition: Any) -> set[str]:
    if isinstance(condition, models.Q):
        return set().union(*(_names(child) for child in condition.children))
    return {condition[0]} if isinstance(condition, tuple) else set()


@cache
def _references() -> dict[str, str]:
    return {
        truncate_name(f"{model._meta.db_table}_{field.column}_wall", 63): field.name
        for model in apps.get_models() for field in model._meta.local_fields if isinstance(field, TenantForeignKey)
    }
