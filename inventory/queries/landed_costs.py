"""What a document has added to receipts."""

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


def added_by(document_type: str, document_id: UUID) -> dict[UUID, Decimal]:
    """By receipt move, in the organization's currency."""
    with connection.cursor() as cursor:
        cursor.execute(ADDED, [active_organization_id(), document_id, document_type])
        return dict(cursor.fetchall())
