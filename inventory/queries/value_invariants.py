"""What must be true of layers, value entries and snapshots."""

from core.invariants import Invariant

VALUE_INVARIANTS = [
    Invariant("goods in stock = goods in cost layers (if not: manage.py build_cost_layers)", """
        WITH held AS (
            SELECT variant_id, warehouse_id, sum(quantity) AS quantity FROM inventory_stockitem
            WHERE organization_id = %(organization)s GROUP BY variant_id, warehouse_id
        ), valued AS (
            SELECT variant_id, warehouse_id, sum(remaining) AS quantity FROM inventory_costlayer
            WHERE organization_id = %(organization)s GROUP BY variant_id, warehouse_id
        )
        SELECT format('variant %%s in warehouse %%s: stock %%s, layers %%s', variant_id, warehouse_id,
                      COALESCE(held.quantity, 0), COALESCE(valued.quantity, 0))
        FROM held FULL JOIN valued USING (variant_id, warehouse_id)
        WHERE COALESCE(held.quantity, 0) <> COALESCE(valued.quantity, 0)
        ORDER BY 1
    """),
    Invariant("what a cost layer holds and is worth = the sum of its entries", """
        WITH written AS (
            SELECT layer_id, sum(quantity) AS quantity, sum(value) AS value FROM inventory_valueentry
            WHERE organization_id = %(organization)s GROUP BY layer_id
        )
        SELECT format('cost layer %%s: %%s worth %%s, entries %%s worth %%s', l.id, l.remaining, l.value,
                      COALESCE(w.quantity, 0), COALESCE(w.value, 0))
        FROM inventory_costlayer AS l LEFT JOIN written AS w ON w.layer_id = l.id
        WHERE l.organization_id = %(organization)s
            AND (l.remaining <> COALESCE(w.quantity, 0) OR l.value <> COALESCE(w.value, 0))
        ORDER BY 1
    """),
    Invariant("a value entry is of the goods of its layer and of its move", """
        SELECT format('value entry %%s of layer %%s', e.id, e.layer_id)
        FROM inventory_valueentry AS e
        JOIN inventory_costlayer AS l ON l.organization_id = e.organization_id AND l.id = e.layer_id
        LEFT JOIN inventory_stockmove AS m ON m.organization_id = e.organization_id AND m.id = e.move_id
        WHERE e.organization_id = %(organization)s
            AND (e.variant_id <> l.variant_id OR e.warehouse_id <> l.warehouse_id OR e.variant_id <> m.variant_id)
        ORDER BY 1
    """),
    Invariant("at standard cost, stock is worth its quantity at that cost", """
        SELECT format('cost layer %%s: %%s worth %%s, at %%s each', l.id, l.remaining, l.value, v.standard_cost)
        FROM inventory_costlayer AS l
        JOIN accounts_organization AS o ON o.id = l.organization_id AND o.costing_method = 'standard'
        JOIN inventory_productvariant AS v ON v.organization_id = l.organization_id AND v.id = l.variant_id
        WHERE l.organization_id = %(organization)s AND l.value <> round(l.remaining * v.standard_cost, 6)
        ORDER BY 1
    """),
    Invariant("the last stock snapshots = the value entries written before them", """
        WITH last AS (
            SELECT max(until) AS until FROM inventory_stocksnapshot WHERE organization_id = %(organization)s
        ), snapshot AS (
            SELECT variant_id, warehouse_id, quantity, value FROM inventory_stocksnapshot
            WHERE organization_id = %(organization)s AND until = (SELECT until FROM last)
        ), written AS (
            SELECT variant_id, warehouse_id, sum(quantity) AS quantity, sum(value) AS value FROM inventory_valueentry
            WHERE organization_id = %(organization)s AND created_at < (SELECT until FROM last)
            GROUP BY variant_id, warehouse_id
        )
        SELECT format('variant %%s in warehouse %%s: snapshot %%s worth %%s, entries %%s worth %%s', variant_id, warehouse_id,
                      COALESCE(s.quantity, 0), COALESCE(s.value, 0), COALESCE(w.quantity, 0), COALESCE(w.value, 0))
        FROM snapshot AS s FULL JOIN written AS w USING (variant_id, warehouse_id)
        WHERE (COALESCE(s.quantity, 0), COALESCE(s.value, 0)) <> (COALESCE(w.quantity, 0), COALESCE(w.value, 0))
        ORDER BY 1
    """),
    Invariant("the totals of the last stock snapshots = what the value entries before them add up to", """
        WITH last AS (
            SELECT max(until) AS until FROM inventory_stocksnapshot
            WHERE organization_id = %(organization)s AND received IS NOT NULL
        ), written AS (
            SELECT e.variant_id, e.warehouse_id, min(e.created_at) AS began_at, max(e.seq) AS last_seq,
                   COALESCE(sum(e.quantity) FILTER (WHERE m.kind = 'receipt'), 0) AS received,
                   -COALESCE(sum(e.quantity) FILTER (WHERE m.kind = 'issue'), 0) AS issued,
                   -COALESCE(sum(e.value) FILTER (WHERE m.kind = 'issue'), 0) AS issued_value
            FROM inventory_valueentry AS e
            LEFT JOIN inventory_stockmove AS m ON m.organization_id = e.organization_id AND m.id = e.move_id
            WHERE e.organization_id = %(organization)s AND e.created_at < (SELECT until FROM last)
            GROUP BY e.variant_id, e.warehouse_id
        )
        SELECT format('variant %%s in warehouse %%s: received %%s, issued %%s for %%s; entries %%s, %%s for %%s', w.variant_id,
                      w.warehouse_id, s.received, s.issued, s.issued_value, w.received, w.issued, w.issued_value)
        FROM written AS w LEFT JOIN inventory_stocksnapshot AS s
            ON s.organization_id = %(organization)s AND s.until = (SELECT until FROM last) AND s.variant_id = w.variant_id
            AND s.warehouse_id = w.warehouse_id
        WHERE (s.received, s.issued, s.issued_value, s.began_at, s.last_seq)
            IS DISTINCT FROM (w.received, w.issued, w.issued_value, w.began_at, w.last_seq)
        ORDER BY 1
    """),
]
