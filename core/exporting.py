"""A list of the API outside of a request: the rows and columns that it gives to whoever asks with this query."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.http import QueryDict

from core.csv_lists import Table
from core.errors import Invalid
from core.json import dumps
from core.limits import Holder
from core.permitting import demand, permission_of
from core.routing import lists

CSV, JSON_LINES = "csv", "jsonl"
CONTENT_TYPES = {CSV: "text/csv", JSON_LINES: "application/jsonl"}


@dataclass(frozen=True)
class Asked:
    """As much of a request as a list looks at."""

    query_params: QueryDict
    principal: Holder
    method: str = "GET"
    META: dict[str, str] = field(default_factory=dict)

    @property
    def _request(self) -> "Asked":
        return self


def exported(resource: str, query: str, principal: Holder) -> Table:
    """Raises Invalid for what has no list, MissingPermission, or BadParameter."""
    if resource not in lists():
        detail = f"{resource!r} has no list. Known: {', '.join(sorted(lists()))}."
        raise Invalid(detail, code="invalid_choice", fields={"resource": detail})
    view = lists()[resource]()
    view.request, view.kwargs, view.action = Asked(QueryDict(query), principal), {}, "list"
    demand(view.request, permission_of(view.model(), "view"))
    table: Table = view.table()
    return table


def pieces(table: Table, form: str) -> Iterator[tuple[bytes, int]]:
    """Of the file, each with the number of rows that it holds."""
    if form == CSV:
        yield table.heading, 0
    for rows in table.windows():
        if form == CSV:
            yield table.lines(rows), len(rows)
        else:
            yield b"".join(dumps(row) + b"\n" for row in table.plan.read(rows)), len(rows)
