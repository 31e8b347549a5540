"""Idempotency-Key on every unsafe address: one effect, the same answer again."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, IdempotencyRecord
from core.models import LedgerModel
from tests.companies import JSON, LEASE, Api, Company
from tests.contracts.resources import ACTIONS, RESOURCES, Resource, assert_problem, each_resource, each_resource_with
from tests.contracts.test_addresses import CLOSED, url_of

PARTIES = "/api/v1/parties/"
KEY = {"Idempotency-Key": "order 4711"}


def of_a_row(resource: Resource) -> list[str]:
    return [method for method in ("put", "patch", "delete") if resource.takes(method)]


def audited(company: Company) -> int:
    with company.scope():
        return AuditEntry.objects.count()


def assert_same(first: Any, again: Any) -> None:
    assert (again.status_code, again.content) == (first.status_code, first.content)
    for name in ("Content-Type", "Location", "ETag", "Cache-Control"):
        assert again.headers.get(name) == first.headers.get(name)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]


@each_resource("post")
def test_what_is_created_twice_is_there_once(resource: Resource, acme: Company) -> None:
    [row] = resource.make(acme)
    with acme.scope():
        body = resource.body(row)
        resource.remove(row)
    first = acme.api.send("post", resource.url, body, headers=KEY)
    assert first.status_code == 201, first.content
    written = audited(acme)
    assert_same(first, acme.api.send("post", resource.url, body, headers=KEY))
    assert audited(acme) == written
    assert_problem(acme.api.send("post", resource.url, {**body, "x": 1}, headers=KEY), 422, "idempotency_key_reused")


@each_resource_with(method=of_a_row)
def test_what_is_written_twice_is_written_once(resource: Resource, method: str, acme: Company) -> None:
    [row] = resource.make(acme)
    with acme.scope():
        body = None if method == "delete" else resource.body(row)
    first = acme.api.send(method, resource.row_url(row), body, headers=KEY)
    assert first.status_code in (200, 204), first.content
    written = audited(acme)
    assert_same(first, acme.api.send(method, resource.row_url(row), body, headers=KEY))
    assert audited(acme) == written


@each_resource_with(action=lambda resource: resource.actions)
def test_an_action_is_repeated_or_leaves_no_record(resource: Resource, action: Any, acme: Company) -> None:
    """An action that this row's state or an empty body does not allow is refused, and then may be tried again."""
    [row] = resource.make(acme)
    for method in action.mapping:
        if method not in ACTIONS:
            continue
        key = {"Idempotency-Key": f"{action.url_name} {method}"}
        first, again = (acme.api.send(method, resource.action_url(action, row), headers=key) for _ in range(2))
        if first.status_code < 400:
            assert_same(first, again)
        else:
            assert "Idempotent-Replayed" not in again.headers
            assert again.status_code != 422


@pytest.mark.parametrize("name", CLOSED)
def test_every_address_knows_a_key_that_is_taken(name: str, acme: Company) -> None:
    taken = {"Idempotency-Key": "taken"}
    assert acme.api.send("post", PARTIES, {"name": "First"}, headers=taken).status_code == 201
    for method in ACTIONS:
        assert_problem(acme.api.send(method, url_of(name), {"other": 1}, headers=taken), 422, "idempotency_key_reused")


def test_reading_takes_no_key(acme: Company) -> None:
    for _ in range(2):
        response = acme.api.get(PARTIES, headers=KEY)
        assert response.status_code == 200 and "Idempotent-Replayed" not in response.headers
    with acme.scope():
        assert not IdempotencyRecord.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "schlüssel"])
def test_refuses_what_is_no_key(key: str, acme: Company) -> None:
    response = acme.api.send("post", PARTIES, {"name": "x"}, headers={"Idempotency-Key": key})
    assert_problem(response, 400, "invalid_idempotency_key")


def test_what_was_refused_may_be_tried_again(acme: Company) -> None:
    assert_problem(acme.api.send("post", PARTIES, {}, headers=KEY), 400, "invalid")
    assert acme.api.send("post", PARTIES, {"name": "x"}, headers=KEY).status_code == 201


def test_a_key_belongs_to_who_sends_it(acme: Company, bolt: Company) -> None:
    machine = acme.api_by_key("accounts.add_party", "accounts.view_party")
    clients = (acme.api, bolt.api, acme.api_as("manager"), machine)
    answers = [api.send("post", PARTIES, {"name": "x"}, headers=KEY) for api in clients]
    assert [response.status_code for response in answers] == [201] * 4
    assert len({response.json()["id"] for response in answers}) == 4
    assert "Idempotent-Replayed" not in answers[-1].headers


def test_a_secret_is_answered_again_and_stored_by_nobody(acme: Company) -> None:
    body = {"name": "Till", "scopes": ["accounts.view_party"], "require_signature": True}
    first, again = (acme.api.send("post", "/api/v1/api-keys/", body, headers=KEY) for _ in range(2))
    assert first.status_code == 201
    assert_same(first, again)
    assert again.headers["Cache-Control"] == "no-store"
    with acme.scope():
        record = IdempotencyRecord.objects.get()
        assert record.is_sealed and b"Till" not in bytes(record.body)
        assert KEY["Idempotency-Key"] not in (record.key_hash, record.request_hash)


def test_without_a_key_it_costs_no_statement_and_with_one_two(acme: Company) -> None:
    counts = []
    for headers in ({}, KEY):
        acme.api.get(PARTIES)
        with CaptureQueriesContext(connection) as queries:
            assert acme.api.send("post", PARTIES, {"name": "x"}, headers=headers).status_code == 201
        sent = [query["sql"] for query in queries if not query["sql"].startswith(LEASE)]
        counts.append((len(sent), len([text for text in sent if "idempotency" in text])))
    (without, none), (with_key, own) = counts
    assert (none, own) == (0, 2) and with_key - without <= 2


def test_a_record_that_has_expired_is_none(acme: Company) -> None:
    first = acme.api.send("post", PARTIES, {"name": "x"}, headers=KEY)
    with acme.scope():
        IdempotencyRecord.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    second = acme.api.send("post", PARTIES, {"name": "y"}, headers=KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert acme.api.send("post", PARTIES, {"name": "y"}, headers=KEY).json() == second.json()


def test_a_body_that_is_too_large_is_refused_before_anything_happens(acme: Company, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    for headers in (KEY, {}):
        response = acme.api.send("post", PARTIES, {"name": "x" * 150}, headers=headers)
        assert_problem(response, 413, "body_too_large")


def test_an_answer_that_is_too_large_to_keep_still_has_one_effect(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.idempotency.LARGEST_ANSWER", 10)
    assert acme.api.send("post", PARTIES, {"name": "x"}, headers=KEY).status_code == 201
    assert_problem(acme.api.send("post", PARTIES, {"name": "x"}, headers=KEY), 409, "idempotency_answer_not_kept")


def test_nobody_signed_in_has_no_key(acme: Company) -> None:
    """Without an organization there is nowhere to keep an answer: the header is ignored."""
    for _ in range(2):
        response = Api().post("/api/v1/auth/token/", "{}", content_type=JSON, headers=KEY)
        assert_problem(response, 400, "invalid")


def test_ledgers_are_read_alone() -> None:
    """Or the contracts above would have to say how their rows are made twice."""
    assert not [r.prefix for r in RESOURCES if issubclass(r.model, LedgerModel) and r.takes("post")]
