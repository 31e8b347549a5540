"""Reads records that another system has written: JSON lines, JSON, CSV, or what DynamoDB exports; packed by gzip or not.

A record is a mapping by the names of the file. Of DynamoDB's typed values (`{"S": "phone"}`) the plain ones are made: text,
decimals, booleans, lists and mappings; a set is a list. What a cell of a CSV file holds is text, unless it is a JSON list or
mapping.
"""

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

GZIP = b"\x1f\x8b"
LARGEST = 1 << 30  # bytes of a file, unpacked
MOST_SHOWN = 60
MOST, PLACES = Decimal(10) ** 9, 6  # of a price or a quantity
MILLISECONDS = 10**11  # a number of seconds is not that large before the year 5138
csv.field_size_limit(10**7)


class UnreadableFile(ValueError):
    """The file as a whole cannot be read; the message names it and says what to do."""


class BadValue(ValueError):
    """A value of a record is not what its name needs."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name, self.reason = name, reason


@dataclass(frozen=True, slots=True)
class Fault:
    """`place` is such as `line 4`; `name` is empty where no single value is at fault."""

    file: str
    place: str
    name: str
    reason: str

    def __str__(self) -> str:
        where = f", {self.name}" if self.name else ""
        return f"{self.file}, {self.place}{where}: {self.reason}."


@dataclass(frozen=True, slots=True)
class Record:
    file: str
    place: str
    values: Mapping[str, Any]

    def fault(self, name: str, reason: str) -> Fault:
        return Fault(self.file, self.place, name, reason)

    def text(self, name: str, *, longest: int = 10_000, is_required: bool = False) -> str:
        """Empty where there is none. Raises BadValue."""
        text = text_of(name, self.values.get(name))
        if is_required and not text:
            raise BadValue(name, "a value is required")
        if len(text) > longest:
            raise BadValue(name, f"{shown(text)} is longer than {longest} characters")
        return text

    def texts(self, name: str, *, longest: int) -> str:
        """One text, or several with commas between. Raises BadValue."""
        text = ", ".join(filter(None, (text_of(name, one) for one in self.several(name))))
        if len(text) > longest:
            raise BadValue(name, f"{shown(text)} is longer than {longest} characters")
        return text

    def number(self, name: str, *, least: Decimal | int = 0) -> Decimal | None:
        """Raises BadValue."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        try:
            number = _number(value if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else None)
        except ValueError as error:
            raise BadValue(name, f"{shown(value)} is no number") from error
        if not least <= number < MOST or number != round(number, PLACES):
            raise BadValue(name, f"{shown(value)} is less than {least}, too much, or has more than {PLACES} decimals")
        return number

    def moment(self, name: str, zone: tzinfo) -> datetime | None:
        """ISO 8601, or seconds or milliseconds since 1970; `zone` is that of a time that names none. Raises BadValue."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        try:
            if isinstance(value, str) and not value.strip().isdigit():
                found = datetime.fromisoformat(value.strip())
                return found if found.tzinfo else found.replace(tzinfo=zone)
            seconds = _number(value if not isinstance(value, bool) else None)
            return datetime.fromtimestamp(float(seconds / 1000 if seconds >= MILLISECONDS else seconds), UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise BadValue(name, f"{shown(value)} is no time such as 2026-03-01T09:30:00Z") from error

    def several(self, name: str) -> list[Any]:
        """A single value is a list of one."""
        value = self.values.get(name)
        if value is None or value == "":
            return []
        return value if isinstance(value, list) else [value]


@dataclass(slots=True)
class Records:
    """What was read, and what could not be."""

    rows: list[Record] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_records(paths: Sequence[Path]) -> Records:
    """Of a folder, all files in it, such as those of an export. Raises UnreadableFile."""
    found = Records()
    for path in paths:
        for one in _files(path):
            _read(one, found)
    return found


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(one for one in path.rglob("*") if one.is_file() and not one.name.startswith(("manifest", "_", ".")))
    if not files:
        raise UnreadableFile(f"There is no file in {path}: name the file, or the folder with the data of an export.")
    return files


def _read(path: Path, found: Records) -> None:
    text, name = _text(path), path.name
    start = text.lstrip()[:1]
    if start not in ("{", "["):
        reader = _of_csv
    elif start == "[" or not _is_object(text.lstrip().partition("\n")[0]):
        reader = _of_json
    else:
        reader = _of_lines
    for place, made in reader(name, text):
        if isinstance(made, str):
            found.faults.append(Fault(name, place, "", made))
        else:
            found.rows.append(Record(name, place, made))


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if raw.startswith(GZIP):
            raw = _unpacked(path, raw)
        text = raw.removeprefix(codecs.BOM_UTF8).decode()
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read ({error.strerror}): name an existing file.") from error
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(
            f"{path.name}, line {line} is not UTF-8: save it as UTF-8, or export it as JSON instead of Ion.",
        ) from error
    if not text.strip():
        raise UnreadableFile(f"{path.name} is empty: choose the right file.")
    return text


def _unpacked(path: Path, raw: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            content = file.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(f"{path.name} is not whole: copy it again.") from error
    if len(content) > LARGEST:
        raise UnreadableFile(f"{path.name} is larger than {LARGEST >> 30} GB unpacked: split it.")
    return content


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict) and not _is_scan(json.loads(line))
    except ValueError:
        return False


def _is_scan(value: Any) -> bool:
    """What `aws dynamodb scan` answers."""
    return isinstance(value, dict) and isinstance(value.get("Items"), list)


def _of_lines(file: str, text: str) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield f"line {number}", _tried(line, json_of)


def _of_json(file: str, text: str) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    try:
        whole = json_of(text)
    except ValueError as error:
        raise UnreadableFile(f"{file} is not JSON ({error}): export it again.") from error
    rows = whole["Items"] if _is_scan(whole) else whole if isinstance(whole, list) else [whole]
    for number, row in enumerate(rows, 1):
        yield f"record {number}", _tried(row, lambda value: value)


def _of_csv(file: str, text: str) -> Iterator[tuple[str, Mapping[str, Any] | str]]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = [name.strip() for name in next(rows)]
        if "" in head or len(set(head)) < len(head):
            raise UnreadableFile(f"{file}: the header has a column without a name, or one twice: correct it.")
        for row in rows:
            place = f"line {rows.line_num}"
            if row and len(row) != len(head):
                yield place, f"{len(head)} fields are needed, but the row has {len(row)}"
            elif row:
                cells = {name: cell for name, cell in zip(head, row, strict=True) if cell != ""}
                yield place, _tried(cells, lambda found: {name: _cell(cell) for name, cell in found.items()})
    except csv.Error as error:
        raise UnreadableFile(f"{file}, line {rows.line_num} is not CSV ({error}): export it again.") from error


def _cell(text: str) -> Any:
    if text[:1] not in ("[", "{"):
        return text
    try:
        return json_of(text)
    except ValueError:  # a text that begins so
        return text


def json_of(text: str) -> Any:
    """With exact numbers. Raises ValueError."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _tried(given: Any, read: Callable[[Any], Any]) -> Mapping[str, Any] | str:
    """The record, or what is wrong with it."""
    try:
        value = read(given)
        if not isinstance(value, dict):
            return f"{shown(value)} is no record with names"
        item = value["Item"] if set(value) == {"Item"} and isinstance(value["Item"], dict) else value
        return {name: _plain(one) for name, one in item.items()}
    except ValueError as error:
        return str(error).rstrip(".")


def _plain(value: Any) -> Any:
    """Of one of DynamoDB's typed values, wherever it stands. Raises ValueError."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, str):
        return _storable(value)
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(kind, content)] = value.items()
        if kind in PLAIN and (made := PLAIN[kind](content)) is not None:
            return made[0]
    return {name: _plain(one) for name, one in value.items()}


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError(f"{shown(text)} holds a sign that no text may hold")
    return text


def text_of(name: str, value: Any) -> str:
    """Of a number its digits. Raises BadValue."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if value is not None and not isinstance(value, str):
        raise BadValue(name, f"{shown(value)} is no text")
    return (value or "").strip()


def _number(text: Any) -> Decimal:
    try:
        number = Decimal(text)
    except (InvalidOperation, TypeError) as error:
        raise ValueError(f"{shown(text)} is no number") from error
    if not number.is_finite():
        raise ValueError(f"{shown(text)} is no number")
    return number


# Each answers the value in a list, or None for what is no such type but a mapping that has this name.
PLAIN: Mapping[str, Callable[[Any], list[Any] | None]] = {
    "S": lambda content: [_storable(content)] if isinstance(content, str) else None,
    "N": lambda content: [_number(content)] if isinstance(content, str) else None,
    "BOOL": lambda content: [content] if isinstance(content, bool) else None,
    "NULL": lambda content: [None] if content is True else None,
    "L": lambda content: [[_plain(one) for one in content]] if isinstance(content, list) else None,
    "M": lambda content: [{name: _plain(one) for name, one in content.items()}] if isinstance(content, dict) else None,
    "SS": lambda content: [[_plain(one) for one in content]] if isinstance(content, list) else None,
    "NS": lambda content: [[_number(one) for one in content]] if isinstance(content, list) else None,
}


def shown(value: Any) -> str:
    text = repr(str(value) if isinstance(value, Decimal) else value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
