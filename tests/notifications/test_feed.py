"""The feed: dense positions, and a consumer who keeps the last one misses nothing."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, Thread
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, connections

from notifications.services.events import publish
from notifications.services.relaying import events_relay
from tests.companies import Api, Company
from tests.contracts.resources import assert_problem
from tests.notifications.forks import FORK, ended, forks
from tests.notifications.playground.events import ThingHappened
from tests.notifications.test_relaying import relay_all, told, untold

type NewCompany = Callable[[], Company]
FEED = "/api/v1/events/"


def follow(api: Api, after: int = 0, **query: Any) -> Iterator[dict[str, Any]]:
    """As a consumer does: from where it stopped to the end."""
    while True:
        page = api.get(FEED, {"after": after, "limit": 7, **query}).json()
        yield from page["results"]
        assert page["next_after"] >= after
        after = page["next_after"]
        if page["next"] is None:
            assert after == page["last"]
            return


def test_gives_what_was_relayed_in_order(new_company: NewCompany) -> None:
    company, other = untold(new_company()), untold(new_company())
    events = [told(company, payload={"n": n}) for n in range(20)]
    told(other)
    relay_all()
    told(company, payload={"n": "not relayed yet"})
    found = list(follow(company.api))
    assert [(row["position"], row["payload"]["n"]) for row in found] == [(n + 1, n) for n in range(20)]
    assert [row["id"] for row in found] == [str(event) for event in events]
    assert {row["organization"] for row in found} == {str(company.organization.pk)}
    assert [row["position"] for row in follow(company.api, after=17)] == [18, 19, 20]
    page = company.api.get(FEED, {"after": 20}).json()
    assert page == {"next": None, "previous": None, "results": [], "next_after": 20, "last": 20}
    link = company.api.get(FEED, {"after": 0, "limit": 5}).json()["next"]
    assert [row["position"] for row in company.api.get(link).json()["results"]] == [6, 7, 8, 9, 10]


def test_filters_and_still_says_how_far_it_went(new_company: NewCompany) -> None:
    company, aggregate = untold(new_company()), uuid4()
    told(company, aggregate_id=aggregate)
    for _ in range(9):
        told(company, type="thing.else")
    told(company)
    relay_all()
    assert [row["position"] for row in follow(company.api, type="thing.happened")] == [1, 11]
    assert [row["position"] for row in follow(company.api, aggregate_id=aggregate)] == [1]
    assert list(company.api.get(FEED, {"after": 0, "fields": "type", "limit": 1}).json()["results"][0]) == ["type"]


def test_a_filter_looks_at_a_bounded_part_at_a_time(new_company: NewCompany, monkeypatch: Any) -> None:
    monkeypatch.setattr("notifications.api.events.WINDOW", 4)
    company = untold(new_company())
    for _ in range(10):
        told(company, type="thing.else")
    told(company)
    relay_all()
    page = company.api.get(FEED, {"after": 0, "type": "thing.happened"}).json()
    assert (page["results"], page["next_after"], page["last"]) == ([], 4, 11)
    assert [row["position"] for row in follow(company.api, type="thing.happened")] == [11]


def test_refuses_what_is_no_position(acme: Company) -> None:
    for text in ("", "x", "-1", "1.5", "1" * 19, "²"):
        problem = assert_problem(acme.api.get(FEED, {"after": text}), 400, "invalid_parameter")
        assert problem["errors"][0]["parameter"] == "after"
    assert_problem(acme.api.get(FEED, {"after": 0, "sort": "id"}), 400, "invalid_parameter")
    assert_problem(acme.api.get(FEED, {"after": 0}, headers={"Accept": "text/csv"}), 400, "invalid_parameter")


def test_an_event_that_commits_late_comes_later_and_is_not_skipped(new_company: NewCompany) -> None:
    company = untold(new_company())
    drawn, leave = Event(), Event()
    late: list[UUID] = []

    def slow() -> None:
        try:
            with company.scope():
                late.append(publish(ThingHappened(n="slow"), aggregate_id=uuid4()))
                drawn.set()
                leave.wait(60)
        finally:
            connections.close_all()

    writer = Thread(target=slow)
    writer.start()
    assert drawn.wait(60)
    told(company, payload={"n": "quick"})
    relay_all()
    [seen] = follow(company.api)
    assert (seen["position"], seen["payload"]["n"]) == (1, "quick")
    leave.set()
    writer.join(60)
    relay_all()
    [after] = follow(company.api, after=seen["position"])
    assert (after["position"], after["id"]) == (2, str(late[0]))
    with company.scope(), connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(seq ORDER BY position) FROM notifications_outboxevent")
        first, second = cursor.fetchone()[0]
    assert second < first, "the slow one had drawn its number before"


WRITERS, WRITES = 3, 60
COMMITTED = [n for n in range(WRITES) if n % 7 != 3]


def write(company: Company, aggregate: UUID) -> None:
    """Now and then it is rolled back."""
    for n in range(WRITES):
        with suppress(ZeroDivisionError), company.scope():
            publish(ThingHappened(n=n), aggregate_id=aggregate)
            if n not in COMMITTED:
                raise ZeroDivisionError


def relay_until(over: Any) -> None:
    while not over.is_set():
        events_relay([])


def consume_until(over: Any, api: Api, answers: Any) -> None:
    after, seen, is_last = 0, [], False
    while not is_last:
        is_last = over.is_set()
        rows = list(follow(api, after))
        seen += [(row["position"], row["aggregate_id"], row["payload"]["n"]) for row in rows]
        after = rows[-1]["position"] if rows else after
    answers.put(seen)


def test_a_consumer_sees_each_committed_event_once_and_in_order(new_company: NewCompany) -> None:
    """Writers, two relays, and a consumer who asks all the while, each a process of its own."""
    company = untold(new_company())
    over, answers = FORK.Event(), FORK.SimpleQueue()
    aggregates = [uuid4() for _ in range(WRITERS)]
    with forks() as fork:
        writers = [fork(write, company, aggregate) for aggregate in aggregates]
        others = [fork(relay_until, over), fork(relay_until, over), fork(consume_until, over, company.api, answers)]
        ended(writers)
        relay_all()
        over.set()
        ended(others)
        seen = answers.get()
    assert [position for position, _, _ in seen] == list(range(1, WRITERS * len(COMMITTED) + 1))
    for aggregate in aggregates:
        assert [n for _, found, n in seen if found == str(aggregate)] == COMMITTED
