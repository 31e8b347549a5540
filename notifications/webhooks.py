"""Sends an event to a webhook, as Standard Webhooks (standardwebhooks.com) has it.

The message's id is the event's, for each attempt and each replay: a receiver that remembers ids does nothing twice.
"""

import base64
import hmac
import logging
import os
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from uuid_utils.compat import uuid7

from core.egress import Refused
from core.errors import Conflict, NotFound
from core.json import dumps
from core.outbound import Answer, Failed, Outbound
from core.redaction import redacted
from core.sealing import BrokenSeal
from core.tenancy import active_organization_id, organization_scope
from core.traces import child_of
from notifications.models.webhooks import policy
from notifications.queries.webhooks import Line, line_to
from notifications.services.delivering import Claimed, Outcome
from notifications.services.webhook_health import health_admit, health_failed, health_succeeded
from notifications.services.webhooks import PREFIX, secret_open, webhook_endpoint_disable

logger = logging.getLogger("notifications.webhooks")

AGENT = "Quartermaster-Webhooks/1"
ANSWER = 65_536  # bytes of an answer that are read
EXCERPT = 1000  # characters of it that are kept
GONE, TOO_MANY, UNAVAILABLE = 410, 429, 503
HEADER = re.compile(r"[\x21-\x7e]{1,200}")


@dataclass(frozen=True, slots=True)
class Tried:
    """One request. Without a status there was no answer, and `error` says why."""

    status_code: int | None
    error: str
    excerpt: str
    duration_ms: int
    retry_after: float | None = None  # seconds, where it said so

    @property
    def is_taken(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300


def deliver_webhook(claimed: Claimed) -> Outcome:
    """One attempt, or none while the endpoint's circuit or rate lets nothing through. Holds no transaction while it waits."""
    with organization_scope(claimed.organization_id):
        line = line_to(claimed.endpoint_id) if claimed.endpoint_id else None
        if line is None:
            return Outcome("dead", error="The endpoint was deleted.")
        if line.disabled_at:
            return Outcome("dead", error=f"The endpoint is disabled: {line.disabled_reason}")
        wait, why = health_admit(line=line)
        if wait:
            return Outcome("postponed", error=why, retry_after=wait)
    tried = send(line, message_id=str(claimed.event_id), envelope=claimed.envelope)
    return _noted(claimed, line, tried)


def _noted(claimed: Claimed, line: Line, tried: Tried) -> Outcome:
    if tried.is_taken:
        if line.failures or line.closed_until:
            with organization_scope(claimed.organization_id):
                health_succeeded(line=line)
            logger.info("Webhook endpoint %s answers again", line.endpoint_id)
        return _outcome("delivered", tried)
    with organization_scope(claimed.organization_id, origin=claimed.origin(tried.error[:200])):
        failing = health_failed(line=line, retry_after=tried.retry_after)
        reason = "It answered 410 Gone." if tried.status_code == GONE else failing
        if reason:
            webhook_endpoint_disable(endpoint_id=line.endpoint_id, reason=reason, by_itself=True)
            logger.warning("Webhook endpoint %s is disabled: %s", line.endpoint_id, reason)
    return _outcome("dead" if reason else "retry", tried, f"The endpoint was disabled: {reason}" if reason else "")


def _outcome(status: Any, tried: Tried, error: str = "") -> Outcome:
    return Outcome(
        status, error=error or tried.error, retry_after=tried.retry_after, status_code=tried.status_code,
        response_excerpt=tried.excerpt, duration_ms=tried.duration_ms,
    )  # fmt: skip


ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"


def webhook_try(endpoint_id: UUID) -> tuple[str, Tried]:
    """Sends a webhook.test at once, to a disabled endpoint as well, and says how it went; its health is left alone."""
    if (line := line_to(endpoint_id)) is None:
        raise NotFound("There is no such endpoint.")
    with connection.cursor() as cursor:
        cursor.execute(ALONE, [f"webhook test {active_organization_id()}"])
        if not cursor.fetchone()[0]:
            raise Conflict("Another test is under way: wait for its answer.", code="testing")
    event_id = str(uuid7())
    envelope = {
        "id": event_id, "type": "webhook.test", "bus": "default", "schema_version": 1, "aggregate_type": "webhook_endpoint",
        "aggregate_id": endpoint_id, "occurred_at": datetime.now(UTC), "correlation_id": "", "traceparent": "",
        "organization": active_organization_id(), "payload": {"message": "This is a test. Nothing has happened."},
    }
    return event_id, send(line, message_id=event_id, envelope=envelope)


def send(line: Line, *, message_id: str, envelope: dict[str, Any]) -> Tried:
    try:
        keys = [secret_open(line.secret)]
    except BrokenSeal:
        return Tried(None, "The secret cannot be opened: SECRET_KEY has changed. Rotate the endpoint's secret.", "", 0)
    if line.previous_secret:
        with suppress(BrokenSeal):
            keys.append(secret_open(line.previous_secret))
    body = dumps(envelope)
    headers = signed(keys, message_id, int(time.time()), body)
    correlation = str(envelope.get("correlation_id") or "")
    if HEADER.fullmatch(correlation):
        headers["x-request-id"] = correlation
    if traceparent := child_of(envelope.get("traceparent", "")):
        headers["traceparent"] = traceparent
    outbound().prepare()
    started = time.monotonic()
    try:
        answer: Answer | None = outbound().post(
            line.url, content=body, headers=headers, within=settings.WEBHOOK_SECONDS, at_most=ANSWER,
        )
        error = _complaint(answer) if answer else ""
    except (Failed, Refused) as failed:
        answer, error = None, str(failed)
    took = int((time.monotonic() - started) * 1000)
    if answer is None:
        return Tried(None, error, "", took)
    secret = [text for key in keys for text in (key, key.removeprefix(PREFIX))]
    wait = retry_after(answer.headers.get("retry-after", "")) if answer.status in (TOO_MANY, UNAVAILABLE) else None
    return Tried(answer.status, error, redacted(answer.body, secret, at_most=EXCERPT), took, wait)


def signed(keys: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a message. Of several keys each signs: the receiver takes it by any of them."""
    said = f"{message_id}.{timestamp}.".encode() + body
    signatures = [
        base64.b64encode(hmac.digest(base64.b64decode(key.removeprefix(PREFIX)), said, sha256)).decode() for key in keys
    ]
    return {
        "webhook-id": message_id, "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
        "content-type": "application/json", "accept": "*/*", "user-agent": AGENT,
    }


def retry_after(text: str) -> float | None:
    """Seconds, from a number or a date; bounded. None for anything else: at once would use up the attempts in a second."""
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,12}", text):
        seconds: float = int(text)
    else:
        try:
            seconds = (parsedate_to_datetime(text).astimezone(UTC) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return float(min(seconds, settings.WEBHOOK_LONGEST_WAIT)) if seconds > 0 else None


def _complaint(answer: Answer) -> str:
    if 200 <= answer.status < 300:
        return ""
    if 300 <= answer.status < 400:
        return f"It redirects ({answer.status}), which is not followed: enter the address that it leads to."
    return f"It answered {answer.status}."


@cache
def outbound() -> Outbound:
    return Outbound(policy, ca_file=settings.WEBHOOK_CA_FILE)


os.register_at_fork(after_in_child=outbound.cache_clear)  # a connection is of one process
