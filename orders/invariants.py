from core.invariants import Invariant
from orders.queries.bill_invariants import BILL_INVARIANTS
from orders.queries.invoice_invariants import INVOICE_INVARIANTS
from orders.queries.landed_cost_invariants import LANDED_COST_INVARIANTS
from orders.queries.payment_invariants import PAYMENT_INVARIANTS
from orders.queries.pick_list_invariants import PICK_LIST_INVARIANTS
from orders.queries.promotion_invariants import PROMOTION_INVARIANTS
from orders.queries.purchase_invariants import PURCHASE_INVARIANTS
from orders.queries.return_invariants import RETURN_INVARIANTS
from orders.queries.sales_day_invariants import SALES_DAY_INVARIANTS
from orders.queries.shipment_invariants import SHIPMENT_INVARIANTS

INVARIANTS = [
    *BILL_INVARIANTS,
    *INVOICE_INVARIANTS,
    *LANDED_COST_INVARIANTS,
    *PAYMENT_INVARIANTS,
    *PICK_LIST_INVARIANTS,
    *PROMOTION_INVARIANTS,
    *PURCHASE_INVARIANTS,
    *RETURN_INVARIANTS,
    *SALES_DAY_INVARIANTS,
    *SHIPMENT_INVARIANTS,
    Invariant("the totals of a sales order = its lines and adjustments", """
        WITH parts AS (
            SELECT order_id, net_amount, tax_amount FROM orders_salesorderitem WHERE organization_id = %(organization)s
            UNION ALL
            SELECT order_id, net_amount, tax_amount FROM orders_orderadjustment WHERE organization_id = %(organization)s
        ), sums AS (
            SELECT order_id, sum(net_amount) AS net, sum(tax_amount) AS tax FROM parts GROUP BY order_id
        )
        SELECT format('sales order %%s: net %%s and tax %%s make %%s, its parts are %%s and %%s', o.id, o.net_total, o.tax_total,
                      o.total, COALESCE(s.net, 0), COALESCE(s.tax, 0))
        FROM orders_salesorder AS o LEFT JOIN sums AS s ON s.order_id = o.id
        WHERE o.organization_id = %(organization)s
            AND (o.net_total <> COALESCE(s.net, 0) OR o.tax_total <> COALESCE(s.tax, 0) OR o.total <> o.net_total + o.tax_total)
        ORDER BY 1
    """),
    # Of what the inventory gave or took by itself the lines hear by an event: they have an hour.
    Invariant("what is allocated to a sales order = what is reserved for it + what is shipped", """
        WITH promised AS (
            SELECT r.demand_line_id AS id,
                   sum(r.quantity - r.picked_quantity) FILTER (WHERE r.status = 'active' AND r.stock_item_id IS NOT NULL) AS held,
                   max(GREATEST(r.created_at, r.closed_at)) AS changed_at
            FROM inventory_reservation AS r
            WHERE r.organization_id = %(organization)s AND r.demand_type = 'sales_order' GROUP BY r.demand_line_id
        )
        SELECT format('line %%s of sales order %%s: allocated %%s, reserved %%s, shipped %%s', l.id, l.order_id,
                      l.allocated_quantity, COALESCE(p.held, 0), l.shipped_quantity)
        FROM orders_salesorderitem AS l LEFT JOIN promised AS p ON p.id = l.id
        WHERE l.organization_id = %(organization)s AND NOT l.sold_by_components
            AND l.allocated_quantity <> COALESCE(p.held, 0) + l.shipped_quantity
            AND (p.changed_at IS NULL OR p.changed_at < now() - interval '1 hour')
        ORDER BY 1
    """),
    Invariant("the components of a kit = its bill as it was sold, times its quantity", """
        SELECT format('line %%s of sales order %%s: %%s kits, %%s', k.id, k.order_id, k.quantity, c.what)
        FROM orders_salesorderitem AS k
        JOIN orders_salesorder AS o ON o.organization_id = k.organization_id AND o.id = k.order_id AND o.placed_at IS NOT NULL
        CROSS JOIN LATERAL (
            SELECT count(*) AS many, sum(c.kit_share) AS shares, string_agg(c.sku || ' ' || c.quantity, ', ') AS what,
                   bool_and(c.order_id = k.order_id AND c.quantity = c.per_kit * k.quantity
                            AND c.cancelled_quantity >= c.per_kit * k.cancelled_quantity) AS match,
                   min(div(c.allocated_quantity, c.per_kit)) = k.allocated_quantity
                   AND min(div(c.picked_quantity, c.per_kit)) = k.picked_quantity
                   AND min(div(c.shipped_quantity, c.per_kit)) = k.shipped_quantity AS follows
            FROM orders_salesorderitem AS c WHERE c.organization_id = k.organization_id AND c.kit_id = k.id
        ) AS c
        WHERE k.organization_id = %(organization)s AND k.sold_by_components
            AND (c.many = 0 OR c.shares <> 1 OR NOT c.match OR NOT c.follows)
        ORDER BY 1
    """),
    Invariant("a cart promises nothing, and a canceled sales order no more", """
        SELECT format('sales order %%s: %%s', o.id, o.status) FROM orders_salesorder AS o
        WHERE o.organization_id = %(organization)s AND o.status IN ('draft', 'cancelled') AND EXISTS (
            SELECT FROM inventory_reservation AS r WHERE r.organization_id = o.organization_id AND r.demand_id = o.id
                AND r.demand_type = 'sales_order' AND r.status = 'active')
        ORDER BY 1
    """),
]
