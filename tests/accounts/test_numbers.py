"""Numbers of documents: each once, none lost, whoever asks at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier

import pytest
import time_machine
from django.db import connections

from accounts.models import NumberSequence
from accounts.services.documents import number_next, sequences_create
from core.errors import Invalid
from tests.companies import Company
from tests.contracts.resources import assert_problem


class ChangedMyMind(Exception):
    pass


def test_counts_by_the_pattern(acme: Company) -> None:
    with acme.scope(), time_machine.travel("2026-03-01"):
        sequences_create(order="SO-{year}-{number:06}", plain="{number}")
        assert [number_next(document_type="order") for _ in range(2)] == ["SO-2026-000001", "SO-2026-000002"]
        assert number_next(document_type="plain") == "1"
        sequences_create(order="X{number}")
        assert number_next(document_type="order") == "SO-2026-000003", "what exists stays"


def test_starts_again_each_year_where_told_to(acme: Company) -> None:
    with acme.scope():
        NumberSequence.objects.create(document_type="yearly", pattern="{year}/{number}", reset="yearly")
        NumberSequence.objects.create(document_type="never", pattern="{year}/{number}")
        given = []
        for day in ("2026-06-01", "2026-12-31", "2027-01-01", "2027-01-02"):
            with time_machine.travel(day):
                given.append((number_next(document_type="yearly"), number_next(document_type="never")))
    assert [yearly for yearly, _ in given] == ["2026/1", "2026/2", "2027/1", "2027/2"]
    assert [never for _, never in given] == ["2026/1", "2026/2", "2027/3", "2027/4"]


def test_keeps_the_number_that_was_set(acme: Company) -> None:
    with acme.scope(), time_machine.travel("2026-03-01"):
        NumberSequence.objects.create(document_type="invoice", pattern="{number}", reset="yearly", next_value=500)
        assert [number_next(document_type="invoice") for _ in range(2)] == ["500", "501"]


def test_the_first_number_makes_the_sequence_unless_somebody_has_chosen_a_pattern(acme: Company) -> None:
    with acme.scope():
        sequences_create(chosen="X{number}")
        assert [number_next(document_type="new", first="N{number}") for _ in range(2)] == ["N1", "N2"]
        assert number_next(document_type="chosen", first="N{number}") == "X1"


def test_says_what_is_missing(acme: Company) -> None:
    with acme.scope(), pytest.raises(Invalid, match="no-such"):
        number_next(document_type="no-such")


@pytest.mark.parametrize("pattern", [
    "SO-1", "{number", "{no_such}", "{}", "{number.__class__}", "{number:9999999999}", "{number!r}", "{0}", "{year}",
    "{number:x}",
])  # fmt: skip
def test_refuses_patterns_that_give_no_number(pattern: str, acme: Company) -> None:
    assert_problem(acme.api.send("post", "/api/v1/number-sequences/", {"document_type": "x", "pattern": pattern}), 400)


def test_many_at_once_leave_no_gap(new_company: Callable[[], Company]) -> None:
    company, threads, each = new_company(), 4, 10
    with company.scope():
        sequences_create(order="{number}")
    start = Barrier(threads)

    def ask(thread: int) -> list[str]:
        given = []
        try:
            start.wait()
            for turn in range(each):
                with suppress(ChangedMyMind), company.scope():
                    number = number_next(document_type="order")
                    if turn % 3 == thread % 3:
                        raise ChangedMyMind
                    given.append(number)
            return given
        finally:
            connections["default"].close()

    with ThreadPoolExecutor(threads) as pool:
        given = [int(number) for numbers in pool.map(ask, range(threads)) for number in numbers]
    assert sorted(given) == list(range(1, len(given) + 1))
    assert len(given) < threads * each, "some were given back"
