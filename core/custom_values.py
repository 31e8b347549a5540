"""What a custom field of each type takes, and how its value is stored as JSON."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from re import _constants, _parser  # type: ignore[attr-defined]  # the one reader of patterns that there is
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

LONGEST_TEXT, LONGEST_MATCHED = 500, 200  # letters; the second where a pattern has to be tried
MOST_TRIES = 10_000_000  # ways in which a pattern may read a text of LONGEST_MATCHED letters
LARGEST_INTEGER = 2**53 - 1  # what every reader of JSON keeps exactly
TYPES = {
    "text": "Text", "integer": "Whole number", "decimal": "Decimal number", "boolean": "Yes or no", "date": "Day",
    "choice": "One of several", "multi-choice": "Some of several", "url": "Web address",
}

_web_address = URLValidator(schemes=["http", "https"])


@dataclass(frozen=True, slots=True)
class Definition:
    key: str
    label: str
    type: str
    choices: tuple[str, ...] = ()
    required: bool = False
    pattern: str = ""
    help_text: str = ""


def stored(definition: Definition, value: Any) -> Any:
    """Raises ValueError with a sentence that says what is expected."""
    return READ[definition.type](definition, value)


def _text(definition: Definition, value: Any) -> str:
    longest = LONGEST_MATCHED if definition.pattern else LONGEST_TEXT
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise ValueError(f"Give a text of at most {longest} letters.")
    if definition.pattern and not _compiled(definition.pattern).fullmatch(value):
        raise ValueError(f"It must look like {definition.pattern}.")
    return value


def _integer(definition: Definition, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > LARGEST_INTEGER:
        raise ValueError("Give a whole number, without quotes.")
    return value


def _decimal(definition: Definition, value: Any) -> str:
    refusal = 'Give a number of at most 13 digits and 6 decimal places, best as a string: "12.50".'
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal) or len(str(value)) > 40:
        raise ValueError(refusal)
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(refusal) from error
    if not number:
        return "0"
    if not number.is_finite() or not -7 < number.adjusted() < 13 or number != round(number, 6):
        raise ValueError(refusal)
    return f"{number:f}"


def _boolean(definition: Definition, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("Give true or false, without quotes.")
    return value


def _date(definition: Definition, value: Any) -> str:
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value), re.ASCII):
            return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        pass
    raise ValueError("Give a day like 2026-11-23.")


def _choice(definition: Definition, value: Any) -> str:
    if value not in definition.choices:
        raise ValueError(f"Give one of {', '.join(definition.choices)}.")
    return str(value)


def _choices(definition: Definition, value: Any) -> list[str]:
    if not isinstance(value, list) or [one for one in value if one not in definition.choices]:
        raise ValueError(f"Give a list out of {', '.join(definition.choices)}.")
    return [one for one in definition.choices if one in value]


def _url(definition: Definition, value: Any) -> str:
    try:
        _web_address(value)
    except ValidationError as error:
        raise ValueError("Give a web address that begins with http:// or https://.") from error
    return _text(definition, value)


READ: dict[str, Callable[[Definition, Any], Any]] = {
    "text": _text, "integer": _integer, "decimal": _decimal, "boolean": _boolean, "date": _date,
    "choice": _choice, "multi-choice": _choices, "url": _url,
}


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def refuse_slow_pattern(pattern: str) -> None:
    """Raises ValueError: for a pattern that cannot be read, or could be tried in more ways than a server has time for."""
    try:
        ways = _ways(_parser.parse(pattern))
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"This is no regular expression: {error}.") from error
    if ways > MOST_TRIES:
        raise ValueError("This pattern could take too long: use fewer *, + and {m,n}, and none of them around another.")


def _ways(parsed: Any) -> int:
    """At least as many as there are to read a text; more than MOST_TRIES for what is refused anyway."""
    total = 1
    for operator, argument in parsed:
        total = min(total * _ways_of(operator, argument), MOST_TRIES + 1)
    return total


def _ways_of(operator: Any, argument: Any) -> int:
    if operator in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
        least, most, body = argument
        most = min(int(most), LONGEST_MATCHED)
        inner = _ways(body)
        return (most - min(int(least), most) + 1) * (1 if inner == 1 else min(inner, 10_000) ** min(most, 25))
    if operator is _constants.BRANCH:
        return sum(_ways(branch) for branch in argument[1])
    if operator is _constants.SUBPATTERN:
        return _ways(argument[-1])
    if operator in (_constants.LITERAL, _constants.NOT_LITERAL, _constants.IN, _constants.ANY, _constants.AT):
        return 1
    raise ValueError("A pattern has no references, no conditions and does not look ahead or behind.")
