"""Fields that an organization defines for itself: one JSON object in each row, checked by the definitions.

The definitions are rows of a higher layer: the setting CUSTOM_FIELD_DEFINITIONS names the function that reads them.
They are read once in a scope.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any

import orjson
from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import Value
from django.db.models.expressions import RawSQL
from django.utils.module_loading import import_string

from core.custom_values import Definition, stored
from core.tenancy import Scope, active_scope

LARGEST = 16_384  # bytes of a row's custom fields as JSON

type Definitions = Mapping[str, Definition]


class CustomFieldsField(models.JSONField):
    """Its form fields are made by `core.admin_custom_fields`, one for each definition."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        help_text = "The organization's own fields, by key; see custom-field-definitions. A null takes a value away."
        self.fixed = {"default": dict, "db_default": Value({}, models.JSONField()), "blank": True, "help_text": help_text}
        super().__init__(*args, **{**kwargs, **self.fixed})

    def deconstruct(self) -> Any:
        name, path, _, kwargs = super().deconstruct()
        return name, path, [], {key: value for key, value in kwargs.items() if key not in self.fixed}

    def formfield(self, **kwargs: Any) -> None:
        return None


class CustomFieldsModel(models.Model):
    custom_fields = CustomFieldsField()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        values: Any = self.custom_fields
        if not isinstance(values, Patched):
            super().save(*args, **kwargs)
            return
        self.custom_fields = values.expression()  # what SQL makes of the column
        super().save(*args, **kwargs)
        self.custom_fields = dict(values)


class Patched(dict[str, Any]):
    """What a row's custom fields become by a change of some: written as that change, so that two clients who change
    different ones both succeed.
    """

    def __init__(self, before: Mapping[str, Any], change: Mapping[str, Any]) -> None:
        self.change = dict(change)
        merged = {**before, **change}
        super().__init__({key: value for key, value in merged.items() if value is not None})

    def expression(self) -> RawSQL:
        given = {key: value for key, value in self.change.items() if value is not None}
        removed = [key for key, value in self.change.items() if value is None]
        return RawSQL("(custom_fields || %s::jsonb) - %s::text[]", [orjson.dumps(given).decode(), removed])


class WrongValues(ValueError):
    """`fields` maps each key to what is wrong with its value."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(fields.values()))
        self.fields = dict(fields)


@cache
def custom_models() -> dict[str, type[models.Model]]:
    return {model._meta.label_lower: model for model in apps.get_models() if issubclass(model, CustomFieldsModel)}


_read: ContextVar[tuple[Scope, dict[type[models.Model], Definitions]] | None] = ContextVar("definitions", default=None)


def definitions_of(model: type[models.Model]) -> Definitions:
    """In the order in which people see them."""
    scope = active_scope()
    known = _read.get()
    if known is None or known[0] is not scope:
        known = scope, {}
        _read.set(known)
    if model not in known[1]:
        found = import_string(settings.CUSTOM_FIELD_DEFINITIONS)(model._meta.label_lower)
        known[1][model] = {definition.key: definition for definition in found}
    return known[1][model]


def forget_definitions() -> None:
    """After a change of them within the scope."""
    _read.set(None)


def checked(model: type[models.Model], given: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """The values to store: all of them, or, on top of `before`, a `Patched`. Raises WrongValues."""
    known = definitions_of(model)
    wrong: dict[str, str] = {}
    values: dict[str, Any] = {}
    for key, value in given.items():
        try:
            values[key] = None if value is None else stored(_definition(known, key), value)
        except ValueError as error:
            if value is not None or key in known or not (before and key in before):
                wrong[key] = str(error)
    merged = Patched(before or {}, values)
    missing = {key: "This field is required." for key, one in known.items() if one.required and merged.get(key) in (None, "", [])}
    if wrong := {**missing, **wrong}:
        raise WrongValues(wrong)
    if len(orjson.dumps(dict(merged))) > LARGEST:
        raise WrongValues({"": f"Custom fields take at most {LARGEST} bytes in all."})
    return dict(merged) if before is None else merged


def _definition(known: Definitions, key: str) -> Definition:
    if key not in known:
        raise ValueError(f"Unknown custom field. Known: {', '.join(known) or 'none'}.")
    return known[key]
