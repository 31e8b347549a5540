"""Bills of materials: down to what an assembly is made of, up to what a part goes into, and how many can be built.

The database lets no loop come to be, so every way down ends. There may be very many ways, where the same parts are in many
assemblies of each level: beyond MOST of them the answer is a Conflict.
"""

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from core.errors import Conflict
from core.tenancy import active_organization_id
from inventory.models import Location, ProductVariant
from inventory.queries.kits import SMALLEST, enough_for, parts_of_kits, rounded_up

MOST = 20_000
EXACTLY = Context(prec=80, rounding=ROUND_HALF_UP)

# {0}: which components are made of others in their turn: "true" for all, "c.is_kit" for those that are not stocked.
# What is lost in the making is taken as well.
DOWN = """
    WITH RECURSIVE down AS (
        SELECT wanted.id AS variant_id, wanted.quantity::numeric AS quantity, 0 AS level, true AS opens
        FROM unnest(%(variants)s::uuid[], %(quantities)s::numeric[]) AS wanted(id, quantity)
        UNION ALL
        SELECT b.component_id, down.quantity * b.quantity * (1 + b.scrap_percent / 100), down.level + 1, {0}
        FROM down
        JOIN inventory_bomline AS b ON b.organization_id = %(organization)s AND b.assembly_id = down.variant_id
        JOIN inventory_productvariant AS c ON c.organization_id = b.organization_id AND c.id = b.component_id
        WHERE down.opens AND (%(optional)s OR NOT b.is_optional)
    ), capped AS MATERIALIZED (SELECT * FROM down LIMIT %(most)s + 1)
"""
# Those of which nothing further is made here.
ENDS = """
    ends AS (
        SELECT d.variant_id, sum(d.quantity) AS quantity, max(d.level) AS level
        FROM capped AS d
        WHERE NOT d.opens OR NOT EXISTS (
            SELECT FROM inventory_bomline AS b WHERE b.organization_id = %(organization)s AND b.assembly_id = d.variant_id
                AND (%(optional)s OR NOT b.is_optional))
        GROUP BY d.variant_id
    )
"""
EXPLOSION = f"""
    {DOWN.format("true")}, {ENDS}
    SELECT (SELECT count(*) FROM capped), e.variant_id, v.sku, v.name, e.quantity, e.level, v.standard_cost
    FROM ends AS e JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = e.variant_id
    ORDER BY v.sku
"""
COMPONENTS = f"""
    {DOWN.format("c.is_kit")}, {ENDS}
    SELECT (SELECT count(*) FROM capped), e.variant_id, v.sku, v.name, e.quantity
    FROM ends AS e JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = e.variant_id
    WHERE e.level > 0 ORDER BY v.sku
"""
AVAILABLE = """
    SELECT s.variant_id, sum(s.available) FROM inventory_stockitem AS s
    JOIN inventory_location AS l ON l.organization_id = s.organization_id AND l.id = s.location_id
    WHERE s.organization_id = %s AND s.variant_id = ANY (%s) AND s.warehouse_id = %s AND l.kind = ANY (%s)
    GROUP BY s.variant_id
"""
UP = """
    WITH RECURSIVE up AS (
        SELECT %(variant)s::uuid AS variant_id, 1::numeric AS quantity, 0 AS level
        UNION ALL
        SELECT b.assembly_id, up.quantity * b.quantity * (1 + b.scrap_percent / 100), up.level + 1
        FROM up JOIN inventory_bomline AS b ON b.organization_id = %(organization)s AND b.component_id = up.variant_id
    ), capped AS MATERIALIZED (SELECT * FROM up LIMIT %(most)s + 1)
    SELECT (SELECT count(*) FROM capped), u.variant_id, v.sku, v.name, sum(u.quantity), min(u.level)
    FROM capped AS u JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = u.variant_id
    WHERE u.level > 0 GROUP BY u.variant_id, v.sku, v.name ORDER BY 6, v.sku
"""


class Leaf(NamedTuple):
    """A part that is bought, not made: how much, at which level at most, at which standard cost for one."""

    variant_id: UUID
    sku: str
    name: str
    quantity: Decimal
    level: int
    unit_cost: Decimal

    @property
    def cost(self) -> Decimal:
        return EXACTLY.quantize(EXACTLY.multiply(self.quantity, self.unit_cost), SMALLEST)


class Component(NamedTuple):
    variant_id: UUID
    sku: str
    name: str
    quantity: Decimal


class Use(NamedTuple):
    """An assembly that a part goes into; `quantity` of the part is in one, optional lines included."""

    variant_id: UUID
    sku: str
    name: str
    quantity: Decimal
    level: int


class Share(NamedTuple):
    """What is available of a component, and how many that is enough for."""

    component: Component
    available: Decimal
    enough_for: int


class Buildable(NamedTuple):
    quantity: int
    shares: list[Share]

    @property
    def limiting(self) -> list[Component]:
        return [share.component for share in self.shares if share.enough_for == self.quantity]


def exploded(variant_id: UUID, quantity: Decimal = Decimal(1), *, optional: bool = False) -> list[Leaf]:
    """Down to the leaves; something without a bill of materials is its own leaf. Raises Conflict for more ways than MOST."""
    rows = _fetch(EXPLOSION, variants=[variant_id], quantities=[quantity], optional=optional)
    return [Leaf(part, sku, name, rounded_up(needed), level, cost) for part, sku, name, needed, level, cost in rows]


def components_of(variant_id: UUID, quantity: Decimal = Decimal(1), *, optional: bool = False) -> list[Component]:
    """What leaves the stock so that so many can be built, or, of a kit, sold: kits within it are opened, assemblies are not.

    Empty without a bill of materials. Raises Conflict for more ways than MOST.
    """
    rows = _fetch(COMPONENTS, variants=[variant_id], quantities=[quantity], optional=optional)
    return [Component(part, sku, name, rounded_up(needed)) for part, sku, name, needed in rows]


def uses_of(variant_id: UUID) -> list[Use]:
    """The assemblies and kits that the part goes into, directly (level 1) or in others. Raises Conflict for too many ways."""
    rows = _fetch(UP, variant=variant_id)
    return [Use(part, sku, name, rounded_up(contained), level) for part, sku, name, contained, level in rows]


def buildable(variant_id: UUID, warehouse_id: UUID) -> Buildable:
    """How many can be built, put together, or sold by their components, of what is available in the warehouse: not reserved, not
    in quarantine.
    """
    components = components_of(variant_id) if (parts := _parts(variant_id)) is None else parts
    with connection.cursor() as cursor:
        cursor.execute(AVAILABLE, [
            active_organization_id(), [one.variant_id for one in components], warehouse_id, list(Location.AVAILABLE),
        ])
        available: dict[UUID, Decimal] = dict(cursor.fetchall())
    shares = [_share(one, available.get(one.variant_id, Decimal(0))) for one in components]
    return Buildable(min((share.enough_for for share in shares), default=0), shares)


def _parts(variant_id: UUID) -> list[Component] | None:
    """Of a kit that is sold by its components."""
    if not ProductVariant.objects.filter(pk=variant_id, sold_by_components=True).exists():
        return None
    return [Component(*part[:4]) for part in parts_of_kits([variant_id])[variant_id]]


def _share(component: Component, available: Decimal) -> Share:
    return Share(component, available, enough_for(available, component.quantity))


def _fetch(sql: str, **values: Any) -> list[tuple[Any, ...]]:
    """The rows without their first column, which counts the ways."""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"organization": active_organization_id(), "most": MOST, **values})
        rows = cursor.fetchall()
    if rows and rows[0][0] > MOST:
        raise Conflict(f"There are more than {MOST:,} ways through this bill of materials.", code="too_many_parts")
    return [row[1:] for row in rows]
