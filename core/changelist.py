"""Changelists that read one page by key: no COUNT and no OFFSET, however many rows there are."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import RelatedFieldListFilter, SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR
from django.core.paginator import Page, Paginator
from django.db import models
from django.http import HttpRequest
from unfold.views import ChangeList

from core.paging import RANK, BadCursor, Window

CURSOR = "cursor"


class UncountedPaginator(Paginator):
    """Knows whether another page follows by reading one row more; for lists in which nobody goes far."""

    template_name = "core/keyset_pagination.html"
    last_page = 10

    def page(self, number: int | str) -> "UncountedPage":
        number = max(int(number), 1)
        if number > self.last_page:
            return UncountedPage([], number, self)
        start = (number - 1) * self.per_page
        return UncountedPage(list(self.object_list[start : start + self.per_page + 1]), number, self)


class UncountedPage(Page):
    def __init__(self, rows: list[Any], number: int, paginator: UncountedPaginator) -> None:
        super().__init__(rows[: paginator.per_page], number, paginator)
        self.more = len(rows) > paginator.per_page and number < paginator.last_page

    def has_next(self) -> bool:
        return self.more


class KeysetChangeList(ChangeList):
    """Django's changelist with a cursor in place of the page number; sorts by one column that has an index."""

    previous_url: str | None = None
    next_url: str | None = None

    def get_filters(self, request: HttpRequest) -> Any:
        if any("\0" in value for values in dict(request.GET.lists()).values() for value in values):
            raise IncorrectLookupParameters("The database has no text with NUL.")
        # Neither a filter, nor a part of the links that sort and filter.
        self.filter_params.pop(CURSOR, None)
        self.params.pop(CURSOR, None)
        if order := self.params.get(ORDER_VAR):
            self.params[ORDER_VAR] = order.split(".")[0]
        return super().get_filters(request)

    def get_ordering_field(self, field_name: Any) -> Any:
        return field_name if field_name in self.sortable_by else None

    def get_ordering(self, request: HttpRequest, queryset: models.QuerySet) -> list[str]:
        order: list[str] = super().get_ordering(request, queryset.order_by())
        return order or [str(name) for name in queryset.query.order_by]

    def _get_deterministic_ordering(self, ordering: list[str]) -> list[str]:
        return ordering  # the window adds the key, in the direction that one index serves

    def get_results(self, request: HttpRequest) -> None:
        order = [str(name) for name in self.queryset.query.order_by]
        if ORDER_VAR in self.params:  # somebody wants another order than that of the search
            order = [name for name in order if name != RANK]
        try:
            window = Window(self.model, order, self.list_per_page, request.GET.get(CURSOR))
        except BadCursor as error:
            raise IncorrectLookupParameters(error) from error
        page = window.page(list(window.slice(self.queryset)), window.position_of)
        self.previous_url = page.previous and self.get_query_string({CURSOR: page.previous})
        self.next_url = page.next and self.get_query_string({CURSOR: page.next})
        self.paginator = self.model_admin.get_paginator(request, page.rows, self.list_per_page)
        self.result_list = page.rows
        self.result_count = self.full_result_count = len(page.rows)
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True


class ArchivedFilter(SimpleListFilter):
    """Archived rows are hidden until somebody asks for them."""

    title = "archived"
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Archived"), ("all", "All")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        if self.value() == "all":
            return queryset
        return queryset.filter(archived_at__isnull=self.value() != "yes")

    def choices(self, changelist: Any) -> Any:
        current, *others = super().choices(changelist)
        yield {**current, "display": "Current"}
        yield from others


class ReferenceFilter(RelatedFieldListFilter):
    """For references to few rows, such as warehouses: the first of them, not all."""

    most = 50

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        ordering = self.field_admin_ordering(field, request, model_admin) or ("pk",)
        site = model_admin.admin_site
        known = site.is_registered(field.related_model)
        rows = site.get_model_admin(field.related_model).get_queryset(request) if known else field.related_model._default_manager
        rows = rows.order_by(*ordering)
        return [(row.pk, str(row)) for row in rows[: self.most]]


def indexed_columns(model: type[models.Model]) -> set[str]:
    """Columns that may be sorted by: never null, and next after the organization in some index."""
    options = model._meta
    leading: list[Sequence[str]] = [index.fields for index in options.indexes if not index.condition]
    leading += [
        constraint.fields for constraint in options.constraints
        if isinstance(constraint, models.UniqueConstraint) and not constraint.condition
    ]
    names = {fields[1].lstrip("-") for fields in leading if len(fields) > 1 and fields[0] == "organization"}
    found = [options.get_field(name) for name in names]
    return {field.name for field in found if not (getattr(field, "null", True) or field.is_relation)}
