"""The feed as it grows: server-sent events."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.companies import Api, Company
from tests.contracts.resources import assert_problem
from tests.notifications.test_relaying import relay_all, told, untold

type NewCompany = Callable[[], Company]
FEED = "/api/v1/events/"
ACCEPT = {"Accept": "text/event-stream"}


@pytest.fixture
def company(new_company: NewCompany) -> Company:
    return untold(new_company())


@pytest.fixture
def none_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.following._waiting", None)


def stream(company: Company, *, api: Api | None = None, last: str = "", **query: Any) -> Iterator[bytes]:
    headers = {**ACCEPT, **({"Last-Event-ID": last} if last else {})}
    response: Any = (api or company.api).get(FEED, query, headers=headers)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/event-stream")
    chunks: Iterator[bytes] = iter(response.streaming_content)
    assert next(chunks) == b"retry: 2000\n\n"
    return chunks


def positions(chunk: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"(?m)^id: (\d+)$", chunk)]


def test_tells_what_was_and_then_what_happens_until_the_client_leaves(company: Company) -> None:
    told(company, payload={"n": 1})
    told(company, payload={"n": 2})
    relay_all()
    chunks = stream(company, after=0, fields="type,payload")
    first, second = (b'id: %d\ndata: {"type":"thing.happened","payload":{"n":%d}}\n\n' % (n, n) for n in (1, 2))
    assert next(chunks) == first + second
    told(company)
    relay_all()
    assert positions(next(chunks)) == [3]
    others = [stream(company, after=3), stream(company, after=3)]
    assert [*others[1]] == [], "two of a process wait, and a third is told to come again"
    assert company.api.post("/api/v1/auth/sign-out/").status_code == 204
    told(company)
    relay_all()
    assert [*chunks] == [], "who is signed out is told no more"


@pytest.mark.usefixtures("none_waits")
def test_goes_on_where_the_client_stopped(company: Company) -> None:
    told(company)
    relay_all()
    assert [*stream(company)] == [], "from now on"
    for _ in range(3):
        told(company, type="thing.else")
    told(company)
    relay_all()
    assert [positions(chunk) for chunk in stream(company, last="1", after=0)] == [[2, 3, 4, 5]]
    assert [positions(chunk) for chunk in stream(company, after=0, type="thing.happened")] == [[1, 5]]
    assert [*stream(company, after=1, type="thing.never")] == [b"id: 5\n\n"], "looked through, though nothing was asked for"


@pytest.mark.usefixtures("none_waits")
def test_is_for_programs_with_a_key_that_may_see_events(company: Company) -> None:
    told(company)
    relay_all()
    key = company.api_by_key("notifications.view_outboxevent")
    assert [positions(chunk) for chunk in stream(company, api=key, after=0)] == [[1]]
    assert_problem(company.api_as("viewer").get(FEED, headers=ACCEPT), 403)


def test_refuses_before_it_begins(company: Company) -> None:
    for query in ({"after": "x"}, {"sort": "id"}, {"fields": "nothing"}, {"aggregate_id": "x"}):
        assert_problem(company.api.get(FEED, query, headers=ACCEPT), 400, "invalid_parameter")
    assert_problem(company.api.get(FEED, headers={**ACCEPT, "Last-Event-ID": "x"}), 400, "invalid_parameter")
