"""What a worker does, by departments: each has threads of its own, and a turn that says whether there was anything to do."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from threading import Event, Lock
from typing import NamedTuple

from core.budget import Budget
from notifications.bus import bus_put
from notifications.clock import Clock
from notifications.deliveries import deliver_due
from notifications.queries.depth import queue_depths
from notifications.registry import handlers
from notifications.services.endings import jobs_recover, keys_wake
from notifications.services.jobs import job_claim
from notifications.services.relaying import BATCH, events_relay
from notifications.services.running import SHORTEST, job_run

logger = logging.getLogger("notifications.worker")

NAP = 1  # seconds; events ring no bell, and what is due later rings none either
MINUTE = 60
DELIVERIES = 100  # of a turn


class Turn(NamedTuple):
    stopping: Event
    budget: Budget
    tally: "Tally"
    clock: Clock


class Department(NamedTuple):
    name: str
    turn: Callable[[Turn], bool]
    threads: int = 1


class Tally:
    """What a process has done since it was last asked."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, int] = {}
        self.looked_at: dict[str, float] = {}  # by what only time brings

    def add(self, what: str, number: int = 1) -> None:
        with self._lock:
            self._counts[what] = self._counts.get(what, 0) + number

    def take(self) -> dict[str, int]:
        with self._lock:
            counts, self._counts = self._counts, {}
        return counts

    def is_time(self, for_what: str, seconds: float) -> bool:
        """At the first call, and then every so often."""
        now = time.monotonic()
        if now - self.looked_at.get(for_what, -seconds) < seconds:
            return False
        self.looked_at[for_what] = now
        return True


def relay(turn: Turn) -> bool:
    relayed = events_relay(handlers())
    if relayed.events:
        logger.info("Relayed %d events to %d jobs and %d deliveries", *relayed)
        turn.tally.add("events", relayed.events)
    return bool(relayed.events == BATCH or relayed.jobs or relayed.deliveries)


def deliveries(turn: Turn) -> bool:
    tried = deliver_due(turn.stopping, DELIVERIES, turn.budget)
    turn.tally.add("deliveries", tried)
    return bool(tried)


def bus(turn: Turn) -> bool:
    return bool(bus_put(turn.stopping, turn.budget))


def jobs(turn: Turn) -> bool:
    if turn.budget.left() < SHORTEST:
        return False
    attempt = job_claim(worker=f"{socket.gethostname()}:{os.getpid()}/{threading.current_thread().name}")
    if attempt is None:
        return False
    job_run(attempt, turn.budget)
    turn.tally.add("jobs")
    return True


def clock(turn: Turn) -> bool:
    """What only time brings: ticks, jobs of workers that were killed, and each minute a line about the queues."""
    if not turn.tally.is_time("clock", NAP):
        return False
    if recovered := jobs_recover():
        logger.warning("Recovered %d jobs whose workers went away", recovered)
    if turn.tally.is_time("sweep", MINUTE) and (woken := keys_wake()):
        logger.warning("Woke %d lock keys that nobody woke", woken)
    return bool(recovered) | turn.clock.turn(turn.budget)


def report(turn: Turn) -> bool:
    if turn.tally.is_time("report", MINUTE):
        for depth in queue_depths():
            logger.info(
                "Queue %s: %d ready, %d for later, %d running, the oldest has waited %.0f s", *depth,
            )
        counts = turn.tally.take()
        done = ", ".join(f"{counts[what]} {what}" for what in sorted(counts))
        logger.info("Done in this process since the last report: %s", done or "nothing")
    return False


DEPARTMENTS = (
    Department("relay", relay), Department("deliveries", deliveries), Department("bus", bus), Department("clock", clock),
    Department("jobs", jobs),
)
