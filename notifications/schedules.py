"""What runs when: declared beside the function, called by the worker or by EventBridge alike."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, wraps
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from notifications.expressions import parse
from notifications.services.schedules import tick_run

type Entry = Callable[[Any, Any], None]


class Declared(NamedTuple):
    name: str
    expression: str
    function: Entry


_declared: dict[str, Declared] = {}


def scheduled(expression: str) -> Callable[[Callable[..., object]], Entry]:
    """Runs the function, called without arguments and outside any scope, once for each tick of the expression.

    What it makes of the function takes (event, context), as EventBridge calls it: a second call of a tick does
    nothing. Raises BadExpression.
    """
    parse(expression)

    def declare(function: Callable[..., object]) -> Entry:
        name = f"{function.__module__}.{function.__qualname__}"

        @wraps(function)
        def entry(event: Any = None, context: Any = None) -> None:
            tick_run(task=name, expression=expression, function=function, at=_moment(event))

        _declared[name] = Declared(name, expression, entry)
        return entry

    return declare


@cache
def declared() -> Mapping[str, Declared]:
    """By name, the dotted path of the function; all apps' `tasks.py` are read for it."""
    autodiscover_modules("tasks")
    return dict(_declared)


def _moment(event: Any) -> datetime:
    """EventBridge names the tick; two deliveries of it name the same."""
    named = event.get("time") if isinstance(event, Mapping) else None
    return datetime.fromisoformat(named) if named else timezone.now()
