"""The event types as the API and the documentation show them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from notifications.event_types import EventType, event_types

PAGE = Path(settings.BASE_DIR) / "docs" / "event-types.md"
HEAD = """# Event types

Made by `manage.py event_types` from what the apps declare; a test compares it with them. The API has the same, with the
whole JSON Schema of each payload: `GET /api/v1/event-types/`. What an event is, and how to choose among them, is in
[Events](guide/events.md).

| Type | About | Version |
|---|---|---|
"""


@cache
def catalogue() -> dict[str, dict[str, Any]]:
    return {name: _shown(declared) for name, declared in event_types().items()}


def _shown(declared: EventType) -> dict[str, Any]:
    return {
        "name": declared.name, "bus": declared.bus, "aggregate_type": declared.aggregate, "schema_version": declared.version,
        "description": declared.description, "schema": declared.schema, "example": declared.envelope(),
    }


def page() -> str:
    types = list(event_types().values())
    lines = [f"| [`{one.name}`](#{one.name.replace('.', '')}) | {one.aggregate} | {one.version} |" for one in types]
    return HEAD + "\n".join(lines) + "\n\n" + "\n".join(map(_section, types))


def _section(declared: EventType) -> str:
    schema = declared.schema
    rows = [f"| `{name}` | {kind} | {says} |" for name, kind, says in _fields(schema, schema.get("$defs", {}))]
    example = json.dumps(declared.example, ensure_ascii=False)
    return "\n".join([
        f"## {declared.name}", "", declared.description, "", "| Field | Kind | |", "|---|---|---|", *rows, "",
        "```json", example, "```", "",
    ])  # fmt: skip


def _fields(schema: dict[str, Any], parts: dict[str, Any], prefix: str = "") -> list[tuple[str, str, str]]:
    """Of the payload and of the objects in it: path, kind, description."""
    found = []
    for name, field in schema["properties"].items():
        found.append((f"{prefix}{name}", _kind(field), field.get("description", "")))
        inner = field.get("items", field)
        inner = parts[inner["$ref"].rpartition("/")[2]] if "$ref" in inner else inner
        if "properties" in inner:
            found += _fields(inner, parts, f"{prefix}{name}{'[]' if 'items' in field else ''}.")
    return found


def _kind(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " or ".join(_kind(one) for one in field["anyOf"])
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"] if value != "")
    if "items" in field:
        return "list of fields" if "enum" in field["items"] else f"list of {_kind(field['items'])}s"
    kind = field.get("type", "object" if "$ref" in field else "any value")
    words = " or ".join(kind) if isinstance(kind, list) else kind
    return words.replace("string", field["format"]) if "format" in field else words
