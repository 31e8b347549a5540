"""Read before any scope is open, through functions that show one person or one key."""

import hmac
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

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
            "SELECT id, organization_id, slug, organization_name, key_hash, scopes, allowed_networks, used_lately"
            " FROM accounts_find_api_key(%s)", [prefix.replace("\0", "")],
        )
        row = cursor.fetchone()
    if row is None or not hmac.compare_digest(row[4], key_hash(key)) or not within(ip, row[6]):
        return None
    return KeyClaim(row[0], row[1], row[2], row[3], frozenset(row[5]), row[7])
