"""A thousand rows in one request: as a request for each of them would do it, by a handful of statements."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Party
from core.api import TenantViewSet
from core.bulk import MOST_ROWS, VERBS_OF
from core.models import ArchivableModel
from core.serializers import TenantSerializer
from inventory.models import ReorderRule
from tests.companies import Api, Company
from tests.contracts.resources import RESOURCES, TRANSACTION, Resource, assert_problem, pointers
from tests.contracts.test_every_resource import assert_missing
from tests.factories import BY_MODEL
from tests.factories.accounts import PartyFactory, UserRoleFactory
from tests.inventory.goods import Goods
from tests.inventory.test_races import at_once

PARTIES = "/api/v1/parties/bulk/"
WRITING = [resource for resource in RESOURCES if issubclass(resource.viewset, TenantViewSet)]


def each_bulk(*operations: str) -> pytest.MarkDecorator:
    found = [one for one in WRITING if one.viewset.takes_bulk() and set(operations) <= set(one.viewset.bulk_operations)]
    if "upsert" in operations:
        found = [one for one in found if one.viewset.takes_refs()]
    return pytest.mark.parametrize("resource", [pytest.param(one, id=one.prefix) for one in found])


def url(resource: Resource) -> str:
    return f"{resource.url}bulk/"


def send(api: Api, address: str, rows: Any, mode: str = "atomic", **options: Any) -> Any:
    return api.send("post", address, {"mode": mode, "rows": rows}, **options)


def freed_bodies(resource: Resource, company: Company, count: int) -> list[dict[str, Any]]:
    rows = resource.make(company, count)
    with company.scope():
        bodies = [resource.body(row) for row in rows]
        for row in rows:
            row.delete()
    return bodies


def sent(api: Api, address: str, rows: Any) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        response = send(api, address, rows)
    assert response.status_code in (200, 201), response.content
    return [query["sql"] for query in queries if not query["sql"].startswith(TRANSACTION)]


# --- What takes it, and what does not -----------------------------------------------------------------------


@pytest.mark.parametrize("resource", [pytest.param(one, id=one.prefix) for one in WRITING])
def test_takes_it_or_says_why_not(resource: Resource, acme: Company) -> None:
    """Who writes a row by a service would be passed by: such a resource says which operations may come in bulk."""
    view = resource.viewset
    assert issubclass(view, TenantViewSet)
    assert set(view.bulk_operations) <= set(VERBS_OF)
    assert bool(view.no_bulk) == (set(view.bulk_operations) != set(VERBS_OF))
    by_service = [
        name for name in ("create", "update", "partial_update", "destroy", "add", "change", "save", "get_object", "get_queryset")
        if getattr(view, name, None) is not getattr(TenantViewSet, name)
    ] + [
        name for name in ("create", "update", "save")
        if getattr(view.serializer_class, name) is not getattr(TenantSerializer, name)
    ]  # fmt: skip
    assert not by_service or view.no_bulk, f"{by_service} would be passed by: set bulk_operations and no_bulk"
    if not view.takes_bulk():
        problem = assert_problem(send(acme.api, url(resource), [{}]), 405, "method_not_allowed")
        assert problem["detail"] == view.no_bulk or "post" not in view.http_method_names


@each_bulk()
def test_refuses_an_operation_that_it_does_not_take(resource: Resource, acme: Company) -> None:
    for op in ["explode", 7, {}, *sorted(VERBS_OF.keys() - set(resource.viewset.bulk_operations))]:
        problem = assert_problem(send(acme.api, url(resource), [{"op": op}]), 400)
        assert pointers(problem) == {"/rows/0/op"}
        assert resource.viewset.no_bulk in problem["errors"][0]["detail"] or op in ("explode", 7, {})


# --- Each operation, on each resource -----------------------------------------------------------------------


@each_bulk("create")
def test_creates(resource: Resource, acme: Company) -> None:
    bodies = freed_bodies(resource, acme, 3)
    response = send(acme.api, url(resource), [bodies[0], *({"op": "create", **body} for body in bodies[1:])])
    assert response.status_code == 201, response.content
    answer = response.json()
    assert (answer["mode"], answer["succeeded"], answer["failed"]) == ("atomic", 3, 0)
    assert [(one["index"], one["status"], one["errors"]) for one in answer["results"]] == [(i, 201, []) for i in range(3)]
    for body, result in zip(bodies, answer["results"], strict=True):
        read = acme.api.get(resource.row_url(result["id"])).json()
        assert {name: read[name] for name in body} == body


@each_bulk("update")
def test_updates_as_patch_would(resource: Resource, acme: Company) -> None:
    """Each row to itself: columns of all kinds go through, and nothing changes, so that no version rises."""
    rows = resource.make(acme, 2)
    with acme.scope():
        bodies = [resource.body(row) for row in rows]
    before = [acme.api.get(resource.row_url(row)).content for row in rows]
    named = [{"op": "update", "id": str(row.pk), "version": row.version} for row in rows]
    patches = [{**name, **body} for name, body in zip(named, bodies, strict=True)]
    answer = send(acme.api, url(resource), patches)
    assert [one["status"] for one in answer.json()["results"]] == [200, 200], answer.content
    assert [acme.api.get(resource.row_url(row)).content for row in rows] == before
    stale = send(acme.api, url(resource), [{**patches[0], "version": 99}, patches[1]], mode="partial").json()["results"]
    assert [(one["status"], len(one["errors"])) for one in stale] == [(412, 1), (200, 0)]


@each_bulk("upsert")
def test_upserts(resource: Resource, acme: Company) -> None:
    [new] = freed_bodies(resource, acme, 1)
    [row] = resource.make(acme)
    with acme.scope():
        known = resource.body(row)
    response = send(acme.api, url(resource), [{"op": "upsert", **new}, {"op": "upsert", **known}])
    assert response.status_code == 200, response.content
    first, second = response.json()["results"]
    assert (first["status"], second["status"], second["id"]) == (201, 200, str(row.pk))
    assert acme.api.get(resource.row_url(first["id"])).json()["external_ref"] == new["external_ref"]
    acme.api.delete(resource.row_url(row))
    assert_problem(send(acme.api, url(resource), [{"op": "upsert", **known}]), 400)
    named = [{"op": "delete", "external_ref": new["external_ref"]}]
    assert send(acme.api, url(resource), named).json()["results"][0]["status"] == 204


@each_bulk("delete")
def test_deletes_as_delete_would(resource: Resource, acme: Company) -> None:
    rows = resource.make(acme, 2)
    answer = send(acme.api, url(resource), [{"op": "delete", "id": str(row.pk)} for row in rows]).json()
    assert [one["status"] for one in answer["results"]] == [204, 204]
    for row in rows:
        read = acme.api.get(resource.row_url(row))
        if issubclass(resource.model, ArchivableModel):
            assert read.json()["archived_at"]
        else:
            assert read.status_code == 404


@each_bulk("create")
def test_the_number_of_statements_does_not_depend_on_that_of_rows(resource: Resource, acme: Company) -> None:
    few, many = freed_bodies(resource, acme, 2), freed_bodies(resource, acme, 12)
    assert len(sent(acme.api, url(resource), few)) == len(sent(acme.api, url(resource), many)) <= 5
    if {"update", "delete"} <= set(resource.viewset.bulk_operations):
        few_rows, many_rows = ([{"id": str(row.pk)} for row in resource.make(acme, count)] for count in (2, 12))
        name = next(name for name in many[0] if name not in ("id", "external_ref"))
        for op, more in (("update", True), ("delete", False)):
            counts = []
            for rows in (few_rows, many_rows):
                with acme.scope():
                    bodies = [resource.body(resource.model._default_manager.get(pk=row["id"])) for row in rows]
                changes = [
                    {"op": op, **row, **({name: body[name]} if more else {})} for row, body in zip(rows, bodies, strict=True)
                ]  # fmt: skip
                counts.append(len(sent(acme.api, url(resource), changes)))
            assert counts[0] == counts[1], op


# --- Rows that are wrong ------------------------------------------------------------------------------------


@each_bulk("create")
def test_atomic_writes_all_or_nothing_and_names_every_bad_row(resource: Resource, acme: Company) -> None:
    good, twin = freed_bodies(resource, acme, 2)
    with acme.scope():
        before = resource.rows.count()
    rows = [good, {**twin, "no_such": 1}, "text", {"op": "update", "id": str(uuid4())}]
    problem = assert_problem(send(acme.api, url(resource), rows[:2]), 400, "invalid")
    assert pointers(problem) == {"/rows/1/no_such"}
    assert pointers(assert_problem(send(acme.api, url(resource), rows), 400)) == {"/rows/2"}
    with acme.scope():
        assert resource.rows.count() == before


@each_bulk("create")
def test_partial_writes_what_is_right(resource: Resource, acme: Company) -> None:
    good, bad = freed_bodies(resource, acme, 2)
    response = send(acme.api, url(resource), [{**bad, "no_such": 1}, good], mode="partial")
    answer = response.json()
    assert (response.status_code, answer["succeeded"], answer["failed"]) == (200, 1, 1)
    first, second = answer["results"]
    assert (first["status"], first["id"], first["errors"][0]["pointer"]) == (400, None, "/rows/0/no_such")
    assert (second["status"], second["errors"]) == (201, [])
    assert acme.api.get(resource.row_url(second["id"])).status_code == 200


@each_bulk("create")
def test_a_foreign_row_is_not_there_in_bulk(resource: Resource, acme: Company, bolt: Company) -> None:
    [foreign] = resource.make(bolt)
    for op in {"update", "delete"} & set(resource.viewset.bulk_operations):
        [result] = send(acme.api, url(resource), [{"op": op, "id": str(foreign.pk)}], mode="partial").json()["results"]
        assert (result["status"], result["errors"][0]["code"]) == (404, "not_found")
    references = list(resource.references())
    if references:
        name, target = references[0]
        with bolt.scope():
            other = BY_MODEL[target].create()
        bad, good = freed_bodies(resource, acme, 2)
        results = send(acme.api, url(resource), [{**bad, name: str(other.pk)}, good], mode="partial").json()["results"]
        assert [one["status"] for one in results] == [400, 201]
        assert results[0]["errors"][0]["pointer"] == f"/rows/0/{name}"


@each_bulk("create")
def test_needs_the_permission_of_each_operation(resource: Resource, acme: Company) -> None:
    add, change, delete = (resource.permission(method) for method in ("post", "put", "delete"))
    assert_missing(send(acme.api_by_key(), url(resource), [{}]), add)
    assert_missing(send(acme.api_by_key(change), url(resource), [{}]), add)
    assert_missing(send(acme.api_by_key(add), url(resource), [{}, {"op": "delete"}]), delete)
    assert_missing(send(acme.api_by_key(add), url(resource), [{"op": "upsert"}]), change)
    [body] = freed_bodies(resource, acme, 1)
    assert send(acme.api_by_key(add), url(resource), [body]).status_code == 201


def test_a_constraint_leaves_the_other_rows_alone(acme: Company) -> None:
    """The database refuses the statement; halves of it find the rows."""
    taken = {index: {"name": "Twin", "external_ref": "twin"} for index in (3, 40, 77)}
    rows = [taken.get(index, {"name": f"Row {index}"}) for index in range(100)]
    answer = send(acme.api, PARTIES, rows, mode="partial").json()
    assert [one["index"] for one in answer["results"] if one["status"] != 201] == [40, 77]
    assert {error["code"] for one in answer["results"] for error in one["errors"]} == {"unique"}
    problem = assert_problem(send(acme.api, PARTIES, [{**row, "gln": "1"} if i == 5 else row for i, row in enumerate(rows)]), 400)
    assert pointers(problem) >= {"/rows/5/gln", "/rows/3/external_ref", "/rows/40/external_ref"}


def test_rows_in_use_stay(acme: Company) -> None:
    from tests.factories.inventory import UnitOfMeasureFactory

    with acme.scope():
        goods = Goods.create()
        used, free = goods.bolt.product.base_unit, UnitOfMeasureFactory()
        UserRoleFactory()
    rows = [{"op": "delete", "id": str(unit.pk)} for unit in (used, free)]
    results = send(acme.api, "/api/v1/units-of-measure/bulk/", rows, mode="partial").json()["results"]
    assert [(one["status"], *(error["code"] for error in one["errors"])) for one in results] == [(409, "in_use"), (204,)]


def test_a_row_is_named_once(acme: Company) -> None:
    with acme.scope():
        party = PartyFactory(external_ref="p-1")
    rows = [
        {"op": "update", "id": str(party.pk), "name": "A"}, {"op": "upsert", "external_ref": "p-1", "name": "B"},
        {"op": "upsert", "external_ref": "p-2", "name": "C"}, {"op": "update", "external_ref": "p-2", "name": "D"},
    ]  # fmt: skip
    results = send(acme.api, PARTIES, rows, mode="partial").json()["results"]
    assert [one["status"] for one in results] == [200, 400, 201, 400]
    assert [error["code"] for one in results for error in one["errors"]] == ["repeated", "repeated"]


def test_each_row_changes_its_own_columns(acme: Company) -> None:
    with acme.scope():
        first, second = PartyFactory.create_batch(2, language="en")
    rows: list[dict[str, str]] = [
        {"op": "update", "id": str(first.pk), "name": "New"}, {"op": "update", "external_ref": second.external_ref, "gln": ""},
    ]  # fmt: skip
    assert send(acme.api, PARTIES, rows).status_code == 200
    with acme.scope():
        after = {row.pk: row for row in Party.objects.filter(pk__in=[first.pk, second.pk])}
    assert (after[first.pk].name, after[first.pk].version) == ("New", 2)
    assert (after[second.pk].name, after[second.pk].version) == (second.name, 1)


def test_a_name_that_is_given_up_is_free(acme: Company) -> None:
    with acme.scope():
        party = PartyFactory(external_ref="old")
    rows = [{"name": "Heir", "external_ref": "old"}, {"op": "update", "id": str(party.pk), "external_ref": "older"}]
    assert send(acme.api, PARTIES, rows).status_code == 200


@pytest.mark.parametrize(("row", "pointer"), [
    ({"op": "update", "name": "x"}, "/id"), ({"op": "update", "id": 7}, "/id"), ({"op": "upsert", "name": "x"}, "/external_ref"),
    ({"op": "upsert", "external_ref": " "}, "/external_ref"), ({"op": "upsert", "external_ref": "x"}, "/name"),
    ({"op": "delete", "id": str(uuid4()), "version": "1"}, "/version"), ({"op": "delete", "id": str(uuid4())}, ""),
    ({"id": str(uuid4()), "name": "x"}, "/id"), ({"name": "a\0b"}, "/name"), ({}, "/name"),
    ({"op": "upsert", "external_ref": "new", "version": 3, "name": "x"}, ""),
])  # fmt: skip
def test_points_at_what_is_wrong_with_a_row(row: dict[str, Any], pointer: str, acme: Company) -> None:
    problem = assert_problem(send(acme.api, PARTIES, [{"name": "fine"}, row]), 400)
    assert pointers(problem) == {f"/rows/1{pointer}"}


@pytest.mark.parametrize("body", [
    {}, {"rows": []}, {"rows": {}}, {"rows": [[]]}, {"rows": [{"name": "x"}], "mode": "both"}, {"rows": [{}] * (MOST_ROWS + 1)},
    {"rows": [{"name": "x"}], "more": 1}, [],
])  # fmt: skip
def test_refuses_what_is_no_bulk(body: Any, acme: Company) -> None:
    assert_problem(acme.api.send("post", PARTIES, body), 400, "invalid")


def test_refuses_too_much(acme: Company) -> None:
    rows = [{"name": "x" * 3000}] * MOST_ROWS
    assert_problem(send(acme.api, PARTIES, rows), 413, "body_too_large")


def test_what_follows_a_write_follows_each_row(acme: Company) -> None:
    """The level of a new reorder rule is that of the stock."""
    with acme.scope():
        goods = Goods.create()
        goods.receive(7)
        warehouse = goods.shelf.warehouse_id
    row = {"variant": str(goods.bolt.pk), "warehouse": str(warehouse), "min_quantity": "1"}
    [result] = send(acme.api, "/api/v1/reorder-rules/bulk/", [row]).json()["results"]
    with acme.scope():
        assert ReorderRule.objects.get(pk=result["id"]).level == 7


def test_many_at_once_make_one_row_each(new_company: Callable[[], Company]) -> None:
    company = new_company()
    api = company.api

    def upsert(number: int) -> list[int]:
        rows = [{"op": "upsert", "external_ref": f"erp-{i}", "name": f"By {number}"} for i in range(20)]
        return [one["status"] for one in send(api, PARTIES, rows if number % 2 else rows[::-1]).json()["results"]]

    statuses = [status for found in at_once(5, upsert) for status in found]
    assert (statuses.count(201), statuses.count(200)) == (20, 80)
    with company.scope():
        assert Party.objects.filter(external_ref__startswith="erp-").count() == 20
