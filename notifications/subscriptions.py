"""What a subscription may be aimed at, for the API and the admin alike."""

from collections.abc import Mapping
from typing import Any

from core.errors import Conflict, Invalid
from notifications.models import EventSubscription
from notifications.registry import subscribables

Target = EventSubscription.Target
NOTHING: Mapping[str, Any] = {"endpoint_id": None, "topic_id": None, "task": ""}
KINDS = {"endpoint": Target.WEBHOOK, "topic": Target.TOPIC, "task": Target.TASK}

MOST = 300  # of an organization, as of an EventBridge bus: one relay serves everybody


def refuse_too_many() -> None:
    """After one was added. Raises Conflict."""
    if EventSubscription.objects.count() > MOST:
        raise Conflict(f"An organization has at most {MOST} subscriptions: delete one first.", code="too_many")


def chosen_target(given: Mapping[str, Any]) -> dict[str, Any]:
    """All columns of the target, from the one of endpoint, topic and task that is named. Raises Invalid."""
    named = [name for name in KINDS if given.get(name)]
    if len(named) != 1:
        raise Invalid("Name one target: an endpoint, a topic or a task.", fields=dict.fromkeys(named or KINDS, "one target"))
    [name] = named
    column = name if name == "task" else f"{name}_id"
    return {**NOTHING, column: given[name], "target_kind": KINDS[name]}


def task_problem(task: str) -> str:
    """"" if code declares it a target."""
    if task in subscribables():
        return ""
    known = ", ".join(sorted(subscribables()))
    return f"No code declares this a target of subscriptions. Known: {known or 'none'}."
