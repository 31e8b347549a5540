"""A pass over all goods in portions: it makes what one portion makes, is interrupted and goes on; and the classes likewise."""

import os
import signal
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import FeatureFlag
from inventory.models import DemandForecast, Location, ProductVariant, ReorderRule, StockCountPlan, StockSnapshot, Warehouse
from inventory.queries.closings import today
from inventory.queries.forecasts import WEEK, this_week
from inventory.services import abc, forecasts
from inventory.services.count_plans import stock_count_plans_open
from inventory.services.forecasts import forecasts_compute
from inventory.services.snapshots import snapshots_make
from inventory.tasks import forecast as forecast_task
from inventory.tasks import snapshot_stock, write_abc_classes
from notifications.services.endings import jobs_recover
from notifications.services.sittings import JobContext
from tests.companies import Company
from tests.factories.inventory import ProductVariantFactory
from tests.inventory.goods import Goods
from tests.inventory.test_forecasts import issued
from tests.inventory.test_races import at_once
from tests.inventory.worth import Worth, ago, posted
from tests.notifications.at_work import change, enqueued, quiet, reread, run_all, run_next, tries

SHOWN = ("variant__sku", "warehouse__code", "period_start", "method", "quantity", "low", "high", "error", "weeks", "actual")


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Iterator[Company]:
    quiet()
    yield new_company()
    quiet()


def some_goods(count: int) -> tuple[Goods, list[ProductVariant]]:
    """In the active organization, each with an issue in each of some weeks and a rule by forecast."""
    goods = Goods.create()
    variants = [goods.bolt, goods.nut, *ProductVariantFactory.create_batch(count - 2, product=goods.bolt.product)]
    for number, variant in enumerate(variants, 1):
        goods.receive(9, variant=variant)
        goods.rule(minimum=1, variant=variant, method=ReorderRule.Method.FORECAST, lead_time_days=7)
        for weeks_ago in range(1, 8, 1 + number % 2):
            issued(goods, weeks_ago, number + weeks_ago, variant)
    return goods, variants


def outdated(goods: Goods, variant: ProductVariant, warehouse: Warehouse | None = None) -> None:
    """A forecast of this week that nothing asks for any more."""
    DemandForecast.objects.create(
        variant=variant, warehouse=warehouse or goods.warehouse, period_start=this_week(), method="average", quantity=1, low=1,
        high=1, method_errors={}, weeks=1, computed_at=timezone.now() - WEEK,
    )


def made(size: int, warehouses: Collection[UUID] | None, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a pass in such portions leaves; taken back."""
    monkeypatch.setattr(forecasts, "BALANCES", size)
    with transaction.atomic():
        found: dict[str, Any] = forecasts_compute(warehouses=warehouses)
        found["rows"] = list(DemandForecast.objects.order_by(*SHOWN[:3]).values_list(*SHOWN))
        found["rules"] = list(ReorderRule.objects.order_by("pk").values_list("pk", "min_quantity", "explanation"))
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("size", [1, 2, 5])
def test_portions_make_what_one_pass_makes(size: int, acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    with acme.scope():
        goods, variants = some_goods(7)
        branch = Warehouse.objects.create(code="W2", name="Branch")
        place = Location.objects.create(warehouse=branch, code="B-1")
        for variant in variants[::2]:
            issued(goods, 3, 5, variant, from_location=place)
        forecasts_compute(day=this_week() - 2 * WEEK)
        issued(goods, 2, 40)  # late, in a week that is over
        vanished = ProductVariantFactory.create_batch(3, product=goods.bolt.product)
        for variant in vanished:
            outdated(goods, variant)
            outdated(goods, variant, branch)
        never_received = ProductVariantFactory.create(product=goods.bolt.product)
        issued(goods, 1, 2, never_received)
        for warehouses, forgotten in ((None, 6), ([branch.pk], 3), ([], 0)):
            whole = made(1000, warehouses, monkeypatch)
            assert made(size, warehouses, monkeypatch) == whole
            of_vanished = [row for row in whole["rows"] if row[0] in {variant.sku for variant in vanished}]
            assert len(of_vanished) == 6 - forgotten
        assert made(size, None, monkeypatch)["forecasts"] == 7 + 4 + 1


def test_a_small_organization_pays_for_one_portion(acme: Company) -> None:
    with acme.scope():
        goods, _ = some_goods(3)

        def sent() -> int:
            with CaptureQueriesContext(connection) as queries:
                forecasts_compute(day=this_week())
            return len(queries) - 1  # the week's own

        few = sent()
        for variant in ProductVariantFactory.create_batch(9, product=goods.bolt.product):
            issued(goods, 2, 4, variant)
        assert (few, sent()) == (5, 5)


def test_a_pass_that_was_killed_goes_on_and_makes_nothing_twice(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    with company.scope():
        goods, variants = some_goods(4)
        outdated(goods, ProductVariantFactory.create(product=goods.bolt.product))
    job = enqueued(company, forecast_task)
    monkeypatch.setattr(forecasts, "BALANCES", 1)
    settle = forecasts.minimums_compute

    def dies() -> None:
        """In the middle of the second portion, whose forecasts are written but not committed."""
        portions: list[Any] = []

        def second_dies(**values: Any) -> int:
            portions.append(values)
            if len(portions) == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return settle(**values)

        forecasts.minimums_compute = second_dies
        run_next()

    assert ended(dies) == -signal.SIGKILL
    with company.scope():
        before = list(DemandForecast.objects.filter(error__isnull=False).values_list("pk", "computed_at"))
    assert len(before) == 2, "a portion of one balance and the one after it"
    state = reread(company, job).checkpoint
    assert (state["monday"], state["forecasts"]) == (str(week_of(company)), 2)
    change(job, "heartbeat_at = now() - interval '1 hour'")
    assert jobs_recover() == 1
    assert run_next() == "succeeded"
    with company.scope():
        assert set(before) < set(DemandForecast.objects.values_list("pk", "computed_at")), "not made again"
        assert {one.variant_id for one in DemandForecast.objects.all()} == {variant.pk for variant in variants}
        assert not ReorderRule.objects.filter(explanation=None).exists()
    assert reread(company, job).result == {"forecasts": 4, "minimums": 4}


def ended(work: Callable[[], None]) -> int:
    """Runs it in a process of its own; how that ended."""
    connections.close_all()
    pid = os.fork()
    if not pid:
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def week_of(company: Company) -> Any:
    with company.scope():
        return this_week()


def test_a_pass_rests_when_its_time_runs_short(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    with company.scope():
        some_goods(4)
    job = enqueued(company, forecast_task)
    monkeypatch.setattr(forecasts, "BALANCES", 1)
    monkeypatch.setattr(JobContext, "time_left", lambda context: 0)
    assert run_all() == ["queued", "queued", "succeeded"]
    assert [outcome for _, outcome in tries(company, job)] == ["continued", "continued", "succeeded"]
    assert reread(company, job).result == {"forecasts": 4, "minimums": 4}


# --- ABC classes, by the month ------------------------------------------------------------------------------


def classes(company: Company) -> list[str]:
    with company.scope():
        return list(ProductVariant.objects.order_by("sku").values_list("abc_class", flat=True))


def test_classes_are_written_by_the_month_in_portions(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    with company.scope():
        goods = Goods.create()
        ProductVariant.objects.update(abc_class="B")
        day = str(today() + timedelta(days=1))
    monkeypatch.setattr(abc, "CHANGES", 1)
    monkeypatch.setattr(JobContext, "time_left", lambda context: 0)
    enqueued(company, write_abc_classes, day)
    assert (run_all(), classes(company)) == (["succeeded"], ["B", "B"]), "where nothing was issued they stay"
    with company.scope():
        goods.receive(10)
        goods.issue(4)
        flag = FeatureFlag.objects.create(key=abc.BY_HAND, enabled=True)
    enqueued(company, write_abc_classes, day)
    assert (run_all(), classes(company)) == (["succeeded"], ["B", "B"]), "the organization writes them itself"
    with company.scope():
        flag.delete()
    job = enqueued(company, write_abc_classes, day)
    assert (run_all(), classes(company)) == (["queued", "queued", "succeeded"], ["A", ""])
    assert reread(company, job).result == {"changed": 2}


# --- Snapshots ----------------------------------------------------------------------------------------------


def test_each_day_of_a_snapshot_is_committed(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a night that is missing is made up for."""
    with company.scope():
        worth = Worth.create()
        posted(2, ago(4), worth.bolt, worth.goods.shelf)
        snapshots_make(through=ago(4).date())
        before = set(StockSnapshot.objects.values_list("day", flat=True))
    monkeypatch.setattr(JobContext, "time_left", lambda context: 0)
    job = enqueued(company, snapshot_stock, ago(1).date().isoformat())
    assert run_all() == ["queued", "succeeded"]
    assert reread(company, job).result == {"rows": 2, "removed": 0}
    with company.scope():
        made = set(StockSnapshot.objects.values_list("day", flat=True)) - before
    assert made == {ago(3).date(), ago(2).date()}


# --- Counts of a plan ---------------------------------------------------------------------------------------


def test_two_jobs_open_one_count_of_a_plan(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(3)
        goods.receive(3, to=goods.other_shelf)
        StockCountPlan.objects.create(warehouse=goods.warehouse, every_days=30, lines_at_once=1)

    def opened(number: int) -> int:
        with company.scope():
            return len(stock_count_plans_open())

    assert sorted(at_once(4, opened)) == [0, 0, 0, 1]
