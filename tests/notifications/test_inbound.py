"""Webhooks that come in: kept before anything is done with them, processed once, by hand again where it failed."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Membership, Organization
from accounts.services.leases import forget
from accounts.services.privacy import data_subject_erase
from accounts.services.retention import purge
from core.errors import Invalid
from core.retention import least_id
from notifications import receiving
from notifications.models import InboundSource, InboundWebhook, Job, OutboxEvent, Topic
from notifications.receiving import Received, Receiver, receives
from notifications.services.inbound import inbound_webhook_process
from notifications.services.jobs import TryAgain
from tests.companies import Api, Company
from tests.contracts.resources import assert_problem
from tests.factories.accounts import DataSubjectRequestFactory
from tests.factories.notifications import InboundWebhookFactory
from tests.notifications.senders import Sender, sender, shopify

URL = "/api/v1/inbound-webhooks/"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def code(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Receiver]]:
    """What the test declares is forgotten after it."""
    declared: list[Receiver] = []
    monkeypatch.setattr(receiving, "_receivers", declared)
    receiving._all.cache_clear()
    yield declared
    receiving._all.cache_clear()


def webhooks(company: Company, **values: Any) -> list[InboundWebhook]:
    with company.scope():
        return list(InboundWebhook.objects.filter(**values).order_by("id"))


def sent(company: Company, one: Sender, body: Any, **options: Any) -> InboundWebhook:
    response = one.send(body, **options)
    assert response.status_code == 202, response.content
    [webhook] = webhooks(company, pk=response.json()["id"])
    return webhook


def jobs(company: Company) -> list[list[Any]]:
    with company.scope():
        found = Job.objects.filter(task="notifications.tasks.process_inbound").order_by("id")
        return [job.arguments["args"] for job in found]


def processed(company: Company, webhook: InboundWebhook, *, is_last: bool = False) -> str:
    """As the job does it, which commits although it is to run again."""
    with company.scope():
        try:
            return inbound_webhook_process(webhook_id=webhook.pk, is_last_attempt=is_last)
        except TryAgain:
            return "again"


def reload(company: Company, webhook: InboundWebhook) -> InboundWebhook:
    [found] = webhooks(company, pk=webhook.pk)
    return found


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
    webhook = reload(acme, webhook)
    assert (webhook.repeats, webhook.differing_repeats, len(jobs(acme))) == (2, 0, 1)


def test_an_id_that_comes_again_with_another_body_keeps_the_first(acme: Company) -> None:
    one = sender(acme)
    webhook = sent(acme, one, {"id": "evt_1", "amount": 1})
    assert one.send({"id": "evt_1", "amount": 2}).status_code == 200
    webhook = reload(acme, webhook)
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
    b'{"a": 12345678901234567890123}',
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


# --- Processed --------------------------------------------------------------------------------------------


def test_a_receiver_gets_it_by_key_or_scheme_and_type(acme: Company, code: list[Receiver]) -> None:
    taken: list[tuple[str, Received]] = []
    for name, type in (("stripe", ""), ("shop", "invoice."), ("github", ""), ("stripe", "charge.")):
        receives(name, type=type)(lambda event, name=f"{name} {type}": taken.append((name, event)))  # type: ignore[misc]
    webhook = sent(acme, sender(acme, key="shop"), {"id": "evt_1", "type": "invoice.paid"})
    assert processed(acme, webhook) == "processed"
    assert [name for name, _ in taken] == ["stripe ", "shop invoice."]
    [event] = {json.dumps(event) for _, event in taken}
    assert json.loads(event) | {"received_at": ""} == {
        "id": str(webhook.pk), "source": "shop", "scheme": "stripe", "external_id": "evt_1", "type": "invoice.paid",
        "payload": {"id": "evt_1", "type": "invoice.paid"}, "headers": webhook.headers, "received_at": "",
    }
    webhook = reload(acme, webhook)
    assert (webhook.status, webhook.attempts, webhook.error) == ("processed", 1, "") and webhook.processed_at


def test_processing_twice_is_harmless(acme: Company, code: list[Receiver]) -> None:
    taken: list[Received] = []
    receives("stripe")(taken.append)
    webhook = sent(acme, sender(acme), {"id": "evt_1"})
    assert [processed(acme, webhook) for _ in range(3)] == ["processed"] * 3
    assert len(taken) == 1
    with acme.scope():
        assert OutboxEvent.objects.filter(type="inbound_webhook.received").count() == 0


def test_where_no_code_takes_it_an_event_tells_it(acme: Company, code: list[Receiver]) -> None:
    webhook = sent(acme, sender(acme, key="shop"), {"id": "evt_1", "type": "a.b"})
    for _ in range(2):
        assert processed(acme, webhook) == "processed"
    with acme.scope():
        [event] = OutboxEvent.objects.filter(type="inbound_webhook.received")
    assert (event.aggregate_type, event.aggregate_id) == ("inbound_webhook", webhook.pk)
    assert event.payload == {
        "source": "shop", "type": "a.b", "external_id": "evt_1", "payload": {"id": "evt_1", "type": "a.b"}, "is_whole": True,
    }


def test_an_event_leaves_out_a_payload_that_no_bus_would_take(acme: Company, code: list[Receiver]) -> None:
    webhook = sent(acme, sender(acme), {"id": "evt_1", "text": "x" * 200_000})
    assert processed(acme, webhook) == "processed"
    with acme.scope():
        payload = OutboxEvent.objects.get(type="inbound_webhook.received").payload
    assert (payload["payload"], payload["is_whole"], payload["external_id"]) == (None, False, "evt_1")


def failing(error: Exception) -> Callable[[Received], None]:
    def fail(event: Received) -> None:
        Topic.objects.create(key="half", name="Half a job")
        raise error

    return fail


def breaks_a_reference(event: Received) -> None:
    """Which the database checks at the end of the transaction."""
    Membership.objects.create(user_id="00000000-0000-0000-0000-000000000000")


def breaks_the_transaction(event: Received) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


@pytest.mark.parametrize("function", [failing(RuntimeError("no \0 way")), breaks_a_reference, breaks_the_transaction])
def test_what_fails_is_undone_noted_and_tried_again(function: Any, acme: Company, code: list[Receiver]) -> None:
    receives("stripe")(function)
    webhook = sent(acme, sender(acme), {"id": "evt_1"})
    assert processed(acme, webhook) == "again"
    noted = reload(acme, webhook)
    assert (noted.status, noted.attempts, noted.processed_at) == ("received", 1, None) and noted.error
    with acme.scope():
        assert not Topic.objects.filter(key="half").exists()
    assert processed(acme, webhook, is_last=True) == "again"
    assert (reload(acme, webhook).status, reload(acme, webhook).attempts) == ("failed", 2)


def test_what_is_refused_is_not_tried_again(acme: Company, code: list[Receiver]) -> None:
    receives("stripe")(failing(Invalid("There is no such order.")))
    webhook = sent(acme, sender(acme), {"id": "evt_1"})
    assert processed(acme, webhook) == "failed"
    assert (reload(acme, webhook).error, reload(acme, webhook).attempts) == ("There is no such order.", 1)


def test_what_failed_is_processed_when_it_is_asked_for(acme: Company, code: list[Receiver]) -> None:
    receives("stripe")(failing(Invalid("Not yet.")))
    webhook = sent(acme, sender(acme), {"id": "evt_1"})
    assert processed(acme, webhook) == "failed"
    code.clear()
    response = acme.api.post(f"{URL}{webhook.pk}/reprocess/")
    assert (response.status_code, response.json()["status"], response.json()["error"]) == (202, "received", "")
    assert jobs(acme) == [[str(webhook.pk)]] * 2
    assert processed(acme, webhook) == "processed"
    assert_problem(acme.api.post(f"{URL}{webhook.pk}/reprocess/"), 409, "already_processed")
    assert_problem(acme.api.send("post", f"{URL}{webhook.pk}/ignore/", {"reason": "x"}), 409, "already_processed")


def test_many_are_processed_again_by_a_filter(acme: Company, bolt: Company) -> None:
    one, foreign = sender(acme), sender(bolt)
    with acme.scope():
        rows = InboundWebhookFactory.create_batch(3, source=one.source, status="failed", type="a.b")
        InboundWebhookFactory.create(source=one.source, status="processed", processed_at=timezone.now(), type="a.b")
        InboundWebhookFactory.create(source=one.source, status="failed", type="c.d")
        InboundWebhookFactory.create(status="failed", type="a.b")
    with bolt.scope():
        InboundWebhookFactory.create(source=foreign.source, status="failed", type="a.b")
    body = {"source": str(one.source.pk), "type": "a.b", "since": (timezone.now() - timedelta(hours=1)).isoformat()}
    for expected in (3, 0):
        response = acme.api.send("post", f"{URL}reprocess/", body)
        assert (response.status_code, response.json()) == (202, {"reprocessed": expected, "more": False})
    assert [args for [args] in jobs(acme)] == [str(row.pk) for row in rows]
    assert acme.api.send("post", f"{URL}reprocess/", {"source": str(foreign.source.pk)}).json()["reprocessed"] == 0
    assert_problem(acme.api.send("post", f"{URL}reprocess/", {"status": "processed"}), 400)
    assert jobs(bolt) == []


def test_so_many_at_once_and_the_rest_when_asked_again(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.services.inbound.MOST_AT_ONCE", 2)
    with acme.scope():
        InboundWebhookFactory.create_batch(3, source=sender(acme).source, status="failed")
    answers = [acme.api.send("post", f"{URL}reprocess/", {}).json() for _ in range(2)]
    assert answers == [{"reprocessed": 2, "more": True}, {"reprocessed": 1, "more": False}]


def test_what_is_ignored_is_not_processed_until_it_is_asked_for(acme: Company, code: list[Receiver]) -> None:
    webhook = sent(acme, sender(acme), {"id": "evt_1"})
    assert_problem(acme.api.send("post", f"{URL}{webhook.pk}/ignore/", {}), 400)
    ignored = acme.api.send("post", f"{URL}{webhook.pk}/ignore/", {"reason": "A test of theirs."}).json()
    assert (ignored["status"], ignored["ignored_reason"]) == ("ignored", "A test of theirs.")
    assert processed(acme, webhook) == "ignored"
    assert acme.api.post(f"{URL}{webhook.pk}/reprocess/").json()["ignored_reason"] == ""
    assert processed(acme, webhook) == "processed"


# --- In the admin -----------------------------------------------------------------------------------------


def test_a_source_is_made_in_the_admin_and_its_secret_shown_once(acme: Company) -> None:
    form = {"key": "shop", "name": "Our shop", "scheme": "stripe", "tolerance_seconds": "300", "is_active": "on"}
    answer = acme.admin.post("/admin/notifications/inboundsource/add/", form)
    assert answer.status_code == 200 and "no-store" in answer.headers["Cache-Control"]
    with acme.scope():
        source = InboundSource.objects.get(key="shop")
    page = answer.content.decode()
    secret = page.partition('id="new-secret">')[2].partition("<")[0]
    assert f"/api/v1/inbound/{source.pk}/" in page
    assert Sender(source, secret).send({"id": "1"}).status_code == 202
    url = f"/admin/notifications/inboundsource/{source.pk}"
    assert secret not in acme.admin.get(f"{url}/change/").content.decode()
    assert acme.admin.get(f"{url}/rotate-secret/").status_code == 200
    assert "secret has 8 to" in acme.admin.post(f"{url}/rotate-secret/", {"secret": "short"}).content.decode()
    turned = acme.admin.post(f"{url}/rotate-secret/", {"secret": "the sender's next one"})
    assert "the sender's next one" not in turned.content.decode()
    assert Sender(source, "the sender's next one").send({"id": "2"}).status_code == 202
    saved = acme.admin.post(f"{url}/change/", {**form, "name": "Shop", "scheme": "token"})
    assert saved.status_code == 302
    with acme.scope():
        assert InboundSource.objects.values_list("name", "scheme").get(pk=source.pk) == ("Shop", "stripe")


def test_a_source_that_could_not_work_is_said_in_the_form(acme: Company) -> None:
    form = {"key": "a", "name": "A", "scheme": "hmac", "tolerance_seconds": "300", "given_secret": "long enough a secret"}
    page = acme.admin.post("/admin/notifications/inboundsource/add/", form)
    assert page.status_code == 200 and "This scheme needs the name of the header" in page.content.decode()


def test_webhooks_are_processed_again_and_ignored_in_the_admin(acme: Company) -> None:
    with acme.scope():
        first, second, third = InboundWebhookFactory.create_batch(3, status="failed")
    url = "/admin/notifications/inboundwebhook/"
    assert acme.admin.get(f"{url}{first.pk}/reprocess/").status_code == 200
    assert acme.admin.post(f"{url}{first.pk}/reprocess/").status_code == 302
    assert acme.admin.get(f"{url}{second.pk}/ignore/").status_code == 200
    assert acme.admin.post(f"{url}{second.pk}/ignore/", {"reason": "Theirs."}).status_code == 302
    assert acme.admin.post(url, {"action": "reprocess_selected", "_selected_action": [str(second.pk)]}).status_code == 302
    assert acme.admin.post(f"{url}reprocess-failed/").status_code == 302
    assert [row.status for row in webhooks(acme)] == ["received"] * 3
    assert {args for [args] in jobs(acme)} == {str(row.pk) for row in (first, second, third)}
    viewer = acme.admin_as("viewer")
    assert viewer.post(f"{url}{first.pk}/reprocess/").status_code == 403
    assert viewer.get("/admin/notifications/inboundsource/add/").status_code == 403


# --- How long, and of whom --------------------------------------------------------------------------------


def test_after_a_month_it_is_forgotten(acme: Company) -> None:
    one = sender(acme)
    for days in (29, 31):
        webhook, moment = sent(acme, one, {"id": str(days)}), timezone.now() - timedelta(days=days)
        pk = UUID(int=least_id(moment).int | webhook.pk.int & (1 << 80) - 1)
        with acme.scope():
            InboundWebhook.objects.filter(pk=webhook.pk).update(id=pk, created_at=moment)
    assert {one.rows for one in purge(organization_id=acme.organization.pk) if one.data_class == "inbound"} == {1}
    assert [webhook.external_id for webhook in webhooks(acme)] == ["29"]


def test_a_person_is_taken_out_and_what_comes_again_brings_nothing_back(acme: Company) -> None:
    one = sender(acme)
    email = "ada@example.test"
    body = {"id": f"order of {email}", "customer": {"email": email.upper(), "total": "12.50"}}
    webhook = sent(acme, one, body)
    with acme.scope():
        InboundWebhook.objects.update(error=f"No such {email}")
        data_subject_erase(request=DataSubjectRequestFactory(subject_email=email, kind="erase"))
    webhook = reload(acme, webhook)
    told = json.dumps([webhook.payload, webhook.error, webhook.external_id, webhook.headers])
    assert email not in told.lower() and webhook.payload["customer"]["total"] == "12.50"
