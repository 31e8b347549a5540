from core.invariants import Invariant
from inventory.invariants_catalog import CATALOG
from inventory.models import Location, ReorderTask
from inventory.queries.levels import LEVELS
from inventory.queries.search_sources import COLUMNS, KEPT, WANTED

INVARIANTS = [
    *CATALOG,
    Invariant("stock balance = moves in - moves out", """
        WITH moved AS (
            SELECT variant_id, location_id, sum(change) AS quantity FROM (
                SELECT variant_id, to_location_id AS location_id, quantity AS change
                FROM inventory_stockmove WHERE organization_id = %(organization)s AND to_location_id IS NOT NULL
                UNION ALL
                SELECT variant_id, from_location_id, -quantity
                FROM inventory_stockmove WHERE organization_id = %(organization)s AND from_location_id IS NOT NULL
            ) AS sides GROUP BY variant_id, location_id
        ), held AS (
            SELECT id, variant_id, location_id, quantity FROM inventory_stockitem WHERE organization_id = %(organization)s
        )
        SELECT format('stock item %%s: variant %%s at location %%s: balance %%s, moves %%s',
                      COALESCE(held.id::text, 'missing'), variant_id, location_id,
                      COALESCE(held.quantity, 0), COALESCE(moved.quantity, 0))
        FROM moved FULL JOIN held USING (variant_id, location_id)
        WHERE COALESCE(moved.quantity, 0) <> COALESCE(held.quantity, 0)
        ORDER BY 1
    """),
    Invariant("0 <= reserved <= quantity, unless stock may be negative", """
        SELECT format('stock item %%s: quantity %%s, reserved %%s', s.id, s.quantity, s.reserved)
        FROM inventory_stockitem AS s WHERE s.organization_id = %(organization)s
            AND (s.reserved < 0 OR s.quantity < s.reserved AND NOT s.may_be_short)
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
]
