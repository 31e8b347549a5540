from core.invariants import Invariant
from inventory.models import Location, ReorderTask
from inventory.queries.levels import LEVELS
from inventory.queries.value_invariants import VALUE_INVARIANTS

INVARIANTS = [
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
    Invariant("at most one unfinished reorder task for a rule", """
        SELECT format('reorder rule %%s: %%s unfinished tasks', rule_id, count(*))
        FROM inventory_reordertask WHERE organization_id = %(organization)s AND status = ANY (%(unfinished)s)
        GROUP BY rule_id HAVING count(*) > 1
        ORDER BY 1
    """, {"unfinished": list(ReorderTask.UNFINISHED)}),
    *VALUE_INVARIANTS,
]
