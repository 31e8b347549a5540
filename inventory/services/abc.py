"""Writes the ABC class of variants, by which counts choose."""

from django.db import connection, transaction

from core.errors import Invalid
from inventory.queries.abc import CLASSED, USUAL, Limits
from inventory.queries.analytics_sources import Goods, flows
from inventory.queries.spans import Span

# What was neither there nor moved has no class. Variants are locked by id, like everywhere.
WRITE = f"""
    {CLASSED}, wanted AS (
        SELECT v.id, COALESCE(c.abc_class, '') AS abc_class
        FROM inventory_productvariant AS v LEFT JOIN classed AS c ON c.variant_id = v.id
        WHERE v.organization_id = %(organization)s AND v.archived_at IS NULL AND v.abc_class <> COALESCE(c.abc_class, '')
    ), locked AS (
        SELECT v.id, w.abc_class FROM inventory_productvariant AS v JOIN wanted AS w USING (id)
        WHERE v.organization_id = %(organization)s ORDER BY v.id FOR NO KEY UPDATE OF v
    )
    UPDATE inventory_productvariant AS v SET abc_class = l.abc_class
    FROM locked AS l WHERE v.organization_id = %(organization)s AND v.id = l.id
"""


@transaction.atomic
def abc_classes_write(*, span: Span, limits: Limits = USUAL) -> int:
    """Of all variants, by what was issued from every warehouse; returns how many changed. Raises Invalid."""
    if not 0 < limits.a < limits.b <= 100:
        raise Invalid("The limit of A is above 0 and below that of B, which is 100 at most.", fields={"a": "not below b"})
    everything = Goods()
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {flows(everything)}{WRITE}", everything.values(span) | limits.values())
        changed: int = cursor.rowcount
    return changed
