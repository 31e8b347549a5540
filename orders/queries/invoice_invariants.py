"""What `manage.py verify` proves of invoices and credit notes."""

from core.invariants import Invariant

INVOICE_INVARIANTS = [
    Invariant("the numbers of issued invoices and credit notes have no gaps", """
        SELECT format('%%s %%s: %%s numbers from %%s to %%s', kind, series, count(DISTINCT counter), min(counter), max(counter))
        FROM orders_invoice WHERE organization_id = %(organization)s AND status = 'issued'
        GROUP BY kind, series HAVING count(DISTINCT counter) <> max(counter) - min(counter) + 1
        ORDER BY 1
    """),
    Invariant("the totals of an invoice = its lines, and the taxes by rate", """
        WITH sums AS (
            SELECT invoice_id, sum(net_amount) AS net, sum(net_amount + tax_amount) AS total FROM orders_invoiceitem
            WHERE organization_id = %(organization)s GROUP BY invoice_id
        )
        SELECT format('invoice %%s: net %%s, tax %%s, rounding %%s, total %%s; its lines make %%s and %%s', i.id, i.net_total,
                      i.tax_total, i.rounding, i.total, COALESCE(s.net, 0), COALESCE(s.total, 0))
        FROM orders_invoice AS i LEFT JOIN sums AS s ON s.invoice_id = i.id
        WHERE i.organization_id = %(organization)s AND (
            i.net_total <> COALESCE(s.net, 0) OR i.total <> COALESCE(s.total, 0)
            OR i.total <> i.net_total + i.tax_total + i.rounding
            OR i.tax_total <> (SELECT COALESCE(sum((tax ->> 'tax')::numeric), 0) FROM jsonb_array_elements(i.taxes) AS tax)
            OR i.net_total <> (SELECT COALESCE(sum((tax ->> 'net')::numeric), 0) FROM jsonb_array_elements(i.taxes) AS tax))
        ORDER BY 1
    """),
    Invariant("credit notes <= invoice", """
        SELECT format('invoice %%s: %%s, credited %%s', i.id, i.total, sum(c.total))
        FROM orders_invoice AS i
        JOIN orders_invoice AS c ON c.organization_id = i.organization_id AND c.corrects_id = i.id
        WHERE i.organization_id = %(organization)s GROUP BY i.id, i.total HAVING sum(c.total) > i.total
        ORDER BY 1
    """),
    Invariant("credited <= invoiced, on each line of an invoice", """
        SELECT format('line %%s of invoice %%s: %%s for %%s, credited %%s for %%s', t.id, t.invoice_id, t.quantity, t.net_amount,
                      sum(c.quantity), sum(c.net_amount))
        FROM orders_invoiceitem AS t
        JOIN orders_invoiceitem AS c ON c.organization_id = t.organization_id AND c.corrects_id = t.id
        WHERE t.organization_id = %(organization)s GROUP BY t.id, t.invoice_id, t.quantity, t.net_amount, t.tax_amount
        HAVING sum(c.quantity) > t.quantity OR abs(sum(c.net_amount + c.tax_amount)) > abs(t.net_amount + t.tax_amount)
        ORDER BY 1
    """),
    Invariant("what is invoiced of a line of a sales order = its invoices - its issued credit notes", """
        WITH counted AS (
            SELECT t.order_item_id AS id, sum(CASE WHEN i.kind = 'invoice' THEN t.quantity
                                                   WHEN i.status = 'issued' THEN -t.quantity ELSE 0 END) AS quantity
            FROM orders_invoiceitem AS t
            JOIN orders_invoice AS i ON i.organization_id = t.organization_id AND i.id = t.invoice_id
            WHERE t.organization_id = %(organization)s AND t.order_item_id IS NOT NULL GROUP BY t.order_item_id
        )
        SELECT format('line %%s of sales order %%s: invoiced %%s, its invoices say %%s', l.id, l.order_id, l.invoiced_quantity,
                      COALESCE(c.quantity, 0))
        FROM orders_salesorderitem AS l LEFT JOIN counted AS c ON c.id = l.id
        WHERE l.organization_id = %(organization)s AND l.invoiced_quantity <> COALESCE(c.quantity, 0)
        ORDER BY 1
    """),
]
