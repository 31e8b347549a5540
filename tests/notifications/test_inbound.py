"""Webhooks that come in: kept before anything is done with them, once, and only from who may send them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Organization
from accounts.services.leases import forget
from notifications.models import InboundSource
from tests.companies import Api, Company
from tests.contracts.resources import assert_problem
from tests.notifications.senders import URL, jobs, sender, sent, shopify, webhooks

FORM = "application/x-www-form-urlencoded"


# --- Kept -------------------------------------------------------------------------------------------------


def test_it_is_kept_with_the_job_that_processes_it(acme: Company) -> None:
    webhook = sent(acme, sender(acme), {"id": "evt_1", "type": "a.b"})
    assert (webhook.status, webhook.attempts, webhook.processed_at) == ("received", 0, None)
    assert jobs(acme) == [[str(webhook.pk)]]


def test_without_the_job_it_is_not_kept_and_the_sender_hears_so(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    one = sender(acme)
    with monkeypatch.context() as patched:
        patched.setattr("notifications.services.inbound.job_enqueue", lambda order: 1 / 0)
        assert_problem(one.send({"id": "evt_1"}), 500)
        assert webhooks(acme) == []
    assert one.send({"id": "evt_1"}).status_code == 202


def test_what_comes_again_is_the_same_row_and_has_one_job(acme: Company) -> None:
    one = sender(acme)
    webhook = sent(acme, one, {"id": "evt_1"})
    for _ in range(2):
        again = one.send({"id": "evt_1"})
        assert (again.status_code, again.json()) == (200, {"id": str(webhook.pk), "duplicate": True})
    [webhook] = webhooks(acme)
    assert (webhook.repeats, webhook.differing_repeats, len(jobs(acme))) == (2, 0, 1)


def test_an_id_that_comes_again_with_another_body_keeps_the_first(acme: Company) -> None:
    one = sender(acme)
    webhook = sent(acme, one, {"id": "evt_1", "amount": 1})
    assert one.send({"id": "evt_1", "amount": 2}).status_code == 200
    [webhook] = webhooks(acme)
    assert (webhook.payload["amount"], webhook.repeats, webhook.differing_repeats) == (1, 1, 1)


def test_another_source_may_use_the_same_id(acme: Company, bolt: Company) -> None:
    for company in (acme, acme, bolt):
        assert sender(company).send({"id": "evt_1"}).status_code == 202


def test_without_an_id_the_body_is_it(acme: Company) -> None:
    one = sender(acme, "sendcloud")
    assert [one.send({"n": n}).status_code for n in (1, 2, 1)] == [202, 202, 200]


def test_a_long_id_is_hashed_and_a_strange_one_is_no_mistake_of_ours(acme: Company) -> None:
    one = sender(acme)
    for id in ("x" * 5000, "a\tb", 7, 2**63, "  ", None, True, {"a": 1}, ["x"], "\U0001f4e6"):
        webhook = sent(acme, one, {"id": id, "type": id})
        assert len(webhook.external_id) <= 255 and webhook.external_id.isprintable()


@pytest.mark.parametrize("body", [
    b"no json", b"", b"\xff\xfe", b'{"a": "\\u0000"}', b"a\0b", b'"\\ud800"', b"[" * 5000, b'{"a": 1e999}', b"NaN",
    b'{"a": 12345678901234567890123}', b"[" * 248 + b"]" * 248,
])  # fmt: skip
def test_what_is_no_json_is_kept_as_text(body: bytes, acme: Company) -> None:
    """Genuine it is, so it is kept; also JSON that we could not hold without a loss."""
    webhook = sent(acme, sender(acme, "sendcloud"), body)
    assert webhook.payload == body.decode("utf-8", "replace").replace("\0", "\ufffd")
    assert acme.api.get(f"{URL}{webhook.pk}/").status_code == 200


def test_a_form_is_an_object(acme: Company) -> None:
    webhook = sent(acme, sender(acme, "sendcloud"), b"a=1&b=x+y&b=%C3%A9&c=", content_type=FORM)
    assert webhook.payload == {"a": "1", "b": ["x y", "\xe9"], "c": ""}


def test_headers_are_kept_without_secrets(acme: Company) -> None:
    one = sender(acme, "shopify")
    headers = {
        **shopify(one.secret, b"{}", id="w-1"), "X-Shopify-Shop-Domain": "a.example", "Authorization": "Bearer x",
        "Cookie": "a=b", "X-Api-Key": "k", "X-Forwarded-For": "192.0.2.1", "X-Auth-Token": "t", "Accept": "*/*",
        "User-Agent": "Shop/1", "X-Long": "y" * 4000,
    }
    response = one.send(b"{}", headers)
    assert response.status_code == 202
    [webhook] = webhooks(acme)
    assert webhook.headers == {
        "content-type": "application/json", "user-agent": "Shop/1", "x-long": "y" * 500, "x-shopify-shop-domain": "a.example",
        "x-shopify-topic": "orders/create", "x-shopify-webhook-id": "w-1",
    }


# --- Turned away ------------------------------------------------------------------------------------------


def test_an_unknown_source_and_one_that_is_off_are_not_there(acme: Company) -> None:
    one = sender(acme)
    with acme.scope():
        InboundSource.objects.update(is_active=False)
    assert_problem(one.send({"id": "1"}), 404, "not_found")
    assert_problem(Api().send("post", "/api/v1/inbound/00000000-0000-0000-0000-000000000000/", {}), 404, "not_found")
    assert_problem(Api().send("post", "/api/v1/inbound/no-such/", {}), 404, "unknown_address")


def test_a_suspended_organization_receives_nothing(acme: Company) -> None:
    one = sender(acme)
    with acme.scope():
        Organization.objects.update(status="suspended")
    assert_problem(one.send({"id": "1"}), 404, "not_found")


def test_a_body_has_a_size(acme: Company) -> None:
    one = sender(acme, "sendcloud")
    assert one.send(b"x" * 256 * 1024).status_code == 202
    assert_problem(one.send(b"x" * (256 * 1024 + 1)), 413, "too_large")
    assert_problem(one.send(b"x" * 3_000_000), 413, "too_large")


def test_a_body_is_json_or_a_form(acme: Company) -> None:
    one = sender(acme, "sendcloud")
    for kind in ("application/json; charset=utf-8", "application/cloudevents+json", "Application/JSON", FORM):
        assert one.send(kind.encode(), content_type=kind).status_code == 202
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/xml", "application/jsonp"):
        assert_problem(one.send(b"{}", content_type=kind), 415, "unsupported_media_type")


def test_of_what_is_turned_away_a_row_an_hour_counts(acme: Company) -> None:
    one = sender(acme)
    for number in range(5):
        body = {"id": f"evt_{number}", "card": "4242424242424242"}
        assert one.send(body, {"Stripe-Signature": f"t=1,v1=x{number}"}).status_code == 401
    [trace] = webhooks(acme)
    assert (trace.status, trace.signature_ok, trace.payload, trace.headers, trace.repeats) == ("rejected", False, None, {}, 4)
    assert trace.error == "The signature is wrong." and jobs(acme) == []
    for verb in ("reprocess", "ignore"):
        body = {"reason": "x"} if verb == "ignore" else {}
        assert_problem(acme.api.send("post", f"{URL}{trace.pk}/{verb}/", body), 409, "was_rejected")


def test_no_id_of_a_sender_is_the_row_of_the_turned_away(acme: Company) -> None:
    one = sender(acme)
    assert one.send({"id": "1"}, {}).status_code == 401
    [trace] = webhooks(acme)
    webhook = sent(acme, one, {"id": trace.external_id})
    assert webhook.external_id != trace.external_id


def test_credentials_of_ours_say_nothing_here(acme: Company, bolt: Company) -> None:
    """Nor are they looked at: senders have an Authorization of their own."""
    one = sender(acme, "token", signature_header="Authorization", signature_prefix="Bearer ")
    assert one.send({}, {"Authorization": f"Bearer {one.secret}"}).status_code == 202
    two = sender(acme)
    key = bolt.key("accounts.view_party")[1]
    for value in (f"Api-Key {key}", f"Bearer {bolt.members['admin'].tokens.access_token}", "Basic YTpi", "Bearer forged"):
        assert_problem(two.send({"id": "1"}, {"Authorization": value}), 401, "signature_invalid")
        raw = json.dumps({"id": value}).encode()
        assert two.send(raw, {**two.signed(raw), "Authorization": value}).status_code == 202
    assert webhooks(bolt) == []


def test_an_idempotency_key_and_an_origin_change_nothing(acme: Company) -> None:
    one = sender(acme)
    for number in range(2):
        raw = json.dumps({"id": number}).encode()
        headers = {**one.signed(raw), "Idempotency-Key": "k", "Origin": "https://evil.example", "If-Match": '"x"'}
        assert one.send(raw, headers).status_code == 202


@pytest.fixture
def limits(settings: Any) -> Iterator[dict[str, int]]:
    settings.INBOUND_LIMITS = {"sender": 1000, "source": 1000}
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 1)
    forget()
    yield settings.INBOUND_LIMITS
    forget()


def test_an_address_is_limited_and_nobody_else_pays(limits: dict[str, int], acme: Company) -> None:
    limits["sender"] = 2
    one = sender(acme)
    assert [one.send({"id": n}).status_code for n in range(3)] == [202, 202, 429]
    assert acme.api.get(URL).status_code == 200


def test_a_source_is_limited_by_what_is_genuine_alone(limits: dict[str, int], acme: Company) -> None:
    limits["source"] = 2
    one, other = sender(acme), sender(acme)
    assert [one.send({"id": n}, {}).status_code for n in range(5)] == [401] * 5
    assert [one.send({"id": n}).status_code for n in range(2)] == [202, 202]
    refused = one.send({"id": 3})
    assert_problem(refused, 429, "rate_limited")
    assert int(refused.headers["Retry-After"]) >= 1
    assert other.send({"id": 1}).status_code == 202
