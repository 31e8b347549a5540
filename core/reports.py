"""Reports: read only; a page of rows as JSON, or all of them as CSV."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from core.conditions import conditional, tag_of
from core.csv_lists import csv_answer
from core.json import dumps
from core.limits import OutsideWarehouses, Warehouses, reach
from core.permitting import SignedIn, demand
from core.problems import BadParameter
from core.reader import on_the_reader
from core.rendering import CSVRenderer, JSONRenderer
from core.serializers import StrictSerializer
from core.within import holder

type Query = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` are of the CSV, `about` what stands above the rows in JSON; `count` is of all rows, shown or not."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    count: int
    totals: Mapping[str, Any]
    about: Mapping[str, Any]


def described(operation_id: str, query: type[Any], answer: type[Any]) -> Callable[[type[Any]], type[Any]]:
    """The view's `answer` becomes its GET, described."""

    def decorate(view: type[Any]) -> type[Any]:
        def get(self: Any, request: Request) -> Any:
            return self.answer(request)

        get.__doc__ = view.__doc__
        view.get = extend_schema(operation_id=operation_id, parameters=[query], responses=answer)(get)
        return view

    return decorate


class ReportView(APIView):
    """A report; `Accept: text/csv` gives all its rows."""

    permission_classes = (SignedIn,)
    renderer_classes = (JSONRenderer, CSVRenderer)
    permissions: ClassVar[Sequence[str]]
    query_class: ClassVar[type[StrictSerializer]]
    name: ClassVar[str]

    def answer(self, request: Request) -> HttpResponse:
        for permission in self.permissions:
            demand(request, permission)
        is_csv = request.accepted_renderer.format == CSVRenderer.format
        query = asked(request, self.query_class)
        with on_the_reader():
            table = self.table(request, query, whole=is_csv)
        if is_csv:
            return csv_answer(table.columns, [[row.get(name) for name in table.columns] for row in table.rows], self.name)
        content = dumps({**table.about, "count": table.count, "totals": table.totals, "results": table.rows})
        return conditional(request, content, f"W/{tag_of(content)}")

    def table(self, request: Request, query: Query, *, whole: bool) -> Table:
        """Whole, or the page that the query asks for. Raises BadParameter."""
        raise NotImplementedError


def asked(request: Request, form: type[serializers.Serializer]) -> Query:
    """The query string, checked. Raises BadParameter for the first that is wrong."""
    query = request.query_params.dict()
    if unknown := [name for name in query if name not in form().fields]:
        raise BadParameter(unknown[0], f"Unknown parameter {unknown[0]!r}. Known: {', '.join(form().fields)}.")
    numbers = {name for name, field in form().fields.items() if isinstance(field, serializers.IntegerField)}
    for name in numbers & query.keys():
        if not (query[name].isascii() and query[name].isdecimal() and len(query[name]) < 20):
            raise BadParameter(name, f"{name}: a whole number.")
    checked = form(data={name: int(value) if name in numbers else value for name, value in query.items()})
    if not checked.is_valid():
        name, reasons = next(iter(checked.errors.items()))
        raise BadParameter(name, f"{name}: {reasons[0]}")
    found: Query = checked.validated_data
    return found


def reached(request: Request, permission: str, warehouse: UUID | None) -> Warehouses:
    """The warehouses to report on. Raises OutsideWarehouses for one in which the permission does not count."""
    seen = reach(holder(request), permission)
    if warehouse and seen is not None and warehouse not in seen:
        raise OutsideWarehouses
    return frozenset([warehouse]) if warehouse else seen
