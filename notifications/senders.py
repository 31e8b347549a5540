"""Who tries a delivery, by the kind of its target. Imported when the first one is due."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from notifications.services.delivering import Claimed, Outcome

# One that has recorded its outcome itself answers None.
type Sender = Callable[[Claimed], Outcome | None]


def sender(kind: str) -> Sender:
    return _imported(settings.DELIVERY_SENDERS[kind])


@cache
def _imported(path: str) -> Sender:
    found: Sender = import_string(path)
    return found
