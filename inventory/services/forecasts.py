"""What is going to be used: a forecast of this week for whatever left a warehouse in the last year, and the minimums by it.

In portions of the goods, so that neither memory nor a transaction grows with how many there are.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple, Self
from uuid import UUID

from django.db import connection
from uuid_utils.compat import uuid7

from core.json import dumps
from core.tenancy import active_organization_id
from inventory.queries.forecasts import BETWEEN, DEMAND, HISTORY, PORTION, WEEK, monday_of, this_week
from inventory.services.forecasting import Forecast, forecast
from inventory.services.minimums import Portion, minimums_compute
from notifications.services.jobs import Order, job_made
from notifications.services.sittings import JobContext

FORECAST_TASK = "inventory.tasks.forecast"
BALANCES = 10_000  # in a portion: a few seconds, and some 40 MB
REVISED = 4  # weeks that are over, whose demand late moves may still change

OF_THE_PORTION = f"{BETWEEN.format('m.variant_id')} AND m.occurred_at >= %(begins)s AND m.occurred_at < %(ends)s"

ITEMS = f"""
    SELECT variant_id, warehouse_id, array_agg(week ORDER BY week), array_agg(quantity::float8 ORDER BY week)
    FROM ({DEMAND.format(OF_THE_PORTION)}) AS d GROUP BY variant_id, warehouse_id ORDER BY variant_id, warehouse_id
"""

# The rows are one text, whose making costs a tenth of what arrays cost; their ids come with them for the same reason.
WRITE = """
    INSERT INTO inventory_demandforecast (
        id, organization_id, variant_id, warehouse_id, period_start, method, quantity, low, high, error, method_errors, weeks,
        computed_at)
    SELECT f.id, %(organization)s, f.variant_id, f.warehouse_id, %(monday)s, f.method, f.quantity,
           f.low, f.high, f.error, f.method_errors, f.weeks, now()
    FROM json_to_recordset(%(rows)s::json) AS f(
        id uuid, variant_id uuid, warehouse_id uuid, method text, quantity numeric, low numeric, high numeric, error numeric,
        method_errors jsonb, weeks int)
    ON CONFLICT (organization_id, variant_id, warehouse_id, period_start) DO UPDATE SET
        method = excluded.method, quantity = excluded.quantity, low = excluded.low, high = excluded.high,
        error = excluded.error, method_errors = excluded.method_errors, weeks = excluded.weeks, computed_at = excluded.computed_at
"""
MOST = 9_999_999_999_999.0  # what a column holds

# What was forecast before and nobody wants any more, since its issues were taken back, is forgotten. What was forecast for the
# weeks that are over is compared with what came. Weeks are added to zero days, so that no index of weeks is taken: each portion
# would read the whole weeks by it, and while statistics are old, the planner thinks them small.
SETTLE = f"""
    WITH forgotten AS (
        DELETE FROM inventory_demandforecast
        WHERE organization_id = %(organization)s AND period_start + 0 = %(monday)s AND computed_at < now()
            AND (%(warehouses)s::uuid[] IS NULL OR warehouse_id = ANY (%(warehouses)s::uuid[]))
            AND {BETWEEN.format("variant_id")}
    )
    UPDATE inventory_demandforecast AS f SET actual = w.quantity
    FROM (
        SELECT p.id, COALESCE(d.quantity, 0) AS quantity
        FROM inventory_demandforecast AS p
        LEFT JOIN ({DEMAND.format(OF_THE_PORTION)}) AS d ON d.variant_id = p.variant_id AND d.warehouse_id = p.warehouse_id
            AND d.week = (p.period_start - %(first)s::date) / 7
        WHERE p.organization_id = %(organization)s AND p.period_start + 0 >= %(first)s AND p.period_start + 0 < %(until)s
            AND (%(warehouses)s::uuid[] IS NULL OR p.warehouse_id = ANY (%(warehouses)s::uuid[]))
            AND {BETWEEN.format("p.variant_id")}
    ) AS w
    WHERE f.organization_id = %(organization)s AND f.id = w.id AND f.actual IS DISTINCT FROM w.quantity
"""

type Series = tuple[UUID, UUID, Sequence[int], Sequence[float]]


class Pass(NamedTuple):
    """How far it has come: the goods up to the variant `after` are done."""

    monday: date
    after: UUID | None = None
    forecasts: int = 0
    minimums: int = 0
    is_over: bool = False

    @classmethod
    def of(cls, day: date | None) -> Self:
        return cls(monday_of(day) if day else this_week())

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        return cls(date.fromisoformat(state["monday"]), UUID(state["after"]), state["forecasts"], state["minimums"])

    def as_state(self) -> dict[str, Any]:
        return {"monday": str(self.monday), "after": str(self.after), **self.found()}

    def found(self) -> dict[str, int]:
        return {"forecasts": self.forecasts, "minimums": self.minimums}


def forecasts_compute(*, day: date | None = None, warehouses: Collection[UUID] | None = None) -> dict[str, int]:
    """Of the week of the day (today), by the moves of a year; in all warehouses or in some.

    Again in the same week, it replaces what it made. Says how many forecasts and minimums it wrote.
    """
    reached = Pass.of(day)
    while not reached.is_over:
        reached = _portion_computed(reached, warehouses)
    return reached.found()


def forecasts_compute_later(*, warehouses: Collection[UUID] | None = None) -> UUID:
    """The same as a job; its result is as the answer."""
    some = None if warehouses is None else sorted(map(str, warehouses))
    return job_made(Order(task=FORECAST_TASK, kwargs={"warehouses": some}))


def forecasts_compute_sitting(
    *, context: JobContext, day: date | None = None, warehouses: Collection[UUID] | None = None,
) -> dict[str, int]:
    """The same within a job: each portion is committed, and when time runs short the job rests. Raises Continue."""
    reached = Pass.from_state(context.state) if context.state else Pass.of(day)
    longest = 0.0
    while True:
        began = time.monotonic()
        reached = _portion_computed(reached, warehouses)
        longest = max(longest, time.monotonic() - began)
        if reached.is_over:
            return reached.found()
        context.checkpoint_or_rest(reached.as_state(), took=longest)
        context.progress(reached.forecasts, note="forecasts")


def _portion_computed(reached: Pass, warehouses: Collection[UUID] | None) -> Pass:
    values: dict[str, Any] = {
        "organization": active_organization_id(), "warehouses": None if warehouses is None else list(warehouses),
        "monday": reached.monday, "until": reached.monday, "after": reached.after,
    }
    first, late = reached.monday - HISTORY * WEEK, reached.monday - REVISED * WEEK
    with connection.cursor() as cursor:
        cursor.execute(PORTION, {**values, "size": BALANCES, "first": first, "late": late})
        values["last"], begins, late_begins, values["ends"] = cursor.fetchone()
        cursor.execute(ITEMS, {**values, "first": first, "begins": begins})
        made = _written(cursor, values, cursor.fetchall())
        cursor.execute(SETTLE, {**values, "first": late, "begins": late_begins})
    changed = minimums_compute(warehouses=warehouses, portion=Portion(reached.after, values["last"]))
    return Pass(reached.monday, values["last"], reached.forecasts + made, reached.minimums + changed, values["last"] is None)


def _written(cursor: Any, values: dict[str, Any], found: Sequence[Series]) -> int:
    if not found:
        return 0
    rows = [_row(*series) for series in found]
    cursor.execute(WRITE, {**values, "rows": dumps(rows).decode()})
    return int(cursor.rowcount)


def _row(variant_id: UUID, warehouse_id: UUID, weeks: Sequence[int], quantities: Sequence[float]) -> dict[str, Any]:
    demand = _since_the_first(weeks, quantities)
    found: Forecast = forecast(demand)
    return {
        "id": uuid7(), "variant_id": variant_id, "warehouse_id": warehouse_id, "method": found.method, "weeks": len(demand),
        "quantity": _rounded(found.quantity), "low": _rounded(found.low), "high": _rounded(found.high),
        "error": None if found.error is None else _rounded(found.error),
        "method_errors": {method: _rounded(error) for method, error in found.errors.items()},
    }


def _since_the_first(weeks: Sequence[int], quantities: Iterable[float]) -> list[float]:
    """Each week from the first in which there was any demand."""
    demand = [0.0] * (HISTORY - weeks[0])
    for week, quantity in zip(weeks, quantities, strict=True):
        demand[week - weeks[0]] = quantity
    return demand


def _rounded(number: float) -> str:
    return f"{min(number, MOST):.6f}"
