"""Parts as one record each, with stock, threshold, supplier and vehicles: the shape of older clients."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id
from inventory.models import Location
from inventory.queries.dashboard import IN_SOME

MOST_LEVELS = 500
LABEL = "m.make || ' ' || m.model || ' ' || m.year"

# Quantities and thresholds of all warehouses, or of some; the preferred supplier before any other.
PARTS = f"""
    SELECT v.id, v.sku, v.name, p.description, c.name AS category, v.standard_cost AS price,
           v.version, v.created_at, v.updated_at, v.archived_at, stock.on_hand, stock.reserved,
           CASE WHEN v.sold_by_components THEN kit_available(v.organization_id, v.id, %(warehouses)s::uuid[])
                ELSE stock.available END AS available,
           rule.threshold, COALESCE(rule.is_low, false) AS is_low,
           supplier.name AS supplier, COALESCE(fits.vehicles, '{{}}') AS vehicles
    FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS wanted(id, place)
    JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = wanted.id
    JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
    LEFT JOIN inventory_category AS c ON c.organization_id = p.organization_id AND c.id = p.category_id
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(s.quantity), 0) AS on_hand, COALESCE(sum(s.reserved), 0) AS reserved,
               COALESCE(sum(s.available) FILTER (WHERE l.kind = ANY (%(available)s)), 0) AS available
        FROM inventory_stockitem AS s
        JOIN inventory_location AS l ON l.organization_id = s.organization_id AND l.id = s.location_id
        WHERE s.organization_id = v.organization_id AND s.variant_id = v.id AND {IN_SOME.format("s.warehouse_id")}
    ) AS stock
    CROSS JOIN LATERAL (
        SELECT sum(r.min_quantity) AS threshold, bool_or(r.is_low) AS is_low FROM inventory_reorderrule AS r
        WHERE r.organization_id = v.organization_id AND r.variant_id = v.id AND r.vehicle_model_id IS NULL AND r.is_active
            AND {IN_SOME.format("r.warehouse_id")}
    ) AS rule
    LEFT JOIN LATERAL (
        SELECT y.name FROM inventory_supplierproduct AS i
        JOIN inventory_supplier AS s ON s.organization_id = i.organization_id AND s.id = i.supplier_id
        JOIN accounts_party AS y ON y.organization_id = s.organization_id AND y.id = s.party_id
        WHERE i.organization_id = v.organization_id AND i.variant_id = v.id ORDER BY i.is_preferred DESC, i.id LIMIT 1
    ) AS supplier ON true
    CROSS JOIN LATERAL (
        SELECT array_agg(label ORDER BY label) AS vehicles FROM (
            SELECT DISTINCT {LABEL} AS label FROM inventory_fitment AS f
            JOIN inventory_vehiclemodel AS m ON m.organization_id = f.organization_id AND m.id = f.vehicle_model_id
            WHERE f.organization_id = v.organization_id AND f.variant_id = v.id ORDER BY 1 LIMIT 50
        ) AS first
    ) AS fits
    ORDER BY wanted.place
"""

# The pieces are the same whichever vehicle they are for. In each warehouse a threshold for the vehicle model goes before
# the one for all of them.
LEVELS = f"""
    SELECT m.id, {LABEL} AS label, rule.threshold, COALESCE(rule.is_low, false) AS is_low
    FROM (SELECT DISTINCT organization_id, vehicle_model_id FROM inventory_fitment
          WHERE organization_id = %(organization)s AND variant_id = %(variant)s) AS f
    JOIN inventory_vehiclemodel AS m ON m.organization_id = f.organization_id AND m.id = f.vehicle_model_id
    CROSS JOIN LATERAL (
        SELECT sum(min_quantity) AS threshold, bool_or(is_low) AS is_low FROM (
            SELECT DISTINCT ON (r.warehouse_id) r.min_quantity, r.is_low FROM inventory_reorderrule AS r
            WHERE r.organization_id = %(organization)s AND r.variant_id = %(variant)s AND r.is_active
                AND (r.vehicle_model_id IS NULL OR r.vehicle_model_id = m.id) AND {IN_SOME.format("r.warehouse_id")}
            ORDER BY r.warehouse_id, r.vehicle_model_id NULLS LAST
        ) AS each
    ) AS rule
    WHERE %(models)s::uuid[] IS NULL OR m.id = ANY (%(models)s::uuid[])
    ORDER BY m.make, m.model, m.year, m.id LIMIT {MOST_LEVELS}
"""

PLACES = f"""
    SELECT w.code AS warehouse, l.code AS location, s.quantity, s.reserved, s.available
    FROM inventory_stockitem AS s
    JOIN inventory_location AS l ON l.organization_id = s.organization_id AND l.id = s.location_id
    JOIN inventory_warehouse AS w ON w.organization_id = s.organization_id AND w.id = s.warehouse_id
    WHERE s.organization_id = %(organization)s AND s.variant_id = %(variant)s AND s.quantity <> 0
        AND {IN_SOME.format("s.warehouse_id")}
    ORDER BY w.code, l.code
"""

# By the words "make model year", or "make model" for all its years.
NAMED = """
    SELECT wanted.text, m.id FROM unnest(%(texts)s::text[]) AS wanted(text)
    LEFT JOIN inventory_vehiclemodel AS m ON m.organization_id = %(organization)s
        AND lower(wanted.text) IN (lower(m.make || ' ' || m.model || ' ' || m.year), lower(m.make || ' ' || m.model))
"""

type Row = dict[str, Any]


def parts(ids: Sequence[UUID], *, warehouses: Collection[UUID] | None = None) -> list[Row]:
    """In the order of the ids; vehicles are the first fifty, by name."""
    return _rows(PARTS, warehouses, ids=list(ids), available=list(Location.AVAILABLE))


def levels_by_vehicle(
    variant_id: UUID, *, vehicle_models: Sequence[UUID] | None = None, warehouses: Collection[UUID] | None = None,
) -> list[Row]:
    """The threshold of the part for each vehicle model that it fits, and whether the stock is at or under it."""
    return _rows(LEVELS, warehouses, variant=variant_id, models=None if vehicle_models is None else list(vehicle_models))


def places(variant_id: UUID, *, warehouses: Collection[UUID] | None = None) -> list[Row]:
    return _rows(PLACES, warehouses, variant=variant_id)


def vehicle_models_named(texts: Sequence[str]) -> dict[str, list[UUID]]:
    """The vehicle models that each text means, often one, sometimes none."""
    found: dict[str, list[UUID]] = {text: [] for text in texts}
    for row in _rows(NAMED, None, texts=[text for text in found if "\0" not in text]):
        if row["id"]:
            found[row["text"]].append(row["id"])
    return found


def _rows(sql: str, warehouses: Collection[UUID] | None, **values: Any) -> list[Row]:
    some = None if warehouses is None else list(warehouses)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"organization": active_organization_id(), "warehouses": some, **values})
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
