"""Machine access: keys, their successors, and the nonces of signed requests."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import ApiKey
from accounts.queries.identity import key_hash
from accounts.services.roles import refuse_beyond
from core.errors import Conflict, Invalid
from core.sealing import seal

OVERLAP, LONGEST_OVERLAP = timedelta(hours=24), timedelta(days=30)
SIGNING = "signing secret"  # the purpose of its seal


@dataclass(frozen=True, slots=True)
class NewKey:
    """`key` and `signing_secret` are seen here and never again."""

    row: ApiKey
    key: str
    signing_secret: str = ""


def api_key_create(
    *, name: str, granter: Collection[str], scopes: Collection[str] = (), require_signature: bool = False, **values: Any,
) -> NewKey:
    """Raises Forbidden for scopes that the granter does not hold."""
    refuse_beyond(scopes, granter)
    prefix = "qm_" + secrets.token_hex(5)
    key = f"{prefix}.{secrets.token_urlsafe(32)}"
    signing_secret = f"qms_{secrets.token_urlsafe(32)}" if require_signature else ""
    row = ApiKey.objects.create(
        name=name, prefix=prefix, key_hash=key_hash(key), scopes=list(scopes), require_signature=require_signature,
        signing_secret=seal(signing_secret.encode(), purpose=SIGNING) if require_signature else None, **values,
    )
    return NewKey(row, key, signing_secret)


@transaction.atomic
def api_key_rotate(
    *, api_key: ApiKey, granter: Collection[str], overlap: timedelta = OVERLAP, expires_at: datetime | None = None,
) -> NewKey:
    """A successor with the same name and rights; the old key takes its prefix into its name and ends after the overlap.

    Without `expires_at`, the successor lives as long as the old one was meant to. Raises Conflict for a key that has
    ended or has a successor, Invalid for the overlap.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Invalid("The old key may live on for 0 to 720 hours (30 days).", fields={"overlap_hours": "Give 0 to 720."})
    # Locked: of two rotations at once the second sees the successor of the first.
    old = ApiKey.objects.select_for_update(no_key=True).get(pk=api_key.pk)
    now = timezone.now()
    if successor := ApiKey.objects.filter(rotated_from=old).first():
        raise Conflict(f"This key was rotated before: its successor is {successor.prefix}.", code="already_rotated")
    if old.revoked_at or (old.expires_at and old.expires_at <= now):
        raise Conflict("This key has ended: make a new one.", code="key_ended")
    if expires_at is None and old.expires_at:
        expires_at = now + (old.expires_at - old.created_at)
    name = old.name
    old.name = f"{name[:80]} ({old.prefix})"
    old.expires_at = min(old.expires_at or now + overlap, now + overlap)
    old.revoked_at = None if overlap else now
    old.save(update_fields=["name", "expires_at", "revoked_at"])
    return api_key_create(
        name=name, scopes=old.scopes, granter=granter, require_signature=old.require_signature, rotated_from=old,
        allowed_networks=old.allowed_networks, rate_per_minute=old.rate_per_minute, expires_at=expires_at,
    )


def api_key_used(*, api_key_id: UUID) -> None:
    ApiKey.objects.filter(pk=api_key_id).update(last_used_at=timezone.now())


def api_key_revoke(*, api_key: ApiKey) -> None:
    if api_key.revoked_at is None:
        api_key.revoked_at = timezone.now()
        api_key.save(update_fields=["revoked_at"])


def nonce_use(*, organization_id: UUID, api_key_id: UUID, nonce: str, keep: int) -> bool:
    """Whether this is the first time in `keep` seconds.

    Committed before the scope opens: a request that is refused has used it up as well.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_use_nonce(%s, %s, %s, %s)", [organization_id, api_key_id, nonce, keep])
        return bool(cursor.fetchone()[0])
