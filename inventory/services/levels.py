"""The level of each reorder rule follows the stock that its basis looks at."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id
from inventory.models import Location, ReorderTask
from inventory.queries.levels import LEVELS

# Rules are locked by id, after the stock items (see locks.py). Stock in quarantine or scrap is on hand, but not
# available. A task whose rule is low no longer is done.
FOLLOW = """
    WITH moved AS (
        SELECT d.variant_id, d.warehouse_id, sum(d.change) AS on_hand,
               COALESCE(sum(d.freed) FILTER (WHERE l.kind = ANY (%(available)s)), 0) AS available
        FROM unnest(
                %(variants)s::uuid[], %(warehouses)s::uuid[], %(locations)s::uuid[], %(changes)s::numeric[], %(freed)s::numeric[]
            ) AS d(variant_id, warehouse_id, location_id, change, freed)
        JOIN inventory_location AS l ON l.organization_id = %(organization)s AND l.id = d.location_id
        GROUP BY d.variant_id, d.warehouse_id
    ), locked AS (
        SELECT r.id, m.on_hand, m.available
        FROM inventory_reorderrule AS r JOIN moved AS m ON m.variant_id = r.variant_id AND m.warehouse_id = r.warehouse_id
        WHERE r.organization_id = %(organization)s AND CASE r.basis WHEN 'on_hand' THEN m.on_hand ELSE m.available END <> 0
        ORDER BY r.id FOR NO KEY UPDATE OF r
    ), followed AS (
        UPDATE inventory_reorderrule AS r
        SET level = r.level + CASE r.basis WHEN 'on_hand' THEN l.on_hand ELSE l.available END
        FROM locked AS l WHERE r.organization_id = %(organization)s AND r.id = l.id
        RETURNING r.id, r.is_low
    )
    UPDATE inventory_reordertask AS t SET status = 'done', closed_at = now()
    FROM followed AS f
    WHERE t.organization_id = %(organization)s AND t.rule_id = f.id AND t.status = ANY (%(unfinished)s) AND NOT f.is_low
"""

REFRESH = f"""
    UPDATE inventory_reorderrule AS r SET level = found.level
    FROM ({LEVELS}) AS found
    WHERE r.organization_id = %(organization)s AND r.id = found.id AND r.level <> found.level
"""

type Change = tuple[UUID, UUID, UUID, Decimal, Decimal]


def levels_follow(changes: Sequence[Change]) -> None:
    """`changes` are (variant, warehouse, location, change on hand, change of what is available), as just made."""
    if not changes:
        return
    variants, warehouses, locations, amounts, freed = (list(column) for column in zip(*changes, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(FOLLOW, {
            "organization": active_organization_id(), "variants": variants, "warehouses": warehouses,
            "locations": locations, "changes": amounts, "freed": freed, "available": list(Location.AVAILABLE),
            "unfinished": list(ReorderTask.UNFINISHED),
        })


def levels_refresh(rules: Collection[UUID] | None = None) -> int:
    """Set the level of new or changed rules (all, without any) from the stock; returns how many differed."""
    with connection.cursor() as cursor:
        cursor.execute(REFRESH, {
            "organization": active_organization_id(), "available": list(Location.AVAILABLE),
            "rules": list(rules) if rules is not None else None,
        })
        return int(cursor.rowcount)
