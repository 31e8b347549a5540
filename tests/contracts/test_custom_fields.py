"""Custom fields, tags and saved filters on every resource that has them."""

from typing import Any

import pytest

from accounts.models import CustomFieldDefinition, SavedFilter, Tag, TaggedItem
from accounts.services.customizing import definition_save
from core.custom_filters import has_custom_fields
from core.objects import object_models, object_type
from tests.companies import Company
from tests.contracts.resources import RESOURCES, Resource, assert_problem, each_resource, ids, pointers, statements
from tests.contracts.test_every_resource import freed_body

customized = pytest.mark.parametrize(
    "resource", [pytest.param(one, id=one.prefix) for one in RESOURCES if has_custom_fields(one.model)],
)
taggable = pytest.mark.parametrize(
    "resource", [pytest.param(one, id=one.prefix) for one in RESOURCES if getattr(one.model, "annotated", False)],
)


def define(company: Company, resource: Resource, **values: Any) -> CustomFieldDefinition:
    with company.scope():
        return definition_save(definition=CustomFieldDefinition(model=object_type(resource.model), **values))


def test_there_are_such_resources() -> None:
    assert {one.prefix for one in RESOURCES if has_custom_fields(one.model)} >= {"parties", "products", "product-variants"}
    assert {object_type(one.model) for one in RESOURCES} >= object_models().keys()


@customized
def test_takes_what_is_defined_and_refuses_the_rest(resource: Resource, acme: Company) -> None:
    define(acme, resource, key="colour", type="choice", choices=["red", "blue"])
    define(acme, resource, key="size", type="decimal")
    body = {**freed_body(resource, acme), "custom_fields": {"colour": "red", "size": "12.50"}}
    created = acme.api.send("post", resource.url, body)
    assert created.status_code == 201, created.content
    assert created.json()["custom_fields"] == {"colour": "red", "size": "12.50"}
    wrong = {"custom_fields": {"colour": "green", "no_such": 1, "size": "wide"}}
    problem = assert_problem(acme.api.send("patch", resource.row_url(created.json()["id"]), wrong), 400)
    assert pointers(problem) == {"/custom_fields/colour", "/custom_fields/no_such", "/custom_fields/size"}
    assert "red, blue" in str(problem) and "Known: colour, size" in str(problem)


@customized
def test_what_is_required_is_asked_of_new_rows(resource: Resource, acme: Company) -> None:
    body = freed_body(resource, acme)
    del body["custom_fields"]
    [old] = resource.make(acme)
    define(acme, resource, key="colour", required=True)
    problem = assert_problem(acme.api.send("post", resource.url, body), 400)
    assert pointers(problem) == {"/custom_fields/colour"}
    problem = assert_problem(acme.api.send("patch", resource.row_url(old), {"custom_fields": {}}), 400)
    assert pointers(problem) == {"/custom_fields/colour"}
    response = acme.api.send("patch", resource.row_url(old), {"custom_fields": {"colour": "red"}})
    assert response.status_code == 200, response.content


@customized
def test_a_patch_changes_the_given_keys_alone(resource: Resource, acme: Company) -> None:
    for key in ("one", "two", "three"):
        define(acme, resource, key=key)
    [row] = resource.make(acme)
    for change in ({"one": "1", "two": "2"}, {"two": None, "three": "3"}):
        changed = acme.api.send("patch", resource.row_url(row), {"custom_fields": change})
        assert changed.status_code == 200, changed.content
    assert changed.json()["custom_fields"] == {"one": "1", "three": "3"}


@customized
def test_filters_by_custom_fields(resource: Resource, acme: Company) -> None:
    define(acme, resource, key="size", type="integer")
    small, large, bare = resource.make(acme, 3)
    for row, size in ((small, 9), (large, 10)):
        acme.api.send("patch", resource.row_url(row), {"custom_fields": {"size": size}})
    expected = {
        "cf.size=10": [large], "cf.size__gte=9": [small, large], "cf.size__lt=10": [small], "cf.size__in=10,11": [large],
        "cf.size__isnull=false": [small, large], "cf.size=11": [],
    }  # fmt: skip
    for query, rows in expected.items():
        found = acme.api.get(f"{resource.url}?{query}&count=exact").json()
        assert ids(found["results"]) == ids(rows), query
        assert found["count"] == len(rows)
    assert str(bare.pk) in ids(acme.api.get(f"{resource.url}?cf.size__isnull=true&limit=500").json()["results"])
    for query in ("cf.weight=1", "cf.size__like=1", "cf.size=x", "cf.size__isnull=maybe", "cf.=1", "cf.*=1"):
        problem = assert_problem(acme.api.get(f"{resource.url}?{query}"), 400, "invalid_parameter")
        assert problem["errors"][0]["parameter"] == query.partition("=")[0]
    assert "cf.size" in assert_problem(acme.api.get(f"{resource.url}?cf.weight=1"), 400)["detail"]
    assert_problem(acme.api.get(f"{resource.row_url(small)}?cf.size=9"), 400, "invalid_parameter")


@customized
def test_definitions_belong_to_one_organization(resource: Resource, acme: Company, bolt: Company) -> None:
    define(bolt, resource, key="colour")
    assert_problem(acme.api.get(f"{resource.url}?cf.colour=red"), 400, "invalid_parameter")
    [row] = resource.make(acme)
    response = acme.api.send("patch", resource.row_url(row), {"custom_fields": {"colour": "red"}})
    assert pointers(assert_problem(response, 400)) == {"/custom_fields/colour"}


@customized
def test_the_definitions_are_read_once(resource: Resource, acme: Company) -> None:
    for key in ("one", "two"):
        define(acme, resource, key=key)
    plain = len(statements(acme.api, resource.url))
    assert len(statements(acme.api, f"{resource.url}?cf.one=1&cf.two__in=2,3")) == plain + 1


@taggable
def test_lists_what_has_a_tag(resource: Resource, acme: Company, bolt: Company) -> None:
    tagged, both, _ = resource.make(acme, 3)
    with acme.scope():
        fragile, heavy = (Tag.objects.create(slug=slug, name=slug) for slug in ("fragile", "heavy"))
        for tag, row in ((fragile, tagged), (fragile, both), (heavy, both)):
            TaggedItem.objects.create(tag=tag, object_type=object_type(row), object_id=row.pk)
    assert ids(acme.api.get(f"{resource.url}?tag=fragile").json()["results"]) == ids([tagged, both])
    assert ids(acme.api.get(f"{resource.url}?tag=fragile,heavy").json()["results"]) == ids([both])
    assert acme.api.get(f"{resource.url}?tag=light").json()["results"] == []
    assert bolt.api.get(f"{resource.url}?tag=fragile").json()["results"] == []
    assert len(statements(acme.api, f"{resource.url}?tag=fragile")) <= 3
    for wrong in ("", "a,,b", "a%00", ",".join("abcdefghijkl")):
        assert_problem(acme.api.get(f"{resource.url}?tag={wrong}"), 400, "invalid_parameter")


@taggable
def test_a_tag_goes_with_its_object(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    with acme.scope():
        item = TaggedItem.objects.create(
            tag=Tag.objects.create(slug="fragile", name="Fragile"), object_type=object_type(row), object_id=row.pk,
        )
        row.delete()
        assert not TaggedItem.objects.filter(pk=item.pk).exists()


@each_resource()
def test_a_list_takes_a_saved_filter(resource: Resource, acme: Company) -> None:
    resource.make(acme, 2)
    with acme.scope():
        values = {"model": object_type(resource.model), "name": "One", "query": "limit=1", "columns": ["id"]}
        SavedFilter.objects.create(owner_id=acme.user.pk, **values)
    expected = acme.api.get(f"{resource.url}?limit=1&fields=id").json()["results"]
    assert acme.api.get(f"{resource.url}?saved_filter=One").json()["results"] == expected
    assert_problem(acme.api.get(f"{resource.url}?saved_filter=Two"), 400, "invalid_parameter")
