"""Which rows a list shows: filters and search from the query string, as SQL conditions on the base table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from core.problems import BadParameter
from core.reading import BASE

ORDERED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
ORDERED_TYPES = (models.DateField, models.DecimalField, models.IntegerField)

type Condition = tuple[str, list[Any]]
type Conditions = list[Condition]


def lookups(field: models.Field) -> list[str]:
    """What may follow the field's name in a query parameter; "" is equality."""
    found = ["", "in"]
    if isinstance(_output(field), ORDERED_TYPES):
        found += ORDERED
    if field.null:
        found.append("isnull")
    return found


def parameters(model: type[models.Model], names: Iterable[str]) -> dict[str, tuple[models.Field, str]]:
    """Each query parameter that filters, with its column and lookup."""
    found = {}
    for name in names:
        field: Any = model._meta.get_field(name)
        for lookup in lookups(field):
            found[f"{name}__{lookup}" if lookup else name] = field, lookup
    return found


def filter_conditions(known: Mapping[str, tuple[models.Field, str]], query: Mapping[str, str]) -> list[Condition]:
    return [_condition(name, *known[name], value) for name, value in query.items() if name in known]


def _condition(name: str, field: models.Field, lookup: str, text: str) -> Condition:
    column = f"{BASE}.{field.column}"
    if lookup == "isnull":
        null = _parsed(name, _boolean, text)
        return f"{column} IS {'' if null else 'NOT '}NULL", []
    if lookup == "in":
        values = [_value(name, field, part) for part in text.split(",")]
        return f"{column} = ANY (%s)", [values]
    return f"{column} {ORDERED.get(lookup, '=')} %s", [_value(name, field, text)]


def _output(field: models.Field) -> models.Field:
    output: Any = field.output_field if isinstance(field, models.GeneratedField) else field
    return output  # type: ignore[no-any-return]  # never None once the model is set up, as the stubs have it


def _value(name: str, field: Any, text: str) -> Any:
    output = _output(field)
    if output.choices and text not in (known := [str(value) for value, _ in output.flatchoices]):
        raise BadParameter(name, f"{name}: {text!r} is none of {', '.join(known)}.")
    if isinstance(output, models.BooleanField):
        return _parsed(name, _boolean, text)
    target = output.target_field if isinstance(output, models.ForeignKey) else output
    return _parsed(name, target.to_python, text)


def _parsed(name: str, parse: Callable[[str], Any], text: str) -> Any:
    try:
        value = parse(text)
        if isinstance(value, datetime) and value.tzinfo:
            value = value.astimezone(UTC)  # Python takes displacements that PostgreSQL does not
    except (ValidationError, ValueError, OverflowError) as error:
        raise BadParameter(name, f"{name}: {text!r} is not a value of this field.") from error
    if isinstance(value, str) and "\0" in value:
        raise BadParameter(name, f"{name}: a NUL character is never part of a value.")
    return value


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false", "1", "0"):
        raise ValueError(text)
    return text.lower() in ("true", "1")


def search_condition(columns: Sequence[str], text: str) -> Condition:
    """Rows in which one of the search keys begins with the text; `^@` keeps its index under row security."""
    wanted = sought(text).lower()
    return f"({' OR '.join(f'{BASE}.{column} ^@ %s' for column in columns)})", [wanted] * len(columns)


def sought(text: str) -> str:
    """Raises BadParameter for what nobody can look for."""
    wanted = text.strip()
    if not wanted or "\0" in wanted:
        raise BadParameter("search", "search: give at least one character to look for.")
    return wanted
