"""A warehouse and a delivery service: real servers that check the signature of what they are told, and call back later."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from standardwebhooks import Webhook, WebhookVerificationError

from tests.notifications.receiver import Received, Receiver, Reply, receiver


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


def call(method: str, url: str, authorization: str, body: Any = None) -> Answer:
    headers = {"Authorization": authorization, "Content-Type": "application/json"}
    request = Request(url, None if body is None else json.dumps(body).encode(), headers, method=method)
    try:
        with urlopen(request, timeout=30) as response:
            return Answer(response.status, json.loads(response.read() or b"null"))
    except HTTPError as error:
        return Answer(error.code, json.loads(error.read() or b"null"))


@dataclass
class Partner:
    """Remembers the ids of what it was told, and does its work for each order once: it reads the order, and says `path`."""

    path: str  # that it calls when its work is done
    wants: str  # the type of event that is its work
    listening: Receiver
    url: str = ""  # of Quartermaster
    key: str = ""
    secret: str = ""
    is_down: bool = False
    seen: set[str] = field(default_factory=set)
    work: list[str] = field(default_factory=list)  # orders that are still to be done
    addresses: list[Any] = field(default_factory=list)  # where it read that they go
    heard: Callable[[str], object] = lambda order: None

    def take(self, request: Received) -> Reply:
        if self.is_down:
            return Reply(503)
        try:
            event = Webhook(self.secret).verify(request.body, dict(request.headers))
        except WebhookVerificationError:
            return Reply(401)
        if event["type"] == self.wants and request.id not in self.seen:
            self.seen.add(request.id)
            self.work.append(event["payload"]["order"])
            self.heard(event["payload"]["order"])
        return Reply(204)

    def say(self, order: str) -> Answer:
        return call("POST", f"{self.url}{self.path}{order}", f"Api-Key {self.key}")

    def call_back(self) -> list[int]:
        """Does all that is to be done; the answers to its calls."""
        statuses = []
        while self.work:
            order = self.work.pop(0)
            found = call("GET", f"{self.url}/orders/{order}", f"Api-Key {self.key}")
            self.addresses.append(found.body.get("shippingAddress"))
            statuses.append(self.say(order).status)
        return statuses


@contextmanager
def partners() -> Iterator[tuple[Partner, Partner]]:
    """The warehouse and the delivery service, which know no secret and no key yet."""
    with receiver() as one, receiver() as another:
        warehouse = Partner("/orderpacked/", "order.placed", one)
        delivery = Partner("/orderdelivered/", "order.packed", another)
        one.answer, another.answer = warehouse.take, delivery.take
        yield warehouse, delivery
