"""The URL table as the contract tests see it, and what they ask of it again and again."""

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver
from django.urls.resolvers import RegexPattern, RoutePattern
from rest_framework import serializers

from accounts.models import Attachment, JournalEntry, Membership, Organization, TaggedItem, User
from accounts.queries.attachments import object_permission
from config import urls
from config.api import own, router, urlpatterns
from core.api import VERBS, ReadViewSet
from core.models import ArchivableModel
from core.problems import CONTENT_TYPE
from core.routing import API
from tests.companies import LEASE, Api, Company
from tests.factories import BY_MODEL

ACTIONS = {"post": "create", "put": "update", "patch": "partial_update", "delete": "destroy"}
# What is sent around a request, or, like a lease of its rate limits, for many at once.
TRANSACTION = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK", LEASE)


@cache
def _addresses() -> URLResolver:
    resources = [pattern for late in (*router.urls, *own.urls) for pattern in late.url_patterns]
    beside, others = ([one for one in found if isinstance(one, URLPattern)] for found in (urls.urlpatterns, urlpatterns))
    below = URLResolver(RoutePattern(API), [*others, *resources])  # type: ignore[arg-type]  # as Django itself does
    return URLResolver(RegexPattern(r"^/"), [*beside, below])  # type: ignore[arg-type]  # as above


def path_to(name: str, **values: Any) -> str:
    """Of any name of the API: Django's `reverse` knows none of the resources'."""
    return f"/{_addresses().reverse(name, **values)}"


@dataclass(frozen=True)
class Resource:
    prefix: str
    viewset: type[ReadViewSet]

    @property
    def url(self) -> str:
        return f"/api/v1/{self.prefix}/"

    @property
    def model(self) -> type[models.Model]:
        return self.viewset.model()

    @property
    def rows(self) -> models.QuerySet:
        """What a list without parameters shows; needs a scope."""
        live = {"archived_at": None} if issubclass(self.model, ArchivableModel) else {}
        if self.model is User:  # belongs to no organization by itself
            live = {"pk__in": Membership.objects.filter(status="active").values("user_id")}
        return self.model._default_manager.filter(**live)

    def row_url(self, row: models.Model | str) -> str:
        return f"{self.url}{getattr(row, 'pk', row)}/"

    def make(self, company: Company, count: int = 1, **values: Any) -> list[Any]:
        """Rows of the company, as they are in the database; of organizations there is one."""
        with company.scope():
            made = [company.organization] if self.model is Organization else BY_MODEL[self.model].create_batch(count, **values)
            found = self.model._default_manager.in_bulk([row.pk for row in made])
            return [found[row.pk] for row in made]

    def remove(self, row: Any) -> None:
        """So that nothing of it is taken; needs a scope. A person stays, under another address."""
        if self.model is User:
            User.objects.filter(pk=row.pk).update(email=f"gone.{row.pk}@example.test")
        else:
            row.delete()

    def column(self, name: str) -> Any:
        """The column that a field of the body is about."""
        source = str(self.writable[name].source)
        return next(column for column in self.model._meta.concrete_fields if source in (column.name, column.attname))

    def is_unique(self, name: str) -> bool:
        constraints = [one for one in self.model._meta.constraints if isinstance(one, models.UniqueConstraint)]
        return self.model._meta.get_field(name).unique or any(name in one.fields for one in constraints)

    def takes(self, *methods: str) -> bool:
        return all(hasattr(self.viewset, ACTIONS[method]) and method in self.viewset.http_method_names for method in methods)

    def permission(self, method: str) -> str:
        options = self.model._meta
        return f"{options.app_label}.{VERBS[method.upper()]}_{options.model_name}"

    def scopes_to_read(self, row: models.Model) -> set[str]:
        """A file, a tag or a note is seen by those who see the row that it hangs on."""
        hangs = isinstance(row, Attachment | JournalEntry | TaggedItem)
        below = {object_permission("view", row.object_type)} if hangs else set()
        return {self.permission("get"), *below}

    @property
    def actions(self) -> list[Any]:
        return self.viewset.get_extra_actions()

    def action_url(self, action: Any, row: Any = None) -> str:
        return path_to(f"{self.prefix}-{action.url_name}", **({"pk": getattr(row, "pk", row)} if action.detail else {}))

    @property
    def writable(self) -> dict[str, serializers.Field]:
        return {name: field for name, field in self.viewset.serializer_class().fields.items() if not field.read_only}

    def body(self, row: models.Model) -> dict[str, Any]:
        """What one would write to get this row; needs a scope."""
        shown = self.viewset.serializer_class(row).data
        return {name: shown[name] for name, field in self.writable.items() if not field.write_only}

    @property
    def readable(self) -> list[str]:
        return [name for name, field in self.viewset.serializer_class().fields.items() if not field.write_only]

    def references(self) -> Iterator[tuple[str, type[models.Model]]]:
        for name, field in self.writable.items():
            columns = self.model._meta.concrete_fields
            column = next((one for one in columns if field.source in (one.name, one.attname)), None)
            if isinstance(column, models.ForeignKey):
                yield name, column.related_model


RESOURCES = [Resource(prefix, viewset) for prefix, viewset, _ in router.registry]
OWN = [Resource(prefix, viewset) for prefix, viewset, _ in own.registry]


def each_resource(*methods: str, having: Callable[[Resource], Any] = bool) -> pytest.MarkDecorator:
    """Those that take all of the methods, and have something of which the function tells."""
    chosen = [resource for resource in RESOURCES if resource.takes(*methods) and having(resource)]
    return pytest.mark.parametrize("resource", [pytest.param(resource, id=resource.prefix) for resource in chosen])


def each_resource_with(**values: Any) -> pytest.MarkDecorator:
    """One case for each resource and each value that the function gives for it."""
    [(name, of)] = values.items()
    cases = [pytest.param(r, value, id=f"{r.prefix}-{getattr(value, '__name__', value)}") for r in RESOURCES for value in of(r)]
    return pytest.mark.parametrize(("resource", name), cases)


def assert_problem(response: Any, status: int, code: str = "") -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == CONTENT_TYPE
    body: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "code", "request_id"} <= set(body)
    assert (body["status"], body["request_id"]) == (status, response.headers["X-Request-Id"])
    assert body["detail"] and body["type"].endswith(body["code"])
    assert not code or body["code"] == code, body
    return body


def pointers(problem: dict[str, Any]) -> set[str]:
    return {error["pointer"] for error in problem["errors"]}


def all_pages(api: Api, url: str, query: dict[str, Any], link: str = "next") -> list[list[dict[str, Any]]]:
    response = api.get(url, query)
    pages = [response.json()]
    while pages[-1][link]:
        pages.append(api.get(pages[-1][link]).json())
    return pages


def ids(rows: Any) -> list[str]:
    return [str(row["id"] if isinstance(row, dict) else row.pk) for row in rows]


def statements(api: Api, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert api.get(url).status_code == 200
    return [query["sql"] for query in queries if not query["sql"].startswith(TRANSACTION)]


def text(value: Any) -> str:
    """A value as a query parameter."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def stranger(field: models.Field, value: Any) -> Any:
    """Another value that this column could have."""
    if field.choices:
        return next(choice for choice, _ in field.flatchoices if choice != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, UUID):
        return uuid4()
    if isinstance(value, int | Decimal):
        return value + 1000
    return value + datetime.timedelta(days=1000) if isinstance(value, datetime.date) else f"no-{value}"[: field.max_length]
