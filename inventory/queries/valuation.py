"""What the stock is and was worth, and why.

Now: the open layers. As of an instant: the last snapshot before it and the entries since. By default an entry counts from
when it was written (`posted`): such figures never change afterwards. `occurred` counts what was written later of what had
happened by then as well.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id

POSTED, OCCURRED = "posted", "occurred"

NOW = """
    SELECT variant_id, warehouse_id, remaining AS quantity, value FROM inventory_costlayer
    WHERE organization_id = %(organization)s AND is_open
"""
AS_POSTED = """
    SELECT variant_id, warehouse_id, quantity, value FROM inventory_stocksnapshot
    WHERE organization_id = %(organization)s AND until = (SELECT until FROM last)
    UNION ALL
    SELECT variant_id, warehouse_id, quantity, value FROM inventory_valueentry
    WHERE organization_id = %(organization)s AND created_at >= (SELECT until FROM last)
        AND created_at <= %(as_of)s
"""
AS_OCCURRED = f"""
    {AS_POSTED}
    UNION ALL
    SELECT variant_id, warehouse_id, quantity, value FROM inventory_valueentry
    WHERE organization_id = %(organization)s AND is_late AND created_at > %(as_of)s AND occurred_at <= %(as_of)s
"""
# COALESCE stands here because row security lets an index be used with a result, but not with a COALESCE of it.
LAST = """
    SELECT COALESCE(max(until), '-infinity') AS until FROM inventory_stocksnapshot
    WHERE organization_id = %(organization)s AND until <= %(as_of)s
"""

CHOSEN = """
    (%(warehouses)s::uuid[] IS NULL OR s.warehouse_id = ANY (%(warehouses)s::uuid[]))
    AND (%(warehouse)s::uuid IS NULL OR s.warehouse_id = %(warehouse)s::uuid)
    AND (%(variant)s::uuid IS NULL OR s.variant_id = %(variant)s::uuid)
"""


# At standard cost, or what such goods cost in the warehouse last: of a variant v and the pool of it there.
UNIT_COST = "COALESCE(NULLIF(v.standard_cost, 0), pool.unit_cost, 0)"
POOL_JOIN = """LEFT JOIN inventory_costlayer AS pool ON pool.organization_id = v.organization_id AND pool.variant_id = v.id
    AND pool.kind = 'pool' AND pool.warehouse_id ="""
UNIT_COSTS = f"""
    SELECT v.id, place.id, {UNIT_COST}
    FROM unnest(%s::uuid[], %s::uuid[]) AS w(variant_id, location_id)
    JOIN inventory_productvariant AS v ON v.organization_id = %s AND v.id = w.variant_id
    JOIN inventory_location AS place ON place.organization_id = v.organization_id AND place.id = w.location_id
    {POOL_JOIN} place.warehouse_id
"""


class Grouping(NamedTuple):
    """`names` of the columns that say what a row is of; `rows` adds them to (variant_id, warehouse_id, quantity, value)."""

    names: tuple[str, ...]
    key: str
    columns: str
    joins: str


VARIANT_JOIN = "JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = g.variant_id"
WAREHOUSE_JOIN = "JOIN inventory_warehouse AS w ON w.organization_id = %(organization)s AND w.id = g.warehouse_id"

GROUPINGS = {
    "variant": Grouping(("variant", "sku", "name"), "s.variant_id", "g.variant_id, v.sku, v.name", VARIANT_JOIN),
    "warehouse": Grouping(
        ("warehouse", "warehouse_code", "name"), "s.warehouse_id", "g.warehouse_id, w.code, w.name", WAREHOUSE_JOIN,
    ),
    "stock": Grouping(
        ("variant", "sku", "name", "warehouse", "warehouse_code"), "s.variant_id, s.warehouse_id",
        "g.variant_id, v.sku, v.name, g.warehouse_id, w.code", f"{VARIANT_JOIN} {WAREHOUSE_JOIN}",
    ),
    "category": Grouping(
        ("category", "name"), "p.category_id", "g.category_id, COALESCE(c.name, '')",
        "LEFT JOIN inventory_category AS c ON c.organization_id = %(organization)s AND c.id = g.category_id",
    ),
}
# The page is found first and joined then.
REPORT = """
    WITH last AS ({last}), found AS (
        SELECT {key}, sum(s.quantity) AS quantity, sum(s.value) AS value
        FROM ({source}) AS s {inner} WHERE {chosen}
        GROUP BY {key} HAVING sum(s.quantity) <> 0 OR sum(s.value) <> 0
    ), g AS (
        SELECT *, count(*) OVER () AS rows, sum(value) OVER () AS total FROM found AS g
        ORDER BY value DESC, {key_of_g} LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT {columns}, g.quantity, g.value, g.rows, g.total FROM g {joins} ORDER BY g.value DESC, {key_of_g}
"""
# Read once by itself: the planner takes the rows that are grouped to be few, and would look up the product of each.
PRODUCTS = """
    JOIN (
        SELECT v.id AS variant_id, p.category_id FROM inventory_productvariant AS v
        JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
        WHERE v.organization_id = %(organization)s OFFSET 0
    ) AS p ON p.variant_id = s.variant_id
"""


@dataclass(frozen=True, slots=True)
class Question:
    """`warehouses`: those that the asker may see; None for all. Without `as_of` now."""

    group_by: str = "variant"
    as_of: datetime | None = None
    basis: str = POSTED
    warehouse: UUID | None = None
    variant: UUID | None = None
    warehouses: Collection[UUID] | None = None
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """`rows` of the highest value first; `count` and `value` of all rows, shown or not."""

    rows: list[dict[str, Any]]
    count: int
    value: Decimal


def inventory_value(question: Question) -> Answer:
    grouping = GROUPINGS[question.group_by]
    sources = {None: NOW, POSTED: AS_POSTED, OCCURRED: AS_OCCURRED}
    source = sources[question.basis if question.as_of else None]
    sql = REPORT.format(
        last=LAST if question.as_of else "SELECT 1", source=source, chosen=CHOSEN, key=grouping.key, columns=grouping.columns,
        joins=grouping.joins, inner=PRODUCTS if question.group_by == "category" else "",
        key_of_g=grouping.key.replace("s.", "g.").replace("p.", "g."),
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, _values(question))
        found = cursor.fetchall()
    if not found and question.offset:  # beyond the last row, which the totals do not mind
        return replace(inventory_value(replace(question, limit=1, offset=0)), rows=[])
    names = (*grouping.names, "quantity", "value")
    rows = [dict(zip(names, row, strict=False)) for row in found]
    return Answer(rows, found[0][-2] if found else 0, found[0][-1] if found else Decimal(0))


def _values(question: Question) -> dict[str, Any]:
    some = None if question.warehouses is None else list(question.warehouses)
    return {
        "organization": active_organization_id(), "as_of": question.as_of, "warehouses": some, "warehouse": question.warehouse,
        "variant": question.variant, "limit": question.limit, "offset": question.offset,
    }


def unit_costs(places: Collection[tuple[UUID, UUID | None]]) -> dict[tuple[UUID, UUID | None], Decimal]:
    """What one piece is worth where it lies, by variant and location."""
    with connection.cursor() as cursor:
        cursor.execute(UNIT_COSTS, [[variant for variant, _ in places], [place for _, place in places], active_organization_id()])
        return {(variant, place): cost for variant, place, cost in cursor.fetchall()}
