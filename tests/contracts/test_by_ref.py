"""PUT by external_ref makes the row or replaces it, on each resource whose rows have a name elsewhere."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from accounts.models import Party
from core.models import ArchivableModel
from tests.companies import Company
from tests.contracts.resources import RESOURCES, Resource, assert_problem, path_to, pointers
from tests.contracts.test_every_resource import assert_missing, freed_body
from tests.inventory.test_races import at_once

NAMED = [resource for resource in RESOURCES if any(field.name == "external_ref" for field in resource.model._meta.fields)]
ARCHIVED = [resource for resource in NAMED if issubclass(resource.model, ArchivableModel)]
each_named = pytest.mark.parametrize("resource", [pytest.param(resource, id=resource.prefix) for resource in NAMED])


def url(resource: Resource, ref: str) -> str:
    return f"{resource.url}by-ref/{quote(ref, safe='')}/"


def body_and_ref(resource: Resource, company: Company) -> tuple[dict[str, Any], str]:
    body = freed_body(resource, company)
    return body, body.pop("external_ref")


def test_there_are_some() -> None:
    assert {"products", "parties", "suppliers"} <= {resource.prefix for resource in NAMED}
    for resource in RESOURCES:
        assert resource.viewset.takes_refs() == (resource in NAMED)


@each_named
def test_makes_the_row_and_then_replaces_it(resource: Resource, acme: Company) -> None:
    body, ref = body_and_ref(resource, acme)
    made = acme.api.send("put", url(resource, ref), body)
    assert made.status_code == 201, made.content
    row_id = made.json()["id"]
    assert made.json()["external_ref"] == ref
    assert made.headers["Location"].endswith(resource.row_url(row_id))
    replaced = acme.api.send("put", url(resource, ref), {**body, "external_ref": ref})
    assert (replaced.status_code, replaced.json()["id"]) == (200, row_id)
    assert replaced.headers["ETag"] == made.headers["ETag"]
    read = acme.api.get(url(resource, ref))
    assert read.content == acme.api.get(resource.row_url(row_id)).content
    assert acme.api.get(url(resource, ref), headers={"If-None-Match": read.headers["ETag"]}).status_code == 304


@each_named
def test_honors_conditions(resource: Resource, acme: Company) -> None:
    body, ref = body_and_ref(resource, acme)
    put = lambda **headers: acme.api.send("put", url(resource, ref), body, headers=headers)  # noqa: E731
    assert_problem(put(**{"If-Match": "*"}), 412, "stale")
    assert_problem(put(**{"If-Match": "7"}), 400, "invalid_header")
    assert_problem(put(**{"If-None-Match": '"7"'}), 400, "invalid_header")
    made = put(**{"If-None-Match": "*"})
    assert made.status_code == 201
    assert_problem(put(**{"If-None-Match": "*"}), 412, "exists")
    assert_problem(put(**{"If-Match": '"999"'}), 412, "stale")
    assert put(**{"If-Match": made.headers["ETag"]}).status_code == 200


@each_named
def test_the_body_agrees_with_the_address(resource: Resource, acme: Company) -> None:
    body, ref = body_and_ref(resource, acme)
    for other in ("another", None, 7):
        problem = assert_problem(acme.api.send("put", url(resource, ref), {**body, "external_ref": other}), 400)
        assert pointers(problem) == {"/external_ref"}
    for impossible in ("x" * 101, " x", "a\0b"):
        assert_problem(acme.api.send("put", url(resource, impossible), body), 400)
    assert_problem(acme.api.send("put", url(resource, ref), [body]), 400)
    assert_problem(acme.api.get(url(resource, ref)), 404)


@each_named
def test_a_reference_may_hold_anything_that_prints(resource: Resource, acme: Company) -> None:
    for ref in ("a/b", "by-ref/", "ä 50% & co?", "../x", "bulk"):
        body, _ = body_and_ref(resource, acme)
        made = acme.api.send("put", url(resource, ref), body)
        assert (made.status_code, made.json()["external_ref"]) == (201, ref)
        assert acme.api.get(url(resource, ref)).json()["id"] == made.json()["id"]


@pytest.mark.parametrize("resource", ARCHIVED, ids=lambda resource: resource.prefix)
def test_what_was_archived_stays_so(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    with acme.scope():
        body = resource.body(row)
    acme.api.delete(resource.row_url(row))
    problem = assert_problem(acme.api.send("put", url(resource, row.external_ref), body), 409, "archived")
    assert str(row.pk) in problem["detail"]
    assert acme.api.get(url(resource, row.external_ref)).json()["archived_at"]
    acme.api.post(f"{resource.row_url(row)}restore/")
    assert acme.api.send("put", url(resource, row.external_ref), body).status_code == 200


@each_named
def test_needs_the_permission_of_what_it_does(resource: Resource, acme: Company, bolt: Company) -> None:
    body, ref = body_and_ref(resource, acme)
    add, change = resource.permission("post"), resource.permission("put")
    assert_missing(acme.api_by_key(add).send("put", url(resource, ref), body), change)
    assert_missing(acme.api_by_key(change).send("put", url(resource, ref), body), add)
    assert acme.api_by_key(add, change).send("put", url(resource, ref), body).status_code == 201
    assert acme.api_by_key(change).send("put", url(resource, ref), body).status_code == 200
    assert_problem(bolt.api.get(url(resource, ref)), 404, "not_found")


def test_its_name_leads_to_it() -> None:
    assert path_to("parties-by-ref", external_ref="a/b") == "/api/v1/parties/by-ref/a/b/"


def test_many_at_once_make_one_row(new_company: Callable[[], Company]) -> None:
    company = new_company()
    api = company.api

    def put(number: int) -> tuple[int, str]:
        response = api.send("put", f"/api/v1/parties/by-ref/erp-{number % 2}/", {"name": f"By {number}"})
        return response.status_code, response.json()["id"]

    answers = at_once(10, put)
    assert sorted(status for status, _ in answers) == [200] * 8 + [201] * 2
    with company.scope():
        rows = Party.objects.filter(external_ref__in=["erp-0", "erp-1"])
        assert {str(row.pk) for row in rows} == {row_id for _, row_id in answers}
        assert len(rows) == 2


def test_another_value_that_is_taken_is_the_callers_mistake(acme: Company) -> None:
    body = {"code": "W-1", "name": "First", "timezone": "UTC"}
    assert acme.api.send("put", "/api/v1/warehouses/by-ref/one/", body).status_code == 201
    problem = assert_problem(acme.api.send("put", "/api/v1/warehouses/by-ref/two/", body), 400, "unique")
    assert pointers(problem) == {"/code"}
