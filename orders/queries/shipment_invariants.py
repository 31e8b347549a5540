from core.invariants import Invariant

# Orders that were shipped before there were shipments have none.
SHIPMENT_INVARIANTS = [
    Invariant("what is shipped of a sales order = what its shipments took along", """
        WITH gone AS (
            SELECT i.order_item_id AS id, sum(i.quantity) AS quantity
            FROM orders_shipment AS s
            JOIN orders_shipmentitem AS i ON i.organization_id = s.organization_id AND i.shipment_id = s.id
            WHERE s.organization_id = %(organization)s AND s.status NOT IN ('draft', 'packed', 'cancelled')
            GROUP BY i.order_item_id
        )
        SELECT format('line %%s of sales order %%s: shipped %%s, in shipments that left %%s', l.id, l.order_id,
                      l.shipped_quantity, COALESCE(g.quantity, 0))
        FROM orders_salesorderitem AS l LEFT JOIN gone AS g ON g.id = l.id
        WHERE l.organization_id = %(organization)s AND NOT l.sold_by_components
            AND l.shipped_quantity <> COALESCE(g.quantity, 0) AND EXISTS (
            SELECT FROM orders_shipment AS s WHERE s.organization_id = %(organization)s AND s.order_id = l.order_id
                AND s.status NOT IN ('draft', 'packed', 'cancelled'))
        ORDER BY 1
    """),
    Invariant("each line of a shipment that left was issued once, as much of the same goods, and no other was", """
        SELECT format('line %%s of shipment %%s: %%s', i.line, s.number, s.status)
        FROM orders_shipmentitem AS i
        JOIN orders_shipment AS s ON s.organization_id = i.organization_id AND s.id = i.shipment_id
        LEFT JOIN inventory_stockmove AS m ON m.organization_id = i.organization_id AND m.id = i.move_id
        WHERE i.organization_id = %(organization)s AND CASE
            WHEN s.status IN ('draft', 'packed', 'cancelled') THEN i.move_id IS NOT NULL
            ELSE m.id IS NULL OR m.quantity <> i.quantity OR m.variant_id <> i.variant_id OR m.lot_id IS DISTINCT FROM i.lot_id
                OR m.document_line_id IS DISTINCT FROM i.order_item_id END
        ORDER BY 1
    """),
]
