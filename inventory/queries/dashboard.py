"""The numbers on the first page."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from accounts.models import Organization
from core.tenancy import active_organization_id
from inventory.queries.levels import FITS, IS_BOUGHT

DAYS = 30

# A move counts in both of its warehouses.
IN_SOME = "(%(warehouses)s::uuid[] IS NULL OR {0} = ANY (%(warehouses)s::uuid[]))"

NUMBERS = f"""
    SELECT o.base_currency, o.timezone,
        o.costing_method, (SELECT COALESCE(sum(l.value), 0) FROM inventory_costlayer AS l
         WHERE l.organization_id = o.id AND l.is_open AND {IN_SOME.format("l.warehouse_id")}),
        (SELECT count(*) FROM inventory_productvariant WHERE organization_id = o.id AND archived_at IS NULL),
        (SELECT count(DISTINCT (r.variant_id, r.warehouse_id)) FROM inventory_reorderrule AS r
         WHERE r.organization_id = o.id AND r.is_low AND r.is_active AND {IS_BOUGHT.format("r")} AND {FITS.format("r")}
            AND {IN_SOME.format("r.warehouse_id")}),
        (SELECT count(*) FROM inventory_productvariant AS v WHERE v.organization_id = o.id AND v.archived_at IS NULL
            AND NOT v.is_kit AND NOT EXISTS (SELECT FROM inventory_stockitem AS s
                            WHERE s.organization_id = o.id AND s.variant_id = v.id AND s.quantity > 0
                                AND {IN_SOME.format("s.warehouse_id")})),
        (SELECT count(*) FROM inventory_reordertask AS t
         WHERE t.organization_id = o.id AND t.status = 'open' AND {IN_SOME.format("t.warehouse_id")})
    FROM accounts_organization AS o WHERE o.id = %(organization)s
"""

# Days in the organization's own time zone.
MOVES = f"""
    SELECT (m.occurred_at AT TIME ZONE o.timezone)::date, count(*)
    FROM inventory_stockmove AS m JOIN accounts_organization AS o ON o.id = m.organization_id
    WHERE m.organization_id = %(organization)s AND m.occurred_at >= %(since)s
        AND (%(warehouses)s::uuid[] IS NULL OR EXISTS (
            SELECT FROM inventory_location AS l
            WHERE l.organization_id = m.organization_id AND l.id IN (m.from_location_id, m.to_location_id)
                AND {IN_SOME.format("l.warehouse_id")}))
    GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Overview:
    """Value as the cost layers have it; `low` counts what a check would find to buy, with a task or without; moves of 30 days."""

    stock_value: Decimal
    costing_method: str
    currency: str
    skus: int
    low: int
    out_of_stock: int
    open_reorder_tasks: int
    moves_per_day: list[tuple[date, int]]


def overview(*, warehouses: Collection[UUID] | None = None) -> Overview:
    """Of all warehouses, or of some; the catalog is the organization's in any case."""
    values: dict[str, Any] = {
        "organization": active_organization_id(), "warehouses": None if warehouses is None else list(warehouses),
    }
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS, values)
        currency, zone, method, value, skus, low, out, tasks = cursor.fetchone()
        midnight = timezone.localtime(timezone=ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
        cursor.execute(MOVES, {**values, "since": midnight - timedelta(days=DAYS - 1)})
        moves = dict(cursor.fetchall())
    days = [midnight.date() - timedelta(days=number) for number in reversed(range(DAYS))]
    per_day, costing = [(day, moves.get(day, 0)) for day in days], Organization.CostingMethod(method).label
    return Overview(value, costing, currency, skus, low, out, tasks, per_day)
