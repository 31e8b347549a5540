"""Reports read days that were summed before, and say what the orders say, whatever has changed since."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ExchangeRate, Organization
from core.invariants import broken
from inventory.models import StockMove, Warehouse
from inventory.queries.spans import DAY, Days, Span
from inventory.services.landed_costs import landed_cost_add
from orders.models import Channel, OrderAdjustment, SalesDay, SalesDayChange, SalesOrder
from orders.queries import order_analytics
from orders.queries.order_analytics import GROUPINGS, PRODUCT, Sales, revenue, states
from orders.queries.sales_days import Standing, day_bounds, standing
from orders.services.fulfilment import sales_order_pack, sales_order_ship
from orders.services.order_lines import NewAdjustment, NewLine
from orders.services.sales_days import sales_day_sum, sales_days_follow_everywhere
from orders.services.sales_orders import sales_order_cancel, sales_order_create, sales_order_place
from tests.companies import Company
from tests.inventory.test_races import at_once
from tests.inventory.test_work_grows_with_rows import nodes, plans
from tests.orders.selling import Shop


def noon(ago: int) -> datetime:
    return datetime.combine(timezone.now().date() - timedelta(ago), time(12), UTC)


def span(days: int = 40) -> Span:
    organization = Organization.objects.get()
    first = timezone.localdate(timezone=ZoneInfo(organization.timezone)) - timedelta(days - 1)
    return Days(first, None, DAY).span(ZoneInfo(organization.timezone), timezone.now())


def said(sales: Sales | None = None) -> list[Any]:
    """What all reports say that may read days."""
    sales, days = sales or Sales(), span()
    found: list[Any] = [(states(sales, days).rows, states(sales, days).totals)]
    for group in set(GROUPINGS) - {PRODUCT}:
        for by_period in (True, False):
            report = revenue(sales, days, group_by=group, by_period=by_period)
            found.append((group, by_period, report.rows, report.count, report.totals))
    return found


def agree(monkeypatch: pytest.MonkeyPatch, *sales: Sales) -> None:
    """With what the orders say, and so does `manage.py verify`."""
    for some in sales or (Sales(),):
        by_days = said(some)
        with monkeypatch.context() as patch:
            patch.setattr(order_analytics, "standing", nothing_kept)
            assert said(some) == by_days
    assert not [rows for invariant, rows in broken() if rows and "sales of a day" in invariant.name]


def nothing_kept(days: Span) -> Standing:
    since, until = days.ends
    values = {"open_since": [since], "open_until": [until], "first": since, "until": until}
    return Standing(values | {"timezone": "", "kept_since": since, "kept_until": since, "open_days": []}, is_whole=True)


def sum_days() -> int:
    done = 0
    while sales_day_sum():
        done += 1
    return done


def placed(shop: Shop, ago: int, bolts: int = 1, *, is_shipped: bool = False, cart: SalesOrder | None = None) -> SalesOrder:
    order = sales_order_place(order=cart or shop.cart(bolts=bolts, nuts=1))
    if is_shipped:
        order = sales_order_ship(order=sales_order_pack(order=order))
    SalesOrder.objects.filter(pk=order.pk).update(placed_at=noon(ago))
    return order


def stocked() -> Shop:
    """Orders of four days and of today: shipped and canceled ones, one in dollars, one with freight, one by another channel."""
    shop = Shop.create(stock=100)
    for ago, bolts in ((30, 3), (30, 1), (9, 2)):
        placed(shop, ago, bolts, is_shipped=True)
    sales_order_cancel(order=placed(shop, 9, 7))
    SalesOrder.objects.filter(pk=placed(shop, 9, 5).pk).update(currency="USD")
    freight = NewAdjustment("shipping", "Post", Decimal("4.99"))
    lines = [NewLine(shop.goods.bolt.pk, Decimal(2))]
    placed(shop, 5, cart=sales_order_create(channel=shop.channel, lines=lines, adjustments=[freight]))
    far = Warehouse.objects.create(code="FAR", name="Far away")
    other = Channel.objects.create(code="FAR", name="By phone", currency="EUR", warehouse=far)
    SalesOrder.objects.filter(pk=placed(shop, 3).pk).update(channel=other, warehouse=far)
    sales_order_place(order=shop.cart(bolts=1))
    shop.cart(bolts=1)
    return shop


@pytest.fixture
def shop(acme: Company) -> Shop:
    with acme.scope():
        return stocked()


def kept_days() -> list[int]:
    """How many days ago they were."""
    today = timezone.now().date()
    return sorted({(today - day).days for day in SalesDay.objects.values_list("day", flat=True)}, reverse=True)


def test_days_say_what_their_orders_say(acme: Company, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with acme.scope():
        assert sum_days() == 4
        assert kept_days() == [30, 9, 5, 3]
        assert not SalesDayChange.objects.exists()
        far = Warehouse.objects.get(code="FAR")
        some = (Sales([far.pk]), Sales([shop.goods.warehouse.pk]), Sales(channel=shop.channel.pk))
        agree(monkeypatch, Sales(), *some)
        ExchangeRate.objects.create(base="EUR", quote="USD", valid_on=noon(20).date(), rate=Decimal("1.25"))
        agree(monkeypatch, *some)
        assert revenue(Sales(), span()).totals["unconverted"] == []


def test_what_is_summed_is_read_and_no_order_of_it(acme: Company, shop: Shop) -> None:
    with acme.scope():
        before = revenue(Sales(), span()).totals["revenue"]
        sum_days()
        SalesDay.objects.filter(day=noon(5).date()).update(revenue=1_000)
        assert revenue(Sales(), span()).totals["revenue"] == before - 10 + 1_000
        [wrong] = [rows for invariant, rows in broken() if rows and "sales of a day" in invariant.name]
        assert len(wrong) == 1 and "in EUR" in wrong[0]
    response = acme.api.get("/api/v1/analytics/orders/revenue/", {"period": "month"})
    assert Decimal(response.json()["totals"]["revenue"]) == before - 10 + 1_000


def change_status(shop: Shop, order: SalesOrder) -> None:
    SalesOrder.objects.filter(pk=order.pk).update(status="completed")


def take_one_back(shop: Shop, order: SalesOrder) -> None:
    order.lines.filter(line=1).update(returned_quantity=1)


def take_freight_off(shop: Shop, order: SalesOrder) -> None:
    OrderAdjustment.objects.all().delete()


def add_freight(shop: Shop, order: SalesOrder) -> None:
    order.adjustments.create(kind="surcharge", label="Late", net_amount=7)


def cost_more(shop: Shop, order: SalesOrder) -> None:
    """What the goods had cost is found out later."""
    receipt = StockMove.objects.filter(kind="receipt", variant=shop.goods.bolt).first()
    landed_cost_add(amount=Decimal(50), by="value", moves=[receipt.pk])


def another_day(shop: Shop, order: SalesOrder) -> None:
    SalesOrder.objects.filter(pk=order.pk).update(placed_at=noon(20))


@pytest.mark.parametrize("change", [change_status, take_one_back, take_freight_off, add_freight, cost_more, another_day])
def test_late_changes_are_seen_at_once(
    change: Callable[[Shop, SalesOrder], None], acme: Company, shop: Shop, monkeypatch: pytest.MonkeyPatch,
) -> None:
    with acme.scope():
        order = SalesOrder.objects.filter(placed_at=noon(30), status="shipped").order_by("number")[0]
        sum_days()
        before = said()
        change(shop, order)
        assert said() != before
        agree(monkeypatch)
        assert sum_days() >= 1
        assert not SalesDayChange.objects.exists()
        agree(monkeypatch)


def test_orders_of_a_day_that_is_not_over_note_nothing(acme: Company, shop: Shop) -> None:
    with acme.scope():
        sum_days()
        sales_order_ship(order=sales_order_pack(order=sales_order_place(order=shop.cart())))
        order = sales_order_place(order=shop.cart())
        assert not SalesDayChange.objects.exists()
        SalesOrder.objects.filter(pk=order.pk).update(placed_at=timezone.now() - timedelta(hours=3))
        sum_days()
        assert not SalesDayChange.objects.exists()
        assert 0 not in kept_days()


def test_another_time_zone_has_other_days(acme: Company, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with acme.scope():
        SalesOrder.objects.filter(placed_at=noon(9)).update(placed_at=noon(9) + timedelta(hours=11))
        sum_days()
        Organization.objects.update(timezone="Asia/Kathmandu")
        agree(monkeypatch)
        assert sum_days() == 4
        assert kept_days() == [30, 8, 5, 3]
        agree(monkeypatch)


def test_midnight_is_where_the_clock_first_shows_it() -> None:
    """In Havana one hour is struck twice."""
    since, until = day_bounds(date(2025, 11, 2), "America/Havana")
    assert (since.hour, until - since) == (4, timedelta(hours=25))


def test_a_report_of_a_year_is_two_statements_that_read_few_orders(acme: Company, shop: Shop) -> None:
    with acme.scope():
        sum_days()
        year = span(365)
        with CaptureQueriesContext(connection) as sent:
            revenue(Sales(), year, by_period=True)
        assert len(sent) == 2
        [plan] = plans(lambda: revenue(Sales(), year))
        assert "Full" in [one.get("Join Type") for one in nodes(plan)], "lines are never compared with each cost, one by one"
        assert standing(year).values["open_since"] == [day_bounds(noon(3).date(), "UTC")[1]]
        SalesOrder.objects.filter(placed_at__lt=noon(4)).update(total=F("total") + 1)
        starts = [since.date() for since in standing(year).values["open_since"]]
        assert starts == [noon(30).date(), noon(9).date(), noon(5).date(), noon(2).date()]


def test_changes_while_days_are_summed_are_not_lost(new_company: Callable[[], Company], monkeypatch: pytest.MonkeyPatch) -> None:
    company = new_company()
    with company.scope():
        stocked()
        keys = list(SalesOrder.objects.filter(status="shipped").values_list("pk", flat=True))

    def work(number: int) -> int:
        done = 0
        for turn in range(25):
            with company.scope():
                if number < 2:
                    done += sales_day_sum()
                else:
                    SalesOrder.objects.filter(pk=keys[turn % len(keys)]).update(total=F("total") + 1)
        return done

    answers = at_once(4, work)
    assert all(isinstance(answer, int) for answer in answers), answers
    sales_days_follow_everywhere()
    with company.scope():
        assert not SalesDayChange.objects.exists()
        agree(monkeypatch)
