"""Who listens to which events. An app's `handlers.py` says so; it is read when events are first relayed."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypedDict

from django.utils.module_loading import autodiscover_modules
from django_tasks import task

from notifications.services.events import Handler

_handlers: list[Handler] = []


class Event(TypedDict):
    """What a handler gets: an OutboxEvent as JSON has it."""

    id: str
    type: str
    schema_version: int
    aggregate_type: str
    aggregate_id: str
    payload: dict[str, Any]
    occurred_at: str


def handles(event_type: str, *, queue_name: str = "default", priority: int = 0) -> Callable[[Callable[[Event], object]], Any]:
    """Makes the function a task, of which each event of this type enqueues one job in the event's organization."""

    def declare(function: Callable[[Event], object]) -> Any:
        declared: Any = task(queue_name=queue_name, priority=priority)(function)
        _handlers.append(Handler(event_type, declared.module_path, queue_name, priority))
        return declared

    return declare


@cache
def handlers() -> tuple[Handler, ...]:
    autodiscover_modules("handlers")
    return tuple(_handlers)
