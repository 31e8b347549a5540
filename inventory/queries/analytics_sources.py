"""What reports on stock over time are made of: which goods, what there was, and what came and went since.

Of a whole span, of weeks and of months it is the difference of two totals, which the snapshots have; by day it is the opening
stock and the value entries of the span, by their time. An entry counts when it was posted (ADR 33): figures of the past do not
change.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from core.limits import Holder, reach
from core.tenancy import active_organization_id
from inventory.models import StockMove, Warehouse
from inventory.queries.dashboard import IN_SOME
from inventory.queries.spans import Span
from inventory.queries.stock_totals import KIND, totals
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
            found |= {"bounds": bounds, "first": bounds[0], "until": bounds[-1], "ends": [bounds[0], bounds[-1]]}
        return found | {"issue": StockMove.Kind.ISSUE, "receipt": StockMove.Kind.RECEIPT}


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


# What there was when the span began. Without a snapshot that is all entries. `last` says so itself: row security lets an index be
# used with what it says, but not with a COALESCE of it.
OPENING = """
    last AS (
        SELECT COALESCE(max(until), '-infinity') AS until FROM inventory_stocksnapshot
        WHERE organization_id = %(organization)s AND until <= %(first)s
    ), opening AS (
        SELECT s.variant_id, s.warehouse_id, sum(s.quantity) AS quantity, sum(s.value) AS value
        FROM (
            SELECT variant_id, warehouse_id, quantity, value FROM inventory_stocksnapshot
            WHERE organization_id = %(organization)s AND until = (SELECT until FROM last)
            UNION ALL
            SELECT variant_id, warehouse_id, quantity, value FROM inventory_valueentry
            WHERE organization_id = %(organization)s AND created_at >= (SELECT until FROM last)
                AND created_at < %(first)s
        ) AS s
        WHERE {chosen_s} GROUP BY s.variant_id, s.warehouse_id
    )
"""

# The moves of many days are joined. Of few, the planner, which does not know that they are near each other, would rather go
# through all moves that there ever were: they are looked up one by one.
MANY_DAYS = timedelta(100)
JOINED = "LEFT JOIN inventory_stockmove AS m ON m.organization_id = e.organization_id AND m.id = e.move_id"

# Of each variant in each warehouse: what there was (period 0), and what happened in each period. `weighted` is value times the
# seconds from when it came to the end of the period, so that averages are those over time. A reversed issue takes itself back.
MEASURED = """
    COALESCE(sum(e.quantity) FILTER (WHERE m.kind = %(receipt)s), 0.000000),
    -COALESCE(sum(e.quantity) FILTER (WHERE m.kind = %(issue)s), 0.000000),
    -COALESCE(sum(e.value) FILTER (WHERE m.kind = %(issue)s), 0.000000),
    sum(e.value * EXTRACT(epoch FROM (%(bounds)s::timestamptz[])[
        width_bucket(e.created_at, %(bounds)s::timestamptz[]) + 1] - e.created_at))
"""
DAILY = f"""
    {OPENING}, flow AS MATERIALIZED (
        SELECT variant_id, warehouse_id, 0 AS period, quantity, value, 0.000000 AS received, 0.000000 AS issued,
               0.000000 AS issued_value, 0 AS weighted, NULL::uuid AS everything
        FROM opening
        UNION ALL
        SELECT e.variant_id, e.warehouse_id, width_bucket(e.created_at, %(bounds)s::timestamptz[]) AS period,
               sum(e.quantity), sum(e.value), {{measured}}, NULL
        FROM inventory_valueentry AS e
        {{moves}}
        WHERE e.organization_id = %(organization)s AND e.created_at >= %(first)s AND e.created_at < %(until)s AND {{chosen_e}}
        GROUP BY e.variant_id, e.warehouse_id, 3
    )
"""
# Of the whole span: the totals at its end, less those at its beginning.
WHOLE_SPAN = """
    , flow AS (
        SELECT variant_id, warehouse_id, NULL::uuid AS everything, CASE n WHEN 1 THEN quantity ELSE 0 END AS quantity,
               CASE n WHEN 1 THEN value ELSE 0 END AS value, quantity <> 0 OR value <> 0 AS is_there, {flown}
        FROM total
    )
"""
FLOWN = ("received", "issued", "issued_value", "value_seconds")


def flows(goods: Goods) -> str:
    """`flow`: what there is when a span ends, and what FLOWN in it, to be added up."""
    flown = ", ".join(f"CASE n WHEN 1 THEN {name} ELSE -{name} END AS {name}" for name in FLOWN)
    return totals(goods.chosen("s"), goods.chosen("e")) + WHOLE_SPAN.format(flown=flown)


def flows_by_day(goods: Goods, span: Span) -> str:
    """`flow` for each `period`, from the entries."""
    moves = JOINED if span.last - span.first > MANY_DAYS else KIND
    return DAILY.format(chosen_s=goods.chosen("s"), chosen_e=goods.chosen("e"), moves=moves, measured=MEASURED)


def changes_by_day(goods: Goods) -> str:
    """The same whose quantity and value are asked for and nothing else, so that no move is looked at."""
    return DAILY.format(chosen_s=goods.chosen("s"), chosen_e=goods.chosen("e"), moves="", measured="0, 0, 0, 0")
