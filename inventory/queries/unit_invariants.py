"""What `manage.py verify` proves of parcels and pallets."""

from core.invariants import Invariant

UNIT_INVARIANTS = [
    Invariant("what is packed of a stock item = the contents of the units that stand there", """
        WITH within AS (
            SELECT c.variant_id, u.location_id, c.lot_id, sum(c.quantity) AS quantity
            FROM inventory_logisticunitcontent AS c
            JOIN inventory_logisticunit AS u ON u.organization_id = c.organization_id AND u.id = c.unit_id
            WHERE c.organization_id = %(organization)s GROUP BY c.variant_id, u.location_id, c.lot_id
        ), items AS (
            SELECT id, variant_id, location_id, lot_id, packed FROM inventory_stockitem WHERE organization_id = %(organization)s
        )
        SELECT format('stock item %%s: variant %%s at location %%s: packed %%s, in units %%s', COALESCE(s.id::text, 'missing'),
                      COALESCE(s.variant_id, w.variant_id), COALESCE(s.location_id, w.location_id), COALESCE(s.packed, 0),
                      COALESCE(w.quantity, 0))
        FROM within AS w FULL JOIN items AS s ON s.variant_id = w.variant_id AND s.location_id = w.location_id
            AND COALESCE(s.lot_id, s.variant_id) = COALESCE(w.lot_id, w.variant_id)
        WHERE COALESCE(s.packed, 0) <> COALESCE(w.quantity, 0)
        ORDER BY 1
    """),
    Invariant("0 <= packed <= quantity, unless stock may be negative", """
        SELECT format('stock item %%s: quantity %%s, packed %%s', s.id, s.quantity, s.packed)
        FROM inventory_stockitem AS s WHERE s.organization_id = %(organization)s
            AND (s.packed < 0 OR s.quantity < s.packed AND NOT s.may_be_short)
        ORDER BY 1
    """),
    Invariant("a logistic unit stands where the one stands that it is on", """
        SELECT format('unit %%s at %%s, on %%s at %%s', u.sscc, COALESCE(u.location_id::text, 'no location'), p.sscc,
                      COALESCE(p.location_id::text, 'no location'))
        FROM inventory_logisticunit AS u
        JOIN inventory_logisticunit AS p ON p.organization_id = u.organization_id AND p.id = u.parent_id
        WHERE u.organization_id = %(organization)s AND u.location_id IS DISTINCT FROM p.location_id
        ORDER BY 1
    """),
]
