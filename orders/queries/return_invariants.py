"""What `manage.py verify` proves of returns."""

from core.invariants import Invariant

RETURN_INVARIANTS = [
    Invariant("what is returned of a sales order line = what returns received <= what is shipped", """
        WITH come AS (
            SELECT i.order_item_id AS id, sum(i.received_quantity) AS quantity FROM orders_returnitem AS i
            WHERE i.organization_id = %(organization)s GROUP BY i.order_item_id
        )
        SELECT format('sales order line %%s: shipped %%s, returned %%s, returns %%s', l.id, l.shipped_quantity,
                      l.returned_quantity, COALESCE(c.quantity, 0))
        FROM orders_salesorderitem AS l LEFT JOIN come AS c ON c.id = l.id
        WHERE l.organization_id = %(organization)s AND NOT l.sold_by_components
            AND (l.returned_quantity <> COALESCE(c.quantity, 0) OR l.returned_quantity > l.shipped_quantity)
        ORDER BY 1
    """),
    Invariant("each received line of a return = its move", """
        SELECT format('return line %%s: received %%s, move %%s', i.id, i.received_quantity, COALESCE(m.quantity, 0))
        FROM orders_returnitem AS i
        LEFT JOIN inventory_stockmove AS m ON m.organization_id = i.organization_id AND m.id = i.move_id
        WHERE i.organization_id = %(organization)s
            AND (i.received_quantity <> COALESCE(m.quantity, 0) OR m.lot_id IS DISTINCT FROM i.lot_id AND m.id IS NOT NULL)
        ORDER BY 1
    """),
]
