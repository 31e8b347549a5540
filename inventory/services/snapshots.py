"""The stock at the end of each day, so that what was is found without replaying years."""

from datetime import date, datetime, timedelta

from django.db import connection

from core.errors import Invalid
from core.tenancy import active_organization_id

# A posting of before midnight may not have been committed: a day is closed so much later.
SETTLING = timedelta(hours=1)
MOST_DAYS = 31  # at a time

LAST = """
    SELECT (SELECT max(day) FROM inventory_stocksnapshot WHERE organization_id = o.id), now() AT TIME ZONE o.timezone
    FROM accounts_organization AS o WHERE o.id = %s
"""
# The snapshot before it, and the entries since.
MAKE = """
    WITH ends AS (
        SELECT (%(day)s::date + 1)::timestamp AT TIME ZONE o.timezone AS until FROM accounts_organization AS o
        WHERE o.id = %(organization)s
    ), last AS (
        SELECT max(until) AS until FROM inventory_stocksnapshot
        WHERE organization_id = %(organization)s AND until < (SELECT until FROM ends)
    )
    INSERT INTO inventory_stocksnapshot (id, organization_id, variant_id, warehouse_id, day, until, quantity, value, last_seq)
    SELECT uuid7(), %(organization)s, s.variant_id, s.warehouse_id, %(day)s, (SELECT until FROM ends),
           sum(s.quantity), sum(s.value), max(s.seq)
    FROM (
        SELECT variant_id, warehouse_id, quantity, value, last_seq AS seq FROM inventory_stocksnapshot
        WHERE organization_id = %(organization)s AND until = (SELECT until FROM last)
        UNION ALL
        SELECT variant_id, warehouse_id, quantity, value, seq FROM inventory_valueentry
        WHERE organization_id = %(organization)s AND created_at >= COALESCE((SELECT until FROM last), '-infinity')
            AND created_at < (SELECT until FROM ends)
    ) AS s
    GROUP BY s.variant_id, s.warehouse_id HAVING sum(s.quantity) <> 0 OR sum(s.value) <> 0
    ON CONFLICT DO NOTHING
"""


def snapshots_make(*, through: date) -> int:
    """The days after the last snapshot up to this one, 31 at most, in this transaction; returns how many rows it wrote.

    Where there is none yet, this day alone. Called again, it goes on where it stopped. Raises Invalid for a day that is
    not over for an hour.
    """
    with connection.cursor() as cursor:
        cursor.execute(LAST, [active_organization_id()])
        last, clock = cursor.fetchone()
        if datetime.combine(through + timedelta(1), datetime.min.time()) + SETTLING > clock:
            raise Invalid(f"{through} is not over for an hour.", fields={"day": "not over"})
        first, made = (through if last is None else last + timedelta(1)), 0
        for ahead in range(min(MOST_DAYS, (through - first).days + 1)):
            cursor.execute(MAKE, {"organization": active_organization_id(), "day": first + timedelta(ahead)})
            made += cursor.rowcount
    return made
