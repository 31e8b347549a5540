"""From whom the goods of a rule come, in what amounts, and how long that takes."""

# Of the suppliers that the rule {0}, or else its variant, prefers, the first that is not blocked. One orders whole packs
# and multiples: what is both. Of one each they are no condition.
SUPPLY = """
    LEFT JOIN LATERAL (
        SELECT u.id AS supplier_id, s.order_multiple, s.pack_size,
               CASE WHEN s.order_multiple = 1 THEN s.pack_size WHEN s.pack_size = 1 THEN s.order_multiple
                    ELSE lcm(s.order_multiple, s.pack_size) END AS multiple,
               s.min_order_quantity AS least, COALESCE(s.lead_time_days, u.lead_time_days) AS lead_days
        FROM (
            SELECT {0}.preferred_supplier_id AS id, 1 AS place WHERE {0}.preferred_supplier_id IS NOT NULL
            UNION ALL
            SELECT p.supplier_id, 2 FROM inventory_supplierproduct AS p
            WHERE p.organization_id = {0}.organization_id AND p.variant_id = {0}.variant_id AND p.is_preferred
        ) AS wish
        JOIN inventory_supplier AS u ON u.organization_id = {0}.organization_id AND u.id = wish.id
            AND u.status = 'active' AND u.archived_at IS NULL
        LEFT JOIN LATERAL (
            SELECT i.* FROM inventory_supplierproduct AS i
            WHERE i.organization_id = {0}.organization_id AND i.variant_id = {0}.variant_id AND i.supplier_id = u.id
            ORDER BY i.is_preferred DESC, i.id LIMIT 1
        ) AS s ON true
        ORDER BY wish.place LIMIT 1
    ) AS sp ON true
"""

# What to order of the row d: the order quantity, or what is missing to the maximum; with neither, the least that lifts the
# level above the minimum. In whole packs and multiples, and as much as the supplier takes an order for.
SUGGESTED = """
    LEAST(9999999999999, d.multiple * GREATEST(ceil(d.least / d.multiple), CASE
        WHEN d.order_quantity IS NOT NULL THEN ceil(d.order_quantity / d.multiple)
        WHEN d.max_quantity IS NOT NULL THEN ceil((d.max_quantity - d.level) / d.multiple)
        ELSE floor((d.min_quantity - d.level) / d.multiple) + 1 END))
"""
