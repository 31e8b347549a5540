"""Who listens to which events, and who may be made to. An app's `handlers.py` says so; it is read when it is first needed."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypedDict

from django.utils.module_loading import autodiscover_modules
from django_tasks import task

from notifications.services.relaying import Handler

_handlers: list[Handler] = []
_subscribable: dict[str, Callable[[dict[str, Any]], object]] = {}


class Event(TypedDict):
    """What a handler gets: an OutboxEvent as JSON has it."""

    id: str
    type: str
    schema_version: int
    aggregate_type: str
    aggregate_id: str
    payload: dict[str, Any]
    occurred_at: str


def handles(
    event_type: str, *, queue_name: str = "default", priority: int = 0, only_if: str = "",
) -> Callable[[Callable[[Event], object]], Any]:
    """Makes the function a task, of which each event of this type enqueues one job in the event's organization.

    `only_if` spares jobs that would find nothing to do; see Handler.
    """

    def declare(function: Callable[[Event], object]) -> Any:
        declared: Any = task(queue_name=queue_name, priority=priority)(function)
        _handlers.append(Handler(event_type, declared.module_path, queue_name, priority, only_if))
        return declared

    return declare


@cache
def handlers() -> tuple[Handler, ...]:
    autodiscover_modules("handlers")
    return tuple(_handlers)


def subscribable[Function: Callable[[dict[str, Any]], object]](function: Function) -> Function:
    """An organization may name the function as the target of a subscription.

    It is called with the event's envelope in the organization's scope, in one transaction with the note that the event
    was delivered. Raising, it is called again later; a DomainError is final.
    """
    _subscribable[f"{function.__module__}.{function.__qualname__}"] = function
    return function


def subscribables() -> Mapping[str, Callable[[dict[str, Any]], object]]:
    """By name, its dotted path."""
    handlers()
    return _subscribable
