"""What the query string of a list or a row asks for, checked."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.db import connection, models

from core.choosing import Condition, Conditions, filter_conditions, parameters, search_condition, sought
from core.custom_filters import ANY_FIELD, custom_conditions, has_custom_fields
from core.expanding import Expansion, refers
from core.models import ArchivableModel
from core.paging import DEFAULT_PAGE, LARGEST_PAGE, BadCursor, Page, Window
from core.problems import BadParameter
from core.reading import BASE, Plan, compile_plan, plan_of
from core.saved_filters import PARAMETER, with_saved
from core.searching import Search, Searcher
from core.tag_filter import tag_conditions
from core.tenancy import active_organization_id
from core.within import condition

GENERAL_PARAMETERS = ("limit", "cursor", "sort", "search", "count", "fields", "expand", "archived", "tag", "cf.*", PARAMETER)


class Listing:
    """The part of a viewset that reads the query string."""

    serializer_class: Any
    request: Any
    sees_in: Any
    filters: Sequence[str] = ()
    search_keys: Sequence[str] = ()  # columns of SearchKeyField
    searcher: Searcher | None = None  # finds rows by words instead of by the beginning of a key
    search_forgives = True  # a wrong letter, where there is a searcher
    sort_fields: Sequence[str] = ()
    ordering: Sequence[str] = ()
    # That a list's own code reads: schema and description. A name like "attr.*" stands for all that begin with "attr.".
    own_parameters: Mapping[str, tuple[dict[str, Any], str]] = {}

    @classmethod
    def model(cls) -> type[models.Model]:
        model: type[models.Model] = cls.serializer_class.Meta.model
        return model

    @classmethod
    def filter_parameters(cls: Any) -> dict[str, tuple[models.Field, str]]:
        return _filter_parameters(cls)

    @classmethod
    def known_parameters(cls: Any) -> Sequence[str]:
        return _known_parameters(cls)

    @classmethod
    def row_parameters(cls) -> Sequence[str]:
        return [name for name in cls.known_parameters() if name in ("fields", "expand")]

    def row_conditions(self) -> Conditions:
        """Which rows this resource has at all; the organization is named so that the planner uses its statistics."""
        return [(f"{BASE}.organization_id = %s", [active_organization_id()]), *condition(self.model(), self.sees_in())]

    def own_conditions(self, query: Mapping[str, str]) -> Conditions:
        """What a list makes of its own parameters."""
        return []

    def _query(self, known: Sequence[str]) -> Mapping[str, str]:
        query: dict[str, str] = self.request.query_params.dict()
        _refuse_unknown(query, known)
        return with_saved(self, query) if PARAMETER in query else query

    def refuse_misfit(self, query: Mapping[str, str]) -> None:
        """Raises BadParameter if a list of this resource could not be asked for in this way."""
        _refuse_unknown(query, self.known_parameters())
        self._conditions(query)
        self._window(query)
        self._expansion(query, self._plan(query))

    def _plan(self, query: Mapping[str, str]) -> Plan:
        plan = compile_plan(self.serializer_class)
        if "fields" not in query:
            return plan
        try:
            return plan_of(self.serializer_class, query["fields"])
        except KeyError as unknown:
            raise BadParameter("fields", f"Unknown field {unknown}. Known: {', '.join(plan.names)}.") from unknown

    def _expansion(self, query: Mapping[str, str], plan: Plan) -> Expansion | None:
        return Expansion(self.request, self.serializer_class, plan, query["expand"]) if "expand" in query else None

    def _conditions(self, query: Mapping[str, str]) -> Conditions:
        conditions = [*self.row_conditions(), *filter_conditions(self.filter_parameters(), query)]
        if issubclass(self.model(), ArchivableModel):
            archived = query.get("archived", "false")
            if archived not in ("true", "false"):
                raise BadParameter("archived", "archived: true or false.")
            conditions.append((f"{BASE}.archived_at IS {'NOT ' if archived == 'true' else ''}NULL", []))
        if "search" in query:
            search = self._search(query)
            conditions.append(search.condition(BASE) if search else search_condition(self.search_keys, query["search"]))
        if "tag" in query and "tag" not in self.filters:
            conditions += tag_conditions(self.model(), query["tag"])
        if has_custom_fields(self.model()):
            conditions += custom_conditions(self.model(), query)
        return [*conditions, *self.own_conditions(query)]

    def _search(self, query: Mapping[str, str]) -> Search | None:
        return self.searcher(sought(query["search"])) if self.searcher and "search" in query else None

    def _sort(self, query: Mapping[str, str]) -> Sequence[str]:
        asked = [name for name in query.get("sort", "").split(",") if name]
        known = [*self.sort_fields, "id"]
        for name in asked:
            if name.removeprefix("-") not in known:
                raise BadParameter("sort", f"Unknown sort key {name!r}. Known: {', '.join(known)}.")
        return asked or self.ordering

    def _window(self, query: Mapping[str, str]) -> Window:
        try:
            size = whole_number("limit", query.get("limit", str(DEFAULT_PAGE)), LARGEST_PAGE)
            search = None if query.get("sort") else self._search(query)
            return Window(self.model(), self._sort(query), size, query.get("cursor"), search.rank if search else None)
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
        address: str = self.request.build_absolute_uri(f"{self.request.path}?{query}")
        return address


@cache
def _filter_parameters(view: type[Any]) -> dict[str, tuple[models.Field, str]]:
    return parameters(view.model(), view.filters)


@cache
def _known_parameters(view: type[Any]) -> Sequence[str]:
    without = set() if view.search_keys else {"search"}
    if not issubclass(view.model(), ArchivableModel):
        without.add("archived")
    if not getattr(view.model(), "annotated", False):
        without.add("tag")
    if not has_custom_fields(view.model()):
        without.add(ANY_FIELD)
    if not refers(view.serializer_class):
        without.add("expand")
    general = [name for name in GENERAL_PARAMETERS if name not in without]
    return [*general, *sorted(view.filter_parameters()), *view.own_parameters]


def _refuse_unknown(query: Mapping[str, str], known: Sequence[str]) -> None:
    families = tuple(name.removesuffix("*") for name in known if name.endswith(".*"))
    for name in query:
        if name not in known and not name.startswith(families):
            raise BadParameter(name, f"Unknown parameter {name!r}. Known: {', '.join(known)}.")


def joined(conditions: Sequence[Condition]) -> tuple[str, list[Any]]:
    return " AND ".join(sql for sql, _ in conditions), [value for _, values in conditions for value in values]


def whole_number(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10) or not 1 <= int(text) <= most:
        raise BadParameter(name, f"{name}: a whole number from 1 to {most}.")
    return int(text)
