"""?expand shows a reference as the row itself, by one statement for each relation, to those who may see it."""

from collections.abc import Iterator
from typing import Any

import pytest

from core.expanding import DEEPEST, MOST, expandable, refers
from core.models import ArchivableModel
from tests.companies import Company
from tests.contracts.resources import RESOURCES, Resource, assert_problem, each_resource, each_resource_with, statements
from tests.contracts.test_every_resource import assert_missing
from tests.factories import BY_MODEL
from tests.factories.inventory import CategoryFactory, ProductFactory, ProductVariantFactory

URL_OF = {resource.model: resource for resource in reversed(RESOURCES)}
VARIANTS = "/api/v1/product-variants/"


@each_resource()
def test_each_reference_leads_to_a_resource(resource: Resource) -> None:
    """By which a list knows whether it takes ?expand=, without the import of all resources."""
    serializer = resource.viewset.serializer_class
    assert refers(serializer) == bool(expandable(serializer))


def relations(resource: Resource) -> list[str]:
    return list(expandable(resource.viewset.serializer_class))


def paths(resource: Resource) -> Iterator[str]:
    """Two references deep."""
    for name, target in expandable(resource.viewset.serializer_class).items():
        for further in expandable(target.serializer_class):
            yield f"{name}.{further}"


@each_resource(having=relations)
def test_shows_the_row_instead_of_its_id(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    for name in relations(resource):
        assert_shown(resource, row, name, acme)


def assert_shown(resource: Resource, row: Any, name: str, acme: Company) -> None:
    target = URL_OF[expandable(resource.viewset.serializer_class)[name].model()]
    plain = acme.api.get(resource.row_url(row)).json()
    if plain[name] is None:
        with acme.scope():
            column = resource.viewset.serializer_class().fields[name].source
            row = resource.make(acme, **{column.removesuffix("_id"): BY_MODEL[target.model].create()})[0]
        plain = acme.api.get(resource.row_url(row)).json()
    shown = acme.api.get(resource.row_url(row), {"expand": name})
    expected = acme.api.get(target.row_url(plain[name])).json()
    assert shown.json() == {**plain, name: expected}
    listed = acme.api.get(resource.url, {"expand": name, "fields": f"id,{name}", "limit": 500}).json()["results"]
    assert {"id": str(row.pk), name: expected} in listed
    assert "Last-Modified" not in shown.headers
    again = acme.api.get(resource.row_url(row), {"expand": name}, headers={"If-None-Match": shown.headers["ETag"]})
    assert again.status_code == 304


@each_resource(having=relations)
def test_costs_a_statement_for_each_relation(resource: Resource, acme: Company) -> None:
    def sent() -> dict[str, int]:
        return {path: len(statements(acme.api, f"{resource.url}?expand={path}")) for path in found}

    found = [*relations(resource), *paths(resource)]
    resource.make(acme)
    plain, one = len(statements(acme.api, resource.url)), sent()
    resource.make(acme, 3)
    assert sent() == one
    assert [path for path in found if one[path] > plain + len(path.split("."))] == []


@each_resource()
def test_what_cannot_be_expanded_lists_what_can(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    for url in (resource.url, resource.row_url(row)):
        problem = assert_problem(acme.api.get(url, {"expand": "no_such"}), 400, "invalid_parameter")
        assert problem["errors"][0]["parameter"] == "expand"
        assert all(name in problem["detail"] for name in relations(resource))


@each_resource_with(name=relations)
def test_needs_the_permission_of_what_is_shown(resource: Resource, name: str, acme: Company) -> None:
    [row] = resource.make(acme)
    own = resource.permission("get")
    needed = URL_OF[expandable(resource.viewset.serializer_class)[name].model()].permission("get")
    if needed != own:
        for url in (resource.url, resource.row_url(row)):
            assert_missing(acme.api_by_key(own).get(url, {"expand": name}), needed)


@each_resource_with(name=relations)
def test_every_row_that_is_shown_has_an_id(resource: Resource, name: str) -> None:
    assert "id" in expandable(resource.viewset.serializer_class)[name].serializer_class().fields


def test_goes_from_reference_to_reference(acme: Company) -> None:
    with acme.scope():
        parent = CategoryFactory()
        category = CategoryFactory(parent=parent)
        variants = [ProductVariantFactory(product=ProductFactory(category=category)) for _ in range(2)]
    url = f"{VARIANTS}?expand=product.category.parent,product.base_unit&sku__in={','.join(one.sku for one in variants)}"
    for row in acme.api.get(url).json()["results"]:
        assert row["product"]["category"]["id"] == str(category.pk)
        assert row["product"]["category"]["parent"]["name"] == parent.name
        assert row["product"]["base_unit"]["code"]
    assert len(statements(acme.api, url)) == len(statements(acme.api, VARIANTS)) + 4


def test_shows_what_is_archived(acme: Company) -> None:
    with acme.scope():
        product = ProductFactory()
    category = str(product.category_id)
    assert issubclass(type(product), ArchivableModel)
    assert acme.api.delete(f"/api/v1/categories/{category}/").status_code == 204
    shown = acme.api.get(f"/api/v1/products/{product.pk}/?expand=category").json()["category"]
    assert shown["id"] == category and shown["archived_at"]


@pytest.mark.parametrize("expand", [
    "", "category,", "category.no_such", "product", "id", "category.parent.parent.parent", "category_name", "Category",
])  # fmt: skip
def test_refuses_what_leads_nowhere(expand: str, acme: Company) -> None:
    assert DEEPEST == 3
    assert_problem(acme.api.get("/api/v1/products/", {"expand": expand}), 400, "invalid_parameter")


def test_refuses_too_many_relations(acme: Company) -> None:
    ten = "variant.product.category,from_location.parent.warehouse,to_location.parent.warehouse,reason"
    assert MOST == 10
    assert acme.api.get("/api/v1/stock-moves/", {"expand": ten}).status_code == 200
    assert_problem(acme.api.get("/api/v1/stock-moves/", {"expand": f"{ten},reverses"}), 400, "invalid_parameter")


def test_wants_the_field_that_it_fills(acme: Company) -> None:
    problem = assert_problem(acme.api.get("/api/v1/products/", {"fields": "name", "expand": "category"}), 400)
    assert "fields" in problem["detail"]
