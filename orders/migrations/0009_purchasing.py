from django.db import migrations

# What purchase orders under way are to bring; from now on the services keep it. A reorder task counted until now.
EXPECTED = """
    INSERT INTO inventory_expectedreceipt (
        id, organization_id, variant_id, warehouse_id, quantity, expected_on, document_type, document_id, document_number,
        document_line_id, reorder_task_id
    )
    SELECT gen_random_uuid(), o.organization_id, l.variant_id, o.warehouse_id,
           GREATEST(l.quantity - l.received_quantity + l.returned_quantity, 0), o.expected_on, 'purchase_order', o.id, o.number,
           l.id, t.id
    FROM orders_purchaseorder AS o
    JOIN orders_purchaseorderitem AS l ON l.organization_id = o.organization_id AND l.order_id = o.id
    LEFT JOIN inventory_reordertask AS t ON t.organization_id = l.organization_id AND t.id = l.reorder_task_id
        AND t.status = 'ordered' AND t.transfer_order_id IS NULL
    WHERE o.status IN ('approved', 'sent', 'partially_received', 'received')
        OR o.status IN ('draft', 'pending_approval') AND t.id IS NOT NULL
"""
LEVELS = """
    UPDATE inventory_reorderrule AS r SET level = r.level + e.quantity
    FROM (
        SELECT e.organization_id, e.variant_id, e.warehouse_id,
               sum(e.quantity - COALESCE(GREATEST(t.ordered_quantity - t.received_quantity, 0), 0)) AS quantity
        FROM inventory_expectedreceipt AS e
        LEFT JOIN inventory_reordertask AS t ON t.organization_id = e.organization_id AND t.id = e.reorder_task_id
        GROUP BY e.organization_id, e.variant_id, e.warehouse_id
    ) AS e
    WHERE r.organization_id = e.organization_id AND r.variant_id = e.variant_id AND r.warehouse_id = e.warehouse_id
        AND r.basis = 'projected' AND e.quantity <> 0
"""


class Migration(migrations.Migration):

    dependencies = [
        ('inventory', '0032_expected_receipts'),
        ('orders', '0008_selling_indexes'),
    ]

    operations = [
        migrations.RunSQL(EXPECTED, migrations.RunSQL.noop),
        migrations.RunSQL(LEVELS, migrations.RunSQL.noop),
    ]
