"""The numbers on the first page."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from core.tenancy import active_organization_id
from inventory.queries.levels import IS_BOUGHT

DAYS = 30

NUMBERS = f"""
    SELECT o.base_currency, o.timezone,
        (SELECT COALESCE(sum(s.quantity * v.standard_cost), 0) FROM inventory_stockitem AS s
         JOIN inventory_productvariant AS v ON v.organization_id = s.organization_id AND v.id = s.variant_id
         WHERE s.organization_id = o.id),
        (SELECT count(*) FROM inventory_productvariant WHERE organization_id = o.id AND archived_at IS NULL),
        (SELECT count(*) FROM inventory_reorderrule AS r
         WHERE r.organization_id = o.id AND r.is_low AND r.is_active AND {IS_BOUGHT.format("r")}),
        (SELECT count(*) FROM inventory_productvariant AS v WHERE v.organization_id = o.id AND v.archived_at IS NULL
            AND NOT EXISTS (SELECT FROM inventory_stockitem AS s
                            WHERE s.organization_id = o.id AND s.variant_id = v.id AND s.quantity > 0)),
        (SELECT count(*) FROM inventory_reordertask WHERE organization_id = o.id AND status = 'open')
    FROM accounts_organization AS o WHERE o.id = %s
"""

# Days in the organization's own time zone.
MOVES = """
    SELECT (m.occurred_at AT TIME ZONE o.timezone)::date, count(*)
    FROM inventory_stockmove AS m JOIN accounts_organization AS o ON o.id = m.organization_id
    WHERE m.organization_id = %s AND m.occurred_at >= %s
    GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Overview:
    """Value at standard cost; `low` counts what a check would find to buy, with a task or without; moves of 30 days."""

    stock_value: Decimal
    currency: str
    skus: int
    low: int
    out_of_stock: int
    open_reorder_tasks: int
    moves_per_day: list[tuple[date, int]]


def overview() -> Overview:
    organization_id = active_organization_id()
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, [organization_id])
        currency, zone, value, skus, low, out, tasks = cursor.fetchone()
        midnight = timezone.localtime(timezone=ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
        cursor.execute(MOVES, [organization_id, midnight - timedelta(days=DAYS - 1)])
        moves = dict(cursor.fetchall())
    days = [midnight.date() - timedelta(days=number) for number in reversed(range(DAYS))]
    return Overview(value, currency, skus, low, out, tasks, [(day, moves.get(day, 0)) for day in days])
