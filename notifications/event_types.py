"""What events there are. An app declares its own in `<app>/events.py`, each once, as a frozen dataclass of its payload:

    @event_type("reorder.tasks_created", aggregate="organization", example={"tasks": 3})
    class ReorderTasksCreated:
        '''A check found something to reorder.'''

        tasks: Annotated[int, "How many tasks it made."]

Objects whose changes the database tells itself are declared by `notifications.object_events`.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import cached_property
from inspect import getdoc
from typing import Any, dataclass_transform, get_type_hints

from django.apps import apps
from django.utils.module_loading import autodiscover_modules

WORD = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
SOME_ID = "0198b7a2-6f00-7c1a-9d2e-3b4c5d6e7f80"
SOME_TIME = "2026-11-26T09:30:00.123456Z"
SOME_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Undeclared(TypeError):
    """Something was published that is no event type."""


@dataclass(frozen=True)
class EventType:
    """`example` and `schema` are of the payload, as JSON has them."""

    name: str
    aggregate: str
    description: str
    example: Mapping[str, Any]
    declared_in: str
    version: int = 1
    bus: str = "default"
    shape: type | None = None  # the dataclass of the payload, if there is one
    given_schema: Mapping[str, Any] | None = None  # if there is none

    @cached_property
    def schema(self) -> dict[str, Any]:
        found = dict(self.given_schema) if self.shape is None else schema_of(self.shape)  # type: ignore[arg-type]
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": self.name}

    def envelope(self) -> dict[str, Any]:
        """An event as subscribers get it."""
        return {
            "id": SOME_ID, "type": self.name, "bus": self.bus, "schema_version": self.version, "aggregate_type": self.aggregate,
            "aggregate_id": SOME_ID, "occurred_at": SOME_TIME, "correlation_id": "req-1", "traceparent": SOME_TRACE,
            "organization": SOME_ID, "payload": dict(self.example),
        }


_declared: dict[str, EventType] = {}
_by_shape: dict[type, EventType] = {}


def declare(declared: EventType) -> EventType:
    """Raises ValueError for a name that is none, or has been given away."""
    for word in (declared.name, declared.aggregate, declared.bus):
        if not WORD.fullmatch(word):
            raise ValueError(f"{word!r} is no event type: use small letters, digits, _ and dots.")
    if declared.name in _declared:
        raise ValueError(f"{declared.name} is declared in {_declared[declared.name].declared_in} already.")
    _declared[declared.name] = declared
    if declared.shape is not None:
        _by_shape[declared.shape] = declared
    return declared


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event_type(
    name: str, *, aggregate: str, example: Mapping[str, Any], version: int = 1, bus: str = "default",
) -> Callable[[type], type]:
    """The class becomes a frozen dataclass. Its docstring describes the event, `Annotated[..., "text"]` a field."""

    def make(shape: type) -> type:
        made: type = dataclass(frozen=True, kw_only=True, slots=True)(shape)
        declare(EventType(name, aggregate, getdoc(shape) or "", example, shape.__module__, version, bus, made))
        return made

    return make


def type_of(event: object) -> EventType:
    """Of an instance or a class. Raises Undeclared."""
    shape = event if isinstance(event, type) else type(event)
    if shape not in _by_shape:
        raise Undeclared(f"{shape.__name__} is no declared event type: see notifications.event_types.")
    return _by_shape[shape]


def event_types() -> dict[str, EventType]:
    """Those of the installed apps, by name."""
    autodiscover_modules("events")
    installed = [one for one in _declared.values() if apps.get_containing_app_config(one.declared_in)]
    return {one.name: one for one in sorted(installed, key=lambda one: one.name)}


def schema_of(shape: type) -> dict[str, Any]:
    """Of a dataclass, as JSON Schema. Amounts are numbers in events, because a pattern's `numeric` compares numbers alone."""
    import msgspec  # noqa: PLC0415

    (schema,), parts = msgspec.json.schema_components([shape], ref_template="#/$defs/{name}")
    for part in _shapes(shape):
        for name, hint in get_type_hints(part, include_extras=True).items():
            field = parts[part.__name__]["properties"][name]
            if texts := [text for text in getattr(hint, "__metadata__", ()) if isinstance(text, str)]:
                field["description"] = texts[0]
            if hint is datetime or getattr(hint, "__origin__", None) is datetime:
                field["format"] = "date-time"
    whole = parts.pop(schema["$ref"].rpartition("/")[2])
    found: dict[str, Any] = _numbers({**whole, "$defs": parts} if parts else whole)
    return found


def _shapes(shape: type) -> Iterator[type]:
    """A dataclass and those inside it."""
    yield shape
    for hint in get_type_hints(shape).values():
        for inner in (hint, *getattr(hint, "__args__", ())):
            if isinstance(inner, type) and is_dataclass(inner):
                yield from _shapes(inner)


def _numbers(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_numbers(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("format") == "decimal":
        schema = {**{key: value for key, value in schema.items() if key != "format"}, "type": "number"}
    return {key: _numbers(value) for key, value in schema.items()}


def field_names(shape: type) -> list[str]:
    return [field.name for field in fields(shape)]
