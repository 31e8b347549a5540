"""Why a rule is low, and why so much is suggested: the numbers as they are now."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id
from inventory.models import Location
from inventory.queries.levels import INCOMING
from inventory.queries.supply import FETCHED, ROUTE, SUGGESTED, SUPPLY

NUMBERS = f"""
    WITH d AS (
        SELECT r.id, r.organization_id, r.variant_id, r.warehouse_id, v.sku, v.name, w.code AS warehouse_code, r.basis, r.method,
               r.level, r.is_low, r.min_quantity, r.max_quantity, r.order_quantity, r.explanation, sp.supplier_id,
               sp.order_multiple, sp.pack_size, sp.least AS min_order_quantity,
               COALESCE(sp.multiple, 1) AS multiple, COALESCE(sp.least, 0) AS least,
               COALESCE(r.lead_time_days, sp.lead_days) AS lead_time_days, r.source_warehouse_id, route.spare
        FROM inventory_reorderrule AS r
        JOIN inventory_productvariant AS v ON v.organization_id = r.organization_id AND v.id = r.variant_id
        JOIN inventory_warehouse AS w ON w.organization_id = r.organization_id AND w.id = r.warehouse_id
        {SUPPLY.format("r")}
        {ROUTE.format("r")}
        WHERE r.organization_id = %(organization)s AND r.id = ANY (%(rules)s)
    )
    SELECT d.id, d.sku, d.name, d.warehouse_code, d.basis, d.method, d.level, d.is_low, d.min_quantity, d.max_quantity,
           d.order_quantity, d.explanation AS minimum, d.supplier_id AS supplier, d.order_multiple, d.pack_size,
           d.min_order_quantity, d.lead_time_days,
           stock.on_hand::numeric(19, 6), stock.reserved::numeric(19, 6), stock.available::numeric(19, 6),
           ({INCOMING.format("d")})::numeric(19, 6) AS incoming,
           CASE WHEN d.is_low THEN {SUGGESTED} ELSE 0 END::numeric(19, 6) AS suggested_quantity,
           CASE WHEN d.is_low AND {FETCHED} IS NOT NULL THEN d.source_warehouse_id END AS source_warehouse, d.spare,
           f.period_start AS forecast_week, f.method AS forecast_method, f.quantity AS forecast_quantity,
           f.error AS forecast_error
    FROM d
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(s.quantity), 0) AS on_hand, COALESCE(sum(s.reserved), 0) AS reserved,
               COALESCE(sum(s.available) FILTER (WHERE l.kind = ANY (%(available)s)), 0) AS available
        FROM inventory_stockitem AS s
        JOIN inventory_location AS l ON l.organization_id = s.organization_id AND l.id = s.location_id
        WHERE s.organization_id = d.organization_id AND s.variant_id = d.variant_id AND s.warehouse_id = d.warehouse_id
    ) AS stock
    LEFT JOIN LATERAL (
        SELECT x.* FROM inventory_demandforecast AS x
        WHERE x.organization_id = d.organization_id AND x.variant_id = d.variant_id AND x.warehouse_id = d.warehouse_id
        ORDER BY x.period_start DESC LIMIT 1
    ) AS f ON true
"""


def reorder_numbers(rules: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """By rule. `minimum` says what a minimum by forecast was computed from; `suggested_quantity` is 0 while nothing is low."""
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, {
            "organization": active_organization_id(), "rules": list(rules), "available": list(Location.AVAILABLE),
        })
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {row.pop("id"): row for row in rows}
