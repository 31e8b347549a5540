import core.fields
from django.db import migrations

CREDITED = """
    UPDATE orders_salesorder AS o SET credited_total = c.whole
    FROM (
        SELECT organization_id, order_id, sum(amount) AS whole FROM (
            SELECT organization_id, order_id, refund_amount FROM orders_returnauthorization WHERE refund_reference <> ''
            UNION ALL
            SELECT i.organization_id, i.order_id, t.net_amount + t.tax_amount FROM orders_invoice AS i
            JOIN orders_invoiceitem AS t ON t.organization_id = i.organization_id AND t.invoice_id = i.id
            WHERE i.kind = 'credit_note' AND i.status = 'issued' AND t.quantity = 0
        ) AS one(organization_id, order_id, amount)
        GROUP BY organization_id, order_id
    ) AS c
    WHERE o.organization_id = c.organization_id AND o.id = c.order_id AND c.whole <> 0
"""
SETTLED = """
    UPDATE orders_salesorder SET payment_status = 'paid'
    WHERE payment_status IN ('unpaid', 'partly_paid') AND status NOT IN ('draft', 'cancelled')
        AND paid_total + credited_total >= total
"""


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0020_canceled_is_spelled_one_way'),
    ]

    operations = [
        migrations.AddField(
            model_name='salesorder',
            name='credited_total',
            field=core.fields.MoneyField(db_default=0, decimal_places=6, default=0, editable=False, help_text='What refunded returns, and credit notes of money alone, take off the total. Open is the total less this, less what is paid, and what of that was refunded; below 0 the customer is owed it.', max_digits=19, verbose_name='credited'),
        ),
        migrations.RunSQL([CREDITED, SETTLED], migrations.RunSQL.noop),
    ]
