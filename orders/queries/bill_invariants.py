"""What `manage.py verify` proves of suppliers' bills."""

from core.invariants import Invariant

BILL_INVARIANTS = [
    Invariant("what is billed of a line of a purchase order = its approved bills", """
        WITH counted AS (
            SELECT i.order_item_id AS id, sum(i.quantity) AS quantity
            FROM orders_supplierbillitem AS i
            JOIN orders_supplierbill AS b ON b.organization_id = i.organization_id AND b.id = i.bill_id
            WHERE i.organization_id = %(organization)s AND b.status = 'approved' GROUP BY i.order_item_id
        )
        SELECT format('purchase order line %%s: billed %%s, its bills say %%s', l.id, l.billed_quantity, COALESCE(c.quantity, 0))
        FROM orders_purchaseorderitem AS l LEFT JOIN counted AS c ON c.id = l.id
        WHERE l.organization_id = %(organization)s AND l.billed_quantity <> COALESCE(c.quantity, 0)
        ORDER BY 1
    """),
    Invariant("the totals of a supplier's bill = its lines", """
        WITH sums AS (
            SELECT bill_id, sum(net_amount) AS net, sum(tax_amount) AS tax FROM orders_supplierbillitem
            WHERE organization_id = %(organization)s GROUP BY bill_id
        )
        SELECT format('supplier bill %%s: net %%s and tax %%s make %%s, its lines are %%s and %%s', b.id, b.net_total,
                      b.tax_total, b.total, COALESCE(s.net, 0), COALESCE(s.tax, 0))
        FROM orders_supplierbill AS b LEFT JOIN sums AS s ON s.bill_id = b.id
        WHERE b.organization_id = %(organization)s
            AND (b.net_total <> COALESCE(s.net, 0) OR b.tax_total <> COALESCE(s.tax, 0) OR b.total <> b.net_total + b.tax_total)
        ORDER BY 1
    """),
    Invariant("a supplier's bill that differs is approved by somebody, and by somebody else", """
        SELECT format('supplier bill %%s: entered by %%s, submitted by %%s, decided by %%s at %%s', b.id, b.entered_by,
                      b.submitted_by, b.decided_by, b.decided_at)
        FROM orders_supplierbill AS b
        WHERE b.organization_id = %(organization)s AND b.status = 'approved' AND (
            b.decided_by = b.entered_by OR b.decided_by = b.submitted_by
            OR b.decided_at IS NULL AND EXISTS (
                SELECT FROM orders_supplierbillitem AS i
                WHERE i.organization_id = b.organization_id AND i.bill_id = b.id AND i.variances <> '[]'))
        ORDER BY 1
    """),
]
