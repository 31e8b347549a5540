"""Other systems are asked as seldom as may be, and never more than they allow; the third party is a real server."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.permissions import MANAGER, VIEWER
from core.tenancy import organization_scope
from notifications.models import ExternalCacheEntry, ExternalSource, ExternalSourceHealth
from notifications.services import external_calls
from notifications.services.external import Unavailable, answers_forget, question, source_ask
from notifications.services.external_health import source_admit, source_failed
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers
from tests.notifications.at_work import quiet, run_all
from tests.notifications.forks import FORK, PATIENCE, ended, forks
from tests.notifications.processes import eventually
from tests.notifications.receiver import Receiver, Reply
from tests.notifications.source_kit import KINDS, ask, priced, rewind, said, source

type NewCompany = Callable[[], Company]
URL = "/api/v1/external-sources/"
PASSED = timedelta(minutes=10)


def entry(company: Company) -> ExternalCacheEntry:
    with company.scope():
        return ExternalCacheEntry.objects.get()


# --- The cache ----------------------------------------------------------------------------------------------


def test_a_fresh_answer_is_not_asked_for_again(acme: Company, listener: Receiver) -> None:
    made = source(acme, listener, default_ttl=60)
    listener.replies.extend([priced(12.5), priced(13)])
    assert [ask(acme, made).payload for _ in range(2)] == [{"price": 12.5}] * 2
    assert [request.path for request in listener.received] == ["/v1/prices/copper"]
    assert ask(acme, made, again=True).payload == {"price": 13}
    rewind(acme, "externalcacheentry", expires_at=PASSED)
    listener.replies.append(priced(14))
    assert ask(acme, made).payload == {"price": 14}


@pytest.mark.parametrize(("given", "asked", "value"), [
    ("etag", "if-none-match", '"v1"'), ("last-modified", "if-modified-since", "Fri, 27 Nov 2026 05:00:00 GMT"),
])  # fmt: skip
def test_what_has_not_changed_holds_on(given: str, asked: str, value: str, acme: Company, listener: Receiver) -> None:
    made = source(acme, listener, default_ttl=60)
    listener.replies.extend([said({"price": 12.5}, **{given: value}), Reply(304), said({"price": 13})])
    before = ask(acme, made)
    rewind(acme, "externalcacheentry", expires_at=PASSED, fetched_at=PASSED)
    after = ask(acme, made)
    assert listener.received[1].headers[asked] == value
    assert (after.payload, after.expires_at > before.expires_at - PASSED) == (before.payload, True)
    assert ask(acme, made) == after and len(listener.received) == 2
    assert ask(acme, made, again=True).payload == {"price": 13}


@pytest.mark.parametrize(("own", "header", "seconds"), [
    (None, "", 60), (None, "public, max-age=600", 600), (None, "no-store", 0), (30, "max-age=600", 30),
])  # fmt: skip
def test_how_long_it_is_fresh(own: int | None, header: str, seconds: int, acme: Company, listener: Receiver) -> None:
    kinds = {"price": KINDS["price"] | ({} if own is None else {"ttl": own})}
    made = source(acme, listener, default_ttl=60, kinds=kinds)
    listener.replies.append(said({"price": 1}, **({"cache-control": header} if header else {})))
    known = ask(acme, made)
    assert (known.expires_at - known.fetched_at).total_seconds() == pytest.approx(seconds, abs=1)


def test_a_source_that_fails_is_stood_in_for(acme: Company, listener: Receiver) -> None:
    made = source(acme, listener, stale_seconds=3600)
    listener.replies.extend([priced(12.5), said(b"out of order, token=abcdef123", 500), Reply(drops=True)])
    ask(acme, made)
    stale = ask(acme, made)
    assert (stale.payload, stale.is_stale) == ({"price": 12.5}, True)
    assert stale.error.startswith("It answered 500: out of order") and "abcdef123" not in stale.error
    assert ask(acme, made).is_stale and entry(acme).last_error
    rewind(acme, "externalcacheentry", stale_if_error_until=timedelta(hours=2))
    listener.replies.append(Reply(503))
    with pytest.raises(Unavailable, match="It answered 503"):
        ask(acme, made)
    listener.replies.append(priced(13))
    assert (ask(acme, made).is_stale, entry(acme).last_error) == (False, "")


def test_what_the_source_does_not_know_is_an_answer(acme: Company, listener: Receiver) -> None:
    made = source(acme, listener, default_ttl=60)
    listener.replies.append(Reply(404))
    assert [ask(acme, made).found for _ in range(2)] == [False, False]
    assert len(listener.received) == 1


# --- What is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reply", "says"), [
    (said(b"<html>Welcome</html>"), "cannot be read. It is no JSON"),
    (said(b"[" + b"1," * 300_000 + b"1]"), "more than 524,288 bytes"),
    (Reply(200, {"content-length": "100"}, b'{"price": 1}'), "broke off"),
    (Reply(302, {"location": "http://169.254.169.254/"}), "redirects (302), which is not followed"),
    (Reply(hangs=True), "No answer within 1 seconds"),
    (Reply(drips=True), "No answer within 1 seconds"),
    (Reply(drops=True), "without an answer|disconnected"),
], ids=["garbage", "too large", "breaks off", "redirect", "slow", "drips", "drops"])  # fmt: skip
def test_what_is_no_answer_is_said(reply: Reply, says: str, acme: Company, listener: Receiver) -> None:
    made = source(acme, listener, timeout=1)
    listener.replies.append(reply)
    with pytest.raises(Unavailable, match=says.replace("(", r"\(").replace(")", r"\)")):
        ask(acme, made)
    assert len(listener.received) == 1


def test_private_networks_are_not_reached(acme: Company, listener: Receiver, settings: Any) -> None:
    made = source(acme, listener)
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    external_calls.outbound.cache_clear()
    with pytest.raises(Unavailable, match="does not lead to an address of the open internet"):
        ask(acme, made)
    assert not listener.received
    settings.WEBHOOKS_BY_HTTP = False
    for url, says in (("https://10.0.0.8/v1", "open internet"), ("http://prices.example.test/v1", "https is demanded")):
        problem = assert_problem(acme.api.send("post", URL, {"name": "X", "base_url": url, "kinds": KINDS}), 400)
        assert pointers(problem) == {"/base_url"} and says in str(problem)


# --- The circuit and the rate -------------------------------------------------------------------------------


def test_the_circuit_opens_and_a_probe_closes_it(acme: Company, listener: Receiver, settings: Any) -> None:
    settings.WEBHOOK_CIRCUIT_FAILURES = 2
    made = source(acme, listener)
    listener.reply(500, 500)
    for says in ("It answered 500", "It answered 500", "The circuit is open"):
        with pytest.raises(Unavailable, match=says):
            ask(acme, made)
    assert len(listener.received) == 2
    health = acme.api.get(f"{URL}{made.pk}/health/").json()
    assert (health["circuit_state"], health["failure_count"]) == ("open", 2)
    assert health["last_error"] == "It answered 500."
    rewind(acme, "externalsourcehealth", closed_until=timedelta(hours=1))
    assert acme.api.get(f"{URL}{made.pk}/health/").json()["circuit_state"] == "half_open"
    listener.replies.append(priced(1))
    assert ask(acme, made).found
    assert acme.api.get(f"{URL}{made.pk}/health/").json()["circuit_state"] == "closed"


def test_failures_under_way_when_the_circuit_opens_do_not_lengthen_it(acme: Company, listener: Receiver, settings: Any) -> None:
    """But that of the probe does."""
    settings.WEBHOOK_CIRCUIT_FAILURES = 2
    made = source(acme, listener)
    failed: Any = partial(source_failed, source_id=made.pk, error="It answered 500.")
    with acme.scope():
        for _ in range(2):
            failed(is_probe=False)
        opened = ExternalSourceHealth.objects.get()
        for _ in range(3):
            failed(is_probe=False)
        assert ExternalSourceHealth.objects.get().closed_until == opened.closed_until
        ExternalSourceHealth.objects.update(closed_until=timezone.now())
        probe = source_admit(source_id=made.pk, max_per_minute=None)
        failed(is_probe=probe.is_probe)
        again = ExternalSourceHealth.objects.get()
        assert (probe.is_probe, again.failures) == (True, 3)
        assert again.closed_until - timezone.now() > timedelta(seconds=1.5 * settings.WEBHOOK_CIRCUIT_SECONDS)


def test_a_question_that_is_refused_says_nothing_of_the_source(acme: Company, listener: Receiver, settings: Any) -> None:
    settings.WEBHOOK_CIRCUIT_FAILURES = 1
    made = source(acme, listener)
    listener.reply(500, 400, 401)
    with pytest.raises(Unavailable):
        ask(acme, made)
    rewind(acme, "externalsourcehealth", closed_until=timedelta(hours=1))
    with pytest.raises(Unavailable, match="It answered 400") as refused:
        ask(acme, made)
    assert refused.value.is_final
    assert acme.api.get(f"{URL}{made.pk}/health/").json()["circuit_state"] == "closed"
    for says in ("It answered 401", "The circuit is open"):
        with pytest.raises(Unavailable, match=says):
            ask(acme, made)


def test_a_source_that_asks_to_wait_is_left_alone(acme: Company, listener: Receiver) -> None:
    made = source(acme, listener)
    listener.reply(429, headers={"retry-after": "60"})
    for says in ("It answered 429", "asked to wait"):
        with pytest.raises(Unavailable, match=says):
            ask(acme, made)
    assert len(listener.received) == 1


def test_the_rate_of_a_source_is_kept(acme: Company, listener: Receiver) -> None:
    made = source(acme, listener, max_per_minute=300)
    listener.answer = lambda request: priced(1)
    began = time.monotonic()
    for number in range(4):
        ask(acme, made, f"p{number}")
    assert time.monotonic() - began >= 0.6
    rewind(acme, "externalsourcehealth", next_slot_at=-timedelta(minutes=5))  # as if many waited
    with pytest.raises(Unavailable, match="rate of the source is used up"):
        ask(acme, made, "another")
    assert len(listener.received) == 4


# --- Many askers --------------------------------------------------------------------------------------------


def _ask_for_itself(organization: UUID, source_id: UUID, told: Any) -> None:
    """As a job does, each commit of which ends its transaction."""
    scopes = [organization_scope(organization)]

    def commit() -> None:
        scopes[0].__exit__(None, None, None)
        scopes[0] = organization_scope(organization)
        scopes[0].__enter__()

    scopes[0].__enter__()
    try:
        asked = question(source_id=source_id, kind="price", subject="copper")
        told.put(source_ask(asked=asked, commit=commit).payload)
    except Unavailable as error:
        told.put(str(error))
    finally:
        scopes[0].__exit__(None, None, None)


def others_look(many: int, since: datetime) -> bool:
    """Whether so many have looked after that moment at what is kept, where somebody asks already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND query LIKE '%%notifications_externalcacheentry%%' AND query_start > %s", [since],
        )
        return bool(cursor.fetchone()[0] == many)


@pytest.mark.parametrize(
    ("reply", "answer"), [(priced(12.5), {"price": 12.5}), (Reply(500), "It answered 500.")], ids=["answers", "fails"],
)
def test_many_ask_at_once_and_the_source_is_asked_once(
    reply: Reply, answer: Any, new_company: NewCompany, listener: Receiver,
) -> None:
    company = new_company()
    made = source(company, listener)
    waiting: list[bool] = []

    def slowly(request: Any) -> Reply:
        waiting.append(True)
        listener.released.wait(PATIENCE)
        return reply

    listener.answer = slowly
    told = FORK.SimpleQueue()
    with forks() as fork:
        processes = [fork(_ask_for_itself, company.organization.pk, made.pk, told) for _ in range(3)]
        eventually(lambda: waiting)
        eventually(partial(others_look, 2, timezone.now()))
        listener.released.set()
        ended(processes)
    assert [told.get() for _ in processes] == [answer] * 3
    assert len(listener.received) == 1


def test_an_answer_of_before_a_change_is_not_kept(acme: Company, listener: Receiver) -> None:
    """The source is changed while somebody asks it."""
    made = source(acme, listener, default_ttl=600)
    listener.replies.extend([priced(1), priced(2)])
    with acme.scope(), pytest.raises(Unavailable, match="changed meanwhile"):
        asked = question(source_id=made.pk, kind="price", subject="copper")
        source_ask(asked=asked, commit=lambda: answers_forget(source_id=made.pk))
    assert ask(acme, made).payload == {"price": 2}


# --- Credentials --------------------------------------------------------------------------------------------


def test_a_credential_is_sent_and_never_shown(acme: Company, listener: Receiver) -> None:
    body = {
        "name": "Feed", "base_url": f"http://127.0.0.1:{listener.port}", "kinds": KINDS, "credential_header": "X-Api-Key",
        "credential": "very-secret-1",
    }
    answer = acme.api.send("post", URL, body)
    assert answer.status_code == 201 and "very-secret" not in answer.content.decode()
    made = answer.json()["id"]
    listener.replies.extend([said(b"no such key very-secret-1", 401), priced(1), priced(2)])
    with pytest.raises(Unavailable, match=r"It answered 401: no such key \[redacted\]"):
        ask(acme, made)
    ask(acme, made)
    assert listener.received[0].headers["x-api-key"] == "very-secret-1"
    assert acme.api.send("post", f"{URL}{made}/set-credential/", {"credential": ""}).status_code == 200
    ask(acme, made)
    assert "x-api-key" not in listener.received[2].headers
    for wrong in ("two\tparts", " x", "ü"):
        problem = assert_problem(acme.api.send("post", f"{URL}{made}/set-credential/", {"credential": wrong}), 400)
        assert pointers(problem) == {"/credential"}
    with acme.scope():
        row = ExternalSource.objects.get(pk=made)
        assert row.credential is None
        trail = AuditEntry.objects.filter(row_id=made)
        assert trail and not [one for one in trail if "very-secret" in str(one.changes)]


def test_what_was_answered_before_a_change_is_forgotten(acme: Company, listener: Receiver) -> None:
    made = source(acme, listener, default_ttl=600)
    listener.replies.extend([priced(1), priced(2)])
    ask(acme, made)
    assert acme.api.send("patch", f"{URL}{made.pk}/", {"timeout": 5}).status_code == 200
    assert ask(acme, made).payload == {"price": 1}
    kinds = {"price": {"path": "/v2/{id}"}}
    assert acme.api.send("patch", f"{URL}{made.pk}/", {"kinds": kinds}).status_code == 200
    assert ask(acme, made).payload == {"price": 2}


# --- Searching ----------------------------------------------------------------------------------------------


@pytest.fixture
def company(new_company: NewCompany) -> Any:
    quiet()
    yield new_company()
    quiet()


def test_a_search_is_a_job_until_its_answer_is_kept(company: Company, listener: Receiver) -> None:
    made = source(company, listener, default_ttl=600, kinds={"map": {"path": "/maps?q={id}"}})
    listener.replies.append(said({"maps": ["Desert"]}))
    asked = {"kind": "map", "query": "desert sand"}
    answer = company.api_as(MANAGER).send("post", f"{URL}{made.pk}/search/", asked)
    assert answer.status_code == 202 and answer.headers["Retry-After"]
    assert not listener.received
    assert run_all() == ["succeeded"]
    job = company.api.get(answer.headers["Location"]).json()
    assert (job["queue"], job["status"], job["result"]["payload"]) == ("search", "succeeded", {"maps": ["Desert"]})
    assert listener.received[0].path == "/v1/maps?q=desert%20sand"
    at_once = company.api.send("post", f"{URL}{made.pk}/search/", asked)
    assert (at_once.status_code, at_once.json()["payload"]) == (200, {"maps": ["Desert"]})
    assert company.api.send("post", f"{URL}{made.pk}/search/", {**asked, "again": True}).status_code == 202
    cached = company.api.get("/api/v1/external-cache-entries/", {"source": str(made.pk)}).json()["results"]
    assert [row["cache_key"] for row in cached] == ["map:desert sand"]


def test_a_search_says_what_is_wrong(company: Company, listener: Receiver) -> None:
    made = source(company, listener)
    url = f"{URL}{made.pk}/search/"
    assert pointers(assert_problem(company.api.send("post", url, {"kind": "map"}), 400, "unknown_kind")) == {"/kind"}
    up = {"kind": "price", "query": ".."}
    assert pointers(assert_problem(company.api.send("post", url, up), 400)) == {"/query"}
    assert_problem(company.api_as(VIEWER).send("post", url, {"kind": "price"}), 403)
    answer = company.api.send("post", url, {"kind": "price", "query": "x"})
    listener.reply(500)
    assert run_all() == ["queued"]
    with company.scope(), transaction.atomic():
        ExternalSource.objects.filter(pk=made.pk).update(is_active=False)
    company.api.send("post", f"{answer.headers['Location']}run-now/")
    assert run_all() == ["failed"]
    assert "is switched off" in company.api.get(answer.headers["Location"]).json()["error"]
    assert_problem(company.api.send("post", url, {"kind": "price"}), 409, "switched_off")
