"""What every resource does; a resource states its serializer, filters, search and sort keys."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import connection, models
from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils import timezone
from rest_framework import exceptions, serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from core import bulk, by_ref
from core.choosing import Conditions
from core.conditions import conditional, parse_tags, refuse_stale, tag_of
from core.csv_lists import Table, csv_response
from core.json import dumps
from core.limits import paths, reach, refuse_outside, within
from core.listing import Listing, joined, whole_number
from core.models import ArchivableModel, LedgerModel
from core.paging import LARGEST_PAGE as LARGEST_PAGE
from core.paging import Window
from core.permitting import VERBS as VERBS
from core.permitting import HasPermission, permission_of, required_permission
from core.reading import BASE, Plan, compile_plan, fetch
from core.rendering import CSVRenderer, JSONRenderer
from core.routing import path_of
from core.within import WithinWarehouses, holder

ROWS_OF_A_CSV = 999_999_999


class Found(NamedTuple):
    """A row as it is shown, and what its tag and its time are made of."""

    body: dict[str, Any]
    version: int | None
    modified: Any


class ReadViewSet(Listing, WithinWarehouses):
    """Lists and single rows, by the compiled read path."""

    permission_classes = (HasPermission,)
    permission: str = ""  # of an action, instead of the model's own; an @action names it
    body_class: Any = None  # the serializer of an action's body; an @action names it
    basename: str
    prefix: str  # of its addresses; the router sets it
    action: str

    @classmethod
    def takes_bulk(cls) -> bool:
        return False

    @classmethod
    def takes_refs(cls) -> bool:
        return False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "HTTP_IF_MATCH" in request.META and "pk" in kwargs and request.method not in SAFE_METHODS:
            self.require_version(kwargs["pk"])

    def address_of(self, pk: object) -> str:
        """Of a row."""
        address: str = self.request.build_absolute_uri(path_of(self.prefix, pk))
        return address

    def get_renderers(self) -> list[Any]:
        return [JSONRenderer(), CSVRenderer()] if self.action == "list" else [JSONRenderer()]

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.accepted_renderer.format == CSVRenderer.format:
            return csv_response(self.table(), self.basename)
        query = self._query(self.known_parameters())
        window = self._window(query)
        plan = self._plan(query)
        expansion = self._expansion(query, plan)
        where, values = joined(self._conditions(query))
        beyond, position, order = window.sql(BASE)
        keys = [key.sql(BASE) for key in window.keys]
        sql = plan.page(f"{where} AND {beyond}" if beyond else where, order, window.size + 1, keys)
        width = len(plan.names)
        page = window.page(fetch(sql, [*values, *position]), lambda row: row[width:])
        rows = plan.read(page.rows)
        if expansion:
            expansion.apply(rows)
        body: dict[str, Any] = {**self._links(page), "results": rows}
        if "count" in query:
            body["count"] = self._count(query["count"], where, values)
        content = dumps(body)
        return conditional(request, content, f"W/{tag_of(content)}")

    def table(self) -> Table:
        """All rows that the query leaves, as they are written into a file."""
        known = [name for name in self.known_parameters() if name not in ("cursor", "count", "expand")]
        query = self._query(known)
        limit = whole_number("limit", query["limit"], ROWS_OF_A_CSV) if "limit" in query else None
        where, values = joined(self._conditions(query))
        return Table(self._plan(query), where, values, Window(self.model(), self._sort(query), 1), limit)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        query = self._query(self.row_parameters())
        plan = self._plan(query)
        expansion = self._expansion(query, plan)
        found = self._find(kwargs["pk"], plan)
        if expansion:
            expansion.apply([found.body])
        content, modified = dumps(found.body), None if expansion else found.modified
        tag = tag_of(content, found.version)
        return conditional(request, content, tag, modified=modified, headers=self.row_headers(found.body))

    def row_headers(self, body: Mapping[str, Any]) -> dict[str, str]:
        """What a resource adds to the answer of a single row."""
        return {}

    def read_row(self, pk: Any, plan: Plan | None = None) -> dict[str, Any]:
        return self._find(pk, plan or compile_plan(self.serializer_class)).body

    def _find(self, pk: Any, plan: Plan) -> Found:
        where, values = joined(self._row(pk))
        rows = fetch(plan.row(where, plan.state), values)
        if not rows:
            raise Http404
        [body] = plan.read(rows)
        return Found(body, *rows[0][-2:])

    def _row(self, pk: Any) -> Conditions:
        return [*self.row_conditions(), (f"{BASE}.{self.model()._meta.pk.column} = %s", [self.key(pk)])]

    def seen(self, pk: Any) -> Any:
        """The key of a row that may be seen, of which an action reads something else. Raises Http404."""
        where, values = joined(self._row(pk))
        if not fetch(f"SELECT 1 FROM {self.model()._meta.db_table} AS {BASE} WHERE {where}", values):
            raise Http404
        return self.key(pk)

    def key(self, text: Any) -> Any:
        """Of the address; what is not a key names no row."""
        try:
            return self.model()._meta.pk.to_python(text)
        except ValidationError as error:
            raise Http404 from error

    def needed(self) -> str:
        return required_permission(self, self.request.method or "")

    def require_version(self, pk: Any) -> None:
        """Raises PreconditionFailed unless the row is as If-Match says. Locked, it stays so until the answer."""
        tags = parse_tags("If-Match", self.request.META["HTTP_IF_MATCH"])
        table, (where, values) = self.model()._meta.db_table, joined(self._row(pk))
        if not issubclass(self.model(), LedgerModel):  # which never changes, and which nobody may lock
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT FROM {table} AS {BASE} WHERE {where} FOR NO KEY UPDATE", values)
        found = self._find(pk, compile_plan(self.serializer_class))
        refuse_stale(tags, tag_of(dumps(found.body), found.version), found.version)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """A write that answers with the row says its tag too, as a read would."""
        if isinstance(response, Response) and isinstance(response.data, dict) and response.status_code < 300:
            names = compile_plan(self.serializer_class).names
            if response.data.keys() >= set(names):
                shown = dumps({name: response.data[name] for name in names})
                response.headers["ETag"] = tag_of(shown, response.data.get("version"))
        return super().finalize_response(request, response, *args, **kwargs)

    def get_queryset(self) -> models.QuerySet:
        return self.model()._default_manager.filter(within(self.model(), self.sees_in()))

    def get_object(self) -> Any:
        """A row to change. One that may be seen but not changed is Forbidden."""
        try:
            row = self.get_queryset().get(pk=self.key(self.kwargs["pk"]))
        except ObjectDoesNotExist as error:
            raise Http404 from error
        self.refuse_outside(row.pk)
        return row

    def get_reference(self) -> Any:
        """As `get_object`, for a service that locks the row and reads it itself: here it is read only to see where it stands."""
        if paths(self.model()) and (self.sees_in() is not None or self.may_change_in() is not None):
            return self.get_object()
        return self.model()(pk=self.key(self.kwargs["pk"]))

    def body(self, request: Request) -> dict[str, Any]:
        """The body of an action, checked by its `body_class`."""
        serializer = self.body_class(data=request.data)
        serializer.is_valid(raise_exception=True)
        checked: dict[str, Any] = serializer.validated_data
        return checked


class TenantViewSet(by_ref.ByRef, bulk.Bulk, ReadViewSet):
    """Adds create, update and delete; what is written is answered as it would be read."""

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.add(request.data)

    def update(self, request: Request, *args: Any, partial: bool = False, **kwargs: Any) -> Response:
        return self.change(self.get_object(), request.data, partial=partial)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.update(request, *args, partial=True, **kwargs)

    def add(self, data: Any) -> Response:
        serializer = self.get_serializer(data=data)
        serializer.is_valid(raise_exception=True)
        row = self.save(serializer)
        self.settle([row.pk], "add")
        location = self.address_of(row.pk)
        return Response(self.read_row(row.pk), status=status.HTTP_201_CREATED, headers={"Location": location})

    def change(self, row: models.Model, data: Any, *, partial: bool = False) -> Response:
        serializer = self.get_serializer(row, data=data, partial=partial)
        serializer.is_valid(raise_exception=True)
        self.save(serializer)
        self.settle([row.pk], "change")
        return Response(self.read_row(row.pk))

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """An archivable row is archived; any other is deleted, unless rows refer to it."""
        row = self.get_object()
        if isinstance(row, ArchivableModel):
            row.archived_at = timezone.now()
            row.save(update_fields=["archived_at"])
        else:
            row.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        raise exceptions.MethodNotAllowed(str(request.method), self.no_bulk if kwargs.get("pk") == "bulk" else None)

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        """Where a resource calls a service instead of writing the row itself; it then says what bulk it takes."""
        row: models.Model = serializer.save()
        return row

    def settle(self, ids: Sequence[Any], verb: str) -> None:
        """After writing: raises OutsideWarehouses, which undoes it, for rows that the request may not add or change there."""
        refuse_outside(self.model(), ids, reach(holder(self.request), self.permission or permission_of(self.model(), verb)))
        self.written(ids)

    def written(self, ids: Sequence[Any]) -> None:
        """What a resource lets follow when rows were made or changed, one or a thousand."""


class ArchivableViewSet(TenantViewSet):
    @action(detail=True, methods=["post"], body_class=None)
    def restore(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        row.archived_at = None
        row.save(update_fields=["archived_at"])
        return Response(self.read_row(row.pk))
