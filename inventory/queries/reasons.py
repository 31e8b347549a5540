from django.db import connection

from core.tenancy import active_organization_id
from inventory.models import ReasonCode

ENOUGH = 1_000  # moves to count: which of two reasons is used more is known long before

MOST_USED_FIRST = """
    SELECT r.id FROM inventory_reasoncode AS r
    CROSS JOIN LATERAL (
        SELECT count(*) AS times FROM (
            SELECT FROM inventory_stockmove AS m WHERE m.organization_id = r.organization_id AND m.reason_id = r.id LIMIT %s
        ) AS used
    ) AS used
    WHERE r.organization_id = %s AND r.kind = %s ORDER BY used.times DESC, r.code
"""


def reasons_by_use(kind: ReasonCode.Kind) -> list[ReasonCode]:
    with connection.cursor() as cursor:
        cursor.execute(MOST_USED_FIRST, [ENOUGH, active_organization_id(), kind])
        order = [key for (key,) in cursor.fetchall()]
    rows = ReasonCode.objects.in_bulk(order)
    return [rows[key] for key in order]
