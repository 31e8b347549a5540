"""Statistics of an organization's inventory, read by five statements whatever there is to count."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from core.tenancy import active_organization_id
from inventory.models import Location
from inventory.queries.dashboard import IN_SOME, overview
from inventory.queries.stock_totals import FIGURES, reading, totals

YEAR = 365

# A variant belongs to one category and lies in several warehouses. Value as the cost layers have it.
HELD = f"""
    WITH held AS MATERIALIZED (
        SELECT s.variant_id, s.warehouse_id, sum(s.quantity) AS on_hand, sum(s.reserved) AS reserved,
               COALESCE(sum(s.available) FILTER (WHERE l.kind = ANY (%(available)s)), 0) AS available
        FROM inventory_stockitem AS s
        JOIN inventory_location AS l ON l.organization_id = s.organization_id AND l.id = s.location_id
        WHERE s.organization_id = %(organization)s AND {IN_SOME.format("s.warehouse_id")}
        GROUP BY s.variant_id, s.warehouse_id
    ), layered AS (
        SELECT c.variant_id, c.warehouse_id, sum(c.value) AS value FROM inventory_costlayer AS c
        WHERE c.organization_id = %(organization)s AND c.is_open AND {IN_SOME.format("c.warehouse_id")}
        GROUP BY c.variant_id, c.warehouse_id
    ), valued AS MATERIALIZED (
        SELECT h.*, COALESCE(c.value, 0) AS value, p.category_id
        FROM held AS h LEFT JOIN layered AS c USING (variant_id, warehouse_id)
        JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = h.variant_id
        JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
    ), grouped AS (
        SELECT 'category' AS by, category_id AS id, count(DISTINCT variant_id) FILTER (WHERE on_hand > 0) AS variants,
               sum(on_hand) AS on_hand, sum(reserved) AS reserved, sum(available) AS available, sum(value) AS value
        FROM valued GROUP BY category_id
        UNION ALL
        SELECT 'warehouse', warehouse_id, count(*) FILTER (WHERE on_hand > 0),
               sum(on_hand), sum(reserved), sum(available), sum(value)
        FROM valued GROUP BY warehouse_id
    )
    SELECT g.by, g.id, COALESCE(c.name, w.name, ''), g.variants, g.on_hand, g.reserved, g.available, round(g.value, 6)
    FROM grouped AS g
    LEFT JOIN inventory_category AS c ON c.organization_id = %(organization)s AND c.id = g.id
    LEFT JOIN inventory_warehouse AS w ON w.organization_id = %(organization)s AND w.id = g.id
    ORDER BY g.value DESC, 3, g.id
"""

# What was issued, and by how much the stock's value grew: each row carries the sums over all variants.
MOVED = f"""
    WITH {totals(IN_SOME.format("s.warehouse_id"), IN_SOME.format("e.warehouse_id"), figures=FIGURES[:5])}, moved AS (
        SELECT t.variant_id, sum(CASE t.n WHEN 1 THEN t.issued ELSE -t.issued END) AS issued,
               sum(CASE t.n WHEN 1 THEN t.issued_value ELSE -t.issued_value END) AS cost,
               sum(CASE t.n WHEN 1 THEN t.value ELSE -t.value END) AS growth
        FROM total AS t GROUP BY t.variant_id
    )
    SELECT v.id, v.sku, v.name, m.issued, round(m.cost, 6), sum(m.cost) OVER (), sum(m.growth) OVER ()
    FROM moved AS m JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = m.variant_id
    ORDER BY m.issued DESC, v.sku LIMIT %(top)s
"""

type Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Statistics:
    """Amounts in `currency`, at cost (ADR 33). `turnover` is how often the stock would be issued in a year at the pace of
    the last `days`; null where there was no stock. `variants` counts the catalog, in a group those in stock there.
    """

    currency: str
    days: int
    variants: int
    on_hand: Decimal
    reserved: Decimal
    available: Decimal
    value: Decimal
    low: int
    out_of_stock: int
    open_reorder_tasks: int
    issued_value: Decimal
    turnover: Decimal | None
    top_movers: list[Row]
    by_category: list[Row]
    by_warehouse: list[Row]


def inventory_statistics(*, days: int = 30, top: int = 10, warehouses: Collection[UUID] | None = None) -> Statistics:
    """Of all warehouses, or of some; the catalog is the organization's in any case."""
    numbers = overview(warehouses=warehouses)
    groups = _groups(warehouses)
    places = groups["warehouse"]
    movers, issued, growth = _movers(days, top, warehouses)
    on_hand, reserved, available, value = (
        sum((place[name] for place in places), Decimal(0)) for name in ("on_hand", "reserved", "available", "value")
    )
    return Statistics(
        currency=numbers.currency, days=days, variants=numbers.skus, on_hand=on_hand, reserved=reserved, available=available,
        value=value, low=numbers.low, out_of_stock=numbers.out_of_stock, open_reorder_tasks=numbers.open_reorder_tasks,
        issued_value=issued.quantize(Decimal("0.000001")), turnover=_turnover(issued, value - growth / 2, days),
        top_movers=movers, by_category=groups["category"], by_warehouse=places,
    )


def _turnover(issued: Decimal, average: Decimal, days: int) -> Decimal | None:
    """`average` is of the values at the beginning and now."""
    return (issued / average * YEAR / days).quantize(Decimal("0.01")) if average > 0 else None


def _groups(warehouses: Collection[UUID] | None) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {"category": [], "warehouse": []}
    with connection.cursor() as cursor:
        cursor.execute(HELD, {**_scope(warehouses), "available": list(Location.AVAILABLE)})
        for by, key, name, *figures in cursor.fetchall():
            names = ("variants", "on_hand", "reserved", "available", "value")
            found[by].append({by: key, "name": name, **dict(zip(names, figures, strict=True))})
    return found


def _movers(days: int, top: int, warehouses: Collection[UUID] | None) -> tuple[list[Row], Decimal, Decimal]:
    until = timezone.now() + timedelta(minutes=1)  # clocks differ
    read = reading([until - timedelta(days=days), until], apart=True)
    with connection.cursor() as cursor:
        cursor.execute(MOVED, {**_scope(warehouses), **read.values, "top": top})
        rows = cursor.fetchall()
    names = ("variant", "sku", "name", "issued", "issued_value")
    movers = [dict(zip(names, row, strict=False)) for row in rows if row[3]]
    return (movers, rows[0][5], rows[0][6]) if rows else ([], Decimal(0), Decimal(0))


def _scope(warehouses: Collection[UUID] | None) -> dict[str, Any]:
    return {"organization": active_organization_id(), "warehouses": None if warehouses is None else list(warehouses)}
