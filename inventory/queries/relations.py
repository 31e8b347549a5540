from collections.abc import Collection
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id

# Of the relation that it is formatted with. Days are those of the organization.
TODAY = "(SELECT (now() AT TIME ZONE timezone)::date FROM accounts_organization WHERE id = %(organization)s)"
IN_FORCE = f"({{0}}.valid_from IS NULL OR {{0}}.valid_from <= {TODAY})"

# A part has one successor at most and no circle, so each chain has one end.
CHAINS = f"""
    WITH RECURSIVE chain AS (
        SELECT DISTINCT asked AS first_id, asked AS id, 0 AS step FROM unnest(%(variants)s::uuid[]) AS asked
        UNION ALL
        SELECT chain.first_id, r.from_variant_id, chain.step + 1
        FROM chain
        JOIN inventory_productrelation AS r ON r.organization_id = %(organization)s AND r.to_variant_id = chain.id
            AND r.kind = 'supersedes'
        WHERE r.valid_from IS NULL OR r.valid_from <= COALESCE(%(day)s::date, {TODAY})
    )
"""


def current_variant(variant_ids: Collection[UUID], *, on: date | None = None) -> dict[UUID, UUID]:
    """The part that is to be used in place of each today, or on the day: itself, where nothing supersedes it. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{CHAINS} SELECT DISTINCT ON (first_id) first_id, id FROM chain ORDER BY first_id, step DESC",
            {"variants": list(variant_ids), "organization": active_organization_id(), "day": on},
        )
        return dict(cursor.fetchall())


class Part(NamedTuple):
    id: UUID
    sku: str
    name: str


def chain_of(variant_id: UUID, *, on: date | None = None) -> list[Part]:
    """The part and each that superseded it, the current one last."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""{CHAINS} SELECT v.id, v.sku, v.name FROM chain
                JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = chain.id ORDER BY step""",
            {"variants": [variant_id], "organization": active_organization_id(), "day": on},
        )
        return [Part(*row) for row in cursor.fetchall()]
