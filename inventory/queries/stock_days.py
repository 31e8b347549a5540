"""What lay there at the end of each day, and what came and went on it."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection
from django.utils import timezone

from inventory.queries.stock_history import CHOSEN, LATELY, MOVES, Asked

# Of the last moves, however long the ledger is; if there are more of them, all days after the one on which the first of these
# was posted are whole.
DAYS = f"""
    WITH lately AS MATERIALIZED (
        SELECT (m.occurred_at AT TIME ZONE %(zone)s)::date AS day, (m.created_at AT TIME ZONE %(zone)s)::date AS posted, c.change
        FROM {MOVES} WHERE {CHOSEN} AND (%(before)s::bigint IS NULL OR m.seq < %(before)s::bigint)
        ORDER BY m.seq DESC LIMIT %(lately)s
    )
    SELECT day, COALESCE(sum(change) FILTER (WHERE change > 0), 0), COALESCE(-sum(change) FILTER (WHERE change < 0), 0),
        (SELECT min(posted) FROM lately HAVING count(*) = %(lately)s)
    FROM lately WHERE day >= %(first)s GROUP BY day
"""


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    came: Decimal
    went: Decimal
    balance: Decimal


def stock_days(asked: Asked, *, first: date, last: date, balance: Decimal) -> list[Day]:
    """From the first to the last; `balance` is what lies there before the move `asked.before`, or now.

    A day is one of the time zone in which moves are shown, and a move belongs to the day on which it happened. Days of which
    not all moves are among the last 10,000 are left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(DAYS, {
            **asked.values(), "zone": timezone.get_current_timezone_name(), "lately": LATELY, "first": first,
        })
        rows = cursor.fetchall()
    moved = {day: (came, went) for day, came, went, _ in rows}
    posted = rows[0][3] if rows else None
    whole = max(first, posted + timedelta(1)) if posted else first
    for day, (came, went) in moved.items():
        if day > last:
            balance -= came - went
    days = []
    for number in range((last - whole).days + 1):
        came, went = moved.get(last - timedelta(number), (Decimal(0), Decimal(0)))
        days.append(Day(last - timedelta(number), came, went, balance))
        balance -= came - went
    return days[::-1]
