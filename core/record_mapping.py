"""What becomes of the records of another system's tables: a TOML file that names resources, columns and where their values are.

docs/guide/importing-older-tables.md says what may stand in it.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.records import BadValue, Record, text_of

REF = "external_ref"
EACH = "each"
PLACE = re.compile(r"\{([^{}]+)\}")
OF_A_TABLE = {"files", "where", "each", "into", "key", "columns"}
OF_A_COLUMN = {"from", "value", "default", "values", "by"}


class BadMapping(ValueError):
    """The file as a whole cannot be used; the message names the place and says what to do."""


@dataclass(frozen=True, slots=True)
class Column:
    """`source` is a path in the record, or a text with paths in braces; `by` is a column of the row referred to."""

    name: str
    source: str = ""
    value: Any = None
    default: Any = None
    values: Mapping[str, Any] | None = None
    by: str = ""

    def of(self, record: Record) -> Any:
        """None where the record says nothing. Raises BadValue."""
        if not self.source:
            return self.value
        found = _filled(self.source, record) if PLACE.search(self.source) else at(record, self.source)
        if found is None or found == "":
            return self.default
        if self.values is None:
            return found
        text = text_of(self.source, found) if not isinstance(found, bool) else str(found).lower()
        if text not in self.values:
            raise BadValue(self.source, f"{text!r} is none of {', '.join(self.values)}")
        return self.values[text]


@dataclass(frozen=True, slots=True)
class TableMapping:
    """`place` names it in messages; `where` says which records it takes, `each` a list in them that gives a row for each."""

    place: str
    source: str
    files: Sequence[Path]
    into: str
    key: Sequence[str]
    columns: Sequence[Column]
    where: Mapping[str, Any]
    each: str = ""

    def chosen(self, records: Sequence[Record]) -> Iterator[Record]:
        for record in records:
            if all(_same(at(record, path), wanted) for path, wanted in self.where.items()):
                yield from self._rows(record)

    def _rows(self, record: Record) -> Iterator[Record]:
        if not self.each:
            yield record
            return
        found = at(record, self.each)
        for number, one in enumerate(found if isinstance(found, list) else [] if found is None else [found]):
            place = f"{record.place}, {self.each}/{number}"
            yield replace(record, place=place, values={**record.values, EACH: one})


def at(record: Record, path: str) -> Any:
    """What stands at `address.lines.0`; None where nothing does. A name may hold dots itself."""
    value: Any = record.values
    names = path.split(".")
    if path in record.values:
        return record.values[path]
    for name in names:
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _filled(template: str, record: Record) -> str | None:
    """None where one of its values is missing."""
    parts = {path: text_of(path, at(record, path)) for path in PLACE.findall(template)}
    return PLACE.sub(lambda found: parts[found[1]], template) if all(parts.values()) else None


def _same(found: Any, wanted: Any) -> bool:
    return any(found == one for one in (wanted if isinstance(wanted, list) else [wanted]))


def read_mapping(path: Path) -> list[TableMapping]:
    """Paths in it are beside it. Raises BadMapping."""
    try:
        read = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadMapping(f"{path} cannot be read ({error.strerror}): name an existing file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadMapping(f"{path.name} is not TOML ({error}): correct it.") from error
    tables = read.get("table")
    if set(read) != {"table"} or not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise BadMapping(f"{path.name}: write a [[table]] for each resource that is to be filled, and nothing beside them.")
    return [_table(f"{path.name}, table {number}", path.parent, one) for number, one in enumerate(tables, 1)]


def _table(place: str, folder: Path, given: Mapping[str, Any]) -> TableMapping:
    _refuse_unknown(place, given, OF_A_TABLE)
    into, columns = given.get("into"), given.get("columns")
    if not isinstance(into, str) or not isinstance(columns, dict) or not columns:
        raise BadMapping(f"{place}: say `into` which resource, and which `columns` it gets.")
    place = f"{place} ({into})"
    files, key, each = _texts(place, given, "files"), _texts(place, given, "key") or [REF], given.get("each", "")
    where = given.get("where", {})
    if not files or not isinstance(where, dict) or not isinstance(each, str):
        raise BadMapping(f"{place}: name its `files` in a list; `where` is a table, and `each` the name of a list.")
    if missing := [name for name in key if name not in columns]:
        raise BadMapping(f"{place}: {missing[0]} is what finds a row again: give it among the columns, or name another `key`.")
    made = [_column(f"{place}, {name}", name, one) for name, one in _flat(columns)]
    return TableMapping(place, ", ".join(files), [folder / name for name in files], into, key, made, where, each)


def _flat(columns: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """`custom_fields.color = "color"` is a table within a table to TOML."""
    for name, given in columns.items():
        if isinstance(given, dict) and not set(given) & OF_A_COLUMN:
            yield from ((f"{name}.{inner}", one) for inner, one in _flat(given))
        else:
            yield name, given


def _column(place: str, name: str, given: Any) -> Column:
    if isinstance(given, str):
        return Column(name, given)
    if not isinstance(given, dict):
        raise BadMapping(f"{place}: write a path in quotes, or {{ from = … }}, or {{ value = … }}.")
    _refuse_unknown(place, given, OF_A_COLUMN)
    source, values, by = given.get("from", ""), given.get("values"), given.get("by", "")
    if not isinstance(source, str) or not isinstance(by, str) or bool(source) == ("value" in given):
        raise BadMapping(f"{place}: give either `from`, a path in quotes, or `value`.")
    if values is not None and not isinstance(values, dict):
        raise BadMapping(f"{place}: `values` is a table of what is found and what is written.")
    return Column(name, source, given.get("value"), given.get("default"), values, by)


def _texts(place: str, given: Mapping[str, Any], name: str) -> list[str]:
    found = given.get(name, [])
    found = [found] if isinstance(found, str) else found
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise BadMapping(f"{place}: `{name}` is a text, or a list of texts.")
    return found


def _refuse_unknown(place: str, given: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(set(given) - known):
        raise BadMapping(f"{place}: unknown {unknown[0]!r}. Known: {', '.join(sorted(known))}.")
