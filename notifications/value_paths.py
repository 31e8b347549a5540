"""Where a value stands in an answer: `data.price`, `rows.0.rating`, `recalls[vin={id}].status`.

Names and indexes are joined by dots; `[name=value]` chooses the first row of a list that has this value there. `{id}`
stands for what is asked about.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from core.json import dumps

SUBJECT = "{id}"
PART = re.compile(r"\[([^\[\]=.\s]+)=([^\[\]]*)\]|(?:^|(?<=.)\.)([^.\[\]=\s]+)")


class BadPath(ValueError):
    """The text says to a person how to write it."""


class _Missing:
    """What stands for a value that is not there: null is one."""


MISSING = _Missing()


class Part(NamedTuple):
    """A name or an index; with `value`, the row that has it under this name."""

    name: str
    value: str | None = None


def parse(text: str) -> list[Part]:
    """Empty: the answer as a whole. Raises BadPath."""
    parts, position = [], 0
    while position < len(text):
        found = PART.match(text, position)
        if found is None:
            raise BadPath(f"{text!r} is no path: write it like data.price, rows.0.rating or recalls[vin={SUBJECT}].status.")
        parts.append(Part(found[3]) if found[3] else Part(found[1], found[2]))
        position = found.end()
    return parts


def value_at(answer: Any, text: str, subject: str) -> Any:
    """MISSING where it is not there."""
    for part in parse(text):
        if part.value is not None:
            answer = _chosen(answer, part.name, part.value.replace(SUBJECT, subject))
        elif isinstance(answer, Mapping):
            answer = answer.get(part.name, MISSING)
        elif isinstance(answer, list) and part.name.isdecimal() and int(part.name) < len(answer):
            answer = answer[int(part.name)]
        else:
            return MISSING
        if answer is MISSING:
            return MISSING
    return answer


def _chosen(rows: Any, name: str, value: str) -> Any:
    if not isinstance(rows, list):
        return MISSING
    return next((row for row in rows if isinstance(row, Mapping) and name in row and _text(row[name]) == value), MISSING)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value).decode()
