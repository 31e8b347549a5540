"""Targets inside the house. What they write and the note that the event was delivered are one transaction."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from core.errors import DomainError
from core.tenancy import organization_scope
from notifications.models import Topic
from notifications.registry import subscribables
from notifications.services.delivering import Claimed, Outcome, deliveries_record
from notifications.services.messages import notify

LINES = 60  # of a message


class TakenOver(Exception):
    """The lease ran out and somebody else has the delivery: what this attempt wrote is rolled back."""


def tell_topic(claimed: Claimed) -> Outcome | None:
    """Tells the topic's subscribers, once for each delivery of the event."""

    def tell() -> None:
        topic = Topic.objects.get(pk=claimed.topic_id)
        notify(
            topic=topic.key, subject=subject(claimed.envelope), body=body(claimed.envelope),
            dedupe_key=f"event {claimed.event_id} {claimed.subscription_id} {claimed.replay_no}",
        )

    return _at_once(claimed, tell)


def run_task(claimed: Claimed) -> Outcome | None:
    function = subscribables().get(claimed.task)
    if function is None:
        return Outcome("dead", error=f"No code declares {claimed.task} any more.")
    return _at_once(claimed, lambda: function(claimed.envelope))


def _at_once(claimed: Claimed, effect: Callable[[], object]) -> Outcome | None:
    try:
        with organization_scope(claimed.organization_id, origin=claimed.origin(claimed.envelope["type"])):
            effect()
            if not deliveries_record([(claimed, Outcome("delivered"))], using="default"):
                raise TakenOver
    except TakenOver:
        return None
    except DomainError as error:
        return Outcome("dead", error=error.detail)
    return None


def subject(event: Mapping[str, Any]) -> str:
    words = event["type"].replace(".", ": ", 1).replace(".", " ").replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}"


def body(event: Mapping[str, Any]) -> str:
    """A line for each value of the payload."""
    lines = [f"{name}: {value}" for name, value in _values(event["payload"], "")]
    more = [f"and {len(lines) - LINES} more lines"] if len(lines) > LINES else []
    about = f"{event['aggregate_type'].replace('_', ' ')} {event['aggregate_id']}, at {event['occurred_at']}"
    return "\n".join([about, "", *lines[:LINES], *more])


def _values(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _values(one, f"{name} {key.replace('_', ' ')}".strip())
    elif isinstance(value, list):
        for number, one in enumerate(value, start=1):
            yield from _values(one, f"{name} {number}".strip())
    else:
        yield name or "value", "" if value is None else value
