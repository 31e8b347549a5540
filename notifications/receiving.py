"""Who takes webhooks that come in. An app's `handlers.py` says so; it is read when the first is processed."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypedDict

from django.utils.module_loading import autodiscover_modules


class Received(TypedDict):
    """What a receiver gets; `payload` is text where the sender sent no JSON."""

    id: str
    source: str
    scheme: str
    external_id: str
    type: str
    payload: Any
    headers: dict[str, str]
    received_at: str


type Function = Callable[[Received], object]


class Receiver(NamedTuple):
    source: str
    type: str
    function: Function

    def takes(self, source: str, scheme: str, type: str) -> bool:
        return self.source in (source, scheme) and type.startswith(self.type)


_receivers: list[Receiver] = []


def receives(source: str, *, type: str = "") -> Callable[[Function], Function]:
    """Called with each webhook of sources with this key or scheme whose type begins with `type`.

    In the scope of the source's organization, in one transaction with the note that it is processed: what it
    writes and raises is all undone, and it is called again later. A webhook that several take is processed
    when all of them have taken it. What a DomainError refuses is not tried again.
    """

    def declare(function: Function) -> Function:
        _receivers.append(Receiver(source, type, function))
        return function

    return declare


@cache
def _all() -> list[Receiver]:
    autodiscover_modules("handlers")
    return _receivers


def receivers(*, source: str, scheme: str, type: str) -> list[Function]:
    """In the order of their declaration."""
    return [receiver.function for receiver in _all() if receiver.takes(source, scheme, type)]
