"""Minimums and maximums that follow the forecast: the demand of the lead time, safety stock, and what is to be covered."""

from collections.abc import Collection
from statistics import NormalDist
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id
from inventory.models import ReorderTask
from inventory.queries.forecasts import BETWEEN
from inventory.queries.supply import SUPPLY

# How many standard deviations cover so many of a hundred lead times: from 50, as many as a rule may ask for at least.
FACTORS = [round(NormalDist().inv_cdf(level / 100), 6) for level in range(50, 100)]

# Safety stock: what the forecast was wrong by, over the lead time. Both are rounded up to what the product's unit is counted in.
# Rules are locked by id, and a task whose rule is low no longer is done, as when goods move (see levels.py). What is found comes
# along with the locks: to join two results whose size nobody knows, the planner may compare each row with each.
COMPUTE = f"""
    WITH known AS MATERIALIZED (
        SELECT r.id, f.period_start, f.method, f.quantity AS weekly, f.error, lead.days AS lead_days, r.cover_days,
               f.quantity * lead.days / 7 AS lead_demand, r.service_level, r.safety_stock IS NULL AS by_level,
               COALESCE(r.safety_stock, level.factor * COALESCE(f.error, 0) * sqrt(lead.days / 7.0)) AS safety,
               power(10::numeric, LEAST(u.rounding, 6)) AS parts, r.min_quantity, r.max_quantity, r.explanation
        FROM inventory_reorderrule AS r
        JOIN inventory_productvariant AS v ON v.organization_id = r.organization_id AND v.id = r.variant_id
        JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
        JOIN inventory_unitofmeasure AS u ON u.organization_id = p.organization_id AND u.id = p.base_unit_id
        CROSS JOIN LATERAL (SELECT (%(factors)s::numeric[])[r.service_level - 49] AS factor) AS level
        JOIN LATERAL (
            SELECT d.* FROM inventory_demandforecast AS d
            WHERE d.organization_id = r.organization_id AND d.variant_id = r.variant_id AND d.warehouse_id = r.warehouse_id
            ORDER BY d.period_start DESC LIMIT 1
        ) AS f ON true
        {SUPPLY.format("r")}
        CROSS JOIN LATERAL (SELECT COALESCE(r.lead_time_days, sp.lead_days, 0)::numeric AS days) AS lead
        WHERE r.organization_id = %(organization)s AND r.method = 'forecast'
            AND (%(rules)s::uuid[] IS NULL OR r.id = ANY (%(rules)s::uuid[]))
            AND (%(warehouses)s::uuid[] IS NULL OR r.warehouse_id = ANY (%(warehouses)s::uuid[]))
            AND {BETWEEN.format("r.variant_id")}
    ), computed AS MATERIALIZED (
        SELECT k.*, LEAST(ceil((lead_demand + safety) * parts) / parts, %(most)s) AS minimum,
               LEAST(ceil(weekly / 7 * COALESCE(cover_days, 0) * parts) / parts, %(most)s) AS cover
        FROM known AS k
    ), found AS MATERIALIZED (
        SELECT c.id, c.minimum, CASE WHEN c.cover > 0 THEN c.minimum + c.cover END AS maximum,
               jsonb_build_object(
                   'week', c.period_start, 'method', c.method, 'weekly', c.weekly::text, 'error', c.error::text,
                   'lead_time_days', c.lead_days::int, 'lead_time_demand', round(c.lead_demand, 6)::text,
                   'safety_stock', round(c.safety, 6)::text, 'cover_days', c.cover_days,
                   'service_level', CASE WHEN c.by_level THEN c.service_level END) AS explanation
        FROM computed AS c
    ), locked AS (
        SELECT r.id, f.minimum, f.maximum, f.explanation FROM inventory_reorderrule AS r JOIN found AS f ON f.id = r.id
        WHERE r.organization_id = %(organization)s
            AND (r.min_quantity, r.max_quantity, r.explanation) IS DISTINCT FROM (f.minimum, f.maximum, f.explanation)
        ORDER BY r.id FOR NO KEY UPDATE OF r
    ), changed AS (
        UPDATE inventory_reorderrule AS r
        SET min_quantity = l.minimum, max_quantity = l.maximum, explanation = l.explanation,
            quiet_at = CASE WHEN r.min_quantity = l.minimum THEN r.quiet_at END
        FROM locked AS l
        WHERE r.organization_id = %(organization)s AND r.id = l.id
        RETURNING r.id, r.is_low
    ), finished AS (
        UPDATE inventory_reordertask AS t SET status = 'done', closed_at = now()
        FROM changed AS c
        WHERE t.organization_id = %(organization)s AND t.rule_id = c.id AND t.status = ANY (%(undecided)s) AND NOT c.is_low
    )
    SELECT count(*) FROM changed
"""
MOST = 999_999_999_999  # a minimum and a maximum together are not more than the column holds


class Portion(NamedTuple):
    """Of the variants, by id: after the one, up to the other and with it; None is without an end."""

    after: UUID | None = None
    last: UUID | None = None


EVERYTHING = Portion()


def minimums_compute(
    *, rules: Collection[UUID] | None = None, warehouses: Collection[UUID] | None = None, portion: Portion = EVERYTHING,
) -> int:
    """Of rules by forecast, by the last one that there is; says how many have changed."""
    with connection.cursor() as cursor:
        cursor.execute(COMPUTE, {
            "organization": active_organization_id(), "rules": None if rules is None else list(rules),
            "warehouses": None if warehouses is None else list(warehouses), "most": MOST, "factors": FACTORS,
            "undecided": list(ReorderTask.UNDECIDED), **portion._asdict(),
        })
        return int(cursor.fetchone()[0])
