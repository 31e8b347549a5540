"""Names in camelCase and in snake_case, and what of a JSON is a name. Who asks for which: core.asked_names."""

import re
from collections.abc import Callable
from typing import Any

# What is below these names is data, whose keys people and other programs have chosen.
DATA = frozenset({
    "after", "arguments", "attributes", "before", "changes", "custom_fields", "example", "explanation", "group_roles", "headers",
    "kinds", "last_value", "method_errors", "pattern", "payload", "report", "result", "schema",
})  # fmt: skip

_SNAKE = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_CAMEL = re.compile(r"[a-z][a-z0-9]*(?:[A-Z][a-z0-9]*)+")


class GivenTwice(ValueError):
    """An object has a name in both ways."""


def camel(name: str) -> str:
    if not _SNAKE.fullmatch(name):
        return name
    first, *words = name.split("_")
    return first + "".join(word.capitalize() for word in words)


def snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name) if _CAMEL.fullmatch(name) else name


def renamed(value: Any, name: Callable[[str], str]) -> Any:
    """Raises GivenTwice."""
    if isinstance(value, list):
        return [renamed(one, name) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name(key): inner if snake(key) in DATA else renamed(inner, name) for key, inner in value.items()}
    if len(found) < len(value):
        twice = next(key for key in value if name(key) != key and name(key) in value)
        raise GivenTwice(f"{twice} and {name(twice)} are the same field: give it once.")
    return found
