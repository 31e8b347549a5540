"""Values for moves that were posted before there were any: by the same rules, in the order of the ledger."""

from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id
from inventory.services.valuation import moves_value

BATCH = 2_000

MOVES = """
    SELECT m.id, m.seq, EXISTS (
        SELECT FROM inventory_valueentry AS e WHERE e.organization_id = m.organization_id AND e.move_id = m.id
    )
    FROM inventory_stockmove AS m WHERE m.organization_id = %s AND m.seq > %s ORDER BY m.seq LIMIT %s
"""
# Such days were closed without what is added now.
FORGET = """
    DELETE FROM inventory_stocksnapshot
    WHERE organization_id = %s AND until > (
        SELECT min(created_at) FROM inventory_stockmove WHERE organization_id = %s AND id = ANY (%s)
    )
"""


def cost_layers_build(*, after: int = 0) -> tuple[int | None, int]:
    """The next 2,000 moves after this number of the ledger: up to which it came, None at the end; and how many it valued.

    What has a value already is left as it is, so it may be stopped and begun again at any time.
    """
    organization_id = active_organization_id()
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM accounts_organization WHERE id = %s FOR KEY SHARE", [organization_id])
        cursor.execute(MOVES, [organization_id, after, BATCH])
        rows = cursor.fetchall()
        missing: list[UUID] = [move_id for move_id, _, has_value in rows if not has_value]
        if valued := moves_value(moves=missing):
            cursor.execute(FORGET, [organization_id, organization_id, missing])
    return (rows[-1][1] if rows else None), valued
