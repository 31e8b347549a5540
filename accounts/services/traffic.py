"""Answers kept for repeated requests."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import orjson
from django.db import connection
from django.utils import timezone
from uuid_utils.compat import uuid7

from core.errors import Conflict
from core.tenancy import active_organization_id

KEPT = timedelta(hours=24)

# A row that has expired is as good as none. Nothing written: another request with this key was faster.
KEEP = """
    INSERT INTO accounts_idempotencyrecord AS r
        (id, organization_id, principal, key_hash, request_hash, status, headers, body, is_sealed, expires_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (organization_id, principal, key_hash) DO UPDATE
    SET request_hash = EXCLUDED.request_hash, status = EXCLUDED.status, headers = EXCLUDED.headers, body = EXCLUDED.body,
        is_sealed = EXCLUDED.is_sealed, expires_at = EXCLUDED.expires_at, created_at = now()
    WHERE r.expires_at <= now()
"""


class StillRunning(Conflict):
    """A request with this key is under way."""

    code = "idempotency_in_progress"

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is still running: ask again in a second.")


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    request_hash: str
    status: int
    headers: Mapping[str, str]
    body: bytes | None  # None: too large to keep
    is_sealed: bool


def idempotency_begin(*, principal: str, key_hash: str) -> KeptAnswer | None:
    """The answer that was given to this key, or None, and then nobody else answers it until the transaction ends.

    Raises StillRunning, without waiting.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT running, request_hash, status, headers, body, is_sealed FROM accounts_idempotency_begin(%s, %s, %s)",
            [active_organization_id(), principal, key_hash],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    running, request_hash, status, headers, body, is_sealed = row
    if running:
        raise StillRunning
    return KeptAnswer(request_hash, status, orjson.loads(headers), None if body is None else bytes(body), is_sealed)


def idempotency_keep(*, principal: str, key_hash: str, answer: KeptAnswer) -> None:
    """In the transaction of the request, so that its effect and its record are both there or neither. Raises StillRunning."""
    with connection.cursor() as cursor:
        cursor.execute(KEEP, [
            uuid7(), active_organization_id(), principal, key_hash, answer.request_hash, answer.status,
            orjson.dumps(answer.headers).decode(), answer.body, answer.is_sealed, timezone.now() + KEPT,
        ])
        if not cursor.rowcount:
            raise StillRunning
