"""One thread of a process renews the leases of its jobs, and stops those that outstay their time."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread

from django.db import Error, connections

from notifications.services.endings import job_put_back
from notifications.services.jobs import LEASE, Attempt, job_beat

logger = logging.getLogger("notifications.jobs")

BEAT = LEASE / 3
TICK = 0.5  # seconds between two looks at the clock


class Watched:
    """A job at work. `ends` is when its time is over; `rests` is when it had better stop by itself."""

    def __init__(self, attempt: Attempt, seconds: float) -> None:
        self.attempt = attempt
        self.ends = time.monotonic() + min(seconds, attempt.time_limit)
        self.rests = self.ends
        self.beaten = time.monotonic()
        self.is_over = False  # its time
        self.is_given_up = False  # by a worker that stops
        self.is_cancelled = False
        self.transaction = Lock()  # guards the next: what begins after it is never stopped in its place
        self.process: int | None = None  # of the database, while a transaction of the job is open

    def time_left(self) -> float:
        return max(0.0, self.rests - time.monotonic())

    def stop(self) -> None:
        """Ends its transaction from outside: whatever the job does, it writes nothing any more."""
        with self.transaction:
            if self.process is not None:
                with connections["default"].cursor() as cursor:
                    cursor.execute("SELECT pg_terminate_backend(%s)", [self.process])


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
            watched.stop()
            job_put_back(watched.attempt, wait=0)
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
                        logger.warning("Job %s: its lease could not be renewed", watched.attempt.id)
                        connections.close_all()
        finally:
            connections.close_all()  # this thread's own

    def _look_at(self, watched: Watched) -> None:
        now = time.monotonic()
        if watched.is_over or watched.is_given_up:
            return
        if now >= watched.ends:
            watched.is_over = True
            watched.stop()
        elif now - watched.beaten >= BEAT:
            watched.beaten = now
            watched.is_cancelled = job_beat(watched.attempt) == "cancelling"


heart = Heart()
