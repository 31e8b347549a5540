"""What `manage.py verify` proves of goods in transit."""

from core.invariants import Invariant

TRANSFER_INVARIANTS = [
    Invariant("stock in transit = what transfer orders have shipped and not received or lost", """
        WITH held AS (
            SELECT s.location_id, s.variant_id, sum(s.quantity) AS quantity
            FROM inventory_stockitem AS s
            JOIN inventory_location AS l ON l.organization_id = s.organization_id AND l.id = s.location_id AND l.kind = 'transit'
            WHERE s.organization_id = %(organization)s GROUP BY s.location_id, s.variant_id
        ), under_way AS (
            SELECT t.transit_location_id AS location_id, l.variant_id,
                   sum(l.shipped_quantity - l.received_quantity - l.lost_quantity) AS quantity
            FROM inventory_transferorderline AS l
            JOIN inventory_transferorder AS t ON t.organization_id = l.organization_id AND t.id = l.order_id
            WHERE l.organization_id = %(organization)s AND t.transit_location_id IS NOT NULL
            GROUP BY t.transit_location_id, l.variant_id
        )
        SELECT format('variant %%s at location %%s: stock %%s, transfer orders %%s', COALESCE(h.variant_id, u.variant_id),
                      COALESCE(h.location_id, u.location_id), COALESCE(h.quantity, 0), COALESCE(u.quantity, 0))
        FROM held AS h FULL JOIN under_way AS u ON u.location_id = h.location_id AND u.variant_id = h.variant_id
        WHERE COALESCE(h.quantity, 0) <> COALESCE(u.quantity, 0)
        ORDER BY 1
    """),
    Invariant("the lines of a transfer order = its moves", """
        WITH moved AS (
            SELECT m.document_line_id AS id,
                   sum(CASE WHEN m.to_location_id = t.transit_location_id THEN m.quantity ELSE -m.quantity END) AS quantity
            FROM inventory_stockmove AS m
            JOIN inventory_transferorder AS t ON t.organization_id = m.organization_id AND t.id = m.document_id
            WHERE m.organization_id = %(organization)s AND m.document_type = 'transfer_order'
                AND t.transit_location_id IN (m.from_location_id, m.to_location_id)
            GROUP BY m.document_line_id
        )
        SELECT format('transfer order line %%s: in transit %%s, moves %%s', l.id,
                      l.shipped_quantity - l.received_quantity - l.lost_quantity, COALESCE(m.quantity, 0))
        FROM inventory_transferorderline AS l LEFT JOIN moved AS m ON m.id = l.id
        WHERE l.organization_id = %(organization)s
            AND l.shipped_quantity - l.received_quantity - l.lost_quantity <> COALESCE(m.quantity, 0)
        ORDER BY 1
    """),
    Invariant("the status of a transfer order is what its lines say", """
        WITH sums AS (
            SELECT t.id, t.status, sum(l.quantity - l.cancelled_quantity - l.shipped_quantity) AS to_ship,
                   sum(l.shipped_quantity) AS shipped,
                   sum(l.shipped_quantity - l.received_quantity - l.lost_quantity) AS in_transit
            FROM inventory_transferorder AS t
            JOIN inventory_transferorderline AS l ON l.organization_id = t.organization_id AND l.order_id = t.id
            WHERE t.organization_id = %(organization)s GROUP BY t.id, t.status
        )
        SELECT format('transfer order %%s: %%s, to ship %%s, shipped %%s, in transit %%s',
                      id, status, to_ship, shipped, in_transit)
        FROM sums
        WHERE NOT CASE status
            WHEN 'draft' THEN shipped = 0
            WHEN 'confirmed' THEN shipped = 0 AND to_ship > 0
            WHEN 'partly_shipped' THEN shipped > 0 AND to_ship > 0
            WHEN 'shipped' THEN to_ship = 0 AND in_transit > 0
            WHEN 'completed' THEN shipped > 0 AND to_ship = 0 AND in_transit = 0
            ELSE shipped = 0 AND to_ship = 0 END
        ORDER BY 1
    """),
]
