"""Who tries a delivery, by the kind of its target. Imported when the first one is due."""

from collections.abc import Callable
from functools import cache

from django.utils.module_loading import import_string

from notifications.services.delivering import Claimed, Outcome

# One that has recorded its outcome itself answers None.
type Sender = Callable[[Claimed], Outcome | None]

SENDERS = {
    "webhook": "notifications.webhooks.deliver_webhook",
    "topic": "notifications.targets.tell_topic",
    "task": "notifications.targets.run_task",
}


@cache
def sender(kind: str) -> Sender:
    found: Sender = import_string(SENDERS[kind])
    return found
