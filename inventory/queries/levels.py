"""The stock that each reorder rule looks at, counted from the balances.

Parameters: organization; rules, an array of ids or null for all; available, the kinds of location whose stock
is available.
"""

LEVELS = """
    SELECT r.id, CASE r.basis WHEN 'on_hand' THEN stock.on_hand ELSE stock.available END AS level, stock.on_hand, stock.reserved
    FROM inventory_reorderrule AS r
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(s.quantity), 0) AS on_hand, COALESCE(sum(s.reserved), 0) AS reserved,
               COALESCE(sum(s.available) FILTER (WHERE l.kind = ANY (%(available)s)), 0) AS available
        FROM inventory_stockitem AS s
        JOIN inventory_location AS l ON l.organization_id = s.organization_id AND l.id = s.location_id
        WHERE s.organization_id = r.organization_id AND s.variant_id = r.variant_id AND s.warehouse_id = r.warehouse_id
    ) AS stock
    WHERE r.organization_id = %(organization)s AND (%(rules)s::uuid[] IS NULL OR r.id = ANY (%(rules)s::uuid[]))
"""
