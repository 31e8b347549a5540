"""What AWS calls: the clock each minute, the queue, the relay. Each takes (event, context).

PostgreSQL has the truth, a message only says that there is something to do: one that is lost costs a minute, until the
clock comes by, and one that comes twice finds nothing left.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import InterfaceError, OperationalError, close_old_connections, connections

from core.budget import RESERVE as RESERVE
from core.budget import Budget
from core.metrics import Metric, emit
from core.tenancy import scope_is_open
from notifications import draining
from notifications.clock import Clock

logger = logging.getLogger("notifications.aws")

WITHOUT_CONTEXT = 25.0

type Function = Callable[[Any, Budget], Any]
type Entry = Callable[[Any, Any], Any]

_clock = Clock("AWS Lambda")


class EntryFailed(RuntimeError):
    """In the place of a TypeError, which Zappa takes for a function with other arguments, and calls again."""


class Bell(NamedTuple):
    """What a message says: run these jobs, relay."""

    jobs: Sequence[UUID]
    relay: bool


def entry(function: Function) -> Entry:
    """Connections that died while the process was frozen are replaced, those that live stay; nothing stays open."""

    @wraps(function)
    def call(event: Any = None, context: Any = None) -> Any:
        if scope_is_open():
            raise EntryFailed("A scope was left open in this process.")
        close_old_connections()
        open_before = _in_transactions()
        try:
            draining.roles_checked()
            return function(event, Budget(_seconds(context)))
        except TypeError as error:
            raise EntryFailed(f"{function.__name__}: {error}") from error
        finally:
            for alias in _in_transactions() - open_before:
                logger.error("%s left a transaction open on %s", function.__name__, alias)
                connections[alias].close()
                del connections[alias]  # the next use makes a new one

    return call


def _in_transactions() -> set[str]:
    return {connection.alias for connection in connections.all(initialized_only=True) if connection.in_atomic_block}


@entry
def clock(event: Any, budget: Budget) -> dict[str, bool]:
    """Each minute, the one rule of all schedules: what is due, and what bells did not bring."""
    _clock.turn(budget)
    return {"complete": draining.drain(budget)}


@entry
def sweep(event: Any, budget: Budget) -> dict[str, bool]:
    """What `manage.py worker --once` does, but for the schedules."""
    return {"complete": draining.drain(budget)}


@entry
def relay(event: Any, budget: Budget) -> Any:
    """Called without waiting, with {} or with messages of the queue."""
    if isinstance(event, Mapping) and event.get("Records"):
        return _messages(event["Records"], budget)
    return {"relayed": draining.relay(budget)}


@entry
def queue(event: Any, budget: Budget) -> dict[str, list[dict[str, str]]]:
    """Of a batch, the messages that are to come again: there was no time, or no database."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    return _messages(records or [], budget)


def _messages(records: Sequence[Mapping[str, Any]], budget: Budget) -> dict[str, list[dict[str, str]]]:
    failed = [record["messageId"] for record in records if not _handled(record, budget)]
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def _handled(record: Mapping[str, Any], budget: Budget) -> bool:
    try:
        bell = read(record.get("body", ""))
    except ValueError as error:
        # It would be no better the next time.
        logger.warning("Dropped the message %s: %s", record.get("messageId"), error)
        emit({"MalformedMessages": Metric(1)})
        return True
    if not budget.has_time():
        return False
    try:
        if bell.relay:
            draining.relay(budget)
        return not draining.jobs_run_ids(bell.jobs, budget) and not (bell.relay and budget.ran_out)
    except (OperationalError, InterfaceError) as error:
        logger.warning("The database does not answer: %s", str(error).partition("\n")[0])
        connections.close_all()
        return False
    except Exception:
        logger.exception("The message %s failed", record.get("messageId"))
        return False


def read(body: str) -> Bell:
    """Raises ValueError."""
    said = orjson.loads(body)
    if not isinstance(said, dict) or not said.keys() <= {"jobs", "relay"} or not said:
        raise ValueError('it is neither {"jobs": [...]} nor {"relay": true}')
    jobs = said.get("jobs", [])
    if not isinstance(jobs, list) or not all(isinstance(job, str) for job in jobs):
        raise ValueError("its jobs are no list of ids")
    return Bell([UUID(job) for job in jobs], bool(said.get("relay")))


def _seconds(context: Any) -> float:
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return remaining() / 1000 - RESERVE if remaining else WITHOUT_CONTEXT
