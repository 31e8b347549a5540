"""The stock at the end of each day, so that what was is found without replaying years."""

import time
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from core.errors import Invalid
from core.tenancy import active_organization_id
from inventory.queries.stock_totals import FIGURES, absence, reading, totals
from notifications.services.sittings import JobContext

# A posting of before midnight may not have been committed: a day is closed so much later.
SETTLING = timedelta(hours=1)
MOST_DAYS = 31  # at a time
MONTHS_BACK = 13  # so that reports of a year are quick from the first night on
EACH_DAY = timedelta(400)  # reports go back 366; of older days the ends of weeks and months are kept

LAST = """
    SELECT (SELECT max(day) FROM inventory_stocksnapshot WHERE organization_id = o.id), now() AT TIME ZONE o.timezone,
           ((SELECT min(created_at) FROM inventory_valueentry WHERE organization_id = o.id) AT TIME ZONE o.timezone)::date
    FROM accounts_organization AS o WHERE o.id = %s
"""
END = """
    SELECT (%s::date + 1)::timestamp AT TIME ZONE o.timezone FROM accounts_organization AS o WHERE o.id = %s
"""
SUMMED = ", ".join(f"sum({name}) AS {name}" for name in FIGURES)
MAKE = f"""
    WITH {totals()}, {absence()}, summed AS (
        SELECT variant_id, warehouse_id, {SUMMED} FROM total GROUP BY variant_id, warehouse_id
    )
    INSERT INTO inventory_stocksnapshot (id, organization_id, variant_id, warehouse_id, day, until, {", ".join(FIGURES)},
                                         last_seq, out_seconds, began_at)
    SELECT uuid7(), %(organization)s, s.variant_id, s.warehouse_id, %(day)s, %(until)s, {", ".join(f"s.{n}" for n in FIGURES)},
           a.last_seq, a.out_seconds, a.began_at
    FROM summed AS s JOIN absence AS a USING (variant_id, warehouse_id)
    ON CONFLICT DO NOTHING
"""
THIN = """
    DELETE FROM inventory_stocksnapshot
    WHERE organization_id = %(organization)s AND day >= %(from)s AND day < %(before)s
        AND EXTRACT(isodow FROM day) <> 7 AND EXTRACT(day FROM day + 1) <> 1
"""


def snapshots_make(*, through: date) -> int:
    """The days after the last snapshot up to this one, 31 at most, in this transaction; returns how many rows it wrote.

    Where there is none yet, this day and the ends of the 13 months before it, as far as the ledger goes back. Called again, it
    goes on where it stopped. Raises Invalid for a day that is not over for an hour.
    """
    return sum(_make(day) for day in _missing(through))


def snapshots_follow(*, context: JobContext, today: date) -> dict[str, int]:
    """The same as a job, up to the day before: each day is committed, and when time runs short the job rests. Removes those of
    long ago that are not kept. Raises Continue."""
    known = context.state or {"days": [str(day) for day in _missing(today - timedelta(1))], "rows": 0}
    days, rows, longest = known["days"], known["rows"], 0.0
    while days:
        began = time.monotonic()
        rows += _make(date.fromisoformat(days[0]))
        days, longest = days[1:], max(longest, time.monotonic() - began)
        if days:
            context.checkpoint_or_rest({"days": days, "rows": rows}, took=longest)
    return {"rows": rows, "removed": snapshots_thin(today=today)}


def _missing(through: date) -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(LAST, [active_organization_id()])
        last, clock, began = cursor.fetchone()
    if datetime.combine(through + timedelta(1), datetime.min.time()) + SETTLING > clock:
        raise Invalid(f"{through} is not over for an hour.", fields={"day": "not over"})
    return _ends_of_months(began or through, through) if last is None else _days_after(last, through)


def snapshots_thin(*, today: date) -> int:
    """Of the days that came to be 400 days old in the last month only Sundays and the ends of months are kept; returns how many
    rows went."""
    before = today - EACH_DAY
    values: dict[str, Any] = {"organization": active_organization_id(), "from": before - timedelta(MOST_DAYS), "before": before}
    return _written(THIN, values)


def _make(day: date) -> int:
    with connection.cursor() as cursor:
        cursor.execute(END, [day, active_organization_id()])
        until = cursor.fetchone()[0]
    return _written(MAKE, reading([until]).values | {"day": day, "until": until})


def _written(sql: str, values: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        count: int = cursor.rowcount
    return count


def _ends_of_months(began: date, through: date) -> list[date]:
    """And `through` itself."""
    found, first = [through], through.replace(day=1)
    while len(found) <= MONTHS_BACK and first > began:
        found.append(first - timedelta(1))
        first = found[-1].replace(day=1)
    return found[::-1]


def _days_after(last: date, through: date) -> list[date]:
    return [last + timedelta(ahead + 1) for ahead in range(min(MOST_DAYS, (through - last).days))]
