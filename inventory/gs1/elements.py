"""Element strings, as scanners send them and as people write them: a list of identifiers with their values."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from inventory.gs1.errors import GS1Error
from inventory.gs1.identifiers import PREDEFINED, TABLE, Identifier, leading

GS = "\x1d"  # what a scanner sends for FNC1 between two values
# By which scanners say that what follows is GS1: Data Matrix, Code 128, QR, DataBar and composite.
PREFIXES = ("]d2", "]C1", "]Q3", "]e0", "]J1")
SEPARATORS = {ord("\u241d"): GS, ord("\xe8"): GS}  # as programs that show them write FNC1
BRACKETED = re.compile(r"\((?P<ai>[0-9]{2,4})\)")
UNKNOWN = "is no application identifier that is known here."
LONGEST = 2_000  # characters of a text: more than any symbol holds


class Element(NamedTuple):
    ai: str
    value: str


type Elements = tuple[Element, ...]


def parse(text: str) -> Elements:
    """Of an element string or the bracketed form. Raises GS1Error."""
    if len(text) > LONGEST:
        raise GS1Error(f"a GS1 text has at most {LONGEST} characters.", position=LONGEST)
    return parse_bracketed(text) if text.lstrip().startswith("(") else parse_element_string(text)


def parse_element_string(text: str) -> Elements:
    """With or without a scanner's prefix; FNC1 as ASCII 29. Raises GS1Error."""
    data = text.translate(SEPARATORS)
    at = next((len(prefix) for prefix in PREFIXES if data.startswith(prefix)), 0)
    while data[at : at + 1] == GS:
        at += 1
    found: list[Element] = []
    while at < len(data):
        identifier = leading(data[at : at + 4])
        if identifier is None:
            raise GS1Error(f"no application identifier that is known here begins {data[at : at + 4]!r}.", position=at + 1)
        start = at + len(identifier.ai)
        end = _end(data, identifier, start)
        _take(found, identifier, data[start:end], start)
        at = end
        while data[at : at + 1] == GS:  # also after a fixed length, where none is needed
            at += 1
    return _whole(found)


def _end(data: str, identifier: Identifier, start: int) -> int:
    separator = data.find(GS, start)
    end = len(data) if separator < 0 else separator
    if identifier.is_predefined:
        return min(end, start + PREDEFINED[identifier.ai[:2]] - len(identifier.ai))
    return end


def parse_bracketed(text: str) -> Elements:
    """(01)09506000134352(10)ABC. A bracket inside a value is taken for one, unless it begins an identifier."""
    offset = len(text) - len(text.lstrip())
    marks = [mark for mark in BRACKETED.finditer(text.rstrip(), offset) if mark["ai"] in TABLE]
    if not marks or marks[0].start() != offset:
        first = BRACKETED.match(text, offset)
        if first:
            raise GS1Error(f"({first['ai']}) {UNKNOWN}", position=offset + 1, ai=first["ai"])
        raise GS1Error("an identifier in brackets is missing.", position=offset + 1)
    found: list[Element] = []
    for number, mark in enumerate(marks):
        end = marks[number + 1].start() if number + 1 < len(marks) else len(text.rstrip())
        _take(found, TABLE[mark["ai"]], text[mark.end() : end], mark.end())
    return _whole(found)


def _take(found: list[Element], identifier: Identifier, value: str, at: int) -> None:
    if problem := identifier.problem(value):
        raise GS1Error(problem, position=at + 1, ai=identifier.ai)
    earlier = next((one for one in found if one.ai == identifier.ai), None)
    if earlier is None:
        found.append(Element(identifier.ai, value))
    elif earlier.value != value:
        raise GS1Error(f"({identifier.ai}) comes twice, with different values.", position=at + 1, ai=identifier.ai)


def _whole(found: list[Element]) -> Elements:
    if not found:
        raise GS1Error("there is nothing to read.")
    return tuple(found)


def checked(elements: Sequence[tuple[str, str]]) -> Elements:
    """What is to be printed; raises GS1Error, whose position is the number of the element."""
    found: list[Element] = []
    for number, (ai, value) in enumerate(elements):
        if ai not in TABLE:
            raise GS1Error(f"({ai}) {UNKNOWN}", position=number + 1, ai=ai)
        _take(found, TABLE[ai], value, number)
    return _whole(found)


def emit(elements: Sequence[tuple[str, str]]) -> str:
    """The element string without a prefix; FNC1 only where a value's length does not say its end."""
    parts = checked(elements)
    last = len(parts) - 1
    ends = ["" if number == last or TABLE[ai].is_predefined else GS for number, (ai, _) in enumerate(parts)]
    return "".join(f"{ai}{value}{end}" for (ai, value), end in zip(parts, ends, strict=True))


def emit_bracketed(elements: Sequence[tuple[str, str]]) -> str:
    """As it is printed under a symbol. Raises GS1Error for a value that holds what reads as an identifier in brackets."""
    parts = checked(elements)
    for number, (ai, value) in enumerate(parts):
        if any(mark["ai"] in TABLE for mark in BRACKETED.finditer(value)):
            raise GS1Error(f"({ai}) holds an identifier in brackets: this form cannot say it.", position=number + 1, ai=ai)
    return "".join(f"({ai}){value}" for ai, value in parts)
