"""What reports on stock over time are made of: which goods, what there was, and what came and went since.

What came and went is the difference of totals, which the snapshots have. An entry counts when it was posted (ADR 33): figures of
the past do not change.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from core.limits import Holder, reach
from core.tenancy import active_organization_id
from inventory.models import Warehouse
from inventory.queries.dashboard import IN_SOME
from inventory.queries.spans import Span
from inventory.queries.stock_totals import FIGURES, HELD, reading, totals
from inventory.queries.valuation import PRODUCTS, VARIANT_JOIN, WAREHOUSE_JOIN

SEES_COSTS = "inventory.view_valueentry"
TOTAL, VARIANT, WAREHOUSE, CATEGORY, STOCK = "total", "variant", "warehouse", "category", "stock"


class Grouping(NamedTuple):
    """What a row is of. `key` names columns of s, or of p with the `inner` join; `joins` make `columns` of those of g, for what
    is called `names`."""

    names: tuple[str, ...]
    key: tuple[str, ...]
    columns: tuple[str, ...]
    joins: str = ""
    inner: str = ""

    @property
    def keys(self) -> str:
        return ", ".join(self.key)

    @property
    def keys_of_g(self) -> str:
        return ", ".join(f"g.{name.partition('.')[2]}" for name in self.key)


CATEGORY_JOIN = "LEFT JOIN inventory_category AS c ON c.organization_id = %(organization)s AND c.id = g.category_id"

GROUPINGS = {
    TOTAL: Grouping((), ("s.everything",), ()),
    VARIANT: Grouping(("variant", "sku", "name"), ("s.variant_id",), ("g.variant_id", "v.sku", "v.name"), VARIANT_JOIN),
    WAREHOUSE: Grouping(
        ("warehouse", "warehouse_code", "name"), ("s.warehouse_id",), ("g.warehouse_id", "w.code", "w.name"), WAREHOUSE_JOIN,
    ),
    CATEGORY: Grouping(
        ("category", "name"), ("p.category_id",), ("g.category_id", "COALESCE(c.name, '')"), CATEGORY_JOIN, PRODUCTS,
    ),
    STOCK: Grouping(
        ("variant", "sku", "name", "warehouse", "warehouse_code"), ("s.variant_id", "s.warehouse_id"),
        ("g.variant_id", "v.sku", "v.name", "g.warehouse_id", "w.code"), f"{VARIANT_JOIN} {WAREHOUSE_JOIN}",
    ),
}

# Where goods are kept: what has gone through a warehouse of goods in transit is not out of stock there.
KEEPING = f"""
    JOIN inventory_warehouse AS keeping ON keeping.organization_id = %(organization)s AND keeping.id = warehouse_id
        AND keeping.kind <> '{Warehouse.Kind.TRANSIT}'
"""

# Of a category all that lies below it counts.
IN_BRANCH = """
    AND {0}.variant_id IN (
        WITH RECURSIVE branch AS (
            SELECT %(category)s::uuid AS id
            UNION
            SELECT c.id FROM branch JOIN inventory_category AS c
                ON c.organization_id = %(organization)s AND c.parent_id = branch.id
        )
        SELECT v.id FROM branch
        JOIN inventory_product AS p ON p.organization_id = %(organization)s AND p.category_id = branch.id
        JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.product_id = p.id
    )
"""


@dataclass(frozen=True, slots=True)
class Goods:
    """Which goods a report looks at: of some warehouses, or of all (None), and of a category with all below it."""

    warehouses: Collection[UUID] | None = None
    category: UUID | None = None

    def chosen(self, alias: str) -> str:
        """A condition on rows with a variant_id and a warehouse_id."""
        return IN_SOME.format(f"{alias}.warehouse_id") + (IN_BRANCH.format(alias) if self.category else "")

    def values(self, span: Span | None = None) -> dict[str, Any]:
        found: dict[str, Any] = {
            "organization": active_organization_id(), "category": self.category,
            "warehouses": None if self.warehouses is None else list(self.warehouses),
        }
        if span:
            bounds = span.bounds
            found |= {"bounds": bounds, "first": bounds[0], "until": bounds[-1]}
        return found


def sees_costs(person: Holder, warehouses: Collection[UUID] | None) -> bool:
    """Whether a report of these warehouses may say what stock is worth; of None, all."""
    if SEES_COSTS not in person.permissions:
        return False
    seen = reach(person, SEES_COSTS)
    return seen is None or (warehouses is not None and seen.issuperset(warehouses))


@dataclass(frozen=True, slots=True)
class Page:
    limit: int | None = None
    offset: int = 0


WHOLE = Page()


@dataclass(frozen=True, slots=True)
class Report:
    """`count` rows there are, shown or not; `totals` are of all of them."""

    rows: Sequence[dict[str, Any]]
    count: int
    totals: dict[str, Any]


# Of the whole span: the totals at its end, less those at its beginning.
WHOLE_SPAN = """
    , flow AS (
        SELECT variant_id, warehouse_id, NULL::uuid AS everything, CASE n WHEN 1 THEN quantity ELSE 0 END AS quantity,
               CASE n WHEN 1 THEN value ELSE 0 END AS value, CASE n WHEN 0 THEN quantity ELSE 0 END AS quantity_before, {flown}
        FROM total
    )
"""


def flows(goods: Goods, span: Span) -> tuple[str, dict[str, Any]]:
    """`flow`, to be added up: what there is when the span ends, and what was received, issued and kept in it. With its values."""
    flown = ", ".join(f"CASE n WHEN 1 THEN {name} ELSE -{name} END AS {name}" for name in FIGURES[HELD:])
    values = goods.values(span) | reading(span.ends, apart=True).values
    return totals(goods.chosen("s"), goods.chosen("e")) + WHOLE_SPAN.format(flown=flown), values
