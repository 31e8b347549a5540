"""One process that does what is to be done: relays events, runs jobs, ticks schedules."""

import logging
import time
from threading import Event
from typing import Any

from django.db import InterfaceError, OperationalError, connections

from core.roles import refuse_wrong_roles
from notifications.clock import Clock
from notifications.registry import handlers
from notifications.services.events import BATCH, events_relay
from notifications.services.jobs import CHANNEL, job_claim, jobs_recover
from notifications.services.running import job_run

logger = logging.getLogger("notifications.worker")

NAP = 1  # seconds; events ring no bell, and what is due later rings none either
PATIENCE = 2  # seconds between two calls at a database that is away


class Worker:
    """Several may run side by side. `stopping` ends one after the job at hand."""

    def __init__(self) -> None:
        self.stopping = Event()
        self._clock = Clock()
        self._looked_at = 0.0
        self._ear: Any = None  # the connection that listens

    def drain(self) -> None:
        """Until nothing is left that could be done now."""
        self._prepare()
        while not self.stopping.is_set() and self._turn():
            pass

    def serve(self) -> None:
        """Until `stopping`; a database that goes away is waited for."""
        is_ready = False
        while not self.stopping.is_set():
            try:
                if not is_ready:
                    self._prepare()
                    self._listen()  # before the first look, so that nothing falls between
                    logger.info("The worker is ready.")
                    is_ready = True
                if not self._turn():
                    self._sleep()
            except (OperationalError, InterfaceError) as error:
                is_ready = False
                reason = str(error).partition("\n")[0]
                logger.warning("The database does not answer, trying again every %d s: %s", PATIENCE, reason)
                connections.close_all()
                self.stopping.wait(PATIENCE)

    def _prepare(self) -> None:
        refuse_wrong_roles()
        self._clock.look_up()

    def _turn(self) -> bool:
        """Whether there was anything to do."""
        relayed = events_relay(handlers())
        if relayed.events:
            logger.info("Relayed %d events to %d jobs", *relayed)
        looked = self._look_around()
        attempt = job_claim()
        if attempt:
            job_run(attempt)
        return bool(attempt or looked or relayed.events == BATCH or relayed.jobs)

    def _look_around(self) -> bool:
        """What only time brings: ticks, and jobs of workers that were killed."""
        if time.monotonic() - self._looked_at < NAP and self._looked_at:
            return False
        self._looked_at = time.monotonic()
        if recovered := jobs_recover():
            logger.warning("Recovered %d jobs whose workers went away", recovered)
        return self._clock.turn() or bool(recovered)

    def _listen(self) -> None:
        with connections["worker"].cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        self._ear = connections["worker"].connection

    def _sleep(self) -> None:
        """Until the bell rings; one that rang since the last look is not lost."""
        worker = connections["worker"]
        if worker.connection is not self._ear:
            self._listen()  # a schedule's function closed its connection
            return
        with worker.wrap_database_errors:
            for _ in self._ear.notifies(timeout=NAP, stop_after=1):
                pass
