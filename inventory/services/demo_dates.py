"""The demo's month in the books, as if each posting had been written when it happened.

Only the owner of the tables gets past the wall that keeps the ledgers as they were written, and only the demo asks for it: for an
organization that was made a moment ago, before anybody works with it.
"""

from uuid import UUID

from django.db import connections, transaction

LEDGERS = ("inventory_stockmove", "inventory_valueentry")
# Nothing was written before what stands before it in the ledger, so the latest instant until then counts. What is photographed
# stays as it is.
MOVES = """
    UPDATE inventory_stockmove AS m SET created_at = d.written
    FROM (
        SELECT id, max(occurred_at) OVER (ORDER BY seq) AS written FROM inventory_stockmove
        WHERE organization_id = %(organization)s AND occurred_at < created_at - interval '1 hour'
    ) AS d
    WHERE m.organization_id = %(organization)s AND m.id = d.id
        AND NOT EXISTS (SELECT FROM inventory_stocksnapshot WHERE organization_id = %(organization)s)
"""
ENTRIES = """
    UPDATE inventory_valueentry AS e SET created_at = m.created_at
    FROM inventory_stockmove AS m
    WHERE e.organization_id = %(organization)s AND m.organization_id = e.organization_id AND m.id = e.move_id
        AND e.kind <> 'landed' AND e.created_at <> m.created_at
"""


def ledger_date_back(organization_id: UUID) -> int:
    """After the demo is committed; returns how many moves have another date."""
    known = {"organization": organization_id}
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SELECT set_config('app.organization_id', %s, true)", [str(organization_id)])
        for table in LEDGERS:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER wall")
        cursor.execute(MOVES, known)
        moved: int = cursor.rowcount
        cursor.execute(ENTRIES, known)
        for table in LEDGERS:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER wall")
    return moved
