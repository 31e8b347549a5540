"""What no text may hold, in every text of every resource: answered as the caller's mistake, never as ours."""

import json
from typing import Any

import pytest
from rest_framework import serializers

from tests.companies import JSON, Api, Company
from tests.contracts.resources import Resource, assert_problem, each_resource

POISONS = {"surrogate": "\ud800", "nul": "a\0b"}

each_poison = pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS)


def sent(api: Api, url: str, body: Any, method: str = "post") -> Any:
    """As bytes: the test client's own encoder would not send half a surrogate."""
    return getattr(api, method)(url, json.dumps(body).encode(), content_type=JSON)


def texts(resource: Resource) -> list[str]:
    return [
        name
        for name, field in resource.writable.items()
        if isinstance(field, serializers.CharField | serializers.ListField | serializers.JSONField)
    ]


def poisoned(field: serializers.Field, poison: str) -> list[Any]:
    if isinstance(field, serializers.ListField):
        return [[poison]]
    return [{poison: poison}, {"a": [poison]}, [poison], poison] if isinstance(field, serializers.JSONField) else [poison]


@each_poison
@each_resource("patch")
def test_no_text_of_a_row_takes_it(resource: Resource, poison: str, acme: Company) -> None:
    [row] = resource.make(acme)
    for name in texts(resource):
        for value in poisoned(resource.writable[name], poison):
            response = sent(acme.api, resource.row_url(row), {name: value}, "patch")
            assert 400 <= response.status_code < 500, (name, value, response.content)


@each_poison
@each_resource("post")
def test_no_name_of_a_field_takes_it(resource: Resource, poison: str, acme: Company) -> None:
    assert 400 <= sent(acme.api, resource.url, {poison: 1}).status_code < 500
    if resource.viewset.takes_bulk():
        for body in ({"rows": [{poison: poison}]}, {"rows": [{"op": "update", "id": poison}]}, {"rows": [{"op": poison}]}):
            assert 400 <= sent(acme.api, f"{resource.url}bulk/", body).status_code < 500
    if resource.viewset.takes_refs():
        assert 400 <= acme.api.get(f"{resource.url}by-ref/a%00b/").status_code < 500
        assert 400 <= acme.api.send("put", f"{resource.url}by-ref/%ED%A0%80/", {}).status_code < 500


@each_poison
@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("auth/token/", {"email": "x", "password": "x"}),
        ("auth/token/", {"email": "x", "password": "x", "organization": "x"}),
        ("auth/token/refresh/", {"refresh_token": "x"}),
        ("auth/token/second-factor/", {"challenge": "x", "code": "x"}),
        ("auth/token/second-factor/", {"challenge": "x", "credential": {"id": "x"}}),
        ("auth/sign-up/", {"email": "x", "password": "x", "name": "x"}),
        ("auth/verify-email/", {"key": "x"}),
        ("auth/password/reset/", {"email": "x"}),
        ("auth/password/reset/confirm/", {"key": "x", "password": "x"}),
        ("auth/invitation/accept/", {"token": "x", "name": "x", "password": "x"}),
    ],
)
def test_no_way_in_takes_it(url: str, body: dict[str, Any], poison: str, acme: Company) -> None:
    for name, value in body.items():
        bad = {"id": poison} if isinstance(value, dict) else poison
        assert 400 <= sent(Api(), f"/api/v1/{url}", {**body, name: bad}).status_code < 500, name


@pytest.mark.parametrize("url", ["/signin", "/signup", "/users"])
@each_poison
def test_no_old_path_takes_it(url: str, poison: str, acme: Company) -> None:
    for name in ("email", "password", "username", "name", "firstName", poison):
        body = {"email": "x@acme.test", "username": "x@acme.test", "password": "Correct horse 4", "name": "X", name: poison}
        assert 400 <= sent(acme.api, url, body).status_code < 500


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b"1" * 5_000,
        b"NaN",
        b'{"name": 1e999}',
        b"\xff\xfe",
        b'"\xed\xa0\x80"',
        b"null",
        b"[]",
        b'"x"',
    ],
)
@pytest.mark.parametrize("url", ["/api/v1/parties/", "/api/v1/parties/bulk/", "/api/v1/auth/token/", "/api/v1/api-keys/"])
def test_no_strange_json_is_our_mistake(url: str, body: bytes, acme: Company) -> None:
    assert_problem(acme.api.post(url, body, content_type=JSON), 400)


@pytest.mark.parametrize("number", ["1" * 400, "-" + "9" * 60, "1e400", "1" + "0" * 30 + ".5"])
@each_resource("patch")
def test_no_number_is_too_large_for_an_answer(resource: Resource, number: str, acme: Company) -> None:
    [row] = resource.make(acme)
    for name, field in resource.writable.items():
        if isinstance(field, serializers.IntegerField | serializers.DecimalField):
            for value in (number, f'"{number}"'):
                response = acme.api.patch(resource.row_url(row), f'{{"{name}": {value}}}'.encode(), content_type=JSON)
                assert 400 <= response.status_code < 500, (name, value, response.content)


@pytest.mark.parametrize(
    "header", ["X-Request-Id", "traceparent", "X-Change-Reason", "Organization", "If-Match", "Idempotency-Key"]
)
@pytest.mark.parametrize("text", ["a\0b", "a\x1b[2Jb", "caf\xe9", "\xed\xa0\x80"])
def test_no_header_is_our_mistake(header: str, text: str, acme: Company) -> None:
    response = acme.api.send("post", "/api/v1/tags/", {"slug": "a", "name": "A"}, headers={header: text})
    assert response.status_code < 500
    assert response.headers["X-Request-Id"].isascii() and response.headers["X-Request-Id"].isprintable()


def test_no_parameter_is_our_mistake(acme: Company) -> None:
    for text in ("%00", "%ED%A0%80", "%FF", "a" * 5_000, "9" * 500):
        for name in (
            "search",
            "tag",
            "cf.x",
            "fields",
            "expand",
            "sort",
            "cursor",
            "limit",
            "saved_filter",
            "external_ref",
            "name",
            "count",
            text,
        ):
            assert acme.api.get(f"/api/v1/parties/?{name}={text}").status_code < 500, (name, text)
