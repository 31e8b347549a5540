"""Read before any scope is open, through functions that show one person or one key."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection

from accounts.principal import KeyClaim, within


class OwnOrganization(NamedTuple):
    id: UUID
    slug: str
    name: str
    is_default: bool


def organizations_of(user_id: UUID) -> list[OwnOrganization]:
    """Those in which the person is an active member, the default first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, slug, name, is_default FROM accounts_organizations_of(%s)", [user_id])
        return [OwnOrganization(*row) for row in cursor.fetchall()]


def organization_of_slug(user_id: UUID, slug: str) -> UUID | None:
    return next((own.id for own in organizations_of(user_id) if own.slug == slug), None)


def key_hash(key: str) -> str:
    """SHA-256 is enough: a key has 256 random bits, which nobody guesses."""
    return sha256(key.encode()).hexdigest()


def find_api_key(key: str, ip: str) -> KeyClaim | None:
    prefix = key.partition(".")[0]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, organization_id, slug, organization_name, key_hash, scopes, allowed_networks, used_lately,"
            " signing_secret"
            " FROM accounts_find_api_key(%s)", [prefix.replace("\0", "")],
        )
        row = cursor.fetchone()
    if row is None or not hmac.compare_digest(row[4], key_hash(key)) or not within(ip, row[6]):
        return None
    return KeyClaim(row[0], row[1], row[2], row[3], frozenset(row[5]), row[7], row[8])


class ProviderFound(NamedTuple):
    """An approved identity provider; with the user whom the subject is, and the groups that its last token had."""

    id: UUID
    organization_id: UUID
    slug: str
    audience: str
    keys_url: str
    group_claim: str
    group_roles: dict[str, str]
    creates_members: bool
    checks_second_factor: bool
    user_id: UUID | None
    groups: list[str] | None
    groups_at: datetime | None


def find_identity_providers(issuer: str, audiences: Sequence[str], subject: str) -> list[ProviderFound]:
    """At most one for each audience."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(ProviderFound._fields)} FROM accounts_find_identity_provider(%s, %s, %s)",
            [issuer, list(audiences), subject],
        )
        return [_provider(row) for row in cursor.fetchall()]


def _provider(row: Sequence[Any]) -> ProviderFound:
    found = ProviderFound(*row)
    return found._replace(group_roles=orjson.loads(found.group_roles)) if isinstance(found.group_roles, str) else found
