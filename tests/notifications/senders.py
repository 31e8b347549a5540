"""Those who send webhooks, as their own documentation has them sign; nothing of it is the product's."""

import base64
import hashlib
import hmac
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from standardwebhooks import Webhook

from notifications.models import InboundSource, InboundWebhook, Job
from notifications.services.inbound_sources import inbound_source_create
from tests.companies import JSON, Api, Company

SECRET = "the sender's own secret"


def hexadecimal(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def in_base64(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def by_openssl(secret: str, body: bytes) -> str:
    """As the guide has it done by hand."""
    command = ["openssl", "dgst", "-sha256", "-hmac", secret]
    return subprocess.run(command, input=body, capture_output=True, check=True).stdout.decode().split()[-1]


def standard_webhooks(secret: str, body: bytes, *, at: float | None = None, id: str = "") -> dict[str, str]:
    moment, id = datetime.fromtimestamp(at or time.time(), UTC), id or f"msg_{uuid4().hex}"
    signature = Webhook(secret).sign(id, moment, body.decode())
    return {"webhook-id": id, "webhook-timestamp": str(int(moment.timestamp())), "webhook-signature": signature}


def stripe(secret: str, body: bytes, *, at: float | None = None, header: str = "Stripe-Signature") -> dict[str, str]:
    moment = int(at or time.time())
    signature = hexadecimal(secret, f"{moment}.".encode() + body)
    return {header: f"t={moment},v0={'0' * 64},v1={signature}"}


def github(secret: str, body: bytes, *, id: str = "", event: str = "push") -> dict[str, str]:
    signature = f"sha256={by_openssl(secret, body)}"
    return {"X-Hub-Signature-256": signature, "X-GitHub-Delivery": id or str(uuid4()), "X-GitHub-Event": event}


def shopify(secret: str, body: bytes, *, id: str = "", topic: str = "orders/create") -> dict[str, str]:
    return {
        "X-Shopify-Hmac-Sha256": in_base64(secret, body), "X-Shopify-Webhook-Id": id or str(uuid4()), "X-Shopify-Topic": topic,
    }


SENDERS: dict[str, Callable[[str, bytes], dict[str, str]]] = {
    "standard_webhooks": standard_webhooks,
    "stripe": stripe,
    "github": github,
    "shopify": shopify,
    "easypost": lambda secret, body: {"X-Hmac-Signature": f"hmac-sha256-hex={hexadecimal(secret, body)}"},
    "shippo": lambda secret, body: stripe(secret, body, header="Shippo-Auth-Signature"),
    "aftership": lambda secret, body: {"aftership-hmac-sha256": in_base64(secret, body)},
    "sendcloud": lambda secret, body: {"Sendcloud-Signature": hexadecimal(secret, body)},
    "hmac": lambda secret, body: {"X-Signature": hexadecimal(secret, body)},
    "token": lambda secret, body: {"X-Push-Token": secret},
}
# What a scheme without a header of its own is told.
HEADERS = {"hmac": {"signature_header": "X-Signature"}, "token": {"signature_header": "X-Push-Token"}}
# Where the id and the type stand in the example of each; the id is the body's hash where it is None.
EXAMPLES: dict[str, tuple[Any, str | None, str]] = {
    "standard_webhooks": ({"type": "invoice.paid", "data": {"id": 1}}, "header", "invoice.paid"),
    "stripe": ({"id": "evt_1", "type": "charge.succeeded"}, "evt_1", "charge.succeeded"),
    "github": ({"action": "opened"}, "header", "push"),
    "shopify": ({"id": 820982911946154508}, "header", "orders/create"),
    "easypost": ({"id": "evt_2", "description": "tracker.updated"}, "evt_2", "tracker.updated"),
    "shippo": ({"event": "track_updated", "data": {}}, None, "track_updated"),
    "aftership": ({"event_id": "e-3", "event": "tracking_update"}, "e-3", "tracking_update"),
    "sendcloud": ({"action": "parcel_status_changed", "timestamp": 1}, None, "parcel_status_changed"),
    "hmac": ({"a": 1}, None, ""),
    "token": ({"shipments": []}, None, ""),
}


@dataclass(frozen=True)
class Sender:
    """A source of a company, and who sends from there."""

    source: InboundSource
    secret: str

    @property
    def url(self) -> str:
        return f"/api/v1/inbound/{self.source.pk}/"

    @property
    def scheme(self) -> str:
        return str(self.source.scheme)

    def signed(self, body: bytes, **options: Any) -> dict[str, str]:
        return SENDERS[self.scheme](self.secret, body, **options)

    def send(self, body: Any, headers: dict[str, str] | None = None, content_type: str = JSON, **options: Any) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = self.signed(raw, **options) if headers is None else headers
        return Api().post(self.url, raw, content_type=content_type, headers=given)


def sender(company: Company, scheme: str = "stripe", **values: Any) -> Sender:
    with company.scope():
        secret = values.pop("secret", "" if scheme == "standard_webhooks" else SECRET)
        named = {"key": f"{scheme}-{uuid4().hex[:8]}", "name": scheme, **HEADERS.get(scheme, {}), **values}
        made = inbound_source_create(scheme=scheme, secret=secret, **named)
        return Sender(made.row, made.secret or secret)


URL = "/api/v1/inbound-webhooks/"


def webhooks(company: Company, **values: Any) -> list[InboundWebhook]:
    with company.scope():
        return list(InboundWebhook.objects.filter(**values).order_by("id"))


def sent(company: Company, one: Sender, body: Any, **options: Any) -> InboundWebhook:
    response = one.send(body, **options)
    assert response.status_code == 202, response.content
    [webhook] = webhooks(company, pk=response.json()["id"])
    return webhook


def jobs(company: Company) -> list[list[Any]]:
    """The arguments of those that process webhooks."""
    with company.scope():
        found = Job.objects.filter(task="notifications.tasks.process_inbound").order_by("id")
        return [job.arguments["args"] for job in found]
