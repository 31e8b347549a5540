from core.invariants import Invariant

COUNTS = [
    Invariant("what a count posted = what it found", """
        WITH posted AS (
            SELECT m.document_line_id AS id, sum(CASE WHEN m.to_location_id = l.location_id THEN m.quantity ELSE -m.quantity END)
                AS change
            FROM inventory_stockmove AS m
            JOIN inventory_stockcountline AS l ON l.organization_id = m.organization_id AND l.id = m.document_line_id
            WHERE m.organization_id = %(organization)s AND m.document_type = 'stock_count' AND m.reverses_id IS NULL
            GROUP BY m.document_line_id
        )
        SELECT format('line %%s of count %%s: counted %%s where %%s were booked, posted %%s', l.id, l.count_id, l.counted, l.book,
                      COALESCE(p.change, 0))
        FROM inventory_stockcountline AS l LEFT JOIN posted AS p ON p.id = l.id
        WHERE l.organization_id = %(organization)s AND COALESCE(l.difference, 0) <> COALESCE(p.change, 0)
        ORDER BY 1
    """),
    Invariant("all that a posted count counted is posted", """
        SELECT format('line %%s of count %%s', l.id, l.count_id)
        FROM inventory_stockcountline AS l
        JOIN inventory_stockcount AS c ON c.organization_id = l.organization_id AND c.id = l.count_id
        WHERE l.organization_id = %(organization)s AND c.status = 'posted' AND l.counted IS NOT NULL AND l.book IS NULL
        ORDER BY 1
    """),
]
