"""What becomes of webhooks that were kept: processed once, by hand again where it failed, forgotten after a month."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Membership
from accounts.services.privacy import data_subject_erase
from accounts.services.retention import purge
from core.errors import Invalid
from core.retention import least_id
from notifications import receiving
from notifications.models import InboundSource, InboundWebhook, OutboxEvent, Topic
from notifications.receiving import Received, Receiver, receives
from notifications.services.inbound import inbound_webhook_process
from notifications.services.jobs import TryAgain
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.accounts import DataSubjectRequestFactory
from tests.factories.notifications import InboundWebhookFactory
from tests.notifications.senders import URL, Sender, jobs, sender, sent, webhooks


@pytest.fixture
def code(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Receiver]]:
    """What the test declares is forgotten after it."""
    declared: list[Receiver] = []
    monkeypatch.setattr(receiving, "_receivers", declared)
    receiving._all.cache_clear()
    yield declared
    receiving._all.cache_clear()


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
    code.clear()  # mended; its job, which is dead, may be run again as well
    assert processed(acme, webhook) == "processed"


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
