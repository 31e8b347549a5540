"""A job that is at work: one transaction after another, each with the checkpoint that tells what it has done."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, connections
from django_tasks.base import TaskContext

from core.json import dumps
from core.tenancy import Origin, organization_scope
from core.text import storable
from notifications.services.heart import Backend, Watched
from notifications.services.jobs import MINE

EVERY = 0.5  # seconds between two notes about the progress

# A worker that stalled may still be at it, although its lease has run out: this lock lasts as long as its transaction.
ALONE = """
    SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0)), pid, backend_start
    FROM pg_stat_get_activity(pg_backend_pid())
"""

KEEP = f"""
    UPDATE notifications_job SET checkpoint = %(checkpoint)s, heartbeat_at = clock_timestamp() WHERE {MINE} RETURNING status
"""
TELL = f"""
    UPDATE notifications_job
    SET progress = %(done)s, progress_total = %(total)s, progress_note = %(note)s, heartbeat_at = clock_timestamp()
    WHERE {MINE} RETURNING status
"""
ASK = f"SELECT status FROM notifications_job WHERE {MINE}"


class LeaseLost(Exception):
    """Somebody else has taken the job meanwhile: what this attempt wrote is rolled back."""


class StillRunning(Exception):
    """A stalled worker is still at it."""


class Cancelled(Exception):
    """The job was asked to stop. What it wrote since its last checkpoint is rolled back."""


class TimeOver(Exception):
    """The attempt has taken as long as it may."""


class Continue(Exception):
    """Raised or returned by a job that is not done: what it wrote stays, and it goes on at once with this state."""

    def __init__(self, state: Any) -> None:
        super().__init__()
        self.state = state


class Sitting:
    """Progress goes by the worker's connection, so that others see it while the job's own transaction is open."""

    def __init__(self, watched: Watched) -> None:
        self.watched, self.attempt = watched, watched.attempt
        self.state = watched.attempt.checkpoint
        self._scope = ExitStack()
        self._told = self._asked = 0.0

    @contextmanager
    def open(self) -> Iterator[None]:
        """The transactions of the job; the last one ends with the block."""
        self._enter()
        try:
            yield
        except BaseException as error:
            self._exit(error)
            raise
        self._exit(None)

    def checkpoint(self, state: Any) -> None:
        if len(connection.atomic_blocks) > 1:
            raise RuntimeError("A checkpoint commits: take it outside of atomic blocks.")
        self._heed(self._status("default", KEEP, checkpoint=dumps(state).decode()), "running")
        self._exit(None)
        self.state = state
        self._enter()
        self._heed(self._status("worker", ASK))

    def progress(self, done: int, total: int | None, note: str) -> None:
        now = time.monotonic()
        if now - self._told < EVERY and done != total:
            self._heed("cancelling" if self.watched.is_cancelled else "running")
            return
        self._told = now
        self._heed(self._status("worker", TELL, done=done, total=total, note=storable(note[:200])))

    def is_cancelled(self) -> bool:
        now = time.monotonic()
        if not self.watched.is_cancelled and now - self._asked >= EVERY:
            self._asked = now
            self._heed(self._status("worker", ASK), "cancelling")
        return self.watched.is_cancelled

    def _heed(self, status: str, also: str = "") -> None:
        """Raises unless the job may go on."""
        if self.watched.is_over:
            raise TimeOver
        if not status:
            raise LeaseLost
        self.watched.is_cancelled = self.watched.is_cancelled or status == "cancelling"
        if self.watched.is_cancelled and not also:
            raise Cancelled

    def _status(self, using: str, sql: str, **values: Any) -> str:
        with connections[using].cursor() as cursor:
            cursor.execute(sql, {**self.attempt.key, **values})
            row = cursor.fetchone()
        return row[0] if row else ""

    def _enter(self) -> None:
        self._scope.enter_context(organization_scope(self.attempt.organization_id, origin=origin_from(self.attempt.origin)))
        try:
            with connection.cursor() as cursor:
                cursor.execute(ALONE, [f"job {self.attempt.id}"])
                is_alone, *backend = cursor.fetchone()
            if not is_alone:
                raise StillRunning
            if not self.watched.begin(Backend(*backend)):
                raise TimeOver
        except BaseException as error:
            self._exit(error)
            raise

    def _exit(self, error: BaseException | None) -> None:
        scope, self._scope = self._scope, ExitStack()
        self.watched.end()
        if error is None:
            scope.close()
        else:
            scope.__exit__(type(error), error, error.__traceback__)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext(TaskContext):
    """What a task declared with takes_context=True gets."""

    is_last_attempt: bool
    sitting: Sitting

    @property
    def state(self) -> Any:
        """What the last checkpoint noted, of this attempt or of those before; None at first."""
        return self.sitting.state

    def checkpoint(self, state: Any) -> None:
        """Commits what was written so far together with the state (JSON), and goes on in a new transaction.

        Rows that were read before may have changed. Raises Cancelled when the job was asked to stop.
        """
        self.sitting.checkpoint(state)

    def checkpoint_or_rest(self, state: Any, *, took: float) -> None:
        """After a portion that took so many seconds. Raises Continue where there may be no time for another one."""
        if self.time_left() < 2 * took:
            raise Continue(state)
        self.checkpoint(state)

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Tells those who poll; twice a second at most. Raises Cancelled when the job was asked to stop."""
        self.sitting.progress(done, total, note)

    def is_cancelled(self) -> bool:
        """For a job that wants to tidy up before it stops: it raises Cancelled itself, or returns."""
        return self.sitting.is_cancelled()

    def time_left(self) -> float:
        """Seconds. Close to 0, take a checkpoint and raise Continue."""
        return self.sitting.watched.time_left()


def origin_from(values: Mapping[str, Any]) -> Origin:
    ids = {name: UUID(values[name]) for name in ("actor_id", "api_key_id", "impersonator_id") if name in values}
    return Origin(**{**values, **ids})
