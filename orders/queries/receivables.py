"""What customers owe, and what is owed to them: order by order, as it stands now."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id
from inventory.queries.analytics_sources import Page, Report
from inventory.queries.dashboard import IN_SOME

COLUMNS = (
    "order", "number", "placed_at", "customer", "code", "name", "currency", "total", "credited_total", "paid_total",
    "refunded_total", "open",
)
# An order that is canceled costs nothing; what was paid of it and not given back is the customer's.
OPEN = f"""
    open AS (
        SELECT o.*, CASE WHEN o.status = 'cancelled' THEN 0 ELSE o.total - o.credited_total END
                    - o.paid_total + o.refunded_total AS open
        FROM orders_salesorder AS o
        WHERE o.organization_id = %(organization)s AND o.status <> 'draft' AND {IN_SOME.format("o.warehouse_id")}
            AND (%(customer)s::uuid IS NULL OR o.customer_id = %(customer)s)
            AND (%(channel)s::uuid IS NULL OR o.channel_id = %(channel)s)
    )
"""
ROWS = f"""
    WITH {OPEN}
    SELECT o.id, o.number, o.placed_at, o.customer_id, COALESCE(c.code, ''), COALESCE(p.name, ''), o.currency, o.total,
           o.credited_total, o.paid_total, o.refunded_total, o.open
    FROM open AS o
    LEFT JOIN orders_customer AS c ON c.organization_id = o.organization_id AND c.id = o.customer_id
    LEFT JOIN accounts_party AS p ON p.organization_id = c.organization_id AND p.id = c.party_id
    WHERE o.open <> 0 ORDER BY o.placed_at, o.id LIMIT %(limit)s OFFSET %(offset)s
"""
TOTALS = f"""
    WITH {OPEN}
    SELECT currency, count(*), COALESCE(sum(open) FILTER (WHERE open > 0), 0), COALESCE(-sum(open) FILTER (WHERE open < 0), 0),
           sum(open)
    FROM open WHERE open <> 0 GROUP BY currency ORDER BY currency
"""


@dataclass(frozen=True, slots=True)
class Owing:
    """Whose orders: of a customer, a channel, some warehouses, or of all (None)."""

    warehouses: Collection[UUID] | None = None
    customer: UUID | None = None
    channel: UUID | None = None


def receivables(owing: Owing, page: Page) -> Report:
    """Orders that are not settled, the oldest first. Amounts of different currencies are never added up."""
    values: dict[str, Any] = {
        "organization": active_organization_id(), "customer": owing.customer, "channel": owing.channel, "limit": page.limit,
        "offset": page.offset, "warehouses": None if owing.warehouses is None else list(owing.warehouses),
    }
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, values)
        names = ("currency", "orders", "owed", "owed_to_customers", "open")
        totals = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        cursor.execute(ROWS, values)
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in cursor.fetchall()]
    return Report(rows, sum(one["orders"] for one in totals), {"by_currency": totals})
