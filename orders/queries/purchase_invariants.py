"""What `manage.py verify` proves of purchase orders."""

from core.invariants import Invariant
from orders.models import PurchaseOrder

PURCHASE_INVARIANTS = [
    Invariant("received <= ordered and what is tolerated, on each line of a purchase order", """
        SELECT format('purchase order line %%s: ordered %%s, tolerated %%s per cent, received %%s, returned %%s', l.id,
                      l.quantity, l.over_receipt_percent, l.received_quantity, l.returned_quantity)
        FROM orders_purchaseorderitem AS l
        WHERE l.organization_id = %(organization)s AND (
            l.received_quantity - l.returned_quantity > l.quantity * (100 + l.over_receipt_percent) / 100
            OR l.returned_quantity > l.received_quantity)
        ORDER BY 1
    """),
    Invariant("the lines of a purchase order = its goods receipts", """
        WITH booked AS (
            SELECT i.order_item_id AS id, sum(i.quantity) FILTER (WHERE r.kind = 'receipt') AS received,
                   sum(i.quantity) FILTER (WHERE r.kind = 'return') AS returned, sum(i.rejected_quantity) AS rejected
            FROM orders_goodsreceiptitem AS i
            JOIN orders_goodsreceipt AS r ON r.organization_id = i.organization_id AND r.id = i.receipt_id
            WHERE i.organization_id = %(organization)s GROUP BY i.order_item_id
        )
        SELECT format('purchase order line %%s: received %%s, returned %%s, rejected %%s, goods receipts %%s, %%s, %%s', l.id,
                      l.received_quantity, l.returned_quantity, l.rejected_quantity, COALESCE(b.received, 0),
                      COALESCE(b.returned, 0), COALESCE(b.rejected, 0))
        FROM orders_purchaseorderitem AS l LEFT JOIN booked AS b ON b.id = l.id
        WHERE l.organization_id = %(organization)s AND (
            l.received_quantity <> COALESCE(b.received, 0) OR l.returned_quantity <> COALESCE(b.returned, 0)
            OR l.rejected_quantity <> COALESCE(b.rejected, 0))
        ORDER BY 1
    """),
    Invariant("each line of a goods receipt = its move", """
        SELECT format('goods receipt line %%s: quantity %%s, move %%s', i.id, i.quantity, COALESCE(m.quantity, 0))
        FROM orders_goodsreceiptitem AS i
        LEFT JOIN inventory_stockmove AS m ON m.organization_id = i.organization_id AND m.id = i.move_id
        WHERE i.organization_id = %(organization)s AND (
            i.quantity <> COALESCE(m.quantity, 0) OR m.variant_id <> i.variant_id OR m.lot_id IS DISTINCT FROM i.lot_id)
        ORDER BY 1
    """),
    Invariant("the status of a purchase order = what came of it, and what of that is billed", """
        WITH come AS (
            SELECT l.order_id AS id, bool_or(l.received_quantity > 0) AS some,
                   bool_and(l.received_quantity - l.returned_quantity >= l.quantity) AS all_of_it,
                   bool_and(l.received_quantity - l.returned_quantity <= l.billed_quantity) AS all_billed
            FROM orders_purchaseorderitem AS l WHERE l.organization_id = %(organization)s GROUP BY l.order_id
        )
        SELECT format('purchase order %%s: status %%s, something came %%s, all came %%s, all is billed %%s', o.number, o.status,
                      c.some, c.all_of_it, c.all_billed)
        FROM orders_purchaseorder AS o JOIN come AS c ON c.id = o.id
        WHERE o.organization_id = %(organization)s AND CASE o.status
            WHEN 'received' THEN NOT c.all_of_it OR c.all_billed WHEN 'billed' THEN NOT c.all_of_it OR NOT c.all_billed
            WHEN 'partially_received' THEN NOT c.some OR c.all_of_it
            WHEN 'closed' THEN false ELSE c.some END
        ORDER BY 1
    """),
    Invariant("what is expected = what purchase orders are still to bring", """
        WITH wanted AS (
            SELECT l.id, l.variant_id, o.warehouse_id,
                   GREATEST(l.quantity - l.received_quantity + l.returned_quantity, 0) AS quantity
            FROM orders_purchaseorderitem AS l
            JOIN orders_purchaseorder AS o ON o.organization_id = l.organization_id AND o.id = l.order_id
            WHERE l.organization_id = %(organization)s AND (o.status = ANY (%(brings)s)
                OR o.status = ANY (%(undecided)s) AND l.reorder_task_id IS NOT NULL)
        ), kept AS (
            SELECT document_line_id AS id, variant_id, warehouse_id, quantity FROM inventory_expectedreceipt
            WHERE organization_id = %(organization)s AND document_type = 'purchase_order'
        )
        SELECT format('purchase order line %%s: to come %%s, expected %%s', COALESCE(w.id, k.id), w.quantity, k.quantity)
        FROM wanted AS w FULL JOIN kept AS k ON k.id = w.id
        WHERE w.quantity IS DISTINCT FROM k.quantity OR w.variant_id <> k.variant_id OR w.warehouse_id <> k.warehouse_id
        ORDER BY 1
    """, {"brings": list(PurchaseOrder.BRINGS), "undecided": list(PurchaseOrder.UNDECIDED)}),
    Invariant("a reorder task is on one purchase order that is not canceled", """
        SELECT format('reorder task %%s: %%s lines', l.reorder_task_id, count(*))
        FROM orders_purchaseorderitem AS l
        JOIN orders_purchaseorder AS o ON o.organization_id = l.organization_id AND o.id = l.order_id
        JOIN inventory_reordertask AS t ON t.organization_id = l.organization_id AND t.id = l.reorder_task_id
        WHERE l.organization_id = %(organization)s AND t.status = 'ordered' AND o.status NOT IN ('closed', 'cancelled')
        GROUP BY l.reorder_task_id HAVING count(*) > 1
        ORDER BY 1
    """),
]
