from typing import Any

from core.errors import Invalid
from notifications.models import Topic
from notifications.receiving import Received, receives
from notifications.registry import Event, handles, subscribable
from tests.notifications.playground.tasks import write_at_the_end


@handles("playground.happened")
def write_it_down(event: Event) -> None:
    Topic.objects.create(key=event["payload"]["key"], name=event["id"])


@subscribable
def note(event: dict[str, Any]) -> None:
    """Writes, and then does what the payload says."""
    Topic.objects.create(key=event["payload"]["key"], name=event["type"])
    if event["payload"].get("refuse"):
        raise Invalid("There is no such thing.")
    if event["payload"].get("fail"):
        raise ZeroDivisionError("by nothing")


@receives("playground")
def take_one_in(event: Received) -> None:
    write_at_the_end.call(event["external_id"], event["payload"]["folder"])
