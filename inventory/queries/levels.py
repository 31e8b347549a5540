"""The stock that each reorder rule looks at, counted from the balances.

Parameters: organization; rules, an array of ids or null for all; available, the kinds of location whose stock
is available.
"""

# What is on its way to the warehouse of the row {0}, of its variant: what documents expect, or else reorder tasks have ordered,
# and what comes by transfer orders that are confirmed. A task that a document answers counts by the document alone. Whatever
# else is on its way is added here; who changes it tells `levels_follow`.
INCOMING = """
    SELECT COALESCE(sum(i.quantity), 0) FROM (
        SELECT GREATEST(COALESCE(t.ordered_quantity, 0) - t.received_quantity, 0) AS quantity
        FROM inventory_reordertask AS t
        WHERE t.organization_id = {0}.organization_id AND t.variant_id = {0}.variant_id AND t.warehouse_id = {0}.warehouse_id
            AND t.status = 'ordered' AND t.transfer_order_id IS NULL AND NOT EXISTS (
                SELECT FROM inventory_expectedreceipt AS x
                WHERE x.organization_id = t.organization_id AND x.reorder_task_id = t.id)
        UNION ALL
        SELECT e.quantity FROM inventory_expectedreceipt AS e
        WHERE e.organization_id = {0}.organization_id AND e.variant_id = {0}.variant_id AND e.warehouse_id = {0}.warehouse_id
        UNION ALL
        SELECT l.quantity - l.cancelled_quantity - l.received_quantity - l.lost_quantity
        FROM inventory_transferorderline AS l
        JOIN inventory_transferorder AS o ON o.organization_id = l.organization_id AND o.id = l.order_id
        WHERE l.organization_id = {0}.organization_id AND l.variant_id = {0}.variant_id
            AND o.destination_id = {0}.warehouse_id AND o.status IN ('confirmed', 'partly_shipped', 'shipped')
    ) AS i
"""

LEVELS = f"""
    SELECT r.id, CASE r.basis WHEN 'on_hand' THEN stock.on_hand WHEN 'available' THEN stock.available
                              ELSE stock.available + ({INCOMING.format("r")}) END AS level,
           stock.on_hand, stock.reserved
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

# A rule for a vehicle model, called {0}, counts as long as the part fits it.
FITS = """
    ({0}.vehicle_model_id IS NULL OR EXISTS (
        SELECT FROM inventory_fitment AS f
        WHERE f.organization_id = {0}.organization_id AND f.variant_id = {0}.variant_id
            AND f.vehicle_model_id = {0}.vehicle_model_id))
"""

# What is bought again: variant v of product p. A rule for anything else may be low without anybody minding.
BOUGHT = "v.archived_at IS NULL AND NOT v.sold_by_components AND p.archived_at IS NULL AND p.status = 'active'"

# The same for a row with a variant_id, called {0}.
IS_BOUGHT = f"""
    EXISTS (SELECT FROM inventory_productvariant AS v
            JOIN inventory_product AS p ON p.organization_id = v.organization_id AND p.id = v.product_id
            WHERE v.organization_id = {{0}}.organization_id AND v.id = {{0}}.variant_id AND {BOUGHT})
"""
