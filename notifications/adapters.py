"""How the answers of other systems are read: each kind of source has an adapter, by name.

An installation adds its own with `declare`, in a module that one of its apps imports.
"""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any
from urllib.parse import quote

import orjson

from notifications.value_paths import SUBJECT, BadPath, parse

LONGEST_PATH = 500
KIND = re.compile(r"[a-z][a-z0-9_]{0,39}")
PATH = re.compile(r"/[!-~]*")
LONGEST_TTL = 7 * 86_400  # seconds
MOST_KINDS = 20


class Unreadable(Exception):
    """An answer that its adapter cannot read; the text says to a person why."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """`read` makes values, as JSON has them, of a body and its character set. Raises Unreadable."""

    name: str
    label: str
    accept: str
    read: Callable[[bytes, str], Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a source can be asked: a path in which {id} stands for what is asked about, and where the value is."""

    path: str
    value: str = ""
    ttl: int | None = None

    def address(self, base_url: str, subject: str) -> str:
        return base_url.rstrip("/") + self.path.replace(SUBJECT, quote(subject, safe=""))


_declared: dict[str, Adapter] = {}


def declare(adapter: Adapter) -> Adapter:
    _declared[adapter.name] = adapter
    return adapter


def adapters() -> Mapping[str, Adapter]:
    return _declared


def kinds_problem(kinds: Any) -> str:
    """What is wrong with what a source says that it can be asked; empty where nothing is."""
    if not isinstance(kinds, dict) or not kinds or len(kinds) > MOST_KINDS:
        return f'Give 1 to {MOST_KINDS} kinds, such as {{"price": {{"path": "/prices/{{id}}", "value": "price"}}}}.'
    return next(_problems(kinds), "")


def _problems(kinds: dict[str, Any]) -> Iterator[str]:
    for name, kind in kinds.items():
        if not KIND.fullmatch(name):
            yield f"{name!r}: call a kind by small letters, digits and _, a letter first, 40 at most."
        if not isinstance(kind, dict) or set(kind) - {"path", "value", "ttl"} or "path" not in kind:
            yield f"{name}: give its path, and if need be value and ttl, and nothing else."
            continue
        yield from (f"{name}: {text}" for text in _faults(**kind))


def _faults(path: Any, value: Any = "", ttl: Any = None) -> Iterator[str]:
    if not isinstance(path, str) or not PATH.fullmatch(path) or len(path) > LONGEST_PATH or "#" in path or "\\" in path:
        yield "write the path in ASCII, like /prices/{id} or /search?q={id}."
    elif re.search(r"[{}]", path.replace(SUBJECT, "")):
        yield "a path has no placeholder but {id}."
    if not isinstance(value, str) or len(value) > LONGEST_PATH:
        yield "write in value where the value stands, like data.price."
    else:
        try:
            parse(value)
        except BadPath as bad:
            yield str(bad)
    if ttl is not None and (not isinstance(ttl, int) or isinstance(ttl, bool) or not 0 <= ttl <= LONGEST_TTL):
        yield f"ttl is a number of seconds from 0 to {LONGEST_TTL}."


def _json(body: bytes, charset: str) -> Any:
    if b"\\u0000" in body:
        raise Unreadable("It holds a NUL character, which cannot be kept.")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"It is no JSON: {error}.") from error


def _csv(body: bytes, charset: str) -> Any:
    """A list of rows by the names of the first line; commas or semicolons."""
    try:
        text = body.decode("utf-8-sig" if charset in ("", "utf-8") else charset)
    except (UnicodeDecodeError, LookupError) as error:
        raise Unreadable("It is no text in the character set that it says, or in UTF-8.") from error
    names = text.partition("\n")[0]
    if not names.strip() or "\0" in text:
        raise Unreadable("It is no table: the first line has the names of the columns.")
    table = csv.DictReader(StringIO(text, newline=""), delimiter=";" if names.count(";") > names.count(",") else ",")
    try:
        return [{name: value for name, value in row.items() if name} for row in table]
    except csv.Error as error:
        raise Unreadable(f"It is no table: {error}.") from error


declare(Adapter("http_json", "JSON over HTTP", "application/json", _json))
declare(Adapter("http_csv", "A table (CSV) over HTTP", "text/csv", _csv))
