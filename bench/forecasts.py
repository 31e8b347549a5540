"""A year's demand of all goods of an organization: forecast in portions, as a job does, and minimums that follow; then the check.

There are as many goods, each with an issue now and then, as products; all belong to one organization, so that its job is long.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from resource import RUSAGE_SELF, getrusage
from statistics import median
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connections, transaction

from accounts.models import Organization
from bench.database import LARGE, TENANT, bare, member_of
from bench.filling import bare_tables
from bench.measuring import Result, times
from core.supervisor import progress
from core.tenancy import organization_scope
from inventory.queries.forecasts import HISTORY, WEEK, this_week
from inventory.services.forecasts import ITEMS, forecasts_compute_sitting
from inventory.services.replenishment import CHECK, reorder_check
from notifications.services.sittings import JobContext

ISSUES = 8  # of each of the goods, spread over the year

FILL = (
    """
    INSERT INTO inventory_stockmove (id, organization_id, kind, variant_id, quantity, from_location_id, note, document_type,
                                     occurred_at, idempotency_key, line)
    SELECT uuid7(), s.organization_id, 'issue', s.variant_id, 1 + abs(hashint4(n)) %% 9, s.location_id, '', 'bench',
           %(until)s::date - make_interval(days => 1 + (abs(hashtext(s.id::text)) %% 363 + n * 47) %% 363),
           '', 0
    FROM inventory_stockitem AS s, generate_series(1, %(issues)s) AS n
    WHERE s.organization_id = %(organization)s
    """,
    "ANALYZE inventory_stockmove",
)
# By the owner and without triggers: what is measured is what the forecasts change, not what makes the rules ready.
BY_FORECAST = """
    UPDATE inventory_reorderrule SET method = 'forecast', max_quantity = NULL, cover_days = 30, lead_time_days = 14
    WHERE organization_id = %s
"""
AS_BEFORE = """
    UPDATE inventory_reorderrule
    SET method = 'fixed', min_quantity = 10, max_quantity = 200, cover_days = NULL, lead_time_days = NULL, explanation = NULL
    WHERE organization_id = %s AND method = 'forecast'
"""


class Portions:
    """What a job's context does for the forecast: each portion is committed. `took` has the seconds of each."""

    state = None

    def __init__(self, organization_id: UUID) -> None:
        self.organization_id, self.scope = organization_id, ExitStack()
        self.took: list[float] = []

    def run(self) -> dict[str, int]:
        self._open()
        found = forecasts_compute_sitting(context=cast(JobContext, self))
        self._close()
        return found

    def checkpoint_or_rest(self, state: Any, *, took: float) -> None:
        self._close()
        self._open()

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        pass

    def _open(self) -> None:
        self.began = time.monotonic()
        self.scope.enter_context(organization_scope(self.organization_id))

    def _close(self) -> None:
        self.scope.close()
        self.took.append(time.monotonic() - self.began)

    @property
    def evenness(self) -> float:
        """The portions of the last quarter beside those of the first; the last one is not full."""
        full = self.took[:-1]
        quarter = max(1, len(full) // 4)
        return median(full[-quarter:]) / median(full[:quarter])


def run(size: int) -> Iterator[Result]:
    organization_id = member_of(TENANT if size <= 20_000 else LARGE).organization_id  # who has nearly all of the products
    _fill(organization_id)
    app = bare("default")
    values = _whole_year(organization_id)

    def floor() -> None:
        with app.transaction():
            app.execute("SELECT set_config('app.organization_id', %s, true)", [str(organization_id)])
            app.execute(f"SELECT count(*) FROM ({ITEMS}) AS i", values).fetchall()

    before = peak()
    passes: list[tuple[Portions, dict[str, int]]] = []

    def forecast() -> None:
        portions = Portions(organization_id)
        passes.append((portions, portions.run()))

    with _rules_by_forecast(organization_id):
        least, ours = _taken(floor, forecast)
        (portions, made), memory = passes[-1], f"{peak()} MB at most, {before} MB before"
        name = f"forecast {made['forecasts']:,} goods and {made['minimums']:,} minimums, beside their demand; {memory}"
        yield Result(name, size, ours, least)
        (again,) = _taken(forecast)
        yield Result(f"the same again, {passes[-1][1]['minimums']:,} minimums changed", size, again)
        if len(portions.took) > 8:
            name = f"a portion of the last quarter of {len(portions.took)}, beside one of the first"
            yield Result(name, size, portions.evenness, 1, target=("ratio", 1.5))
        yield from _check(organization_id, size, made["minimums"])


def _taken(*sides: Callable[[], object]) -> list[float]:
    """Once each: they take minutes, and what they write is part of it."""
    found = []
    for side in sides:
        began = time.perf_counter()
        side()
        found.append((time.perf_counter() - began) * 1000)
    return found


def peak() -> int:
    """The most memory that this process has had so far, in MB."""
    return getrusage(RUSAGE_SELF).ru_maxrss // 1024


def _whole_year(organization_id: UUID) -> dict[str, Any]:
    """What the statement that reads the demand is told."""
    monday = this_monday(organization_id)
    zone = ZoneInfo(Organization.objects.using("worker").get(pk=organization_id).timezone)
    first = monday - HISTORY * WEEK
    begins, ends = (datetime.combine(day, datetime.min.time(), zone) for day in (first, monday))
    return {
        "organization": organization_id, "first": first, "begins": begins, "ends": ends, "warehouses": None,
        "after": None, "last": None,
    }


def this_monday(organization_id: UUID) -> Any:
    with organization_scope(organization_id):
        return this_week()


def _fill(organization_id: UUID) -> None:
    until = this_monday(organization_id) - timedelta(days=1)
    with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM inventory_stockmove WHERE document_type = 'bench' AND organization_id = %s)", [
            organization_id,
        ])  # fmt: skip
        if cursor.fetchone()[0]:
            return
        with progress("  a year of issues"), bare_tables(cursor, ["inventory_stockmove"]):
            for statement in FILL:
                cursor.execute(statement, {"organization": organization_id, "until": until, "issues": ISSUES})


@contextmanager
def _rules_by_forecast(organization_id: UUID) -> Iterator[None]:
    """All rules of the organization, until the end."""
    def change(*statements: str) -> None:
        with transaction.atomic("owner"), connections["owner"].cursor() as cursor:
            cursor.execute("ALTER TABLE inventory_reorderrule DISABLE TRIGGER USER")
            for statement in statements:
                cursor.execute(statement, [organization_id])
            cursor.execute("ALTER TABLE inventory_reorderrule ENABLE TRIGGER USER")
        with connections["owner"].cursor() as cursor:
            cursor.execute("VACUUM ANALYZE inventory_reorderrule")

    with progress("  rules by forecast"):
        change(AS_BEFORE, BY_FORECAST)  # somebody may have stopped the last run
    try:
        yield
    finally:
        change(AS_BEFORE)


def _check(organization_id: UUID, size: int, rules: int) -> Iterator[Result]:
    """By the minimums that came of the forecasts; rolled back."""
    with organization_scope(organization_id), connections["default"].cursor() as cursor:
        made: list[int] = []

        def check() -> None:
            with transaction.atomic():
                made.append(reorder_check())
                transaction.set_rollback(True)

        def plain() -> None:
            with transaction.atomic():
                cursor.execute(CHECK, {"organization": organization_id, "warehouses": None})
                transaction.set_rollback(True)

        lowest, ours = times(3, plain, check)
        name = f"reorder check with forecasts of {rules:,} items, {max(made):,} new tasks"
        yield Result(name, size, ours, lowest, 1, target=("ratio", 1.5))
