"""What a line of an order says of its article."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from core.arrays import array
from core.tenancy import active_organization_id

SELLABLE = """
    SELECT v.id, v.sku, COALESCE(NULLIF(v.name, ''), p.name), v.archived_at IS NOT NULL, v.sold_by_components
    FROM inventory_productvariant AS v
    JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
    WHERE v.organization_id = %s AND v.id = ANY (%s::uuid[])
"""


class Sellable(NamedTuple):
    id: UUID
    sku: str
    name: str  # the product's, where the variant has none
    is_archived: bool
    sold_by_components: bool


def sellable(variants: Iterable[UUID]) -> dict[UUID, Sellable]:
    """Those that there are."""
    with connection.cursor() as cursor:
        cursor.execute(SELLABLE, [active_organization_id(), array(set(variants))])
        return {row[0]: Sellable(*row) for row in cursor.fetchall()}
