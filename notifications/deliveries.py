"""Takes deliveries that are due and has them tried, several at a time."""

import logging
import os
import threading
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from functools import cache
from threading import Event

from django.conf import settings
from django.db import close_old_connections

from core import logs
from core.budget import RESERVE, Budget
from notifications.senders import sender
from notifications.services.delivering import (
    LEASE,
    Claimed,
    Outcome,
    deliveries_claim,
    deliveries_record,
    deliveries_recover,
    deliveries_renew,
)

logger = logging.getLogger("notifications.deliveries")

THREADS = "delivery"  # how their names begin
TOGETHER = 0.01  # seconds: what lands within them is recorded by one statement, and its commit is one

type Flights = dict[Future[Outcome | None], Claimed]


@cache
def _pool() -> ThreadPoolExecutor:
    """Kept, because each of its threads keeps a connection."""
    return ThreadPoolExecutor(settings.DELIVERY_THREADS, thread_name_prefix=THREADS)


os.register_at_fork(after_in_child=_pool.cache_clear)  # threads stay behind


def deliveries_leave() -> bool:
    """At the end of a process; whether some are under way still. Their leases run out, and another worker tries them again."""
    if not _pool.cache_info().currsize:
        return False
    _pool().shutdown(wait=False, cancel_futures=True)
    ours = [thread for thread in threading.enumerate() if thread.name.startswith(THREADS)]
    for thread in ours:
        thread.join(0.05)
    return any(thread.is_alive() for thread in ours)


def time_for_one() -> float:
    """Seconds of a budget that a call may need to come to its end, beside those that are kept for it anyway."""
    return float(max(0.0, settings.WEBHOOK_SECONDS - RESERVE))


def deliver_due(stopping: Event, limit: int, budget: Budget | None = None) -> int:
    """At most so many deliveries that are due, until none is; answers how many were tried.

    Nothing new once `stopping`, or where it might not end in time.
    """
    if recovered := deliveries_recover():
        logger.warning("Recovered %d deliveries whose workers went away", recovered)
    budget = budget or Budget()
    flights: Flights = {}
    begun, renewed = 0, time.monotonic()
    while True:
        free = min(settings.DELIVERY_THREADS - len(flights), limit - begun)
        may_begin = free > 0 and not stopping.is_set() and budget.left() >= time_for_one()
        claimed = deliveries_claim(limit=free) if may_begin else []
        begun += len(claimed)
        flights |= {_pool().submit(_tried, one): one for one in claimed}
        if not flights:
            return begun
        wait(flights, timeout=LEASE / 3, return_when=FIRST_COMPLETED)
        landed, _ = wait(flights, timeout=TOGETHER)
        _land(landed, flights)
        if flights and time.monotonic() - renewed >= LEASE / 3:
            deliveries_renew(list(flights.values()))
            renewed = time.monotonic()


def _land(landed: Iterable[Future[Outcome | None]], flights: Flights) -> None:
    ended = [(flights.pop(one), one.result()) for one in landed]
    tried = [(claimed, outcome) for claimed, outcome in ended if outcome]
    mine = deliveries_record(tried) if tried else set()
    for claimed, outcome in tried:
        said = outcome.status if claimed.id in mine else "taken over"
        with _about(claimed):
            logger.info("Delivery %s to %s: %s, attempt %d", claimed.id, claimed.target_kind, said, claimed.attempt)


def _tried(claimed: Claimed) -> Outcome | None:
    close_old_connections()
    with _about(claimed):
        try:
            return sender(claimed.target_kind)(claimed)
        except Exception as error:
            logger.exception("Delivery %s to %s raised", claimed.id, claimed.target_kind)
            return Outcome("retry", error=f"{type(error).__name__}: {error}"[:2000])


def _about(claimed: Claimed) -> AbstractContextManager[None]:
    return logs.about(delivery_id=claimed.id, **logs.whose(claimed.organization_id, claimed.origin()))
