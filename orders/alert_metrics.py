"""What alert rules may watch of selling and buying."""

from notifications.measuring import Metric, declare

OWN = "organization_id = %(organization)s"
TODAY = "(SELECT (now() AT TIME ZONE timezone)::date FROM accounts_organization WHERE id = %(organization)s)"

declare(Metric("orders_stuck", "Orders that stand still", f"""
    SELECT count(*) FROM orders_salesorder WHERE {OWN} AND stuck_at IS NOT NULL
"""))
declare(Metric("orders_in_error", "Orders in error", f"SELECT count(*) FROM orders_salesorder WHERE {OWN} AND status = 'error'"))
declare(Metric("orders_on_hold", "Orders on hold", f"SELECT count(*) FROM orders_salesorder WHERE {OWN} AND status = 'on_hold'"))
declare(Metric("orders_placed", "Orders that were placed", f"""
    SELECT count(*) FROM orders_salesorder WHERE {OWN} AND placed_at >= {{since}}
""", looks_back=True))
# By the standard cost of now; orders in the organization's own currency alone, whose cost is in the same.
declare(Metric("lines_below_cost", "Order lines that were sold below standard cost", f"""
    SELECT count(*) FROM orders_salesorder AS o
    JOIN accounts_organization AS own ON own.id = o.organization_id AND own.base_currency = o.currency
    JOIN orders_salesorderitem AS i ON i.organization_id = o.organization_id AND i.order_id = o.id AND i.kit_id IS NULL
    JOIN inventory_productvariant AS v ON v.organization_id = i.organization_id AND v.id = i.variant_id
    WHERE o.{OWN} AND o.placed_at >= {{since}} AND o.status <> 'cancelled' AND v.standard_cost > 0
        AND i.net_amount < v.standard_cost * (i.quantity - i.cancelled_quantity)
""", looks_back=True))
declare(Metric("payments_failed", "Payments that failed", f"""
    SELECT count(*) FROM orders_payment WHERE {OWN} AND status = 'failed' AND id >= {{since_id}}
""", looks_back=True))
declare(Metric("purchase_orders_late", "Purchase orders that are late", f"""
    SELECT count(*) FROM orders_purchaseorder
    WHERE {OWN} AND status IN ('sent', 'partially_received') AND expected_on < {TODAY}
"""))
declare(Metric("returns_waiting", "Returns to decide", f"""
    SELECT count(*) FROM orders_returnauthorization WHERE {OWN} AND status = 'requested'
"""))
