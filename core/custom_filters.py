"""Filters by custom fields: `cf.colour=red`, `cf.size__gte=10`, as SQL conditions on the base table.

jsonb operators are not leakproof, so under row security no index serves them: every row of the organization is looked
at. A value that does not fit the type of its definition is not found, never an error.
"""

from collections.abc import Mapping
from typing import Any

from django.db import models

from core.choosing import ORDERED, Condition, Conditions
from core.custom_fields import CustomFieldsModel, definitions_of
from core.custom_values import Definition, stored
from core.problems import BadParameter
from core.reading import BASE

PREFIX, ANY_FIELD = "cf.", "cf.*"
ORDERED_TYPES = ("integer", "decimal", "date")
COLUMN = f"({BASE}.custom_fields ->> %s::text)"
NUMBER = rf"(CASE WHEN {COLUMN} ~ '^-?[0-9]+([.][0-9]+)?$' THEN {COLUMN}::numeric END)"
DAY = f'({COLUMN} COLLATE "C")'


def has_custom_fields(model: type[models.Model]) -> bool:
    return issubclass(model, CustomFieldsModel)


def is_custom_filter(name: str) -> bool:
    return name.startswith(PREFIX)


def custom_conditions(model: type[models.Model], query: Mapping[str, str]) -> Conditions:
    return [_condition(model, name, text) for name, text in query.items() if is_custom_filter(name)]


def _condition(model: type[models.Model], name: str, text: str) -> Condition:
    definition, lookup = _known(model, name)
    if lookup == "isnull":
        if text not in ("true", "false"):
            raise BadParameter(name, f"{name}: true or false.")
        return f"({BASE}.custom_fields -> %s::text) IS {'' if text == 'true' else 'NOT '}NULL", [definition.key]
    values = [_value(name, definition, part) for part in (text.split(",") if lookup == "in" else [text])]
    if definition.type == "multi-choice":
        return f"jsonb_exists_any({BASE}.custom_fields -> %s::text, %s::text[])", [definition.key, values]
    column = {"integer": NUMBER, "decimal": NUMBER, "date": DAY}.get(definition.type, COLUMN)
    keys = [definition.key] * column.count("%s")
    if lookup == "in":
        kind = "numeric" if column is NUMBER else "text"
        return f"{column} = ANY (%s::{kind}[])", [*keys, values]
    return f"{column} {ORDERED.get(lookup, '=')} %s::{'numeric' if column is NUMBER else 'text'}", [*keys, values[0]]


def _known(model: type[models.Model], name: str) -> tuple[Definition, str]:
    known = definitions_of(model)
    key, _, lookup = name.removeprefix(PREFIX).partition("__")
    if key not in known:
        listed = ", ".join(PREFIX + one for one in known) or "none"
        raise BadParameter(name, f"Unknown custom field {key!r}. Known: {listed}.")
    lookups = ["in", "isnull", *(ORDERED if known[key].type in ORDERED_TYPES else ())]
    if lookup and lookup not in lookups:
        raise BadParameter(name, f"Unknown lookup {lookup!r} of {PREFIX}{key}. Known: {', '.join(lookups)}.")
    return known[key], lookup


def _value(name: str, definition: Definition, text: str) -> str:
    given: Any = text
    try:
        if definition.type == "integer":
            given = int(text) if len(text) < 20 else text
        elif definition.type == "boolean":
            given = {"true": True, "false": False}.get(text, text)
        elif definition.type == "multi-choice":
            given = [text]
        elif definition.type in ("text", "url"):  # a value that no row could have is just not found
            if "\0" in text:
                raise ValueError("A NUL character is never part of a value.")
            return text
        found = stored(definition, given)
    except ValueError as error:
        raise BadParameter(name, f"{name}: {error}") from error
    if isinstance(found, bool):
        return str(found).lower()
    return str(found[0]) if isinstance(found, list) else str(found)
