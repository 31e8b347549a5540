"""Read before any scope is open, through a function that shows one source."""

from typing import NamedTuple
from uuid import UUID

import orjson
from django.db import connection

from notifications.verifying import Recipe, recipe_of


class SourceFound(NamedTuple):
    """An active source of an active organization; its secrets are sealed."""

    id: UUID
    organization_id: UUID
    key: str
    scheme: str
    secrets: tuple[bytes, ...]
    tolerance: int
    recipe: Recipe


def find_inbound_source(source_id: UUID) -> SourceFound | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT organization_id, key, scheme, secret, previous_secret, tolerance_seconds, columns"
            " FROM notifications_find_inbound_source(%s)", [source_id],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    organization_id, key, scheme, secret, previous, tolerance, columns = row
    secrets = tuple(bytes(sealed) for sealed in (secret, previous) if sealed)
    return SourceFound(source_id, organization_id, key, scheme, secrets, tolerance, recipe_of(scheme, orjson.loads(columns)))
