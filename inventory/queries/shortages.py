"""What is low or out of stock now: of goods that are bought again, in the warehouses where they are kept."""

from typing import Any

from django.db import connection

from inventory.models import Location
from inventory.queries.analytics_sources import GROUPINGS, KEEPING, STOCK, WHOLE, Goods, Page, Report
from inventory.queries.levels import BOUGHT, FITS

LOW, OUT = "low", "out"

# Kept is what has a balance or an active rule. Of several rules, one for each vehicle, the highest threshold counts.
STATES = f"""
    WITH held AS (
        SELECT s.variant_id, s.warehouse_id, sum(s.quantity) AS on_hand, sum(s.reserved) AS reserved,
               COALESCE(sum(s.available) FILTER (WHERE l.kind = ANY (%(available)s)), 0.000000) AS available
        FROM inventory_stockitem AS s
        JOIN inventory_location AS l ON l.organization_id = s.organization_id AND l.id = s.location_id
        WHERE s.organization_id = %(organization)s AND {{chosen_s}} GROUP BY s.variant_id, s.warehouse_id
    ), ruled AS (
        SELECT r.variant_id, r.warehouse_id, max(r.min_quantity) AS threshold, bool_or(r.is_low) AS is_low
        FROM inventory_reorderrule AS r
        WHERE r.organization_id = %(organization)s AND r.is_active AND {FITS.format("r")} AND {{chosen_r}}
        GROUP BY r.variant_id, r.warehouse_id
    ), state AS (
        SELECT variant_id, warehouse_id, COALESCE(h.on_hand, 0.000000) AS on_hand, COALESCE(h.reserved, 0.000000) AS reserved,
               COALESCE(h.available, 0.000000) AS available, r.threshold, NULL::uuid AS everything,
               CASE WHEN COALESCE(h.on_hand, 0) <= 0 THEN '{OUT}' WHEN r.is_low THEN '{LOW}' ELSE 'enough' END AS state
        FROM held AS h FULL JOIN ruled AS r USING (variant_id, warehouse_id)
        JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = variant_id AND NOT v.is_kit
        JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
        {KEEPING}
        WHERE {BOUGHT}
    )
"""
BY_STOCK = f"""
    {STATES}, found AS (
        SELECT *, count(*) OVER () AS rows, count(*) FILTER (WHERE state = '{OUT}') OVER () AS outs FROM state AS g
        WHERE state <> 'enough'
    ), page AS (
        SELECT * FROM found AS g ORDER BY g.state DESC, g.threshold DESC NULLS LAST, {{keys_of_g}}
        LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT {{columns}}, g.state, g.on_hand, g.reserved, g.available, g.threshold, t.status, t.suggested_quantity, g.rows, g.outs
    FROM page AS g {{joins}}
    LEFT JOIN inventory_reordertask AS t ON t.organization_id = %(organization)s AND t.variant_id = g.variant_id
        AND t.warehouse_id = g.warehouse_id AND t.status IN ('open', 'ordered', 'snoozed')
    ORDER BY g.state DESC, g.threshold DESC NULLS LAST, {{keys_of_g}}
"""
BY_GROUP = f"""
    {STATES}, found AS (
        SELECT {{keys}}, count(*) AS items, count(*) FILTER (WHERE s.state = '{LOW}') AS low,
               count(*) FILTER (WHERE s.state = '{OUT}') AS out
        FROM state AS s {{inner}} GROUP BY {{keys}}
    ), page AS (
        SELECT g.*, count(*) OVER () AS rows, sum(g.low) OVER ()::bigint AS lows, sum(g.out) OVER ()::bigint AS outs
        FROM found AS g ORDER BY g.out + g.low DESC, {{keys_of_g}} LIMIT %(limit)s OFFSET %(offset)s
    )
    SELECT {{columns}}g.items, g.low, g.out, g.rows, g.lows, g.outs FROM page AS g {{joins}}
    ORDER BY g.out + g.low DESC, {{keys_of_g}}
"""
STOCK_MEASURES = ("state", "on_hand", "reserved", "available", "threshold", "task", "suggested_quantity")


def shortages(goods: Goods, *, page: Page = WHOLE) -> Report:
    """What is out first. `threshold` is null where there is no rule, `task` where there is no unfinished one."""
    grouping = GROUPINGS[STOCK]
    found = _fetch(BY_STOCK, goods, page, keys_of_g=grouping.keys_of_g, columns=", ".join(grouping.columns), joins=grouping.joins)
    if not found and page.offset:  # beyond the last row, which the totals do not mind
        first = shortages(goods, page=Page(1))
        return Report([], first.count, first.totals)
    names = (*grouping.names, *STOCK_MEASURES)
    count, outs = found[0][len(names):] if found else (0, 0)
    rows = [dict(zip(names, row, strict=False)) for row in found]
    return Report(rows, count, {"low": count - outs, "out": outs})


def shortages_by(group_by: str, goods: Goods, *, page: Page = WHOLE) -> Report:
    """How many variants are low or out in the warehouses, of how many that are kept there (`items`)."""
    grouping = GROUPINGS[group_by]
    found = _fetch(
        BY_GROUP, goods, page, keys=grouping.keys, keys_of_g=grouping.keys_of_g, inner=grouping.inner, joins=grouping.joins,
        columns="".join(f"{column}, " for column in grouping.columns),
    )
    if not found and page.offset:  # beyond the last row, which the totals do not mind
        first = shortages_by(group_by, goods, page=Page(1))
        return Report([], first.count, first.totals)
    names = (*grouping.names, "items", "low", "out")
    count, lows, outs = found[0][len(names):] if found else (0, 0, 0)
    return Report([dict(zip(names, row, strict=False)) for row in found], count, {"low": lows, "out": outs})


def _fetch(sql: str, goods: Goods, page: Page, **parts: str) -> list[tuple[Any, ...]]:
    text = sql.format(chosen_s=goods.chosen("s"), chosen_r=goods.chosen("r"), **parts)
    values = goods.values() | {"available": list(Location.AVAILABLE), "limit": page.limit, "offset": page.offset}
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return list(cursor.fetchall())
