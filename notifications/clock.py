"""What only time brings: ticks that are due, were lost or were missed. The worker's turn and the function's minute alike."""

import logging
import os
import socket
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError

from core.budget import Budget
from notifications.schedules import declared, due_run, lost_run, plans
from notifications.services.schedules import schedules_due, schedules_sync, ticks_lose, worker_seen

logger = logging.getLogger("notifications.clock")

MINUTE = 60.0


class Clock:
    """One for each process. Any number of them make one tick run once."""

    def __init__(self, name: str = "") -> None:
        self.name = name or f"{socket.gethostname()} {os.getpid()}"
        self._synced_at = float("-inf")

    def turn(self, budget: Budget | None = None) -> bool:
        """Runs what is due, as long as there is time; whether there was anything."""
        budget = budget or Budget()
        if time.monotonic() - self._synced_at >= MINUTE:
            self.look_up()
        for task, zone, tick in ticks_lose():
            logger.warning("Schedule %s in %s, tick %s: lost, its process went away", task, zone, tick.isoformat())
        did_anything = False
        while budget.has_time() and _guarded("A lost tick", lost_run):
            did_anything = True
        for due in schedules_due(declared()):
            if not budget.has_time():
                break
            _guarded(due.task, lambda due=due: due_run(due))  # type: ignore[misc]
            did_anything = True
        return did_anything

    def look_up(self) -> None:
        """Which schedules there are, in which zones; once a minute."""
        schedules_sync(plans())
        worker_seen(name=self.name)
        self._synced_at = time.monotonic()


def _guarded(name: str, do: Callable[[], bool]) -> bool:
    """One schedule that fails does not keep the others from running."""
    try:
        return do()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("Schedule %s raised", name)
        return True
