"""A year's demand of all goods of an organization: forecast in one pass, and rules whose minimum follows; then the check.

There are as many goods, each with an issue now and then, as products; all belong to one organization, so that its job is long.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from resource import RUSAGE_SELF, getrusage
from typing import Any
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
from inventory.services.forecasts import ITEMS, forecasts_compute
from inventory.services.minimums import minimums_compute
from inventory.services.replenishment import CHECK, reorder_check

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
BY_FORECAST = """
    UPDATE inventory_reorderrule SET method = 'forecast', max_quantity = NULL, cover_days = 30, lead_time_days = 14
    WHERE organization_id = %s
"""


def run(size: int) -> Iterator[Result]:
    organization_id = member_of(TENANT if size <= 20_000 else LARGE).organization_id  # who has nearly all of the products
    _fill(organization_id)
    app = bare("default")
    values = _whole_year(organization_id)

    def floor() -> None:
        with app.transaction():
            app.execute("SELECT set_config('app.organization_id', %s, true)", [str(organization_id)])
            app.execute(f"SELECT count(*) FROM ({ITEMS}) AS i", values).fetchall()

    made: list[int] = []
    rounds, before = 3 if size > 100_000 else 7, peak()
    least, ours = times(rounds, floor, _scoped(organization_id, lambda: made.append(forecasts_compute()["forecasts"])))
    memory = f"{peak()} MB at most, {before} MB before"
    yield Result(f"forecast {made[-1]:,} goods, beside their demand; {memory}", size, ours, least)
    yield from _rules(organization_id, size)


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


def _scoped(organization_id: UUID, do: Callable[[], object]) -> Callable[[], object]:
    def call() -> None:
        with organization_scope(organization_id):
            do()

    return call


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


def _rules(organization_id: UUID, size: int) -> Iterator[Result]:
    """All rules of the organization by forecast, and the check by the minimums that come of it; rolled back."""
    with organization_scope(organization_id), transaction.atomic():
        with connections["default"].cursor() as cursor:
            cursor.execute(BY_FORECAST, [organization_id])
        changed = []
        times(1, lambda: changed.append(minimums_compute()))
        [again] = times(3, minimums_compute)
        yield Result(f"minimums of {max(changed):,} rules by forecast, none changed", size, again)
        made: list[int] = []

        def check() -> None:
            with transaction.atomic():
                made.append(reorder_check())
                transaction.set_rollback(True)

        def plain() -> None:
            with transaction.atomic():
                with connections["default"].cursor() as cursor:
                    cursor.execute(CHECK, {"organization": organization_id, "warehouses": None})
                transaction.set_rollback(True)

        lowest, ours = times(3, plain, check)
        yield Result(f"reorder check with forecasts, {max(made):,} new tasks", size, ours, lowest, 1, target=("ratio", 1.5))
        transaction.set_rollback(True)
