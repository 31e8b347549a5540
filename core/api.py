"""What every resource does; a resource states its serializer, filters, search and sort keys."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import connection, models
from django.http import Http404, HttpResponse
from django.utils import timezone
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from core.choosing import Condition, Conditions, filter_conditions, parameters, search_condition
from core.custom_filters import ANY_FIELD, custom_conditions, has_custom_fields, is_custom_filter
from core.models import ArchivableModel
from core.paging import DEFAULT_PAGE, LARGEST_PAGE, BadCursor, Page, Window
from core.problems import BadParameter, MissingPermission
from core.reading import BASE, Plan, compile_plan, fetch
from core.rendering import rendered
from core.saved_filters import PARAMETER, with_saved
from core.tag_filter import tag_conditions
from core.tenancy import active_organization_id

VERBS = {
    "GET": "view", "HEAD": "view", "OPTIONS": "view", "POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete",
}
GENERAL_PARAMETERS = ("limit", "cursor", "sort", "search", "count", "fields", "archived", "tag", "cf.*", "saved_filter")


class HasPermission(BasePermission):
    """The permission of the view's action, else the one of the method and the model, e.g. inventory.add_product."""

    def has_permission(self, request: Any, view: Any) -> bool:
        principal = request._request.principal
        if principal is None:
            return False
        needed = required_permission(view, request.method)
        if needed in principal.permissions:
            return True
        raise MissingPermission(needed)


def required_permission(view: Any, method: str) -> str:
    options = view.model()._meta
    return view.permission or f"{options.app_label}.{VERBS.get(method, 'view')}_{options.model_name}"


class ReadViewSet(GenericViewSet):
    """Lists and single rows, by the compiled read path."""

    serializer_class: Any
    permission_classes = (HasPermission,)
    permission: str = ""  # of an action, instead of the model's own; an @action names it
    body_class: Any = None  # the serializer of an action's body; an @action names it
    filters: Sequence[str] = ()
    search_keys: Sequence[str] = ()  # columns of SearchKeyField
    sort_fields: Sequence[str] = ()
    ordering: Sequence[str] = ()

    @classmethod
    def model(cls) -> type[models.Model]:
        model: type[models.Model] = cls.serializer_class.Meta.model
        return model

    @classmethod
    def filter_parameters(cls) -> dict[str, tuple[models.Field, str]]:
        return _filter_parameters(cls)

    @classmethod
    def known_parameters(cls) -> Sequence[str]:
        return _known_parameters(cls)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        query = self._query(self.known_parameters())
        window = self._window(query)
        plan = self._plan(query)
        where, values = _joined(self._conditions(query))
        beyond, position, order = window.sql(BASE)
        keys = [f"{BASE}.{key.field.column}" for key in window.keys]
        sql = plan.page(f"{where} AND {beyond}" if beyond else where, order, window.size + 1, keys)
        width = len(plan.names)
        page = window.page(fetch(sql, [*values, *position]), lambda row: row[width:])
        body: dict[str, Any] = {**self._links(page), "results": plan.read(page.rows)}
        if "count" in query:
            body["count"] = self._count(query["count"], where, values)
        return rendered(body)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        query = self._query(["fields"])
        return rendered(self.read_row(kwargs["pk"], self._plan(query)))

    def read_row(self, pk: Any, plan: Plan | None = None) -> dict[str, Any]:
        plan = plan or compile_plan(self.serializer_class)
        try:
            pk = self.model()._meta.pk.to_python(pk)
        except ValidationError as error:  # what is not a key names no row
            raise Http404 from error
        where, values = _joined([*self.row_conditions(), (f"{BASE}.{self.model()._meta.pk.column} = %s", [pk])])
        found = plan.read(fetch(plan.row(where), values))
        if not found:
            raise Http404
        return found[0]

    def row_conditions(self) -> Conditions:
        """Which rows this resource has at all; the organization is named so that the planner uses its statistics."""
        return [(f"{BASE}.organization_id = %s", [active_organization_id()])]

    def get_queryset(self) -> models.QuerySet:
        queryset: models.QuerySet = self.model()._default_manager.all()
        return queryset

    def body(self, request: Request) -> dict[str, Any]:
        """The body of an action, checked by its `body_class`."""
        serializer = self.body_class(data=request.data)
        serializer.is_valid(raise_exception=True)
        checked: dict[str, Any] = serializer.validated_data
        return checked

    def _query(self, known: Sequence[str]) -> Mapping[str, str]:
        query = self.request.query_params.dict()
        self._refuse_unknown(query, known)
        return with_saved(self, query) if PARAMETER in query else query

    def refuse_misfit(self, query: Mapping[str, str]) -> None:
        """Raises BadParameter if a list of this resource could not be asked for in this way."""
        self._refuse_unknown(query, self.known_parameters())
        self._conditions(query)
        self._window(query)
        self._plan(query)

    def _refuse_unknown(self, query: Mapping[str, str], known: Sequence[str]) -> None:
        for name in query:
            if name not in known and not (is_custom_filter(name) and ANY_FIELD in known):
                raise BadParameter(name, f"Unknown parameter {name!r}. Known: {', '.join(known)}.")

    def _plan(self, query: Mapping[str, str]) -> Plan:
        plan = compile_plan(self.serializer_class)
        if "fields" not in query:
            return plan
        asked = query["fields"].split(",")
        for name in asked:
            if name not in plan.columns:
                raise BadParameter("fields", f"Unknown field {name!r}. Known: {', '.join(plan.names)}.")
        return plan.only(asked)

    def _conditions(self, query: Mapping[str, str]) -> Conditions:
        conditions = [*self.row_conditions(), *filter_conditions(self.filter_parameters(), query)]
        if issubclass(self.model(), ArchivableModel):
            archived = query.get("archived", "false")
            if archived not in ("true", "false"):
                raise BadParameter("archived", "archived: true or false.")
            conditions.append((f"{BASE}.archived_at IS {'NOT ' if archived == 'true' else ''}NULL", []))
        if "search" in query:
            conditions.append(search_condition(self.search_keys, query["search"]))
        if "tag" in query and "tag" not in self.filters:
            conditions += tag_conditions(self.model(), query["tag"])
        if has_custom_fields(self.model()):
            conditions += custom_conditions(self.model(), query)
        return conditions

    def _sort(self, query: Mapping[str, str]) -> Sequence[str]:
        asked = [name for name in query.get("sort", "").split(",") if name]
        known = [*self.sort_fields, "id"]
        for name in asked:
            if name.removeprefix("-") not in known:
                raise BadParameter("sort", f"Unknown sort key {name!r}. Known: {', '.join(known)}.")
        return asked or self.ordering

    def _window(self, query: Mapping[str, str]) -> Window:
        try:
            return Window(self.model(), self._sort(query), _limit(query), query.get("cursor"))
        except BadCursor as error:
            raise BadParameter("cursor", str(error)) from error

    def _count(self, how: str, where: str, values: Sequence[Any]) -> int:
        source = f"FROM {self.model()._meta.db_table} AS {BASE} WHERE {where}"
        with connection.cursor() as cursor:
            if how == "exact":
                cursor.execute(f"SELECT count(*) {source}", values)
                return int(cursor.fetchone()[0])
            if how == "estimate":
                cursor.execute(f"EXPLAIN (FORMAT JSON) SELECT 1 {source}", values)
                return int(cursor.fetchone()[0][0]["Plan"]["Plan Rows"])
        raise BadParameter("count", "count: exact or estimate.")

    def _links(self, page: Page[Any]) -> dict[str, str | None]:
        return {"next": self._link(page.next), "previous": self._link(page.previous)}

    def _link(self, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        query = urlencode({**self.request.query_params.dict(), "cursor": cursor})
        return self.request.build_absolute_uri(f"{self.request.path}?{query}")


class TenantViewSet(ReadViewSet):
    """Adds create, update and delete; what is written is answered as it would be read."""

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        row = self.save(serializer)
        location = self.request.build_absolute_uri(f"{request.path}{row.pk}/")
        return Response(self.read_row(row.pk), status=status.HTTP_201_CREATED, headers={"Location": location})

    def update(self, request: Request, *args: Any, partial: bool = False, **kwargs: Any) -> Response:
        row = self.get_object()
        serializer = self.get_serializer(row, data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        self.save(serializer)
        return Response(self.read_row(row.pk))

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.update(request, *args, partial=True, **kwargs)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """An archivable row is archived; any other is deleted, unless rows refer to it."""
        row = self.get_object()
        if isinstance(row, ArchivableModel):
            row.archived_at = timezone.now()
            row.save(update_fields=["archived_at"])
        else:
            row.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def save(self, serializer: serializers.BaseSerializer) -> models.Model:
        """Where a resource calls a service instead of writing the row itself."""
        row: models.Model = serializer.save()
        return row

    def get_object(self) -> Any:
        try:
            return self.get_queryset().get(pk=self.model()._meta.pk.to_python(self.kwargs["pk"]))
        except (ValidationError, ObjectDoesNotExist) as error:
            raise Http404 from error


class ArchivableViewSet(TenantViewSet):
    @action(detail=True, methods=["post"], body_class=None)
    def restore(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        row.archived_at = None
        row.save(update_fields=["archived_at"])
        return Response(self.read_row(row.pk))


@cache
def _filter_parameters(view: type[ReadViewSet]) -> dict[str, tuple[models.Field, str]]:
    return parameters(view.model(), view.filters)


@cache
def _known_parameters(view: type[ReadViewSet]) -> Sequence[str]:
    without = set() if view.search_keys else {"search"}
    if not issubclass(view.model(), ArchivableModel):
        without.add("archived")
    if not getattr(view.model(), "annotated", False):
        without.add("tag")
    if not has_custom_fields(view.model()):
        without.add(ANY_FIELD)
    return [name for name in GENERAL_PARAMETERS if name not in without] + sorted(view.filter_parameters())


def _joined(conditions: Sequence[Condition]) -> tuple[str, list[Any]]:
    return " AND ".join(sql for sql, _ in conditions), [value for _, values in conditions for value in values]


def _limit(query: Mapping[str, str]) -> int:
    asked = query.get("limit", str(DEFAULT_PAGE))
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 10) or not 1 <= int(asked) <= LARGEST_PAGE:
        raise BadParameter("limit", f"limit: a whole number from 1 to {LARGEST_PAGE}.")
    return int(asked)
