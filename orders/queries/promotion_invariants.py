"""What `manage.py verify` proves of promotions."""

from core.invariants import Invariant

PROMOTION_INVARIANTS = [
    Invariant("a promotion is used as often as orders have claimed it", """
        WITH counted AS (
            SELECT promotion_id AS id, count(*) AS uses FROM orders_promotionuse
            WHERE organization_id = %(organization)s AND claimed_at IS NOT NULL AND released_at IS NULL AND shared_with_id IS NULL
            GROUP BY promotion_id
        )
        SELECT format('promotion %%s: used %%s, claimed %%s', p.id, p.used_count, COALESCE(c.uses, 0))
        FROM orders_promotion AS p LEFT JOIN counted AS c ON c.id = p.id
        WHERE p.organization_id = %(organization)s AND p.used_count <> COALESCE(c.uses, 0)
        ORDER BY 1
    """),
    Invariant("what a promotion takes off the goods of an order = its adjustments", """
        WITH taken AS (
            SELECT order_id, source_id AS promotion_id, -sum(net_amount + tax_amount) AS amount FROM orders_orderadjustment
            WHERE organization_id = %(organization)s AND source_type = 'promotion' GROUP BY order_id, source_id
        ), said AS (
            SELECT u.order_id, u.promotion_id, u.amount FROM orders_promotionuse AS u
            JOIN orders_promotion AS p ON p.organization_id = u.organization_id AND p.id = u.promotion_id
            WHERE u.organization_id = %(organization)s AND p.effect <> 'free_shipping'
        )
        SELECT format('sales order %%s, promotion %%s: says %%s, takes %%s', order_id, promotion_id, COALESCE(s.amount, 0),
                      COALESCE(t.amount, 0))
        FROM said AS s FULL JOIN taken AS t USING (order_id, promotion_id)
        WHERE COALESCE(s.amount, 0) <> COALESCE(t.amount, 0)
        ORDER BY 1
    """),
]
