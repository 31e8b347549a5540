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

# What the warehouse from which the rule {0} fetches goods can spare: what is available there above its own minimum.
ROUTE = """
    LEFT JOIN LATERAL (
        SELECT GREATEST(stock.available - own.minimum, 0) AS spare
        FROM inventory_warehouse AS h
        CROSS JOIN LATERAL (
            SELECT COALESCE(sum(s.available), 0) AS available
            FROM inventory_stockitem AS s
            JOIN inventory_location AS l ON l.organization_id = s.organization_id AND l.id = s.location_id
            WHERE s.organization_id = h.organization_id AND s.variant_id = {0}.variant_id AND s.warehouse_id = h.id
                AND l.kind IN ('storage', 'receiving', 'shipping')
        ) AS stock
        CROSS JOIN LATERAL (
            SELECT COALESCE(max(q.min_quantity), 0) AS minimum FROM inventory_reorderrule AS q
            WHERE q.organization_id = h.organization_id AND q.variant_id = {0}.variant_id AND q.warehouse_id = h.id
                AND q.is_active
        ) AS own
        WHERE h.organization_id = {0}.organization_id AND h.id = {0}.source_warehouse_id AND h.archived_at IS NULL
    ) AS route ON {0}.source_warehouse_id IS NOT NULL
"""

# What the row d misses: the order quantity, or what is missing to the maximum; with neither, the least that lifts the level
# above the minimum. Bought in whole packs and multiples, and as much as the supplier takes an order for.
BOUGHT_QUANTITY = """
    LEAST(9999999999999, d.multiple * GREATEST(ceil(d.least / d.multiple), CASE
        WHEN d.order_quantity IS NOT NULL THEN ceil(d.order_quantity / d.multiple)
        WHEN d.max_quantity IS NOT NULL THEN ceil((d.max_quantity - d.level) / d.multiple)
        ELSE floor((d.min_quantity - d.level) / d.multiple) + 1 END))
"""
MISSING = "COALESCE(d.order_quantity, d.max_quantity - d.level, floor(d.min_quantity - d.level) + 1)"

# What to fetch from another warehouse, null for nothing: all that is missing, or as much as there is to spare if that is enough
# to lift the level above the minimum. The rest is bought the next time.
FETCHED = f"""
    CASE WHEN d.spare > 0 AND (d.spare >= {MISSING} OR d.spare > d.min_quantity - d.level) THEN LEAST({MISSING}, d.spare) END
"""
SUGGESTED = f"COALESCE({FETCHED}, {BOUGHT_QUANTITY})"
