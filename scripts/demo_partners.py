"""A warehouse and a delivery service beside `make run`, so that one can watch an order go the whole way.

Sets them up in the demo's Porto Auto Parts by the API, as an administrator would, places an order, and does each partner's
work a few seconds after it was told. Until Ctrl-C.
"""

import argparse
import time
from typing import Any
from urllib.parse import urlencode

from tests.orders.partners import Answer, Partner, call, partners

ADMIN, PASSWORD = "admin@autoparts.example", "demo-quartermaster"  # of the demo's invented people
FULFIL = "orders.fulfil_salesorder"
AFTER = 3  # seconds that a partner's work takes
ADDRESS = {"name": "Ada Byron", "street1": "Rua das Flores 1", "city": "Porto", "postal_code": "4050-265", "country": "PT"}


def say(text: str) -> None:
    print(text, flush=True)


class Api:
    def __init__(self, url: str) -> None:
        self.url = url
        self.token = self.send("POST", "/signin", {"email": ADMIN, "password": PASSWORD})["token"]

    def ask(self, method: str, path: str, body: Any = None) -> Answer:
        token = getattr(self, "token", "")
        return call(method, f"{self.url}{path}", f"Bearer {token}" if token else "", body)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.ask(method, path, body)
        if answer.status >= 400:
            raise SystemExit(f"{method} {path} answered {answer.status}: {answer.body}")
        return answer.body

    def rows(self, resource: str, **values: Any) -> list[Any]:
        found: list[Any] = self.send("GET", f"/api/v1/{resource}/?{urlencode(values)}")["results"]
        return found


def wire(api: Api, partner: Partner, purpose: str) -> None:
    """An endpoint, what it is told of, and a key to call back with: new ones each time, because a secret is shown once."""
    name = f"Demo: {purpose}"
    for endpoint in api.rows("webhook-endpoints", name=name):
        api.send("DELETE", f"/api/v1/webhook-endpoints/{endpoint['id']}/")
    made = api.send("POST", "/api/v1/webhook-endpoints/", {"name": name, "url": partner.listening.url, "purpose": purpose})
    wanted = {"name": name, "pattern": {"type": [partner.wants]}, "endpoint": made["id"]}
    api.send("POST", "/api/v1/event-subscriptions/", wanted)
    key = api.send("POST", "/api/v1/api-keys/", {"name": f"{name} {int(time.time())}", "scopes": [FULFIL]})
    partner.url, partner.secret, partner.key = api.url, made["secret"], key["key"]
    partner.heard = lambda order: say(f"{purpose}: told of {partner.wants}, order {order}. The signature is right.")


def channel(api: Api) -> str:
    """Where the demo's order comes in: the first one, or a new web shop."""
    found = api.rows("channels", limit=1)
    if not found:
        [warehouse, *_] = api.rows("warehouses", limit=1)
        made = {"code": "WEB", "name": "Web shop", "currency": "EUR", "warehouse": warehouse["id"]}
        found = [api.send("POST", "/api/v1/channels/", made)]
    return str(found[0]["code"])


def order_something(api: Api) -> str:
    """The first article that has a price and is there."""
    shop = channel(api)
    for item in api.rows("product-variants", limit=50):
        body = {"items": [{"id": item["id"]}], "channel": shop, "shippingAddress": ADDRESS}
        answer = api.ask("POST", "/orders", body)
        if answer.status == 201:
            say(f"customer: ordered {item['sku']}, order {answer.body['id']}")
            return str(answer.body["id"])
    raise SystemExit(f"Nothing can be ordered: {answer.body}")


def watch(api: Api, order: str, warehouse: Partner, delivery: Partner) -> None:
    shown = ""
    while True:
        now = str(api.send("GET", f"/orders/{order}")["status"])
        if now != shown:
            say(f"order: {now}")
            shown = now
        for name, partner in (("warehouse", warehouse), ("delivery", delivery)):
            if partner.work:
                time.sleep(AFTER)
                for status in partner.call_back():
                    say(f"{name}: {partner.path}<orderId> answered {status}")
        time.sleep(0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="of Quartermaster, which `make run` has started")
    api = Api(f"http://127.0.0.1:{parser.parse_args().port}")
    with partners() as (warehouse, delivery):
        wire(api, warehouse, "warehouse")
        wire(api, delivery, "delivery")
        say("A warehouse and a delivery service listen. Ctrl-C ends them; orders of your own are fulfilled as well.")
        try:
            watch(api, order_something(api), warehouse, delivery)
        except KeyboardInterrupt:
            say("Ended.")


if __name__ == "__main__":
    main()
