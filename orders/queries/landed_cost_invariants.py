"""What `manage.py verify` proves of landed costs."""

from core.invariants import Invariant

LANDED_COST_INVARIANTS = [
    Invariant("what a posted landed cost added to goods = its amount", """
        WITH first AS (
            SELECT DISTINCT ON (e.document_id, e.move_id) e.document_id AS id, e.value
            FROM inventory_valueentry AS e
            JOIN inventory_stockmove AS m ON m.organization_id = e.organization_id AND m.id = e.move_id
            WHERE e.organization_id = %(organization)s AND e.document_type = 'landed_cost' AND e.kind = 'landed'
                AND m.from_location_id IS NULL AND m.reverses_id IS NULL
            ORDER BY e.document_id, e.move_id, e.seq
        ), added AS (SELECT id, sum(value) AS value FROM first GROUP BY id)
        SELECT format('landed cost %%s: %%s, of it to stock %%s and to what was sold %%s; its receipts have %%s', c.number,
                      c.base_amount, c.to_stock, c.to_sold, a.value)
        FROM orders_landedcost AS c LEFT JOIN added AS a ON a.id = c.id
        WHERE c.organization_id = %(organization)s AND CASE WHEN c.status IN ('posted', 'reversed')
            THEN c.base_amount IS DISTINCT FROM a.value OR c.to_stock + c.to_sold <> c.base_amount ELSE a.value IS NOT NULL END
        ORDER BY 1
    """),
    Invariant("landed costs hold no more of a bill than it asks for", """
        WITH held AS (
            SELECT bill_id AS id, sum(amount) AS amount FROM orders_landedcost
            WHERE organization_id = %(organization)s AND status = 'posted' GROUP BY bill_id
        )
        SELECT format('supplier bill %%s: asks for %%s, landed costs of %%s are posted', b.id, b.net_total, h.amount)
        FROM orders_supplierbill AS b JOIN held AS h ON h.id = b.id
        WHERE b.organization_id = %(organization)s AND (h.amount > b.net_total OR b.status <> 'approved')
        ORDER BY 1
    """),
]
