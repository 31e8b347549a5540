"""Kits that are sold by their components: what one of each takes from the stock.

Kits of this kind within them are opened in turn, other assemblies are goods like any. Nothing is lost in the making, since
nothing is made; what is optional is not sold along.
"""

from collections.abc import Collection
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from core.arrays import array
from core.errors import Conflict
from core.tenancy import active_organization_id

MOST = 20_000  # ways through the bills
SMALLEST, LARGEST = Decimal("0.000001"), Decimal(10**13)  # of a quantity

# What is opened and has nothing in it is an end as well: it says that a bill is missing.
PARTS = """
    WITH RECURSIVE down AS (
        SELECT v.id AS kit_id, v.id AS variant_id, 1::numeric AS quantity, true AS opens
        FROM inventory_productvariant AS v
        WHERE v.organization_id = %(organization)s AND v.id = ANY (%(kits)s::uuid[]) AND v.sold_by_components
        UNION ALL
        SELECT down.kit_id, b.component_id, down.quantity * b.quantity, c.sold_by_components
        FROM down
        JOIN inventory_bomline AS b ON b.organization_id = %(organization)s AND b.assembly_id = down.variant_id
            AND NOT b.is_optional
        JOIN inventory_productvariant AS c ON c.organization_id = b.organization_id AND c.id = b.component_id
        WHERE down.opens
    ), capped AS MATERIALIZED (SELECT * FROM down LIMIT %(most)s + 1), ends AS (
        SELECT d.kit_id, d.variant_id, sum(d.quantity) AS quantity, d.opens
        FROM capped AS d
        WHERE NOT d.opens OR NOT EXISTS (
            SELECT FROM inventory_bomline AS b WHERE b.organization_id = %(organization)s AND b.assembly_id = d.variant_id
                AND NOT b.is_optional)
        GROUP BY d.kit_id, d.variant_id, d.opens
    )
    SELECT (SELECT count(*) FROM capped), e.kit_id, e.variant_id, v.sku, COALESCE(NULLIF(v.name, ''), p.name), e.quantity,
           v.standard_cost, e.opens
    FROM ends AS e
    JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = e.variant_id
    JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
    ORDER BY v.sku
"""


class KitPart(NamedTuple):
    """How much of a component is in one kit."""

    variant_id: UUID
    sku: str
    name: str  # the product's, where the variant has none
    quantity: Decimal
    standard_cost: Decimal


def parts_of_kits(kits: Collection[UUID]) -> dict[UUID, list[KitPart]]:
    """Of those that are sold by their components. Raises Conflict where a bill is empty, or there are more ways than MOST."""
    with connection.cursor() as cursor:
        cursor.execute(PARTS, {"organization": active_organization_id(), "kits": array(kits), "most": MOST})
        rows = cursor.fetchall()
    if rows and rows[0][0] > MOST:
        raise Conflict(f"There are more than {MOST:,} ways through these bills of materials.", code="too_many_parts")
    found: dict[UUID, list[KitPart]] = {}
    for _, kit, *values, is_bare in rows:
        part = KitPart(*values)
        part = part._replace(quantity=rounded_up(part.quantity))
        if is_bare:
            raise Conflict(
                f"{part.sku} is sold by its components, and has none: fill its bill of materials.", code="kit_without_components",
            )
        found.setdefault(kit, []).append(part)
    return found


def no_stock_of(sku: str) -> str:
    """What to do in place of buying, moving or counting it."""
    return f"{sku} is sold by its components, so there is no stock of it: buy, move and count these."


def rounded_up(quantity: Decimal) -> Decimal:
    """To what a quantity can hold: taking too little would leave something unbuilt. Raises Conflict for too much."""
    if quantity >= LARGEST:
        raise Conflict("More goes into it than a quantity can say.", code="too_many_parts")
    return quantity.quantize(SMALLEST, ROUND_UP)


def enough_for(available: Decimal, quantity: Decimal) -> int:
    """How many kits that are whole."""
    return max(int((available / quantity).to_integral_value(ROUND_DOWN)), 0)
