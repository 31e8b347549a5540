"""What a line of the log tells, and what it never does."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.permissions import ADMIN
from core import access_log
from core.logs import JSONLines, Lines, _readable, about, clean, known, note
from core.tenancy import Origin, organization_scope
from notifications.services.jobs import Order, job_claim, job_made
from notifications.services.running import job_run
from tests.companies import Company
from tests.core.test_metrics import checked

type NewCompany = Callable[[], Company]

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def written() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """The lines, as a function in the cloud writes them."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JSONLines())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


def requests_of(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["logger"] == "core.requests" and "route" in line]


def test_a_request_is_a_line_that_tells_who_and_where_to(acme: Company, written: Any) -> None:
    traceparent = f"00-{TRACE}-b7ad6b7169203331-01"
    acme.api.get("/api/v1/parties/?search=x", headers={"X-Request-Id": "find-me", "traceparent": traceparent})
    [line] = requests_of(written())
    assert line.pop("duration_ms") > 0 and line.pop("time").endswith("+00:00") and line.pop("message")
    assert line == {
        "level": "INFO", "logger": "core.requests", "method": "GET", "route": "/api/v1/parties/", "status": 200,
        "request_id": "find-me", "trace_id": TRACE, "organization_id": str(acme.organization.pk),
        "user_id": str(acme.members[ADMIN].user.pk),
    }


def test_a_request_by_key_names_the_key_and_one_by_nobody_nobody(acme: Company, written: Any, client: Any) -> None:
    key, text = acme.key("accounts.view_party")
    client.get("/api/v1/parties/", headers={"Authorization": f"Api-Key {text}"})
    client.get("/api/v1/parties/")
    by_key, by_nobody = requests_of(written())
    assert (by_key["status"], by_key["organization_id"]) == (200, str(acme.organization.pk))
    assert by_key["api_key_id"] == str(key.pk) and "user_id" not in by_key
    assert by_nobody["status"] == 401 and by_nobody["request_id"]
    assert not by_nobody.keys() & {"organization_id", "user_id", "api_key_id", "trace_id"}


@pytest.mark.parametrize(("header", "told"), [
    ("Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1", TRACE),
    ("Self=1-0af76519-0000;Root=1-0af76519-16cd43dd8448eb211c80319c", TRACE),
    ("Root=1-nonsense", None), ("", None),
])
def test_aws_names_the_trace_in_its_own_way(header: str, told: str | None, acme: Company, written: Any) -> None:
    acme.api.get("/api/v1/parties/", headers={"X-Amzn-Trace-Id": header})
    assert requests_of(written())[-1].get("trace_id") == told


@pytest.mark.urls("tests.contracts.urls")
def test_what_is_planted_is_nowhere_in_the_log(acme: Company, written: Any, client: Any) -> None:
    token = acme.members[ADMIN].tokens.access_token
    planted = ["ada.lovelace@example.com", "Tr0ub4dor-and-3", token, "qm_live_abcdefghij0123456789", "sub-tok3n-0f-4-link"]
    mail, password, _, key, link = planted
    client.post("/api/v1/auth/token/", {"email": mail, "password": password}, content_type="application/json")
    client.get(f"/api/v1/parties/?search={mail}&token={link}")
    client.get("/api/v1/parties/", headers={"Authorization": f"Api-Key {key}"})
    client.get(f"/subscriptions/{link}/")
    client.get(f"/api/v1/parties/{link}/", headers={"Authorization": f"Bearer {token}", "Cookie": f"sessionid={key}"})
    acme.api.get("/api/v1/breaks/")
    for form in (JSONLines(), Lines("{message}", style="{")):
        assert not [one for one in planted if one in form.format(raised(mail, password, key, token))]
    lines = written()
    assert len(requests_of(lines)) == 6
    assert [line for line in lines if line.get("stack")], "the trace of what broke is there"
    text = json.dumps(lines)
    assert [one for one in planted if one in text] == []


def raised(mail: str, password: str, key: str, token: str) -> logging.LogRecord:
    """As somebody may log it who has not thought of it."""
    try:
        raise IntegrityError(f'duplicate key value\nDETAIL:  Key (email)=({mail}) exists, {password}.')
    except IntegrityError as error:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "%s: Authorization: Bearer %s, password=%s, %s", (
            mail, token, password, key,
        ), (type(error), error, error.__traceback__))
    return record


def test_a_path_is_told_as_its_route(acme: Company, written: Any) -> None:
    acme.api.get("/api/v1/parties/019a0000-0000-7000-8000-000000000000/")
    acme.api.get("/nobody/knows/4711")
    first, second = requests_of(written())
    assert (first["route"], first["status"]) == ("/api/v1/parties/{pk}/", 404)
    assert (second["route"], second["status"]) == ("unknown", 404)


def routes(found: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for one in found:
        if isinstance(one, URLPattern):
            yield before + str(one.pattern)
        else:
            yield from routes(one.url_patterns, before + str(one.pattern))


def test_every_route_can_be_read() -> None:
    every = [_readable(route) for route in routes(get_resolver().url_patterns)]
    assert len(every) > 1000
    assert [route for route in every if set(route) & set("()<>^$?*\\[]+|")] == []


def test_what_machines_ask_all_the_time_is_not_told(client: Any, db: None, written: Any) -> None:
    client.get("/healthz")
    client.get("/readyz")
    with access_log.unseen():
        client.get("/api/v1/parties/")
    assert requests_of(written()) == []


def test_a_job_tells_whose_it_is(new_company: NewCompany, written: Any) -> None:
    company = new_company()
    origin = Origin(actor_id=company.user.pk, request_id="asked-for", traceparent=f"00-{TRACE}-b7ad6b7169203331-01")
    with organization_scope(company.organization.pk, origin=origin):
        job = job_made(Order(task="tests.notifications.playground.tasks.write", kwargs={"key": "told"}))
    attempt = job_claim(job_id=job)
    assert attempt and job_run(attempt) == "succeeded"
    line = written()[-1]
    assert (line["logger"], line["job_id"], line["task"]) == ("notifications.jobs", str(job), attempt.task)
    assert (line["organization_id"], line["user_id"]) == (str(company.organization.pk), str(company.user.pk))
    assert (line["request_id"], line["trace_id"]) == ("asked-for", TRACE)


def test_inside_a_scope_the_scope_says_whose_it_is(acme: Company) -> None:
    with acme.scope():
        assert known()["organization_id"] == str(acme.organization.pk)
    assert known() == {}
    note(lost="nobody asked")
    with about(a="1", empty=""):
        note(b="2")
        assert known() == {"a": "1", "b": "2"}
    assert known() == {}


def test_metrics_come_with_the_line_of_the_request(acme: Company, written: Any, settings: Any, monkeypatch: Any) -> None:
    settings.METRICS, settings.LOG_FORMAT = "emf", "json"
    monkeypatch.setattr(access_log, "_cold", [True])
    for _ in range(2):
        acme.api.get("/api/v1/parties/nobody/")
    first, second = [checked(json.dumps(line)) for line in requests_of(written())]
    assert (first["Requests"], first["Errors"], first["Refusals"], first["ColdStarts"]) == (1, 0, 1, 1)
    assert first["Duration"] == first["duration_ms"] and first["cold_start"] is True
    assert second["ColdStarts"] == 0 and "cold_start" not in second


def test_metrics_have_a_line_of_their_own_beside_text(acme: Company, settings: Any, capsys: Any) -> None:
    settings.METRICS = "emf"
    acme.api.get("/api/v1/parties/")
    [line] = [checked(text) for text in capsys.readouterr().out.splitlines() if text.startswith("{")]
    assert line["Requests"] == 1


def test_an_address_of_mail_is_found_in_no_time() -> None:
    assert clean("a" * 50_000 + "@" + "b." * 20_000).startswith("a")
    assert clean("to ada@example.com, at 3 @ home") == "to [redacted], at 3 @ home"
