"""A list as CSV (RFC 4180), streamed in windows: the memory is that of one window, however long the list."""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse

from core.json import dumps
from core.paging import Window
from core.reading import BASE, Plan, fetch

WINDOW = 2_000  # rows
CONTENT_TYPE = "text/csv; charset=utf-8; header=present"
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Table:
    """`limit` is the most rows in all; None for every row."""

    plan: Plan
    where: str
    values: Sequence[Any]
    window: Window
    limit: int | None

    def chunks(self) -> Iterator[bytes]:
        yield self.heading
        for rows in self.windows():
            yield self.lines(rows)

    @property
    def heading(self) -> bytes:
        return _lines([self.plan.names])

    def lines(self, rows: Sequence[Sequence[Any]]) -> bytes:
        width = len(self.plan.names)
        return _lines([[_CELLS.get(type(value), _as_it_is)(value) for value in row[:width]] for row in rows])

    def windows(self) -> Iterator[list[tuple[Any, ...]]]:
        """Each row begins with the plan's columns."""
        left = self.limit
        while left is None or left > 0:
            size = WINDOW if left is None else min(left, WINDOW)
            rows = self._next(size)
            if rows:
                yield rows
            if len(rows) < size:
                return
            left = None if left is None else left - size

    def _next(self, size: int) -> list[tuple[Any, ...]]:
        beyond, position, order = self.window.sql(BASE)
        where = f"{self.where} AND {beyond}" if beyond else self.where
        keys = [key.sql(BASE) for key in self.window.keys]
        found = fetch(self.plan.page(where, order, size, keys), [*self.values, *position])
        if found:
            self.window.position = list(found[-1][len(self.plan.names):])
        return found


def csv_answer(names: Sequence[str], rows: Sequence[Sequence[Any]], name: str) -> HttpResponse:
    """Of a report, whose rows are few enough to be had at once."""
    cells = [[_CELLS.get(type(value), _as_it_is)(value) for value in row] for row in rows]
    return HttpResponse(_lines([names, *cells]), content_type=CONTENT_TYPE, headers=_headers(name))


def csv_response(table: Table, name: str) -> StreamingHttpResponse:
    return StreamingHttpResponse(table.chunks(), content_type=CONTENT_TYPE, headers=_headers(name))


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "private, no-cache",
        "Vary": "Accept, Authorization, Organization",
    }  # fmt: skip


def _lines(rows: Sequence[Sequence[Any]]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _guarded(text: str) -> str:
    """A spreadsheet would run what begins like a formula; the quote makes it a text. Numbers stay numbers."""
    return f"'{text}" if text[:1] in _FORMULA and text and not _NUMBER.fullmatch(text) else text


_FORMULA = frozenset("=+-@\t\r")


def _as_it_is(value: Any) -> Any:
    return value


def _json(value: Any) -> str:
    return dumps(value).decode()


def _instant(value: datetime) -> str:
    return dumps(value)[1:-1].decode()


def _flag(value: bool) -> str:
    return "true" if value else "false"


_CELLS: dict[type, Callable[[Any], Any]] = {str: _guarded, datetime: _instant, bool: _flag, list: _json, dict: _json}
