"""What the column of a CSV file can hold."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

type Value = int | Decimal | date | datetime | str | None

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"


@dataclass(frozen=True)
class Kind:
    """`parse` raises ValueError for a text that is no such value; `name` completes "this is not ..."."""

    name: str
    parse: Callable[[str], Value]
    learned: bool = False


def _shaped(pattern: str, text: str) -> str:
    if not re.fullmatch(pattern, text):
        raise ValueError(text)
    return text


def matching(name: str, pattern: str) -> Kind:
    return Kind(name, lambda text: _shaped(pattern, text))


def choice(*words: str) -> Kind:
    return matching(f"one of {', '.join(words)}", "|".join(map(re.escape, words)))


def instant(zone: tzinfo = UTC) -> Kind:
    """`zone` is where the clock stood that wrote the times without an offset."""
    pattern = rf"{_DAY}[ T][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{1,6}})?)?(Z|[+-][0-9]{{2}}:[0-9]{{2}})?"

    def parse(text: str) -> datetime:
        moment = datetime.fromisoformat(_shaped(pattern, text))
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)

    return Kind("a date and time such as 1996-07-04 09:30:00", parse)


def _parse_text(text: str) -> str:
    if "\0" in text:
        raise ValueError(text)
    return text


def _parse_flag(text: str) -> bool:
    return _shaped("0|1|false|true", text.lower()) in {"1", "true"}


def _drop_picture(text: str) -> None:
    _shaped("0x[0-9A-Fa-f]*", text)


# PostgreSQL holds no NUL in a text.
TEXT = Kind("a text without NUL characters", _parse_text)
# A column with few different words: where the kinds leave several readings of a row, a known word decides.
WORD = Kind(TEXT.name, _parse_text, learned=True)
INTEGER = Kind("a whole number", lambda text: int(_shaped("-?[0-9]{1,18}", text)))
DECIMAL = Kind(
    "a decimal number such as 14.50",
    lambda text: Decimal(_shaped(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", text)),
)
DATE = Kind(
    "a date such as 1996-07-04",
    lambda text: date.fromisoformat(_shaped(rf"{_DAY}([ T]00:00(:00(\.0+)?)?)?", text)[:10]),
)
FLAG = Kind("0 or 1", _parse_flag)
PICTURE = Kind("a picture as hex", _drop_picture)
PHONE = matching("a phone number", r"(?=.{5,24}\Z)(?=([^0-9]*[0-9]){5})[+(]?[0-9][0-9 ()./-]*[0-9]")
POSTAL_CODE = matching("a postal code", r"(?=.{2,12}\Z)(?=[^0-9]*[0-9])[A-Z0-9]+([ -][A-Z0-9]+){0,2}")
