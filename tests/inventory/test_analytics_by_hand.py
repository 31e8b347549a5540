"""Reports say what one counts by hand from the same postings, with snapshots and without."""

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from inventory.models import ValueEntry
from inventory.queries.ageing import BOUNDS, ageing
from inventory.queries.ageing import NAMES as AGES
from inventory.queries.analytics_flow import turnover, turnover_over_time, value_over_time
from inventory.queries.analytics_sources import Goods
from inventory.queries.spans import Days
from inventory.queries.stockouts import stock_outs, stock_outs_over_time
from inventory.queries.valuation import Question, inventory_value
from inventory.services.snapshots import snapshots_make
from tests.companies import Company
from tests.inventory.worth import DAY, Worth, ago, posted


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    posts=st.lists(st.tuples(
        st.integers(1, 60 * 24), st.booleans(), st.booleans(), st.sampled_from([-3, -1, 1, 2, 4]),
    ), min_size=1, max_size=10, unique_by=lambda post: post[0]),
    snapshots=st.lists(st.integers(2, 50), max_size=3), period=st.sampled_from(["day", "week", "month"]),
    zone=st.sampled_from(["UTC", "America/New_York", "Pacific/Auckland"]),
)
@example(  # out when it was photographed, and come back
    posts=[(960, False, False, 1), (720, False, False, -1), (240, False, False, 1)], snapshots=[20], period="week", zone="UTC",
)
def test_as_counted_by_hand(posts: Any, snapshots: list[int], period: str, zone: str, acme: Company) -> None:
    with transaction.atomic(), acme.scope():
        worth, now = Worth.create("average", negative=True), timezone.now()
        Organization.objects.update(timezone=zone)
        history: list[tuple[datetime, Any, int]] = []
        for hours, is_nut, is_branch, change in sorted(posts, reverse=True):
            variant, shelf = worth.goods.nut if is_nut else worth.bolt, worth.branch_shelf if is_branch else worth.goods.shelf
            at = now - timedelta(hours=hours)
            posted(change, at, variant, shelf)
            history.append((at, (variant.pk, shelf.warehouse_id), change))
        for days in sorted(snapshots, reverse=True):
            snapshots_make(through=(now - days * DAY).astimezone(ZoneInfo(zone)).date())
        span = Days(first=ago(45).astimezone(ZoneInfo(zone)).date(), period=period).span(ZoneInfo(zone), now)
        bounds = span.bounds
        for (at, row) in zip(bounds[1:], value_over_time(Goods(), span), strict=True):
            assert row["quantity"] == sum(change for when, _, change in history if when < at)
            assert row["value"] == inventory_value(Question(as_of=at - timedelta(microseconds=1))).value
        entries = list(ValueEntry.objects.values_list("created_at", "value", "move__kind"))
        for (first, end), row in zip(pairwise(bounds), turnover_over_time(Goods(), span), strict=True):
            assert row["issued_value"] == -sum(value for at, value, kind in entries if first <= at < end and kind == "issue")
            average = sum(float(value) * ((end - max(at, first)) / (end - first)) for at, value, _ in entries if at < end)
            assert float(row["average_value"]) == pytest.approx(average, abs=0.001)
        [whole] = turnover(Goods(), span, group_by="total").rows or [{"issued_value": 0}]
        assert whole["issued_value"] == -sum(value for at, value, kind in entries if at >= bounds[0] and kind == "issue")
        told = stock_outs_over_time(Goods(), span)
        expected = out_by_hand(history, bounds) if told else []
        assert [float(row["days_out"]) for row in told] == pytest.approx(expected, abs=0.01)
        assert float(stock_outs(Goods(), span).totals["days_out"]) == pytest.approx(sum(expected), abs=0.02)
        transaction.set_rollback(True)


def test_what_comes_at_midnight_comes_on_the_day_that_begins(acme: Company) -> None:
    with acme.scope():
        worth, midnight = Worth.create("average"), timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - 2 * DAY
        posted(1, midnight - 3 * DAY, worth.bolt, worth.goods.shelf)
        posted(-1, midnight - 2 * DAY, worth.bolt, worth.goods.shelf)
        posted(1, midnight, worth.bolt, worth.goods.shelf)
        span = Days(first=(midnight - 4 * DAY).date(), period="day").span(ZoneInfo("UTC"), timezone.now())
        told = {row["from_day"]: (row["days_out"], row["items_out"]) for row in stock_outs_over_time(Goods(), span)}
    assert told[(midnight - DAY).date()] == (1, 1) and told[midnight.date()] == (0, 0)


def test_the_day_on_which_clocks_go_back_has_25_hours() -> None:
    day = date(2026, 11, 1)
    first, end = Days(first=day, last=day).span(ZoneInfo("America/New_York"), datetime(2026, 11, 20, tzinfo=UTC)).bounds
    assert end - first == timedelta(hours=25)


def out_by_hand(history: list[Any], bounds: list[datetime]) -> list[float]:
    """Of each period."""
    found = []
    for first, until in pairwise(bounds):
        days = 0.0
        for pair in {pair for _, pair, _ in history}:
            steps = [(at, change) for at, where, change in history if where == pair]
            before = sum(change for at, change in steps if at < bounds[0])
            if not before and not [at for at, _ in steps if at >= bounds[0]]:
                continue  # given up before the span
            begun = bounds[0] if steps[0][0] < bounds[0] else steps[0][0]
            if begun >= until:
                continue
            cuts = sorted({max(begun, first), *(at for at, _ in steps if first < at < until), until})
            for start, end in pairwise(cuts):
                if sum(change for at, change in steps if at <= start) <= 0:
                    days += (end - start) / DAY
        found.append(days)
    return found


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    receipts=st.lists(st.tuples(st.integers(1, 300), st.integers(0, 300), st.integers(1, 4)), min_size=1, max_size=8),
    issued=st.integers(0, 12),
)
@example(receipts=[(40, 0, 2), (30, 200, 3), (20, 0, 1), (10, 0, 1)], issued=4)  # one of the last three is older than the fourth
def test_ages_of_a_pool_are_those_of_what_occurred_last(receipts: Any, issued: int, acme: Company) -> None:
    """However late it was posted."""
    with transaction.atomic(), acme.scope():
        worth, now = Worth.create("average"), ago(0.5)  # so that no age is at the edge
        for days, late, quantity in sorted(receipts, reverse=True):
            posted(quantity, now - days * DAY, worth.bolt, worth.goods.shelf, occurred_at=now - (days + late) * DAY)
        left = sum(quantity for *_, quantity in receipts) - issued
        if issued and left > 0:
            posted(-issued, now, worth.bolt, worth.goods.shelf)
        expected, missing = dict.fromkeys(AGES, 0), left if left > 0 else left + issued
        for age, quantity in sorted((days + late, quantity) for days, late, quantity in receipts if days + late < 365):
            taken = min(quantity, missing)
            expected[AGES[bisect_right(BOUNDS, age + 0.5)]] += taken
            missing -= taken
        expected[AGES[-1]] += missing
        [row] = ageing(Goods()).rows
        assert {age["days"]: age["quantity"] for age in row["ages"]} == expected
        transaction.set_rollback(True)
