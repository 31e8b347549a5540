from core.invariants import Invariant

PICK_LIST_INVARIANTS = [
    Invariant("a line of a pick list that is over is open no more", """
        SELECT format('line %%s of pick list %%s: %%s', i.line, p.number, p.status)
        FROM orders_picklistitem AS i
        JOIN orders_picklist AS p ON p.organization_id = i.organization_id AND p.id = i.pick_list_id
        WHERE i.organization_id = %(organization)s AND i.is_open AND p.status IN ('done', 'cancelled')
        ORDER BY 1
    """),
    Invariant("pick lists take no more of a reservation than it promises, and the same goods", """
        WITH taken AS (
            SELECT i.reservation_id AS id, sum(i.picked_quantity) AS quantity FROM orders_picklistitem AS i
            JOIN orders_picklist AS p ON p.organization_id = i.organization_id AND p.id = i.pick_list_id
            WHERE i.organization_id = %(organization)s AND p.status <> 'cancelled' GROUP BY i.reservation_id
        )
        SELECT format('reservation %%s: promises %%s, picked %%s', r.id, r.quantity, t.quantity)
        FROM taken AS t JOIN inventory_reservation AS r ON r.organization_id = %(organization)s AND r.id = t.id
        WHERE t.quantity > r.quantity
        UNION ALL
        SELECT format('line %%s of a pick list: other goods than those of its reservation', i.id)
        FROM orders_picklistitem AS i
        JOIN inventory_reservation AS r ON r.organization_id = i.organization_id AND r.id = i.reservation_id
        WHERE i.organization_id = %(organization)s AND (i.variant_id <> r.variant_id OR i.lot_id IS DISTINCT FROM r.lot_id
            OR i.stock_item_id IS DISTINCT FROM r.stock_item_id)
        ORDER BY 1
    """),
    Invariant("a sales order that is being picked is on a pick list", """
        SELECT format('sales order %%s', o.number) FROM orders_salesorder AS o
        WHERE o.organization_id = %(organization)s AND o.status = 'picking' AND NOT EXISTS (
            SELECT FROM orders_salesorderitem AS l
            JOIN orders_picklistitem AS i ON i.organization_id = l.organization_id AND i.order_item_id = l.id
            JOIN orders_picklist AS p ON p.organization_id = i.organization_id AND p.id = i.pick_list_id
            WHERE l.organization_id = o.organization_id AND l.order_id = o.id AND p.status IN ('picking', 'done'))
        ORDER BY 1
    """),
]
