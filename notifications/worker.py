"""One process that does what is to be done: relays events, runs jobs, ticks schedules."""

import logging
import time
from threading import Condition, Event, Thread
from typing import Any

from django.db import InterfaceError, OperationalError, connections

from core.budget import Budget
from core.roles import refuse_wrong_roles
from notifications.clock import Clock
from notifications.departments import DEPARTMENTS, NAP, Department, Tally, Turn, report
from notifications.services.heart import heart
from notifications.services.jobs import CHANNEL

logger = logging.getLogger("notifications.worker")

PATIENCE = 2  # seconds between two calls at a database that is away
GRACE = 8  # seconds for what is at hand, less than the 10 that `make run` and many others give a process
AWAY = (OperationalError, InterfaceError)


class Worker:
    """Several may run side by side. `stopping` ends one: what is at hand has `grace` seconds, then it is put back."""

    def __init__(self, *, threads: int = 1, grace: float = GRACE) -> None:
        self.stopping = Event()
        self.threads, self.grace = threads, grace
        self.tally, self.clock = Tally(), Clock()
        self._bell = Condition()
        self._rung = 0
        self._ear: Any = None  # the connection that listens
        self._crew: list[Thread] = []
        self._failure: Exception | None = None

    def drain(self, budget: Budget | None = None) -> bool:
        """In this thread, until nothing is left that could be done now; False if time ran out before."""
        self._prepare()
        turn = Turn(self.stopping, budget or Budget(), self.tally, self.clock)
        while not self.stopping.is_set() and turn.budget.has_time():
            if not any([department.turn(turn) for department in DEPARTMENTS]):
                return True
        return False

    def serve(self) -> None:
        """Until `stopping`; a database that goes away is waited for. Signals find this thread asleep, and are heard at once."""
        Thread(target=self._attend, name="ear", daemon=True).start()
        while not self.stopping.is_set():
            time.sleep(0.1)
        self._stop()
        if self._failure:
            raise self._failure

    def _attend(self) -> None:
        is_ready = False
        try:
            while not self.stopping.is_set():
                try:
                    if not is_ready:
                        self._prepare()
                        self._listen()  # before the first look, so that nothing falls between
                        logger.info("The worker is ready.")
                        self._hire()
                        is_ready = True
                    self._hear()
                    report(Turn(self.stopping, Budget(), self.tally, self.clock))
                except AWAY as error:
                    is_ready = False
                    self._complain(error)
        except Exception as error:
            self._failure = error
            self.stopping.set()
        finally:
            connections.close_all()

    def _prepare(self) -> None:
        refuse_wrong_roles()
        self.clock.look_up()

    def _hire(self) -> None:
        if self._crew:
            return
        for department in DEPARTMENTS:
            for number in range(1, (self.threads if department.name == "jobs" else department.threads) + 1):
                self._crew.append(Thread(target=self._work, args=[department], name=f"{department.name}-{number}", daemon=True))
        for thread in self._crew:
            thread.start()

    def _work(self, department: Department) -> None:
        turn = Turn(self.stopping, Budget(), self.tally, self.clock)
        rung = -1
        while not self.stopping.is_set():
            try:
                if not department.turn(turn):
                    rung = self._nap(rung)
            except AWAY as error:
                self._complain(error)
            except Exception:
                logger.exception("%s failed", department.name)
                self.stopping.wait(PATIENCE)
        connections.close_all()

    def _complain(self, error: Exception) -> None:
        logger.warning("The database does not answer, trying again every %d s: %s", PATIENCE, str(error).partition("\n")[0])
        connections.close_all()
        self.stopping.wait(PATIENCE)

    # --- The bell -------------------------------------------------------------------------------------------
    def _listen(self) -> None:
        with connections["worker"].cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        self._ear = connections["worker"].connection

    def _hear(self) -> None:
        """Until the bell rings; then everybody looks around."""
        worker = connections["worker"]
        if worker.connection is not self._ear:
            self._listen()
        with worker.wrap_database_errors:
            for _ in self._ear.notifies(timeout=NAP, stop_after=1):
                with self._bell:
                    self._rung += 1
                    self._bell.notify_all()

    def _nap(self, rung: int) -> int:
        """Until the bell rings; what rang since the last nap is not lost. Returns how often it has rung."""
        with self._bell:
            if self._rung == rung and not self.stopping.is_set():
                self._bell.wait(NAP)
            return self._rung

    # --- The end --------------------------------------------------------------------------------------------
    def _stop(self) -> None:
        deadline = time.monotonic() + self.grace
        heart.hurry()
        with self._bell:
            self._bell.notify_all()
        for thread in self._crew:
            thread.join(max(0.0, deadline - time.monotonic()))
        if left := heart.give_up():
            logger.warning("Put back %d jobs that were not done within %g s", left, self.grace)
