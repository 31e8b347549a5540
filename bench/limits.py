"""What rate limits cost: alone, in a request, and to eight processes that ask at once for one user."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from statistics import median
from uuid import uuid4

from django.db import connections

from accounts import limits
from accounts.services.leases import Policy, forget, requests_spend
from bench.database import TENANT, member_of
from bench.measuring import Result, statements, times
from bench.requests import Client

ROUNDS = 500
PROCESSES, EACH, TURNS = 8, 200, 5
QUOTA = 500  # of the test that they get no more
PATH = "products/?limit=1&fields=id"


def run(size: int) -> Iterator[Result]:
    own = [Policy(kind, str(uuid4()), 100_000_000) for kind in ("user", "organization")]

    def leased() -> None:
        forget()
        requests_spend(policies=own, seconds=60)

    (spend,) = times(10 * ROUNDS, lambda: requests_spend(policies=own, seconds=60))
    (lease,) = times(ROUNDS, leased)
    yield Result("a request of two limits, from a lease", size, spend, statements=0, target=("ours", 0.02))
    yield Result("a request of two limits, leased for itself", size, lease, statements=1)

    request = Client(member_of(TENANT)).get(PATH)
    free, counted = times(ROUNDS, _free(request), request)
    yield Result("a small list with limits, beside without", size, counted, free, statements(request), target=("ratio", 1.1))

    turns = [(_together(_free(request)), _together(request)) for _ in range(TURNS)]
    without, ours = (median(column) for column in zip(*turns, strict=True))
    yield Result("the same of 8 processes at once", size, ours, without, target=("ratio", 1.1))
    _never_more()


def _free(request: Callable[[], object]) -> Callable[[], object]:
    """With all addresses free, as health checks are."""

    def call() -> object:
        limited, limits.FREE = limits.FREE, ("/",)
        try:
            return request()
        finally:
            limits.FREE = limited

    return call


def _together(work: Callable[[], object]) -> float:
    """Milliseconds a request, of all processes together."""
    taken = _at_once(lambda: [work() for _ in range(EACH)])
    return max(seconds for seconds, _ in taken) * 1000 / (PROCESSES * EACH)


def _never_more() -> None:
    own = [Policy("user", str(uuid4()), QUOTA)]
    found = _at_once(lambda: [requests_spend(policies=own, seconds=3600).is_allowed for _ in range(EACH)])
    granted = sum(sum(map(bool, answers)) for _, answers in found)
    print(f"  {granted} of {PROCESSES * EACH} requests were granted, where {QUOTA} are the limit")
    if granted > QUOTA:
        raise AssertionError("More than the limit was granted.")


def _at_once(work: Callable[[], list[object]]) -> list[tuple[float, list[object]]]:
    connections.close_all()
    context = multiprocessing.get_context("fork")
    barrier, answers = context.Barrier(PROCESSES), context.SimpleQueue()

    def run_one() -> None:
        connections["default"].ensure_connection()
        barrier.wait(60)
        begun = time.perf_counter()
        done = [answer if isinstance(answer, bool) else True for answer in work()]
        answers.put((time.perf_counter() - begun, done))
        connections.close_all()

    started = [context.Process(target=run_one) for _ in range(PROCESSES)]
    for process in started:
        process.start()
    found = [answers.get() for _ in started]
    for process in started:
        process.join(60)
    return found
