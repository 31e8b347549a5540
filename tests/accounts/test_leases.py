"""Limits across processes and threads with real commits: what is granted never exceeds the limit, and comes cheap."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from accounts.services.leases import Policy, Spent, forget, requests_spend
from tests.companies import Company
from tests.inventory.test_races import at_once

PARTIES = "/api/v1/parties/"


@pytest.fixture(autouse=True)
def fresh(commits: None) -> Iterator[None]:
    forget()
    yield
    forget()


def policy(quota: int, kind: str = "address") -> Policy:
    return Policy(kind, str(uuid4()), quota)


def spend(policies: list[Policy]) -> Spent:
    return requests_spend(policies=policies, seconds=settings.RATE_WINDOW)


def spent(policies: list[Policy], tries: int) -> int:
    return sum(spend(policies).is_allowed for _ in range(tries))


def test_eight_processes_together_get_the_limit_and_no_more() -> None:
    own = [policy(500)]
    granted = at_once(8, lambda number: spent(own, 200))
    assert sum(granted) <= 500
    # Some processes ended with a lease that they had not used up: never much. One that comes late may find nothing left.
    assert sum(granted) >= 400


def test_eight_processes_without_haste_get_all_of_it() -> None:
    """Asked one after the other until nothing is left anywhere: every request of the limit is had by somebody."""
    own = [policy(100)]

    def ask_until_refused(number: int) -> int:
        return next(count for count in range(1000) if not spend(own).is_allowed)

    assert sum(at_once(8, ask_until_refused)) == 100


def test_threads_of_one_process_get_the_limit_and_no_more() -> None:
    own = [policy(300), policy(250)]

    def work(number: int) -> int:
        try:
            return spent(own, 100)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 250
    assert spend(own[:1]).is_allowed, "who was refused by one limit has spent nothing of the other"


def test_a_busy_process_asks_the_database_seldom() -> None:
    own = [policy(6000), policy(60_000)]
    with CaptureQueriesContext(connection) as queries:
        assert spent(own, 1000) == 1000
    assert len(queries) <= 30


def test_a_refused_process_does_not_ask_the_database() -> None:
    own = [policy(1)]
    assert spent(own, 1) == 1
    with CaptureQueriesContext(connection) as queries:
        assert spent(own, 100) == 0
    assert len(queries) == 0


def test_what_costs_nothing_is_given_back_once() -> None:
    own = [policy(2)]
    first = spend(own)
    first.give_back()
    assert spent(own, 3) == 2
    refused = spend(own)
    refused.give_back()
    assert spent(own, 1) == 0


def test_the_next_window_starts_anew() -> None:
    """The clock is the database's: its row is moved into the past, and this process is a new one."""
    own = policy(3)
    assert spent([own], 5) == 3
    with connections["owner"].cursor() as cursor:
        values = [settings.RATE_WINDOW, f"address:{own.id}"]
        cursor.execute("UPDATE accounts_ratewindow SET ends = ends - %s WHERE bucket = %s", values)
    connections["owner"].close()
    forget()
    assert spent([own], 5) == 3


def test_no_lock_is_held_while_a_request_runs(new_company: Callable[[], Company]) -> None:
    """A lease is committed before the scope opens: in it there is another transaction."""
    company = new_company()
    with CaptureQueriesContext(connection) as queries:
        assert company.api.get(PARTIES).status_code == 200
    sent = [query["sql"] for query in queries]
    [lease] = [number for number, text in enumerate(sent) if "accounts_rate_lease" in text]
    assert sent[lease + 1].startswith("BEGIN") and not any(text.startswith("BEGIN") for text in sent[: lease + 1])


def test_requests_of_eight_processes_are_counted_together(new_company: Callable[[], Company], settings: Any) -> None:
    settings.RATE_LIMITS = {"user": 60, "key": 60, "organization": 1000, "address": 60}
    company = new_company()
    api = company.api

    def ask(number: int) -> list[int]:
        return [api.get(PARTIES).status_code for _ in range(20)]

    codes = [code for codes in at_once(8, ask) for code in codes]
    assert (codes.count(200) + codes.count(429), len(codes)) == (160, 160)
    assert 40 <= codes.count(200) <= 60
