"""What is going to be used: a forecast of this week for whatever left a warehouse in the last year, and the minimums by it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from itertools import batched
from typing import Any
from uuid import UUID

from django.db import connection

from core.json import dumps
from core.tenancy import active_organization_id
from inventory.queries.forecasts import DEMAND, HISTORY, WEEK, monday_of, this_week
from inventory.services.forecasting import Forecast, forecast
from inventory.services.minimums import minimums_compute
from notifications.services.jobs import Order, job_made

FORECAST_TASK = "inventory.tasks.forecast"
ROWS = 5_000  # at a time
REVISED = 4  # weeks that are over, whose demand late moves may still change

ITEMS = f"""
    SELECT variant_id, warehouse_id, array_agg(week ORDER BY week), array_agg(quantity::float8 ORDER BY week)
    FROM ({DEMAND.format("true")}) AS d GROUP BY variant_id, warehouse_id
"""

WRITE = """
    INSERT INTO inventory_demandforecast (
        id, organization_id, variant_id, warehouse_id, period_start, method, quantity, low, high, error, method_errors, weeks,
        computed_at)
    SELECT uuid7(), %(organization)s, f.variant_id, f.warehouse_id, %(monday)s, f.method, f.quantity,
           f.low, f.high, f.error, f.method_errors, f.weeks, now()
    FROM unnest(%(variants)s::uuid[], %(warehouses)s::uuid[], %(methods)s::text[], %(quantities)s::numeric[], %(lows)s::numeric[],
                %(highs)s::numeric[], %(errors)s::numeric[], %(method_errors)s::jsonb[], %(weeks)s::int[])
        AS f(variant_id, warehouse_id, method, quantity, low, high, error, method_errors, weeks)
    ON CONFLICT (organization_id, variant_id, warehouse_id, period_start) DO UPDATE SET
        method = excluded.method, quantity = excluded.quantity, low = excluded.low, high = excluded.high,
        error = excluded.error, method_errors = excluded.method_errors, weeks = excluded.weeks, computed_at = excluded.computed_at
"""
MOST = 9_999_999_999_999.0  # what a column holds

# What was forecast before and nobody wants any more, since its issues were taken back.
FORGET = """
    DELETE FROM inventory_demandforecast
    WHERE organization_id = %(organization)s AND period_start = %(monday)s AND computed_at < now()
        AND (%(warehouses)s::uuid[] IS NULL OR warehouse_id = ANY (%(warehouses)s::uuid[]))
"""

COMPARE = f"""
    UPDATE inventory_demandforecast AS f SET actual = w.quantity
    FROM (
        SELECT p.id, COALESCE(d.quantity, 0) AS quantity
        FROM inventory_demandforecast AS p
        LEFT JOIN ({DEMAND.format("true")}) AS d ON d.variant_id = p.variant_id AND d.warehouse_id = p.warehouse_id
            AND d.week = (p.period_start - %(first)s::date) / 7
        WHERE p.organization_id = %(organization)s AND p.period_start >= %(first)s AND p.period_start < %(until)s
            AND (%(warehouses)s::uuid[] IS NULL OR p.warehouse_id = ANY (%(warehouses)s::uuid[]))
    ) AS w
    WHERE f.organization_id = %(organization)s AND f.id = w.id AND f.actual IS DISTINCT FROM w.quantity
"""


def forecasts_compute(*, day: date | None = None, warehouses: Collection[UUID] | None = None) -> dict[str, int]:
    """Of the week of the day (today), in one pass over the moves of a year; in all warehouses or in some.

    Again in the same week, it replaces what it made. Says how many forecasts and minimums it wrote.
    """
    monday = monday_of(day) if day else this_week()
    values: dict[str, Any] = {
        "organization": active_organization_id(), "until": monday, "warehouses": None if warehouses is None else list(warehouses),
    }
    made = sum(_write(monday, batch) for batch in batched(_forecasts({**values, "first": monday - HISTORY * WEEK}), ROWS))
    with connection.cursor() as cursor:
        cursor.execute(FORGET, {**values, "monday": monday})
        cursor.execute(COMPARE, {**values, "first": monday - REVISED * WEEK})
    return {"forecasts": made, "minimums": minimums_compute(warehouses=warehouses)}


def forecasts_compute_later(*, warehouses: Collection[UUID] | None = None) -> UUID:
    """The same as a job; its result is as the answer."""
    some = None if warehouses is None else sorted(map(str, warehouses))
    return job_made(Order(task=FORECAST_TASK, kwargs={"warehouses": some}))


def _forecasts(values: dict[str, Any]) -> Iterator[tuple[UUID, UUID, int, Forecast]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(ITEMS, values)
        while rows := cursor.fetchmany(ROWS):
            for variant_id, warehouse_id, weeks, quantities in rows:
                demand = _since_the_first(weeks, quantities)
                yield variant_id, warehouse_id, len(demand), forecast(demand)


def _since_the_first(weeks: Sequence[int], quantities: Iterable[float]) -> list[float]:
    """Each week from the first in which there was any demand."""
    demand = [0.0] * (HISTORY - weeks[0])
    for week, quantity in zip(weeks, quantities, strict=True):
        demand[week - weeks[0]] = quantity
    return demand


def _write(monday: date, batch: Sequence[tuple[UUID, UUID, int, Forecast]]) -> int:
    found = [one for *_, one in batch]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, {
            "organization": active_organization_id(), "monday": monday,
            "variants": [variant for variant, *_ in batch], "warehouses": [warehouse for _, warehouse, *_ in batch],
            "weeks": [weeks for _, _, weeks, _ in batch], "methods": [one.method for one in found],
            "quantities": [_rounded(one.quantity) for one in found], "lows": [_rounded(one.low) for one in found],
            "highs": [_rounded(one.high) for one in found],
            "errors": [None if one.error is None else _rounded(one.error) for one in found],
            "method_errors": [
                dumps({method: _rounded(error) for method, error in one.errors.items()}).decode() for one in found
            ],
        })
        return int(cursor.rowcount)


def _rounded(number: float) -> str:
    return f"{min(number, MOST):.6f}"
