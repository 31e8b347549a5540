"""What `manage.py verify` proves of payments."""

from core.invariants import Invariant
from orders.queries.returns import CREDITED

PAYMENT_INVARIANTS = [
    Invariant("refunds <= captures and captures <= authorizations, payment by payment", """
        WITH below AS (
            SELECT parent_id AS id, sum(amount) AS used FROM orders_payment
            WHERE organization_id = %(organization)s AND status <> 'failed' AND parent_id IS NOT NULL GROUP BY parent_id
        )
        SELECT format('payment %%s: amount %%s, used %%s, its followers have %%s', p.id, p.amount, p.used_amount,
                      COALESCE(b.used, 0))
        FROM orders_payment AS p LEFT JOIN below AS b ON b.id = p.id
        WHERE p.organization_id = %(organization)s
            AND (p.used_amount <> COALESCE(b.used, 0) OR COALESCE(b.used, 0) > p.amount)
        ORDER BY 1
    """),
    Invariant("what a sales order says is paid and refunded = its payments, and refunds <= captures", """
        WITH sums AS (
            SELECT order_id AS id, sum(amount) FILTER (WHERE kind = 'capture') AS paid,
                   sum(amount) FILTER (WHERE kind = 'refund') AS back
            FROM orders_payment WHERE organization_id = %(organization)s AND status = 'succeeded' GROUP BY order_id
        )
        SELECT format('sales order %%s: paid %%s, refunded %%s; its payments: %%s, %%s', o.id, o.paid_total, o.refunded_total,
                      COALESCE(s.paid, 0), COALESCE(s.back, 0))
        FROM orders_salesorder AS o LEFT JOIN sums AS s ON s.id = o.id
        WHERE o.organization_id = %(organization)s AND (o.paid_total <> COALESCE(s.paid, 0)
            OR o.refunded_total <> COALESCE(s.back, 0) OR o.refunded_total > o.paid_total)
        ORDER BY 1
    """),
    Invariant("what a sales order says is credited = its refunded returns + its credit notes of money alone", f"""
        SELECT format('sales order %%s: credited %%s, its documents say %%s', o.id, o.credited_total, c.whole)
        FROM orders_salesorder AS o
        CROSS JOIN LATERAL ({CREDITED.replace("%(order)s", "o.id")}) AS c(whole)
        WHERE o.organization_id = %(organization)s AND o.credited_total <> c.whole
        ORDER BY 1
    """),
]
