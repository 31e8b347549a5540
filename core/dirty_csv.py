"""Reads CSV files whose export did not quote: commas inside values, the word NULL, pictures as hex.

Facts that the reading rests on:
- An unquoted field that is empty or the word NULL is no value, and never a piece of one.
- A value neither begins nor ends with a blank, so a field that does is a piece of the value beside it.
- A properly quoted field is a whole value.

A row with more fields than columns is repaired when these facts and the kinds of the columns leave exactly
one way to join neighbors; every repair is reported. Any other row that does not fit is reported and left out.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from core.csv_kinds import Kind, Value

MOST_EXTRA_FIELDS = 12  # bounds the joinings tried for one row
MOST_QUOTED_LINES = 10  # a quote left open must not swallow the rest of the file
MOST_SHOWN = 60  # characters of a value in a message

BY_BLANKS = "a value neither begins nor ends with a blank"
BY_KINDS = "only this joining fits the kinds of all columns"
BY_WORDS = "only this joining fits the kinds of all columns and the words of the other rows"
BY_QUOTES = "quotes that do not enclose a whole field are part of its value"

_QUOTED = re.compile(r'"((?:[^"]++|"")*+)"(?=,|\Z)')


class UnreadableTable(ValueError):
    """The file as a whole cannot be read; the message names it and says what to do."""


@dataclass(frozen=True)
class Column:
    name: str
    kind: Kind
    required: bool = False


@dataclass(frozen=True)
class Table:
    file_name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Row:
    line: int
    values: dict[str, Value]

    def get[T](self, name: str, of: type[T]) -> T:
        value = self.values[name]
        if not isinstance(value, of):
            raise TypeError(f"Line {self.line}: {name} is {value!r} and not of the type {of.__name__}.")
        return value

    def find[T](self, name: str, of: type[T]) -> T | None:
        return None if self.values[name] is None else self.get(name, of)


@dataclass(frozen=True)
class Repair:
    """`values` has the column and the text of each value that was put together or kept with stray quotes."""

    file: str
    line: int
    values: dict[str, str]
    reason: str

    def __str__(self) -> str:
        read = " and ".join(f"{column} as {_shown(text)}" for column, text in self.values.items())
        return f"{self.file}, line {self.line}: read {read}, because {self.reason}."


@dataclass(frozen=True)
class Problem:
    """`column` is empty where no single column is at fault."""

    file: str
    line: int
    column: str
    reason: str

    def __str__(self) -> str:
        place = f", column {self.column}" if self.column else ""
        return f"{self.file}, line {self.line}{place}: {self.reason}."


@dataclass(frozen=True)
class TableReading:
    rows: list[Row] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Field:
    text: str
    quoted: bool = False
    joined: bool = False


class _Unreadable(Exception):
    def __init__(self, reason: str, column: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.column = column


class _OpenQuote(Exception):
    pass


type _Words = dict[str, set[Value]]
type _Reading = tuple[_Field, ...]


def read_table(path: Path, columns: Sequence[Column]) -> TableReading:
    """Raises UnreadableTable; what is wrong with single rows is in the reading's `problems`."""
    names = [column.name for column in columns]
    if not names or len(set(names)) < len(names):
        raise ValueError("Declare at least one column, and no name twice.")
    lines = _lines(path)
    if not lines[0]:
        raise UnreadableTable(f"{path.name} has no header: begin it with the names of its columns.")
    _check_header(path.name, lines[0], names)
    return _TableReader(path.name, columns).read(lines)


def _lines(path: Path) -> list[str]:
    try:
        raw = path.read_bytes().removeprefix(codecs.BOM_UTF8)
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UnreadableTable(f"{path.name}, line {line} is not UTF-8: save the file as UTF-8.") from error
    except OSError as error:
        raise UnreadableTable(f"{path} cannot be read ({error.strerror}): name an existing file.") from error
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")


def _check_header(file: str, line: str, names: list[str]) -> None:
    try:
        found = [name.text for name in _split(line)]
    except _OpenQuote:
        found = [line]
    for place, (name, expected) in enumerate(zip(found, names, strict=False), start=1):
        if name != expected:
            raise UnreadableTable(
                f"{file}: column {place} of the header is {_shown(name)} instead of {expected!r}: "
                f"correct the header or choose the right file."
            )
    if len(found) != len(names):
        raise UnreadableTable(
            f"{file}: the header has {len(found)} columns instead of {len(names)}: correct the header or choose the right file."
        )


def _split(line: str) -> list[_Field]:
    """Raises _OpenQuote."""
    fields: list[_Field] = []
    start = 0
    while True:
        if quoted := _QUOTED.match(line, start):
            end = quoted.end()
            fields.append(_Field(quoted[1].replace('""', '"'), quoted=True))
        else:
            end = line.find(",", start)
            end = len(line) if end < 0 else end
            text = line[start:end]
            if text.startswith('"') and text.count('"') % 2:
                raise _OpenQuote
            fields.append(_Field(text))
        if end == len(line):
            return fields
        start = end + 1


def _join_at_blanks(fields: list[_Field]) -> list[_Field]:
    groups = [[fields[0]]]
    for before, after in pairwise(fields):
        if _ends_blank(before) or _begins_blank(after):
            groups[-1].append(after)
        else:
            groups.append([after])
    if _begins_blank(fields[0]) or _ends_blank(fields[-1]):
        raise _Unreadable("the row begins or ends with a blank, so a piece of a value is missing")
    if not all(_can_join(group) for group in groups):
        raise _Unreadable("there is a blank beside a field that is quoted, empty or NULL")
    return [_joined(group) for group in groups]


def _begins_blank(one: _Field) -> bool:
    return not one.quoted and one.text[:1].isspace()


def _ends_blank(one: _Field) -> bool:
    return not one.quoted and one.text[-1:].isspace()


def _can_join(pieces: Sequence[_Field]) -> bool:
    return len(pieces) == 1 or not any(one.quoted or _is_nothing(one) for one in pieces)


def _joined(pieces: Sequence[_Field]) -> _Field:
    return pieces[0] if len(pieces) == 1 else _Field(",".join(one.text for one in pieces), joined=True)


def _is_nothing(one: _Field) -> bool:
    return not one.quoted and one.text in {"", "NULL"}


def _value(one: _Field, column: Column) -> Value:
    """Raises _Unreadable."""
    if _is_nothing(one):
        if column.required:
            raise _Unreadable("a value is required", column.name)
        return None
    try:
        return column.kind.parse(one.text)
    except ValueError as error:
        raise _Unreadable(f"{_shown(one.text)} is not {column.kind.name}", column.name) from error


def _fits(pieces: Sequence[_Field], column: Column, words: _Words) -> bool:
    if not _can_join(pieces):
        return False
    try:
        value = _value(_joined(pieces), column)
    except _Unreadable:
        return False
    return column.name not in words or value in words[column.name]


def _readings(fields: list[_Field], columns: Sequence[Column], words: _Words) -> list[_Reading]:
    """At most two: the second shows that the row is ambiguous. Raises _Unreadable when there is none."""
    begun: dict[int, list[_Reading]] = {0: [()]}
    for place, column in enumerate(columns, start=1):
        rest = len(columns) - place
        last = len(fields) - rest
        going: dict[int, list[_Reading]] = {}
        for start, readings in begun.items():
            for end in range(start + 1 if rest else last, last + 1):
                if _fits(fields[start:end], column, words):
                    value = _joined(fields[start:end])
                    going[end] = (going.get(end, []) + [(*reading, value) for reading in readings])[:2]
        if not going:
            reason = f"no joining of the row's {len(fields)} fields makes this {column.kind.name}"
            raise _Unreadable(reason, column.name)
        begun = going
    return begun[len(fields)]


def _shown(text: str) -> str:
    return repr(text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…")


class _TableReader:
    def __init__(self, file: str, columns: Sequence[Column]) -> None:
        self.file = file
        self.columns = columns
        self.reading = TableReading()
        self.ambiguous: list[tuple[int, list[_Field]]] = []

    def read(self, lines: list[str]) -> TableReading:
        for line, fields in self._records(lines):
            try:
                self._read(line, fields)
            except _Unreadable as error:
                self._report(line, error)
        words = self._words()
        for line, fields in self.ambiguous:
            try:
                self._decide(line, fields, words)
            except _Unreadable as error:
                self._report(line, error)
        for results in (self.reading.rows, self.reading.repairs, self.reading.problems):
            results.sort(key=lambda result: result.line)
        return self.reading

    def _records(self, lines: list[str]) -> Iterator[tuple[int, list[_Field]]]:
        """Each row's fields with the number of its first line, which counts from 1 at the header."""
        at = 1
        while at < len(lines):
            try:
                yield at + 1, _split(lines[at])
            except _OpenQuote:
                spread = self._spread(lines, at)
                if spread:
                    fields, count = spread
                    yield at + 1, fields
                    at += count
                    continue
                self._report(at + 1, _Unreadable("a quote is opened and not closed"))
            at += 1

    def _spread(self, lines: list[str], at: int) -> tuple[list[_Field], int] | None:
        """The fields of a row whose quoted values hold line ends, and how many lines it takes."""
        for count in range(2, min(MOST_QUOTED_LINES, len(lines) - at) + 1):
            try:
                fields = _split("\n".join(lines[at : at + count]))
            except _OpenQuote:
                continue
            whole = len(fields) == len(self.columns) and all(
                _fits([one], column, {}) for one, column in zip(fields, self.columns, strict=True)
            )
            return (fields, count) if whole else None
        return None

    def _read(self, line: int, fields: list[_Field]) -> None:
        found = len(fields)
        fields = _join_at_blanks(fields)
        extra = len(fields) - len(self.columns)
        if extra < 0:
            joined = f" ({len(fields)} after joining those with a blank)" if len(fields) < found else ""
            raise _Unreadable(f"{len(self.columns)} fields are needed, but the row has {found}{joined}")
        if extra > MOST_EXTRA_FIELDS:
            raise _Unreadable(f"the row has {extra} commas too many, {MOST_EXTRA_FIELDS} can be repaired")
        if not extra:
            self._accept(line, fields, BY_BLANKS)
            return
        readings = _readings(fields, self.columns, {})
        if len(readings) == 1:
            self._accept(line, readings[0], BY_KINDS)
        else:
            self.ambiguous.append((line, fields))

    def _decide(self, line: int, fields: list[_Field], words: _Words) -> None:
        try:
            readings = _readings(fields, self.columns, words)
        except _Unreadable:
            readings = _readings(fields, self.columns, {})
        if len(readings) > 1:
            one, other = readings
            place = next(place for place, value in enumerate(one) if value != other[place])
            choices = f"{_shown(one[place].text)} or {_shown(other[place].text)}"
            raise _Unreadable(f"this can be read as {choices}", self.columns[place].name)
        self._accept(line, readings[0], BY_WORDS)

    def _accept(self, line: int, fields: Sequence[_Field], reason: str) -> None:
        pairs = list(zip(fields, self.columns, strict=True))
        self.reading.rows.append(Row(line, {column.name: _value(one, column) for one, column in pairs}))
        joined = {column.name: one.text for one, column in pairs if one.joined}
        stray = {column.name: one.text for one, column in pairs if one.text[:1] == '"' and not one.quoted}
        repaired = joined | stray
        if repaired:
            self.reading.repairs.append(Repair(self.file, line, repaired, reason if joined else BY_QUOTES))

    def _words(self) -> _Words:
        learned = {column.name for column in self.columns if column.kind.learned}
        words = {name: {row.values[name] for row in self.reading.rows} for name in learned}
        return {name: known for name, known in words.items() if known - {None}}

    def _report(self, line: int, error: _Unreadable) -> None:
        self.reading.problems.append(Problem(self.file, line, error.column, error.reason))
