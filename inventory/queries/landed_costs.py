"""What a document has added to receipts."""

from collections.abc import Collection
from decimal import Decimal
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id

# The first entry of a receipt is all that came to it; what follows of the same move is what went on from there.
ADDED = """
    SELECT DISTINCT ON (e.move_id) e.move_id, e.value FROM inventory_valueentry AS e
    JOIN inventory_stockmove AS m ON m.organization_id = e.organization_id AND m.id = e.move_id
    WHERE e.organization_id = %s AND e.document_id = %s AND e.document_type = %s AND e.kind = 'landed'
        AND m.from_location_id IS NULL AND m.reverses_id IS NULL
    ORDER BY e.move_id, e.seq
"""

BEFORE = """
    SELECT DISTINCT move_id FROM inventory_valueentry
    WHERE organization_id = %(organization)s AND move_id = ANY (%(moves)s) AND quantity < 0 AND seq < (
        SELECT min(seq) FROM inventory_valueentry
        WHERE organization_id = %(organization)s AND document_id = %(id)s AND document_type = %(type)s
    )
"""


def added_by(document_type: str, document_id: UUID) -> dict[UUID, Decimal]:
    """By receipt move, in the organization's currency."""
    with connection.cursor() as cursor:
        cursor.execute(ADDED, [active_organization_id(), document_id, document_type])
        return dict(cursor.fetchall())


def passed_before(moves: Collection[UUID], document_type: str, document_id: UUID) -> set[UUID]:
    """Those of these moves whose goods had left when the document added to receipts."""
    with connection.cursor() as cursor:
        cursor.execute(BEFORE, {
            "organization": active_organization_id(), "moves": list(moves), "id": document_id, "type": document_type,
        })
        return {move for (move,) in cursor.fetchall()}
