"""Who is believed: each sender's own way of signing, and everything that is not quite it."""

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications.models import InboundSource, InboundWebhook
from notifications.services.inbound_sources import inbound_source_rotate
from notifications.verifying import RECIPES
from tests.companies import Api, Company
from tests.contracts.resources import assert_problem
from tests.notifications.senders import EXAMPLES, SENDERS, Sender, hexadecimal, sender, standard_webhooks, stripe

pytestmark = pytest.mark.once

each_scheme = pytest.mark.parametrize("scheme", SENDERS)
TIMED = [scheme for scheme, recipe in RECIPES.items() if recipe.signs_the_time]
each_timed_scheme = pytest.mark.parametrize("scheme", TIMED)


def kept(company: Company) -> list[InboundWebhook]:
    with company.scope():
        return list(InboundWebhook.objects.exclude(status="rejected").order_by("id"))


def assert_refused(response: Any) -> None:
    problem = assert_problem(response, 401, "signature_invalid")
    assert problem["detail"] == "The signature is not valid."


def signature_header(scheme: str) -> str:
    return RECIPES[scheme].signature_header or {"hmac": "X-Signature", "token": "X-Push-Token"}[scheme]


def test_each_scheme_is_tried_here() -> None:
    assert set(InboundSource.Scheme.values) == RECIPES.keys() == SENDERS.keys() == EXAMPLES.keys()
    assert sorted(TIMED) == ["shippo", "standard_webhooks", "stripe"]


@each_scheme
def test_a_genuine_webhook_is_kept(scheme: str, acme: Company) -> None:
    one = sender(acme, scheme)
    body, id, type = EXAMPLES[scheme]
    raw = json.dumps(body).encode()
    headers = one.signed(raw)
    response = one.send(raw, headers)
    assert response.status_code == 202, response.content
    [webhook] = kept(acme)
    assert response.json() == {"id": str(webhook.pk), "duplicate": False}
    assert (webhook.payload, webhook.type, webhook.status, webhook.signature_ok) == (body, type, "received", True)
    if id == "header":
        assert webhook.external_id in headers.values()
    else:
        assert webhook.external_id == (id or f"sha256:{hashlib.sha256(raw).hexdigest()}")


@each_scheme
@pytest.mark.parametrize("change", ["no signature", "empty", "other secret", "other body", "cut off", "not ASCII"])
def test_anything_else_is_refused_without_saying_why(scheme: str, change: str, acme: Company) -> None:
    if (scheme, change) == ("token", "other body"):
        pytest.skip("a token is no signature, which the guide says")
    one = sender(acme, scheme)
    raw, name = b'{"id": "evt_1"}', signature_header(scheme)
    headers = one.signed(raw)
    if change == "no signature":
        del headers[name]
    elif change == "other secret":
        other = "whsec_" + base64.b64encode(b"x" * 32).decode() if scheme == "standard_webhooks" else "another secret"
        headers |= {name: SENDERS[scheme](other, raw)[name]}
    elif change == "other body":
        raw += b" "
    else:
        headers[name] = {"empty": "", "cut off": headers[name][:-1], "not ASCII": "\xe9" * 64}[change]
    assert_refused(one.send(raw, headers))
    assert kept(acme) == []


@each_timed_scheme
@pytest.mark.parametrize("seconds", [-400, 400, -86_400])
def test_what_is_too_old_or_of_the_future_is_refused_in_the_same_words(scheme: str, seconds: int, acme: Company) -> None:
    one = sender(acme, scheme)
    name = signature_header(scheme)
    options = {"header": name} if scheme == "shippo" else {}
    signing = standard_webhooks if scheme == "standard_webhooks" else stripe
    headers = signing(one.secret, b"{}", at=time.time() + seconds, **options)  # type: ignore[operator]
    assert_refused(one.send(b"{}", headers))


@each_timed_scheme
def test_a_time_cannot_be_made_newer(scheme: str, acme: Company) -> None:
    one = sender(acme, scheme)
    name, now = signature_header(scheme), str(int(time.time()))
    options = {"header": name} if scheme == "shippo" else {}
    signing = standard_webhooks if scheme == "standard_webhooks" else stripe
    headers = signing(one.secret, b"{}", at=time.time() - 4000, **options)  # type: ignore[operator]
    if scheme == "standard_webhooks":
        headers["webhook-timestamp"] = now
    else:
        headers[name] = f"t={now}," + headers[name].partition(",")[2]
    assert_refused(one.send(b"{}", headers))


@pytest.mark.parametrize("moment", ["", "abc", "1e9", "-1", "9" * 20, "٣" * 10, "1700000000.5"])
def test_what_is_no_time_is_refused_although_it_is_signed(moment: str, acme: Company) -> None:
    one = sender(acme, "stripe")
    signature = hexadecimal(one.secret, f"{moment}.".encode() + b"{}")
    headers = {"Stripe-Signature": f"t={moment},v1={signature}"}
    assert_refused(one.send(b"{}", {key: value.encode().decode("latin-1") for key, value in headers.items()}))


def test_the_tolerance_is_the_sources(acme: Company) -> None:
    strict, patient = sender(acme, "stripe", tolerance_seconds=5), sender(acme, "stripe", tolerance_seconds=86_400)
    past = time.time() - 3600
    assert_refused(strict.send({"id": "a"}, at=past))
    assert patient.send({"id": "a"}, at=past).status_code == 202


def test_one_right_signature_of_several_is_enough(acme: Company) -> None:
    """A sender that rotates its secret signs with both."""
    one = sender(acme, "standard_webhooks")
    headers = one.signed(b"{}")
    other = "v1," + base64.b64encode(b"x" * 32).decode()
    headers["webhook-signature"] = f"v2,abc {other} {headers['webhook-signature']}"
    assert one.send(b"{}", headers).status_code == 202
    moment = int(time.time())
    two = sender(acme, "stripe")
    right = hexadecimal(two.secret, f"{moment}.".encode() + b"{}")
    assert two.send(b"{}", {"Stripe-Signature": f"t={moment},v1={'0' * 64},v1={right}"}).status_code == 202


def test_a_signature_of_another_version_does_not_count(acme: Company) -> None:
    one = sender(acme, "standard_webhooks")
    headers = one.signed(b"{}")
    assert_refused(one.send(b"{}", {**headers, "webhook-signature": headers["webhook-signature"].replace("v1,", "v1a,")}))
    two, moment = sender(acme, "stripe"), int(time.time())
    signature = hexadecimal(two.secret, f"{moment}.".encode() + b"{}")
    assert_refused(two.send(b"{}", {"Stripe-Signature": f"t={moment},v0={signature}"}))


# --- What a source says for itself ------------------------------------------------------------------------


def test_a_sender_of_its_own_kind_is_described(acme: Company) -> None:
    """Id, time, method, path and body, in Base64 with a prefix: enough for any header style."""
    one = sender(
        acme, "hmac", signature_header="X-Carrier-Signature", signature_encoding="base64", signature_prefix="v1:",
        timestamp_header="X-Carrier-Time", signed_template="{id}|{timestamp}|{method} {path}|{body}",
        external_id_from="header:X-Carrier-Id", type_from="body:event.kind",
    )
    body, moment = b'{"event": {"kind": "parcel.moved"}}', str(int(time.time() * 1000))
    signed = f"id-1|{moment}|POST {one.url}|".encode() + body
    digest = base64.b64encode(hmac.new(one.secret.encode(), signed, hashlib.sha256).digest()).decode()
    headers = {"X-Carrier-Signature": f"v1:{digest}", "X-Carrier-Time": moment, "X-Carrier-Id": "id-1"}
    assert one.send(body, headers).status_code == 202
    [webhook] = kept(acme)
    assert (webhook.external_id, webhook.type) == ("id-1", "parcel.moved")
    assert_refused(one.send(body, {**headers, "X-Carrier-Id": "id-2"}))
    assert_refused(one.send(body, {**headers, "X-Carrier-Signature": digest}))


def test_the_older_headers_of_standard_webhooks(acme: Company) -> None:
    one = sender(
        acme, "standard_webhooks", signature_header="svix-signature", timestamp_header="svix-timestamp",
        external_id_from="header:svix-id",
    )
    headers = {name.replace("webhook-", "svix-"): value for name, value in one.signed(b"{}").items()}
    assert one.send(b"{}", headers).status_code == 202


def test_hexadecimal_may_be_written_large(acme: Company) -> None:
    one = sender(acme, "sendcloud")
    assert one.send(b"{}", {"Sendcloud-Signature": hexadecimal(one.secret, b"{}").upper()}).status_code == 202


def test_easypost_normalizes_its_secret(acme: Company) -> None:
    one = sender(acme, "easypost", secret="caf\u00e9 secret")
    headers = {"X-Hmac-Signature": "hmac-sha256-hex=" + hexadecimal("cafe\u0301 secret", b"{}")}
    assert one.send(b"{}", headers).status_code == 202


@pytest.mark.parametrize(("values", "field"), [
    ({"scheme": "hmac"}, "signature_header"),
    ({"scheme": "token"}, "signature_header"),
    ({"scheme": "hmac", "signature_header": "X S"}, "signature_header"),
    ({"scheme": "hmac", "signature_header": "X-S", "timestamp_header": "X-T"}, "timestamp_header"),
    ({"scheme": "hmac", "signature_header": "X-S", "signed_template": "{timestamp}.{body}"}, "timestamp_header"),
    ({"scheme": "hmac", "signature_header": "X-S", "signed_template": "{timestamp}"}, "signed_template"),
    ({"scheme": "hmac", "signature_header": "X-S", "signed_template": "{nonce}{body}"}, "signed_template"),
    ({"scheme": "hmac", "signature_header": "X-S", "signed_template": "{body}}"}, "signed_template"),
    ({"scheme": "hmac", "signature_header": "X-S", "signed_template": "{id}{body}", "external_id_from": "body:id"},
     "external_id_from"),
    ({"scheme": "stripe", "external_id_from": "id"}, "external_id_from"),
    ({"scheme": "stripe", "type_from": "body:"}, "type_from"),
    ({"scheme": "stripe", "tolerance_seconds": 0}, "tolerance_seconds"),
    ({"scheme": "stripe", "tolerance_seconds": 90_000}, "tolerance_seconds"),
    ({"scheme": "stripe", "secret": "short"}, "secret"),
    ({"scheme": "standard_webhooks", "secret": "whsec_not base64!"}, "secret"),
    ({"scheme": "carrier-pigeon"}, "scheme"),
])  # fmt: skip
def test_a_source_that_could_not_work_is_refused_when_it_is_made(values: dict[str, Any], field: str, acme: Company) -> None:
    response = acme.api.send("post", "/api/v1/inbound-sources/", {"key": "a", "name": "A", **values})
    problem = assert_problem(response, 400)
    assert field in json.dumps(problem["errors"]) or field in problem["detail"]


# --- Rotation ---------------------------------------------------------------------------------------------


def rotated(company: Company, one: Sender, secret: str, **options: Any) -> Sender:
    with company.scope():
        row = inbound_source_rotate(source=one.source, secret=secret, **options).row
    return Sender(row, secret)


def test_both_secrets_count_until_the_rotation_ends(acme: Company) -> None:
    old = sender(acme, "stripe")
    new = rotated(acme, old, "a new secret of the sender")
    assert [one.send({"id": id}).status_code for one, id in ((old, "1"), (new, "2"))] == [202, 202]
    with acme.scope():
        InboundSource.objects.update(rotation_ends_at=timezone.now() - timedelta(seconds=1))
    assert_refused(old.send({"id": "3"}))
    assert new.send({"id": "3"}).status_code == 202


def test_a_secret_that_got_out_ends_at_once(acme: Company) -> None:
    old = sender(acme, "stripe")
    new = rotated(acme, old, "a new secret of the sender", overlap=timedelta(0))
    assert_refused(old.send({"id": "1"}))
    assert new.send({"id": "1"}).status_code == 202


def test_a_secret_is_shown_once_and_sealed(acme: Company) -> None:
    url = "/api/v1/inbound-sources/"
    response = acme.api.send("post", url, {"key": "a", "name": "A", "scheme": "standard_webhooks"})
    made = response.json()
    assert made["secret"].startswith("whsec_") and response.headers["Cache-Control"] == "no-store"
    assert "secret" not in acme.api.get(f"{url}{made['id']}/").json()
    given = acme.api.send("post", url, {"key": "b", "name": "B", "scheme": "stripe", "secret": "whsec_of_stripe"})
    assert given.status_code == 201 and "secret" not in given.json()
    turned = acme.api.send("post", f"{url}{made['id']}/rotate-secret/", {"overlap_hours": 1})
    assert turned.status_code == 200 and turned.json()["secret"] not in ("", made["secret"])
    with acme.scope():
        row = InboundSource.objects.get(pk=made["id"])
        assert made["secret"].encode() not in bytes(row.previous_secret)
        one = Sender(row, made["secret"])
    assert one.send({"type": "a"}).status_code == 202
    trail = acme.api.get("/api/v1/audit-entries/", {"table_name": "notifications_inboundsource"}).content.decode()
    assert made["secret"] not in trail and "whsec_of_stripe" not in trail


def test_a_scheme_stays_what_it_was_made_for(acme: Company) -> None:
    one = sender(acme, "stripe")
    response = acme.api.send("patch", f"/api/v1/inbound-sources/{one.source.pk}/", {"scheme": "token"})
    assert "/scheme" in {error["pointer"] for error in assert_problem(response, 400)["errors"]}


def test_a_secret_is_not_changed_in_passing(acme: Company) -> None:
    one = sender(acme, "stripe")
    response = acme.api.send("patch", f"/api/v1/inbound-sources/{one.source.pk}/", {"secret": "another secret"})
    assert_problem(response, 400)
    assert Api().get(one.url).status_code == 405
