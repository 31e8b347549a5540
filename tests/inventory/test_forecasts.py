"""What is going to be used, by which method and how wrong it was; and the minimums that follow it."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organization, Party
from inventory.models import DemandForecast, ProductVariant, ReasonCode, ReorderRule, ReorderTask, StockMove, Supplier
from inventory.queries.forecasts import HISTORY, WEEK, demand_history, this_week
from inventory.services.forecasting import AVERAGE, CROSTON, SMOOTHING, averaged, croston, forecast, smoothed
from inventory.services.forecasts import forecasts_compute
from inventory.services.replenishment import reorder_check, reorder_rules_settle
from inventory.services.reversal import stock_reverse
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.goods import Goods
from tests.limited import limited_api

FORECASTS = "/api/v1/demand-forecasts/"
Method = ReorderRule.Method


def issued(goods: Goods, weeks_ago: int, quantity: Any, variant: ProductVariant | None = None, **values: Any) -> StockMove:
    """A move as the service wrote it then, on the Wednesday of that week."""
    day = this_week() - weeks_ago * WEEK + timedelta(days=2)
    move: StockMove = StockMove.objects.create(**{
        "kind": "issue", "variant": variant or goods.bolt, "quantity": Decimal(quantity), "from_location": goods.shelf,
        "occurred_at": datetime.combine(day, time(12), UTC), **values,
    })
    return move


# --- The methods --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("demand", "method"), [
    (4 * [10, 2, 7, 1, 9, 3, 8, 4], AVERAGE),
    ([10 * week for week in range(1, 21)], SMOOTHING),
    (4 * ([9] + 10 * [0]) + [9, 0, 0], CROSTON),
], ids=["in turns", "growing", "slow"])
def test_the_method_that_was_least_wrong_is_taken(demand: list[float], method: str) -> None:
    found = forecast(demand)
    assert found.method == method
    assert found.error == min(found.errors.values()) == found.errors[method]
    assert set(found.errors) == {AVERAGE, SMOOTHING, CROSTON}


def test_a_short_history_has_no_error() -> None:
    found = forecast([4, 6])
    assert (found.method, found.quantity, found.error, found.low, found.high) == (AVERAGE, 5, None, 5, 5)


def test_the_methods_by_hand() -> None:
    assert averaged([8, 0, 4]) == [8, 8, 4, 4]
    assert averaged([16] + 8 * [8])[-2:] == [9, 8]
    assert smoothed([10, 20], 0.1) == [10, 10, 11]
    # Sizes 6, then 6 + (9 - 6) / 10; every third week, then 3 + (1 - 3) / 10; 5 % less for the bias.
    assert croston([6, 0, 0, 9, 6.3]) == pytest.approx([6, 6, 3, 2, 0.95 * 6.3 / 3, 0.95 * 6.3 / 2.8])


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=60))
def test_a_forecast_is_within_what_was_seen(demand: list[float]) -> None:
    found = forecast(demand)
    assert -1e-3 <= found.low <= found.quantity <= found.high
    assert found.quantity <= max(demand) * (1 + 1e-9) + 1e-3


# --- Of the moves -------------------------------------------------------------------------------------------


def test_demand_is_what_was_issued_and_stayed_issued(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(100)
        scrapped = ReasonCode.objects.create(kind="issue", code="OLD", name="Too old", takes_held=True)
        issued(goods, 3, 5)
        issued(goods, 1, 7)
        issued(goods, 1, 50, reason=scrapped)
        issued(goods, 1, 60, kind="adjustment")
        issued(goods, HISTORY + 1, 70)
        issued(goods, 0, 80)  # this week is not over
        taken_back = issued(goods, 2, 9)
        stock_reverse(moves=[taken_back.pk])
        weeks = demand_history(variant_id=goods.bolt.pk, warehouse_id=goods.warehouse.pk, until=this_week())
        assert [(week.period_start, week.quantity) for week in weeks] == [
            (this_week() - ago * WEEK, quantity) for ago, quantity in ((3, 5), (2, 0), (1, 7))
        ]
        assert forecasts_compute()["forecasts"] == 1
        found = DemandForecast.objects.get()
        assert (found.quantity, found.weeks, found.method, found.error) == (4, 3, "average", None)
        assert found.period_start == this_week()


def test_a_week_is_the_organizations(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        Organization.objects.update(timezone="Pacific/Auckland")
    with acme.scope():
        sunday = datetime.combine(this_week() - WEEK - timedelta(days=1), time(20), UTC)  # the Monday after it there
        issued(goods, 1, 5, occurred_at=sunday)
        weeks = demand_history(variant_id=goods.bolt.pk, warehouse_id=goods.warehouse.pk, until=this_week())
        assert [week.period_start for week in weeks] == [this_week() - WEEK]


def test_computed_again_it_replaces_and_forgets(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(100)
        issued(goods, 1, 7)
        gone = issued(goods, 1, 3, variant=goods.nut)
        goods.receive(3, variant=goods.nut)
        forecasts_compute()
        DemandForecast.objects.update(computed_at=timezone.now() - WEEK)
        stock_reverse(moves=[gone.pk])
        issued(goods, 1, 1)
        forecasts_compute()
        assert [(one.variant, one.quantity) for one in DemandForecast.objects.all()] == [(goods.bolt, 8)]


def test_what_came_is_put_beside_what_was_foreseen(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        issued(goods, 5, 10)
        monday = this_week()
        forecasts_compute(day=monday - 2 * WEEK)
        issued(goods, 2, 4)
        assert DemandForecast.objects.get().actual is None
        forecasts_compute()
        before, now = DemandForecast.objects.order_by("period_start")
        assert (before.period_start, before.quantity, before.actual) == (monday - 2 * WEEK, Decimal("3.333333"), 4)
        assert (now.period_start, now.actual) == (monday, None)


# --- Rules by forecast --------------------------------------------------------------------------------------


def by_forecast(goods: Goods, **values: Any) -> ReorderRule:
    rule = goods.rule(minimum=1, method=Method.FORECAST, **values)
    reorder_rules_settle(rules=[rule.pk])
    rule.refresh_from_db()
    return rule


def test_a_minimum_follows_the_forecast(acme: Company) -> None:
    """Seven a week: one a day for ten days, and four to be safe; then it covers a month."""
    with acme.scope():
        goods = Goods.create()
        supplier = Supplier.objects.create(party=Party.objects.create(name="B"), code="S1", lead_time_days=10)
        rule = by_forecast(goods, preferred_supplier=supplier, safety_stock=4, cover_days=30)
        assert (rule.min_quantity, rule.explanation) == (1, None), "until there is a forecast"
        goods.receive(20)
        for week in range(1, 13):
            issued(goods, week, 7)
        assert forecasts_compute() == {"forecasts": 1, "minimums": 1}
        assert forecasts_compute() == {"forecasts": 1, "minimums": 0}
        rule.refresh_from_db()
        assert (rule.min_quantity, rule.max_quantity, rule.is_low) == (14, 44, False)
        assert rule.explanation == {
            "week": str(this_week()), "method": "average", "weekly": "7.000000", "error": "0.000000", "lead_time_days": 10,
            "lead_time_demand": "10.000000", "safety_stock": "4.000000", "cover_days": 30, "service_level": None,
        }
        goods.issue(6)
        assert reorder_check() == 1
        task = ReorderTask.objects.get()
        assert (task.threshold, task.suggested_quantity, task.explanation["minimum"]) == (14, 30, rule.explanation)
        rule.lead_time_days = 3
        rule.save(update_fields=["lead_time_days"])
        reorder_rules_settle(rules=[rule.pk])
        rule.refresh_from_db()
        task.refresh_from_db()
        assert (rule.min_quantity, task.status) == (7, "done"), "at once, when the rule is written"
        rule.method = Method.FIXED
        rule.save(update_fields=["method"])
        reorder_rules_settle(rules=[rule.pk])
        rule.refresh_from_db()
        assert (rule.min_quantity, rule.explanation) == (7, None)


@pytest.mark.parametrize(("level", "safety"), [(50, 0), (84, 2), (99, 5)])
def test_safety_stock_by_the_service_level(level: int, safety: int, acme: Company) -> None:
    """The forecast is wrong by 2 a week: so many standard deviations of a lead time of a week, in whole pieces."""
    with acme.scope():
        goods = Goods.create()
        DemandForecast.objects.create(
            variant=goods.bolt, warehouse=goods.warehouse, period_start=this_week(), method="average", quantity=7, low=0, high=9,
            error=2, method_errors={}, weeks=9, computed_at=timezone.now(),
        )
        rule = by_forecast(goods, lead_time_days=7, service_level=level)
        assert (rule.min_quantity, rule.max_quantity) == (7 + safety, None)


def test_a_forecast_of_nearly_everything_stays_in_its_column(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        issued(goods, 1, "9999999999999")
        issued(goods, 1, "9999999999999")
        by_forecast(goods, lead_time_days=32767, cover_days=32767)
        assert forecasts_compute() == {"forecasts": 1, "minimums": 1}


# --- The API, the job, the pages ----------------------------------------------------------------------------


def test_through_the_api(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        issued(goods, 2, 6)
    assert assert_problem(acme.api_as("viewer").send("post", f"{FORECASTS}compute/"), 403)["missing_permission"] == (
        "inventory.run_demandforecast"
    )
    assert acme.api_as("manager").send("post", f"{FORECASTS}compute/").json() == {"forecasts": 1, "minimums": 0}
    [row] = acme.api_as("viewer").get(FORECASTS, {"variant": goods.bolt.pk}).json()["results"]
    assert (row["sku"], row["quantity"], row["error"]) == ("BOLT", "3.000000", None)
    history = acme.api.get(f"{FORECASTS}{row['id']}/history/").json()["weeks"]
    assert [week["quantity"] for week in history] == ["6.000000", "0"]
    elsewhere = limited_api(acme, goods.bolt.pk)
    assert elsewhere.send("post", f"{FORECASTS}compute/").json()["forecasts"] == 0
    assert elsewhere.get(FORECASTS).json()["results"] == []
    body = {"variant": goods.bolt.pk, "warehouse": goods.warehouse.pk, "min_quantity": "5", "method": "forecast"}
    refused = acme.api.send("post", "/api/v1/reorder-rules/", {**body, "max_quantity": "50"})
    assert "give cover_days" in assert_problem(refused, 400)["errors"][0]["detail"]
    made = acme.api.send("post", "/api/v1/reorder-rules/", {**body, "lead_time_days": 14, "safety_stock": "1"}).json()
    assert (made["min_quantity"], made["explanation"]["lead_time_demand"]) == ("7.000000", "6.000000")


def test_the_page_of_a_forecast(acme: Company) -> None:
    with acme.scope():
        issued(Goods.create(), 2, 6)
        forecasts_compute()
        pk = DemandForecast.objects.get().pk
    page = acme.admin.get(f"/admin/inventory/demandforecast/{pk}/demand")
    assert page.status_code in (200, 301)
