"""What is within a parcel or a pallet, in those that stand on it too."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id

# The unit, and all that stand on it. Parameters: organization, unit.
PILE = """
    WITH RECURSIVE pile AS (
        SELECT id, sscc, kind, 0 AS depth, ARRAY[sscc::text] AS path FROM inventory_logisticunit
        WHERE organization_id = %(organization)s AND id = %(unit)s
        UNION ALL
        SELECT u.id, u.sscc, u.kind, pile.depth + 1, pile.path || u.sscc FROM pile
        JOIN inventory_logisticunit AS u ON u.organization_id = %(organization)s AND u.parent_id = pile.id
    )
"""
CONTENTS = f"""
    {PILE}
    SELECT p.id, p.sscc, p.kind, p.depth, c.variant_id, v.sku, v.name, c.lot_id, l.code, l.expires_on, c.quantity
    FROM pile AS p
    JOIN inventory_logisticunitcontent AS c ON c.organization_id = %(organization)s AND c.unit_id = p.id
    JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = c.variant_id
    LEFT JOIN inventory_lot AS l ON l.organization_id = %(organization)s AND l.id = c.lot_id
    ORDER BY p.path, v.sku, l.expires_on, l.code LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Content:
    """`depth` is 0 in the unit itself, 1 in what stands on it."""

    unit: UUID
    sscc: str
    kind: str
    depth: int
    variant: UUID
    sku: str
    name: str
    lot: UUID | None
    lot_code: str | None
    expires_on: date | None
    quantity: Decimal


def contents_of(unit_id: UUID, *, most: int | None = None) -> list[Content]:
    """Unit by unit, each before those that stand on it."""
    with connection.cursor() as cursor:
        cursor.execute(CONTENTS, {"organization": active_organization_id(), "unit": unit_id, "most": most})
        return [Content(*row) for row in cursor.fetchall()]


def pile_of(unit_id: UUID) -> list[UUID]:
    """The unit, and all that stand on it."""
    with connection.cursor() as cursor:
        cursor.execute(f"{PILE} SELECT id FROM pile", {"organization": active_organization_id(), "unit": unit_id})
        return [row[0] for row in cursor.fetchall()]
