from core.invariants import Invariant
from inventory.invariants_catalog import CATALOG
from inventory.invariants_counts import COUNTS
from inventory.models import Location, ReorderTask
from inventory.queries.category_item_invariants import CATEGORY_ITEM_INVARIANTS
from inventory.queries.levels import LEVELS
from inventory.queries.search_sources import COLUMNS, KEPT, WANTED
from inventory.queries.transfer_invariants import TRANSFER_INVARIANTS
from inventory.queries.unit_invariants import UNIT_INVARIANTS
from inventory.queries.value_invariants import VALUE_INVARIANTS

INVARIANTS = [
    *CATALOG,
    Invariant("stock balance = moves in - moves out", """
        WITH moved AS (
            SELECT variant_id, location_id, lot_id, sum(change) AS quantity FROM (
                SELECT variant_id, to_location_id AS location_id, lot_id, quantity AS change
                FROM inventory_stockmove WHERE organization_id = %(organization)s AND to_location_id IS NOT NULL
                UNION ALL
                SELECT variant_id, from_location_id, lot_id, -quantity
                FROM inventory_stockmove WHERE organization_id = %(organization)s AND from_location_id IS NOT NULL
            ) AS sides GROUP BY variant_id, location_id, lot_id
        ), held AS (
            SELECT id, variant_id, location_id, lot_id, quantity FROM inventory_stockitem
            WHERE organization_id = %(organization)s
        )
        SELECT format('stock item %%s: variant %%s at location %%s of lot %%s: balance %%s, moves %%s',
                      COALESCE(held.id::text, 'missing'), COALESCE(held.variant_id, moved.variant_id),
                      COALESCE(held.location_id, moved.location_id), COALESCE(held.lot_id, moved.lot_id),
                      COALESCE(held.quantity, 0), COALESCE(moved.quantity, 0))
        FROM moved FULL JOIN held ON held.variant_id = moved.variant_id AND held.location_id = moved.location_id
            AND COALESCE(held.lot_id, held.variant_id) = COALESCE(moved.lot_id, moved.variant_id)
        WHERE COALESCE(moved.quantity, 0) <> COALESCE(held.quantity, 0)
        ORDER BY 1
    """),
    Invariant("0 <= reserved <= quantity, unless stock may be negative", """
        SELECT format('stock item %%s: quantity %%s, reserved %%s', s.id, s.quantity, s.reserved)
        FROM inventory_stockitem AS s WHERE s.organization_id = %(organization)s
            AND (s.reserved < 0 OR s.quantity < s.reserved AND NOT s.may_be_short)
        ORDER BY 1
    """),
    Invariant("active reservations of a stock item = reserved", """
        WITH promised AS (
            SELECT stock_item_id AS id, sum(quantity - picked_quantity) AS reserved FROM inventory_reservation
            WHERE organization_id = %(organization)s AND status = 'active' AND stock_item_id IS NOT NULL GROUP BY stock_item_id
        )
        SELECT format('stock item %%s: reserved %%s, reservations %%s', s.id, s.reserved, COALESCE(p.reserved, 0))
        FROM inventory_stockitem AS s LEFT JOIN promised AS p ON p.id = s.id
        WHERE s.organization_id = %(organization)s AND s.reserved <> COALESCE(p.reserved, 0)
        ORDER BY 1
    """),
    Invariant("goods are tracked as their product says, and held as their lot says", """
        SELECT format('stock item %%s: product tracked by %%s, lot %%s of status %%s, held %%s, serial number %%s', s.id,
                      p.tracking, COALESCE(l.code, 'none'), COALESCE(l.status, 'none'), s.is_held, s.is_serial)
        FROM inventory_stockitem AS s
        JOIN inventory_productvariant AS v ON v.organization_id = s.organization_id AND v.id = s.variant_id
        JOIN inventory_product AS p ON p.organization_id = s.organization_id AND p.id = v.product_id
        LEFT JOIN inventory_lot AS l ON l.organization_id = s.organization_id AND l.id = s.lot_id
        WHERE s.organization_id = %(organization)s AND (
            s.is_held <> COALESCE(l.status <> 'released', false) OR l.variant_id <> s.variant_id
            OR s.quantity <> 0 AND ((s.lot_id IS NULL) <> (p.tracking = 'none') OR s.is_serial <> (p.tracking = 'serial')))
        ORDER BY 1
    """),
    Invariant("a location is in the warehouse of the one that it is part of", """
        SELECT format('location %%s of warehouse %%s is part of %%s of warehouse %%s', l.id, l.warehouse_id, p.id, p.warehouse_id)
        FROM inventory_location AS l
        JOIN inventory_location AS p ON p.organization_id = l.organization_id AND p.id = l.parent_id
        WHERE l.organization_id = %(organization)s AND p.warehouse_id <> l.warehouse_id
        ORDER BY 1
    """),
    Invariant("goods lie apart where the kind of their location says so", """
        SELECT format('stock item %%s: apart %%s, location of kind %%s', s.id, s.is_apart, l.kind)
        FROM inventory_stockitem AS s
        JOIN inventory_location AS l ON l.organization_id = s.organization_id AND l.id = s.location_id
        WHERE s.organization_id = %(organization)s AND s.is_apart <> (l.kind NOT IN ('storage', 'receiving', 'shipping'))
        ORDER BY 1
    """),
    Invariant("a reversing move is the reversed one the other way", """
        SELECT format('move %%s reverses %%s', r.seq, m.seq)
        FROM inventory_stockmove AS r
        JOIN inventory_stockmove AS m ON m.organization_id = r.organization_id AND m.id = r.reverses_id
        WHERE r.organization_id = %(organization)s AND (
            r.quantity <> m.quantity OR r.variant_id <> m.variant_id OR r.lot_id IS DISTINCT FROM m.lot_id
            OR r.from_location_id IS DISTINCT FROM m.to_location_id OR r.to_location_id IS DISTINCT FROM m.from_location_id)
        ORDER BY 1
    """),
    Invariant("a stock item is in the warehouse of its location", """
        SELECT format('stock item %%s: warehouse %%s, location of warehouse %%s', s.id, s.warehouse_id, l.warehouse_id)
        FROM inventory_stockitem AS s
        JOIN inventory_location AS l ON l.organization_id = s.organization_id AND l.id = s.location_id
        WHERE s.organization_id = %(organization)s AND l.warehouse_id <> s.warehouse_id
        ORDER BY 1
    """),
    Invariant("the level of a reorder rule = the stock it looks at", f"""
        SELECT format('reorder rule %%s: level %%s, stock %%s', r.id, r.level, found.level)
        FROM inventory_reorderrule AS r JOIN ({LEVELS}) AS found ON found.id = r.id
        WHERE r.organization_id = %(organization)s AND r.level <> found.level
        ORDER BY 1
    """, {"available": list(Location.AVAILABLE), "rules": None}),
    Invariant("at most one unfinished reorder task for a variant in a warehouse", """
        SELECT format('variant %%s in warehouse %%s: %%s unfinished tasks', variant_id, warehouse_id, count(*))
        FROM inventory_reordertask WHERE organization_id = %(organization)s AND status = ANY (%(unfinished)s)
        GROUP BY variant_id, warehouse_id HAVING count(*) > 1
        ORDER BY 1
    """, {"unfinished": list(ReorderTask.UNFINISHED)}),
    Invariant("tax rates of one category and place do not overlap", """
        SELECT format('tax rates %%s and %%s', a.id, b.id)
        FROM inventory_taxrate AS a
        JOIN inventory_taxrate AS b ON b.organization_id = a.organization_id AND b.tax_category_id = a.tax_category_id
            AND b.country = a.country AND b.region_key = a.region_key AND b.id > a.id
            AND b.valid_from <= COALESCE(a.valid_to, 'infinity') AND COALESCE(b.valid_to, 'infinity') >= a.valid_from
        WHERE a.organization_id = %(organization)s
        ORDER BY 1
    """),
    Invariant("the words of the search = the texts that they come from", f"""
        WITH wanted AS (SELECT {COLUMNS} FROM ({WANTED}) AS made), kept AS ({KEPT})
        SELECT format('row %%s of variant %%s: %%s %%s', source_id, COALESCE(variant_id::text, 'none'), token, problem) FROM (
            SELECT {COLUMNS}, 'is missing' AS problem FROM (SELECT * FROM wanted EXCEPT SELECT * FROM kept) AS missing
            UNION ALL
            SELECT {COLUMNS}, 'should not be there' FROM (SELECT * FROM kept EXCEPT SELECT * FROM wanted) AS strange
        ) AS differing
        ORDER BY 1
    """),
    *CATEGORY_ITEM_INVARIANTS,
    *TRANSFER_INVARIANTS,
    *UNIT_INVARIANTS,
    *VALUE_INVARIANTS,
    *COUNTS,
]
