"""One thread of a process renews the leases of its jobs, and stops those that outstay their time."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Event, Lock, Thread
from typing import NamedTuple

from django.db import Error, connections

from notifications.services.endings import job_put_back
from notifications.services.jobs import LEASE, Attempt, job_beat

logger = logging.getLogger("notifications.jobs")

BEAT = LEASE / 3
PLENTY = 15  # seconds: a job that had so many and was not done has failed
TICK = 0.5  # seconds between two looks at the clock

TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_get_activity(%s) WHERE backend_start = %s"


class Backend(NamedTuple):
    """A process of the database. Another may get its number later, but not when it began."""

    pid: int
    began: datetime


class Watched:
    """A job at work. `ends` is when its time is over; `rests` is when it had better stop by itself."""

    def __init__(self, attempt: Attempt, seconds: float) -> None:
        self.attempt = attempt
        self.seconds = min(seconds, attempt.time_limit)
        self.ends = time.monotonic() + self.seconds
        self.rests = self.ends
        self.beaten = time.monotonic()
        self.is_over = False  # its time
        self.is_given_up = False  # by a worker that stops
        self.is_cancelled = False
        self._transaction = Lock()  # guards the next: what begins after it is never stopped in its place
        self._backend: Backend | None = None  # while a transaction of the job is open that nobody has stopped

    @property
    def is_cut_short(self) -> bool:
        """By what was left to whoever runs it: it had neither the time of a job nor what most of them need."""
        return self.seconds < min(self.attempt.time_limit, PLENTY)

    def begin(self, backend: Backend) -> bool:
        """A transaction; whether it may. It could be that it was to be stopped before it was there."""
        with self._transaction:
            self._backend = backend
            return not (self.is_over or self.is_given_up)

    def end(self) -> None:
        with self._transaction:
            self._backend = None

    def time_left(self) -> float:
        return max(0.0, self.rests - time.monotonic())

    def stop(self) -> None:
        """Ends its transaction from outside, once: whatever the job does, it writes nothing any more."""
        with self._transaction:
            if self._backend is not None:
                with connections["default"].cursor() as cursor:
                    cursor.execute(TERMINATE, self._backend)
                self._backend = None


class Heart:
    def __init__(self) -> None:
        self._watched: dict[int, Watched] = {}
        self._lock = Lock()
        self._thread: Thread | None = None
        self._wait = Event()

    @contextmanager
    def watching(self, attempt: Attempt, seconds: float) -> Iterator[Watched]:
        watched = Watched(attempt, seconds)
        with self._lock:
            self._watched[id(watched)] = watched
            if self._thread is None:
                self._thread = Thread(target=self._beat, name="heart", daemon=True)
                self._thread.start()
        try:
            yield watched
        finally:
            with self._lock:
                del self._watched[id(watched)]

    def at_work(self) -> list[Watched]:
        with self._lock:
            return list(self._watched.values())

    def hurry(self) -> None:
        """Jobs that ask how much time they have left are told none."""
        for watched in self.at_work():
            watched.rests = time.monotonic()

    def give_up(self) -> int:
        """Puts back what is still at work; its attempt is not counted."""
        left = self.at_work()
        for watched in left:
            watched.is_given_up = True
            try:
                watched.stop()
                job_put_back(watched.attempt, wait=0)
            except Error:
                logger.warning("Job %s could not be put back: its lease will run out", watched.attempt.id)
                connections.close_all()
        return len(left)

    def _beat(self) -> None:
        try:
            while True:
                self._wait.wait(TICK)
                with self._lock:
                    if not self._watched:
                        self._thread = None
                        return
                for watched in self.at_work():
                    try:
                        self._look_at(watched)
                    except Error:
                        logger.warning("Job %s: its lease could not be renewed, or its time not be ended", watched.attempt.id)
                        connections.close_all()
        finally:
            connections.close_all()  # this thread's own

    def _look_at(self, watched: Watched) -> None:
        """What is to be stopped is so at each look: it may have failed, or the job may have begun another transaction."""
        now = time.monotonic()
        watched.is_over = watched.is_over or now >= watched.ends
        if watched.is_over or watched.is_given_up:
            watched.stop()
        elif now - watched.beaten >= BEAT:
            watched.beaten = now
            watched.is_cancelled = job_beat(watched.attempt) == "cancelling" or watched.is_cancelled


heart = Heart()
