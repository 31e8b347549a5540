"""Which parts fit a vehicle model, which vehicle models a part fits, and what of it is in stock.

A page is found by an index of fitments alone, and its fifty rows are joined afterwards. Whether a part is in stock is looked
up part by part, by the index of balances (organization, warehouse, variant): what a page costs depends on how many parts
fit this vehicle, not on how many pairs there are. An index on `available` itself would make each posting write it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from core.paging import Page, Window
from core.tenancy import active_organization_id
from inventory.models import Fitment, Location
from inventory.queries.relations import IN_FORCE

PARTS_ORDER, VEHICLES_ORDER = ["variant"], ["vehicle_model"]

# The part v that is offered for the fitment f: the newest part that superseded it and is not archived, else the part itself.
# Where a part between the two, or the newest, fits the same place by a fitment of its own, that one offers it: f is left out.
# Only what is superseded costs more than one look into an index. `f.position` would cost the page its index-only scan.
OFFERED = f"""
    LEFT JOIN inventory_productrelation AS successor ON successor.organization_id = f.organization_id
        AND successor.to_variant_id = f.variant_id AND successor.kind = 'supersedes' AND {IN_FORCE.format("successor")}
    CROSS JOIN LATERAL (
        SELECT CASE WHEN successor.id IS NULL THEN f.variant_id ELSE (
            WITH RECURSIVE chain AS (
                SELECT f.variant_id AS id, 0 AS step
                UNION ALL
                SELECT r.from_variant_id, chain.step + 1
                FROM chain JOIN inventory_productrelation AS r ON r.organization_id = f.organization_id
                    AND r.to_variant_id = chain.id AND r.kind = 'supersedes' AND {IN_FORCE.format("r")}
            ), newest AS (
                SELECT chain.* FROM chain JOIN inventory_productvariant AS one
                    ON one.organization_id = f.organization_id AND one.id = chain.id AND one.archived_at IS NULL
                ORDER BY chain.step DESC LIMIT 1
            )
            SELECT newest.id FROM newest WHERE NOT EXISTS (
                SELECT FROM inventory_fitment AS this
                JOIN chain ON chain.step BETWEEN 1 AND newest.step
                JOIN inventory_fitment AS other ON other.organization_id = this.organization_id
                    AND other.variant_id = chain.id AND other.vehicle_model_id = this.vehicle_model_id
                    AND other.position = this.position
                WHERE this.organization_id = f.organization_id AND this.id = f.id
            )
        ) END AS id OFFSET 0
    ) AS offered
    JOIN inventory_productvariant AS v
        ON v.organization_id = f.organization_id AND v.id = offered.id AND v.archived_at IS NULL
"""

# Of v in the warehouse, what may be sold. OFFSET keeps the planner from reading the whole stock of the warehouse first.
AVAILABLE = """
    FROM inventory_stockitem AS s
    JOIN inventory_location AS l ON l.organization_id = s.organization_id AND l.id = s.location_id
    WHERE s.organization_id = v.organization_id AND s.warehouse_id = %(warehouse)s AND s.variant_id = v.id
"""
KIT = "kit_available(v.organization_id, v.id, ARRAY[%(warehouse)s::uuid])"
IN_STOCK = f""" AND CASE WHEN v.sold_by_components THEN {KIT} > 0 ELSE
    EXISTS (SELECT {AVAILABLE} AND s.available > 0 AND l.kind = ANY (%(available)s) OFFSET 0) END"""

# The threshold for this vehicle model goes before the one for all of them.
STOCK = f"""
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(s.quantity), 0)::text AS on_hand,
               COALESCE(sum(s.available) FILTER (WHERE l.kind = ANY (%(available)s)), 0)::text AS available
        {AVAILABLE}
    ) AS stock
    LEFT JOIN LATERAL (
        SELECT r.min_quantity::text AS threshold, r.is_low FROM inventory_reorderrule AS r
        WHERE r.organization_id = v.organization_id AND r.variant_id = v.id AND r.warehouse_id = %(warehouse)s
            AND r.is_active AND (r.vehicle_model_id IS NULL OR r.vehicle_model_id = f.vehicle_model_id)
        ORDER BY r.vehicle_model_id NULLS LAST LIMIT 1
    ) AS rule ON true
"""
STOCK_COLUMNS = (
    f", stock.on_hand, CASE WHEN v.sold_by_components THEN round({KIT}, 6)::text ELSE stock.available END AS available"
    ", rule.threshold, rule.is_low"
)

PARTS = """
    WITH page AS (
        SELECT f.id, f.organization_id, v.id AS offered_id FROM inventory_fitment AS f {offered}
        WHERE f.organization_id = %(organization)s AND f.vehicle_model_id = %(vehicle_model)s{in_stock}{beyond}
        ORDER BY {order} LIMIT %(size)s
    )
    SELECT f.id AS fitment, f.variant_id AS fitted, v.id AS variant, v.sku, v.name, v.product_id AS product, f.position,
           f.quantity_per_vehicle::text AS quantity_per_vehicle, f.notes, f.verified_at,
           replaced.id AS replaces, replaced.sku AS replaces_sku{columns}
    FROM page JOIN inventory_fitment AS f ON f.organization_id = page.organization_id AND f.id = page.id
    JOIN inventory_productvariant AS v ON v.organization_id = page.organization_id AND v.id = page.offered_id
    LEFT JOIN inventory_productvariant AS replaced
        ON replaced.organization_id = f.organization_id AND replaced.id = f.variant_id AND replaced.id <> v.id
    {stock}
    ORDER BY {order}
"""

# The part that is asked about and all that it supersedes, by how many steps. Of several that fit the same place, the nearest
# one speaks. A page is read from the index of each of these parts, so it costs what the pages of so many parts cost.
TAKEN_OVER = f"""
    WITH RECURSIVE part AS (
        SELECT %(variant)s::uuid AS id, 0 AS step
        UNION ALL
        SELECT r.to_variant_id, part.step + 1
        FROM part JOIN inventory_productrelation AS r ON r.organization_id = %(organization)s
            AND r.from_variant_id = part.id AND r.kind = 'supersedes' AND {IN_FORCE.format("r")}
    )
"""
SPEAKS = """
    (part.step = 0 OR NOT EXISTS (
        SELECT FROM part AS nearer JOIN inventory_fitment AS other ON other.organization_id = f.organization_id
            AND other.variant_id = nearer.id AND other.vehicle_model_id = f.vehicle_model_id AND other.position = f.position
        WHERE (nearer.step, nearer.id) < (part.step, part.id)
    ))
"""

VEHICLES = f"""
    {TAKEN_OVER}, page AS (
        SELECT f.* FROM part CROSS JOIN LATERAL (
            SELECT f.id, f.vehicle_model_id FROM inventory_fitment AS f
            JOIN inventory_vehiclemodel AS t ON t.organization_id = f.organization_id AND t.id = f.vehicle_model_id
            WHERE f.organization_id = %(organization)s AND f.variant_id = part.id AND {SPEAKS}{{chosen}}{{beyond}}
            ORDER BY {{order}} LIMIT %(size)s
        ) AS f ORDER BY {{order}} LIMIT %(size)s
    )
    SELECT f.id AS fitment, t.id AS vehicle_model, t.make, t.model, t.year, t.engine, t.trim, f.position,
           f.quantity_per_vehicle::text AS quantity_per_vehicle, f.notes, f.verified_at,
           replaced.id AS replaces, replaced.sku AS replaces_sku
    FROM page JOIN inventory_fitment AS f ON f.organization_id = %(organization)s AND f.id = page.id
    JOIN inventory_vehiclemodel AS t ON t.organization_id = f.organization_id AND t.id = f.vehicle_model_id
    LEFT JOIN inventory_productvariant AS replaced
        ON replaced.organization_id = f.organization_id AND replaced.id = f.variant_id AND replaced.id <> %(variant)s
    ORDER BY {{order}}
"""

# Years that follow each other are one range: their distance to their own place in the order stays the same.
RANGES = f"""
    {TAKEN_OVER}
    SELECT make, model, position, quantity_per_vehicle::text AS quantity_per_vehicle, min(year) AS year_from, max(year) AS year_to
    FROM (
        SELECT m.make, m.model, m.year, f.position, f.quantity_per_vehicle, m.year - dense_rank() OVER (
            PARTITION BY m.make, m.model, f.position, f.quantity_per_vehicle ORDER BY m.year) AS island
        FROM part JOIN inventory_fitment AS f ON f.organization_id = %(organization)s AND f.variant_id = part.id
        JOIN inventory_vehiclemodel AS m ON m.organization_id = f.organization_id AND m.id = f.vehicle_model_id
        WHERE {SPEAKS}
    ) AS years
    GROUP BY make, model, position, quantity_per_vehicle, island
    ORDER BY make, model, position, year_from
"""

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stock:
    """Figures of one warehouse; `only` leaves out what is not available there."""

    warehouse_id: UUID
    only: bool


def parts_window(size: int, cursor: str | None) -> Window:
    """Raises BadCursor."""
    return Window(Fitment, PARTS_ORDER, size, cursor)


def vehicles_window(size: int, cursor: str | None) -> Window:
    """Raises BadCursor."""
    return Window(Fitment, VEHICLES_ORDER, size, cursor)


def parts_of(vehicle_model_id: UUID, window: Window, stock: Stock | None = None) -> Page[Row]:
    """In the order of the ids of the parts that fit, one row for each position; what is superseded shows its successor."""
    page = window.page(_rows(*parts_statement(vehicle_model_id, window, stock)), lambda row: (row["fitted"], row["fitment"]))
    for row in page.rows:
        del row["fitted"]
    return page


def parts_statement(vehicle_model_id: UUID, window: Window, stock: Stock | None) -> tuple[str, dict[str, Any]]:
    beyond, values, order = _named(window)
    values |= {"vehicle_model": vehicle_model_id, "size": window.size + 1}
    if stock:
        values |= {"warehouse": stock.warehouse_id, "available": list(Location.AVAILABLE)}
    return _parts_sql(beyond, order, stock is not None, stock is not None and stock.only), values


@lru_cache
def _parts_sql(beyond: str, order: str, has_stock: bool, only: bool) -> str:
    """On one line: psycopg reads a text of more than 4 KB anew each time."""
    sql = PARTS.format(
        offered=OFFERED, beyond=beyond, order=order, in_stock=IN_STOCK if only else "", stock=STOCK if has_stock else "",
        columns=STOCK_COLUMNS if has_stock else "",
    )
    return " ".join(sql.split())


def vehicles_of(variant_id: UUID, window: Window, chosen: Sequence[tuple[str, list[Any]]] = ()) -> Page[Row]:
    """Also those of the parts that this one supersedes, which `replaces` names; where both fit a place, its own.

    `chosen` are conditions on the vehicle model t, whose ids follow the years where a file was imported.
    """
    beyond, values, order = _named(window)
    conditions = "".join(_and(condition, given, f"chosen_{number}", values) for number, (condition, given) in enumerate(chosen))
    values |= {"variant": variant_id, "size": window.size + 1}
    found = _rows(VEHICLES.format(chosen=conditions, beyond=beyond, order=order), values)
    return window.page(found, lambda row: (row["vehicle_model"], row["fitment"]))


def vehicle_ranges(variant_id: UUID) -> list[Row]:
    """What a catalog prints: make, model, from which year to which."""
    return _rows(RANGES, {"organization": active_organization_id(), "variant": variant_id})


def is_warehouse(warehouse_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM inventory_warehouse WHERE organization_id = %s AND id = %s", [active_organization_id(), warehouse_id],
        )
        return cursor.fetchone() is not None


def _named(window: Window) -> tuple[str, dict[str, Any], str]:
    """The window's condition, the first of the statement's values, and what follows ORDER BY."""
    condition, given, order = window.sql("f")
    values: dict[str, Any] = {"organization": active_organization_id()}
    return _and(condition, given, "beyond", values) if condition else "", values, order


def _and(condition: str, given: Sequence[Any], prefix: str, values: dict[str, Any]) -> str:
    """The condition with named parameters, which go into `values`."""
    for place, value in enumerate(given):
        condition = condition.replace("%s", f"%({prefix}_{place})s", 1)
        values[f"{prefix}_{place}"] = value
    return f" AND {condition}"


def _rows(sql: str, values: dict[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
