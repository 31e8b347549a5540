"""What every resource promises, checked on each address that there is; a new one is covered by being there."""

from itertools import pairwise
from typing import Any
from uuid import uuid4

from django.db import models

from accounts.permissions import MANAGER, VIEWER, of_built_in
from core.api import LARGEST_PAGE
from core.json import dumps
from core.models import ArchivableModel
from notifications.models import Job
from tests.companies import Api, Company
from tests.contracts.resources import (
    ACTIONS,
    Resource,
    all_pages,
    assert_problem,
    each_resource,
    each_resource_with,
    ids,
    pointers,
    statements,
    stranger,
    text,
)  # fmt: skip
from tests.factories import BY_MODEL

ROW_METHODS = ("get", "put", "patch", "delete")
QUESTIONS = {("price-lists", "quote")}  # posted because they are long; they change nothing


def writes(resource: Resource) -> list[str]:
    return [method for method in ACTIONS if resource.takes(method)]


def row_methods(resource: Resource) -> list[str]:
    return [method for method in ROW_METHODS if method == "get" or resource.takes(method)]


# --- Lists ------------------------------------------------------------------------------------------------


@each_resource()
def test_a_list_has_links_and_results(resource: Resource, acme: Company) -> None:
    resource.make(acme)
    page = acme.api.get(resource.url).json()
    assert list(page) == ["next", "previous", "results"]
    assert page["results"]


@each_resource()
def test_refuses_wrong_bounds_and_cursors(resource: Resource, acme: Company) -> None:
    limits = ("limit=0", f"limit={LARGEST_PAGE + 1}", "limit=x", "limit=-1", "limit=0000000050000")
    for query in (*limits, "cursor=x", "cursor=W10", "count=some"):
        problem = assert_problem(acme.api.get(f"{resource.url}?{query}"), 400, "invalid_parameter")
        assert problem["errors"][0]["parameter"] == query.partition("=")[0]


@each_resource()
def test_what_it_does_not_know_lists_what_it_knows(resource: Resource, acme: Company) -> None:
    known = {
        "no_such": resource.viewset.known_parameters(), "sort": [*resource.viewset.sort_fields, "id"],
        "fields": resource.readable,
    }  # fmt: skip
    for name, words in known.items():
        problem = assert_problem(acme.api.get(resource.url, {name: "no_such"}), 400, "invalid_parameter")
        assert "no_such" in problem["detail"]
        assert all(word in problem["detail"] for word in words)


@each_resource()
def test_pages_forth_and_back_miss_and_repeat_nothing(resource: Resource, acme: Company) -> None:
    [first] = resource.make(acme)
    sorts = resource.viewset.sort_fields
    resource.make(acme, 4, **{key: getattr(first, key) for key in sorts if not resource.is_unique(key)})
    for sort in ("", *sorts, *(f"-{key}" for key in sorts)):
        assert_pages(resource, sort, acme)


def assert_pages(resource: Resource, sort: str, acme: Company) -> None:
    keys = [sort] if sort else list(resource.viewset.ordering)
    with acme.scope():
        expected = ids(resource.rows.order_by(*keys, "-pk" if keys and keys[-1].startswith("-") else "pk"))
    query = {"limit": max(2, len(expected) // 4), **({"sort": sort} if sort else {})}
    forth = [ids(page["results"]) for page in all_pages(acme.api, resource.url, query)]
    assert [row for page in forth for row in page] == expected, sort
    if len(forth) > 1:
        back = list(reversed(all_pages(acme.api, last_url(acme.api, resource.url, query), {}, "previous")))
        assert [row for page in back for row in ids(page["results"])] == expected, sort
        for page, following in pairwise(back):
            assert ids(acme.api.get(page["next"]).json()["results"])[:1] == ids(following["results"])[:1]


def last_url(api: Api, url: str, query: dict[str, Any]) -> str:
    pages = all_pages(api, url, query)
    return str(pages[-2]["next"])


@each_resource()
def test_gives_only_the_fields_one_asks_for(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    wanted = resource.readable[:3:2]
    asked = {"fields": ",".join(wanted)}
    assert list(acme.api.get(resource.row_url(row), asked).json()) == wanted
    assert {tuple(found) for found in acme.api.get(resource.url, asked).json()["results"]} == {tuple(wanted)}


@each_resource(having=lambda resource: resource.viewset.filter_parameters())
def test_filters(resource: Resource, acme: Company) -> None:
    row, _ = resource.make(acme, 2)
    for parameter, (field, lookup) in resource.viewset.filter_parameters().items():
        value = getattr(row, field.attname)
        assert value is not None, f"let the factory fill {field.name}, so that its filter can be tested"
        for wanted in (True, False) if lookup == "isnull" else (value, stranger(field, value)):
            with acme.scope():
                expected = resource.rows.filter(**{f"{field.name}__{lookup or 'exact'}": [wanted] if lookup == "in" else wanted})
                expected_ids = set(ids(expected))
            found = acme.api.get(resource.url, {parameter: text(wanted), "limit": LARGEST_PAGE}).json()["results"]
            assert set(ids(found)) == expected_ids, parameter
            if lookup in ("", "in"):
                assert (str(row.pk) in expected_ids) == (wanted == value), parameter


@each_resource()
def test_refuses_a_value_that_no_field_has(resource: Resource, acme: Company) -> None:
    for parameter in resource.viewset.filter_parameters():
        problem = assert_problem(acme.api.get(resource.url, {parameter: "a\0b"}), 400, "invalid_parameter")
        assert problem["errors"][0]["parameter"] == parameter


@each_resource_with(column=lambda resource: resource.viewset.search_keys)
def test_searches(resource: Resource, column: str, acme: Company) -> None:
    [row] = resource.make(acme)
    key = getattr(row, column)
    found = acme.api.get(resource.url, {"search": f" {key[:4].upper()}", "limit": LARGEST_PAGE}).json()["results"]
    assert str(row.pk) in ids(found)
    assert acme.api.get(resource.url, {"search": "~nothing~"}).json()["results"] == []
    assert_problem(acme.api.get(resource.url, {"search": " "}), 400, "invalid_parameter")


@each_resource()
def test_counts_when_asked(resource: Resource, acme: Company) -> None:
    resource.make(acme)
    with acme.scope():
        expected = resource.rows.count()
    assert acme.api.get(resource.url, {"count": "exact", "limit": 1}).json()["count"] == expected
    assert acme.api.get(resource.url, {"count": "estimate"}).json()["count"] >= 0


# --- Single rows, and what they cost ----------------------------------------------------------------------


@each_resource()
def test_reads_as_the_ordinary_serializer_would(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    with acme.scope():
        expected = dumps(resource.viewset.serializer_class(row).data)
    assert acme.api.get(resource.row_url(row)).content == expected
    listed = acme.api.get(resource.url, {"limit": LARGEST_PAGE}).content
    assert expected in listed


@each_resource()
def test_costs_three_statements_whatever_the_number_of_rows(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    assert len(statements(acme.api, resource.row_url(row))) <= 3
    one = statements(acme.api, resource.url)
    resource.make(acme, 3)
    assert len(statements(acme.api, resource.url)) == len(one) <= 3


@each_resource_with(method=row_methods)
def test_a_foreign_row_is_not_there(resource: Resource, method: str, acme: Company, bolt: Company) -> None:
    [foreign] = resource.make(bolt)
    assert bolt.api.get(resource.row_url(foreign)).status_code == 200
    assert_problem(acme.api.send(method, resource.row_url(foreign)), 404, "not_found")


@each_resource_with(action=lambda resource: [action for action in resource.actions if action.detail])
def test_no_action_reaches_a_foreign_row(resource: Resource, action: Any, acme: Company, bolt: Company) -> None:
    [foreign] = resource.make(bolt)
    for method in action.mapping:
        assert_problem(acme.api.send(method, resource.action_url(action, foreign)), 404, "not_found")


@each_resource()
def test_what_is_no_id_names_no_row(resource: Resource, acme: Company) -> None:
    for method in row_methods(resource):
        for malformed in ("no-such", "0", "9" * 40, "%00"):
            assert_problem(acme.api.send(method, resource.row_url(malformed)), 404, "not_found")


# --- Writing ----------------------------------------------------------------------------------------------


def freed_body(resource: Resource, company: Company) -> dict[str, Any]:
    """The body of a row that was there a moment ago, so that nothing of it is taken."""
    [row] = resource.make(company)
    with company.scope():
        body = resource.body(row)
        resource.remove(row)
    return body


@each_resource("post")
def test_what_is_created_can_be_read(resource: Resource, acme: Company) -> None:
    body = freed_body(resource, acme)
    response = acme.api.send("post", resource.url, body)
    assert response.status_code == 201, response.content
    created = response.json()
    read = acme.api.get(resource.row_url(created["id"])).json()
    assert {name: created[name] for name in read} == read
    assert {name: read[name] for name in body} == body
    assert response.headers["Location"] == f"http://testserver{resource.row_url(created['id'])}"


@each_resource("put")
def test_what_is_read_can_be_written_back(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    with acme.scope():
        body = resource.body(row)
    before = acme.api.get(resource.row_url(row)).json()
    response = acme.api.send("put", resource.row_url(row), body)
    assert (response.status_code, response.json()) == (200, before)


def unique(resource: Resource) -> list[str]:
    """Names of unconditional constraints whose columns are all in the body."""
    return [
        constraint.name for constraint in resource.model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and constraint.condition is None
        and set(constraint.fields) - {"organization"} <= set(resource.writable)
    ] if resource.takes("post") else []  # fmt: skip


@each_resource_with(constraint=unique)
def test_a_duplicate_is_the_callers_mistake(resource: Resource, constraint: str, acme: Company) -> None:
    first, second = resource.make(acme, 2)
    [fields] = [c.fields for c in resource.model._meta.constraints if c.name == constraint]
    names = set(fields) - {"organization"}
    with acme.scope():
        body = {**resource.body(second), **{name: value for name, value in resource.body(first).items() if name in names}}
        second.delete()
    problem = assert_problem(acme.api.send("post", resource.url, body), 400, "unique")
    assert pointers(problem) == {f"/{name}" for name in names}


@each_resource_with(method=lambda resource: [m for m in ("post", "put", "patch") if resource.takes(m)])
def test_refuses_fields_that_cannot_be_written(resource: Resource, method: str, acme: Company) -> None:
    [row] = resource.make(acme)
    with acme.scope():
        body = resource.body(row)
    url = resource.url if method == "post" else resource.row_url(row)
    read_only = next(name for name, field in resource.viewset.serializer_class().fields.items() if field.read_only)
    problem = assert_problem(acme.api.send(method, url, {**body, "no_such": 1, read_only: "1"}), 400)
    assert {(error["pointer"], error["code"]) for error in problem["errors"]} == {
        ("/no_such", "unknown_field"), (f"/{read_only}", "read_only"),
    }  # fmt: skip
    assert_problem(acme.api.send(method, url, [body]), 400)


@each_resource("patch")
def test_refuses_an_empty_patch(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    problem = assert_problem(acme.api.send("patch", resource.row_url(row), {}), 400)
    assert problem["errors"][0]["code"] == "empty"


@each_resource_with(reference=lambda resource: resource.references() if resource.takes("post") or resource.takes("patch") else [])
def test_refuses_a_foreign_reference(resource: Resource, reference: tuple[str, Any], acme: Company, bolt: Company) -> None:
    name, target = reference
    with bolt.scope():
        foreign = BY_MODEL[target].create()
    if resource.takes("patch"):
        [row] = resource.make(acme)
        response = acme.api.send("patch", resource.row_url(row), {name: str(foreign.pk)})
    else:
        response = acme.api.send("post", resource.url, {**freed_body(resource, acme), name: str(foreign.pk)})
    assert pointers(assert_problem(response, 400)) == {f"/{name}"}


@each_resource("delete")
def test_what_is_deleted_leaves_the_list(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    if resource.model is Job:  # is cancelled, and tells that
        assert acme.api.delete(resource.row_url(row)).json()["status"] == "cancelled"
        return
    assert acme.api.delete(resource.row_url(row)).status_code == 204
    assert str(row.pk) not in ids(acme.api.get(resource.url, {"limit": LARGEST_PAGE}).json()["results"])
    if not issubclass(resource.model, ArchivableModel):
        assert_problem(acme.api.get(resource.row_url(row)), 404)
        return
    archived = acme.api.get(resource.url, {"archived": "true"}).json()["results"]
    assert ids(archived) == [str(row.pk)] and archived[0]["archived_at"]
    assert acme.api.post(f"{resource.row_url(row)}restore/").json()["archived_at"] is None
    assert str(row.pk) in ids(acme.api.get(resource.url, {"limit": LARGEST_PAGE}).json()["results"])


@each_resource_with(method=lambda resource: [m for m in ACTIONS if m != "post" and not resource.takes(m)])
def test_a_row_takes_no_other_method(resource: Resource, method: str, acme: Company) -> None:
    [row] = resource.make(acme)
    assert_problem(acme.api.send(method, resource.row_url(row)), 405, "method_not_allowed")


@each_resource_with(method=lambda resource: [m for m in ACTIONS if m != "post" or not resource.takes(m)])
def test_a_list_takes_no_other_method(resource: Resource, method: str, acme: Company) -> None:
    response = acme.api.send(method, resource.url)
    assert_problem(response, 405, "method_not_allowed")
    assert "GET" in response.headers["Allow"]


# --- Who may ----------------------------------------------------------------------------------------------


def assert_missing(response: Any, permission: str) -> None:
    problem = assert_problem(response, 403, "permission_denied")
    assert problem["missing_permission"] == permission
    assert permission in problem["detail"]


@each_resource()
def test_a_viewer_reads_what_viewers_may(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    needed = resource.permission("get")
    for url in (resource.url, resource.row_url(row)):
        response = acme.api_as(VIEWER).get(url)
        if needed in of_built_in(VIEWER):
            assert response.status_code == 200
        else:
            assert_missing(response, needed)


@each_resource_with(method=writes)
def test_a_viewer_writes_nothing(resource: Resource, method: str, acme: Company) -> None:
    [row] = resource.make(acme)
    url = resource.url if method == "post" else resource.row_url(row)
    assert_missing(acme.api_as(VIEWER).send(method, url), resource.permission(method))


@each_resource_with(action=lambda resource: [one for one in resource.actions if (resource.prefix, one.url_path) not in QUESTIONS])
def test_a_viewer_acts_nowhere(resource: Resource, action: Any, acme: Company) -> None:
    [row] = resource.make(acme)
    for method in action.mapping:
        if method != "get":
            needed = action.kwargs.get("permission") or resource.permission(method)
            assert_missing(acme.api_as(VIEWER).send(method, resource.action_url(action, row)), needed)


@each_resource()
def test_a_key_does_what_its_scopes_say(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    assert acme.api_by_key(*resource.scopes_to_read(row)).get(resource.row_url(row)).status_code == 200
    assert_missing(acme.api_by_key().get(resource.url), resource.permission("get"))


@each_resource()
def test_a_manager_reads_everything(resource: Resource, acme: Company) -> None:
    assert acme.api_as(MANAGER).get(resource.url).status_code == 200


# --- Tracing ----------------------------------------------------------------------------------------------


@each_resource()
def test_carries_the_request_id(resource: Resource, acme: Company) -> None:
    headers = {"X-Request-Id": "trace-1"}
    for url, status in ((resource.url, 200), (resource.row_url(uuid4()), 404), (f"{resource.url}?x=1", 400)):
        response = acme.api.get(url, headers=headers)
        assert (response.status_code, response.headers["X-Request-Id"]) == (status, "trace-1")
    first, second = (acme.api.get(resource.url).headers["X-Request-Id"] for _ in range(2))
    assert first != second
