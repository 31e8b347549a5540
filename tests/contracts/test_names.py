"""Names in camelCase, for whoever asks by `Accept: application/json; names=camel`, on each resource."""

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework import serializers

from accounts.models import CustomFieldDefinition
from accounts.services.customizing import definition_save
from core.naming import DATA, camel, snake
from tests.companies import Company
from tests.contracts.resources import OWN, RESOURCES, Resource, assert_problem, each_resource, pointers

ASKED = {"Accept": "application/json; names=camel"}
# JSON whose keys are the API's own, so that they are written as one asks.
OF_THE_API = {"billing_address", "shipping_address", "buyer", "seller", "rates", "taxes"}


def serializers_of(resource: Resource) -> Iterator[Any]:
    yield resource.viewset.serializer_class()
    yield from (one.kwargs["body_class"]() for one in resource.actions if one.kwargs.get("body_class"))


def fields_of(serializer: Any) -> Iterator[tuple[str, Any]]:
    for name, field in serializer.fields.items():
        inner = field
        while isinstance(inner, serializers.ListSerializer | serializers.ListField):
            inner = inner.child
        yield name, inner
        if isinstance(inner, serializers.Serializer):
            yield from fields_of(inner)


FIELDS = [found for resource in [*RESOURCES, *OWN] for one in serializers_of(resource) for found in fields_of(one)]


def test_each_name_comes_back_as_it_was() -> None:
    names = {name for name, _ in FIELDS} | {name for resource in RESOURCES for name in resource.viewset.known_parameters()}
    assert not [name for name in names if "__" not in name and snake(camel(name)) != name]
    assert len({camel(name) for name in names}) == len(names)


def test_of_each_json_it_is_said_whether_its_keys_are_data() -> None:
    json = {name for name, field in FIELDS if isinstance(field, serializers.JSONField | serializers.DictField)}
    assert json <= DATA | OF_THE_API and not DATA & OF_THE_API


@each_resource()
def test_reads_and_takes_back_a_row_in_camel_case(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    plain = acme.api.get(resource.row_url(row)).json()
    shown = acme.api.get(resource.row_url(row), headers=ASKED)
    assert shown.headers["Content-Type"] == "application/json; names=camel"
    assert list(shown.json()) == [camel(name) for name in plain]
    data = {name: value for name, value in plain.items() if name in DATA or not isinstance(value, dict | list)}
    assert {name: shown.json()[camel(name)] for name in data} == data
    listed = acme.api.get(resource.url, {"limit": 1}, headers=ASKED).json()["results"]
    assert list(listed[0]) == list(shown.json())
    if resource.takes("put"):
        with acme.scope():
            body = resource.body(row)
        written = acme.api.put(resource.row_url(row), _camel(body), content_type="application/json", headers=ASKED)
        assert (written.status_code, written.json()) == (200, shown.json())


def _camel(body: dict[str, Any]) -> dict[str, Any]:
    return {camel(name): value for name, value in body.items()}


# --- What else has names: a product stands for all of them -------------------------------------------------


PRODUCTS = "/api/v1/products/"


@pytest.fixture
def unit(acme: Company) -> str:
    return str(acme.api.send("post", "/api/v1/units-of-measure/", {"code": "pc", "name": "Piece"}).json()["id"])


def send(company: Company, method: str, url: str, body: Any, **headers: str) -> Any:
    return company.api.send(method, url, body, headers={**ASKED, **headers})


def test_parameters_may_be_written_so_too(acme: Company, unit: str) -> None:
    made = send(acme, "post", PRODUCTS, {"name": "Bolt", "baseUnit": unit, "externalRef": "B-1"})
    assert made.status_code == 201, made.content
    asked = {"externalRef__in": "B-1,B-2", "fields": "id,baseUnit,createdAt", "expand": "baseUnit", "sort": "-id"}
    [found] = acme.api.get(PRODUCTS, asked, headers=ASKED).json()["results"]
    assert list(found) == ["id", "baseUnit", "createdAt"] and found["baseUnit"]["id"] == unit
    send(acme, "post", PRODUCTS, {"name": "Nut", "baseUnit": unit, "externalRef": "B-2"})
    page = acme.api.get(PRODUCTS, {"externalRef__in": "B-1,B-2", "limit": 1}, headers=ASKED).json()
    [following] = acme.api.get(page["next"], headers=ASKED).json()["results"]
    assert {page["results"][0]["externalRef"], following["externalRef"]} == {"B-1", "B-2"}


def test_problems_point_at_what_was_written(acme: Company, unit: str) -> None:
    wrong = send(acme, "post", PRODUCTS, {"name": "Bolt", "baseUnit": "x", "customFields": {"no_such": 1}})
    assert (wrong.status_code, wrong.headers["Content-Type"]) == (400, "application/problem+json; names=camel")
    assert "requestId" in wrong.json() and pointers(wrong.json()) == {"/baseUnit", "/customFields/no_such"}
    unknown = send(acme, "post", PRODUCTS, {"name": "Bolt", "baseUnit": unit, "noSuch": 1})
    assert pointers(unknown.json()) == {"/noSuch"}
    missing = acme.api.get(PRODUCTS, {"noSuch": 1}, headers=ASKED).json()
    assert missing["errors"][0]["parameter"] == "noSuch"
    twice = send(acme, "post", PRODUCTS, {"name": "Bolt", "baseUnit": unit, "base_unit": unit})
    assert twice.status_code == 400 and "give it once" in twice.json()["detail"]


def test_keys_that_are_data_stay(acme: Company, unit: str) -> None:
    with acme.scope():
        width = CustomFieldDefinition(model="inventory.product", key="inner_width", label="Width", type="integer")
        definition_save(definition=width)
    made = send(acme, "post", PRODUCTS, {"name": "Bolt", "baseUnit": unit, "customFields": {"inner_width": 3}})
    assert made.status_code == 201 and made.json()["customFields"] == {"inner_width": 3}, made.content
    found = acme.api.get(PRODUCTS, {"cf.inner_width": "3", "fields": "customFields"}, headers=ASKED).json()["results"]
    assert found == [{"customFields": {"inner_width": 3}}]


def test_bulk_and_what_is_repeated(acme: Company, unit: str) -> None:
    body = {"rows": [{"name": "Nut", "baseUnit": unit}]}
    first, again = (send(acme, "post", f"{PRODUCTS}bulk/", body, **{"Idempotency-Key": "n-1"}) for _ in range(2))
    assert first.status_code == again.status_code == 201 and first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    wrong = {"mode": "partial", "rows": [{"name": "Nut", "baseUnit": "x"}]}
    assert pointers(send(acme, "post", f"{PRODUCTS}bulk/", wrong).json()["results"][0]) == {"/rows/0/baseUnit"}


def test_a_tag_stands_for_one_way_of_writing(acme: Company, unit: str) -> None:
    url = acme.api.send("post", PRODUCTS, {"name": "Bolt", "base_unit": unit}).headers["Location"]
    plain, shown = acme.api.get(url), acme.api.get(url, headers=ASKED)
    assert plain.headers["ETag"] != shown.headers["ETag"] and "Accept" in shown.headers["Vary"]
    tag = {"If-None-Match": shown.headers["ETag"]}
    assert acme.api.get(url, headers={**ASKED, **tag}).status_code == 304
    assert acme.api.get(url, headers=tag).status_code == 200
    assert acme.api.get(url, headers={**ASKED, "If-None-Match": plain.headers["ETag"]}).status_code == 200
    changed = send(acme, "patch", url, {"description": "New"}, **{"If-Match": shown.headers["ETag"]})
    assert changed.status_code == 200
    assert send(acme, "patch", url, {"description": "x"}, **{"If-Match": shown.headers["ETag"]}).status_code == 412


def test_who_does_not_ask_gets_what_they_always_got(acme: Company) -> None:
    for accept in ("application/json", "*/*", "application/json; names=snake", "text/html; names=camel, application/json"):
        found = acme.api.get("/api/v1/organizations/", headers={"Accept": accept}).json()["results"][0]
        assert "created_at" in found, accept
    wrong = acme.api.get(PRODUCTS, headers={"Accept": "application/json; names=kebab"})
    assert assert_problem(wrong, 400, "invalid_header")["errors"][0]["header"] == "Accept"
