"""What the reports on orders say of orders whose figures are known."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ExchangeRate
from inventory.models import Warehouse
from orders.models import SalesOrder
from orders.services.fulfilment import sales_order_deliver, sales_order_pack, sales_order_ship
from orders.services.sales_orders import sales_order_cancel, sales_order_place
from tests.companies import Company
from tests.limited import limited_api
from tests.orders.selling import Shop

REVENUE, STATES, SERVICE = (f"/api/v1/analytics/orders/{name}/" for name in ("revenue", "states", "service"))


@pytest.fixture
def shop(acme: Company) -> Shop:
    """Two orders of 20.00 and 10.00 that were shipped and delivered, one of 25.00 that was not, one canceled, and a cart."""
    with acme.scope():
        shop = Shop.create(stock=20)
        shipped = [sales_order_place(order=shop.cart(bolts=bolts)) for bolts in (4, 2)]
        for order in shipped:
            sales_order_deliver(order=sales_order_ship(order=sales_order_pack(order=order)))
        sales_order_place(order=shop.cart(bolts=4, nuts=2))
        sales_order_cancel(order=sales_order_place(order=shop.cart(bolts=1)))
        shop.cart(bolts=1)
        now = timezone.now()
        for days, order in enumerate(shipped, 2):
            SalesOrder.objects.filter(pk=order.pk).update(
                placed_at=now - timedelta(days=days), shipped_at=now - timedelta(days=1), requested_on=now.date(),
            )
        return shop


def asked(company: Company, path: str, **query: Any) -> dict[str, Any]:
    response = company.api.get(path, query)
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


def test_revenue_and_margin(acme: Company, shop: Shop) -> None:
    totals = asked(acme, REVENUE)["totals"]
    figures = [Decimal(totals[name]) for name in ("revenue", "adjustments", "costed_revenue")]
    assert (totals["orders"], figures, totals["unconverted"]) == (3, [55, 0, 30], [])
    assert Decimal(totals["margin"]) == 30 - Decimal(totals["cost"])
    products = asked(acme, REVENUE, group_by="product")
    assert [(row["sku"], Decimal(row["revenue"])) for row in products["results"]] == [
        (shop.goods.bolt.sku, 50), (shop.goods.nut.sku, 5),
    ]
    assert "adjustments" not in products["totals"]
    [customer] = asked(acme, REVENUE, group_by="customer")["results"]
    assert (customer["code"], customer["name"], customer["orders"]) == ("C-1", "Smith Motors", 3)
    days = asked(acme, REVENUE, period="day")["results"]
    assert [Decimal(row["revenue"]) for row in days] == [10, 20, 25]
    assert Decimal(asked(acme, REVENUE, group_by="product", limit=1, offset=1)["results"][0]["revenue"]) == 5
    beyond = asked(acme, REVENUE, group_by="channel", offset=9)
    assert (beyond["results"], beyond["count"], Decimal(beyond["totals"]["revenue"])) == ([], 1, 55)


def test_unlike_currencies_are_never_added(acme: Company, shop: Shop) -> None:
    with acme.scope():
        SalesOrder.objects.filter(status="placed").update(currency="USD")
        assert SalesOrder.objects.filter(currency="USD").count() == 1
    totals = asked(acme, REVENUE)["totals"]
    assert Decimal(totals["revenue"]) == 30
    assert [(one["currency"], Decimal(one["revenue"])) for one in totals["unconverted"]] == [("USD", 25)]
    apart = {row["status"]: row["unconverted"] for row in asked(acme, STATES)["results"]}
    assert apart["placed"] == 1
    with acme.scope():
        today = timezone.localdate()
        for days, rate in ((30, "2"), (3, "1.25"), (-1, "9")):
            ExchangeRate.objects.create(base="EUR", quote="USD", valid_on=today - timedelta(days=days), rate=Decimal(rate))
    totals = asked(acme, REVENUE)["totals"]
    assert (Decimal(totals["revenue"]), totals["unconverted"]) == (50, []), "25 USD by the rate of their day are 20 EUR"


def test_states_fill_rate_and_lead_times(acme: Company, shop: Shop) -> None:
    states = asked(acme, STATES)
    assert {row["status"]: row["orders"] for row in states["results"]} == {"delivered": 2, "placed": 1, "cancelled": 1}
    [row] = asked(acme, SERVICE)["results"]
    assert (Decimal(row["ordered"]), Decimal(row["shipped"]), row["fill_rate"]) == (12, 6, "50.00")
    assert (row["line_fill_rate"], row["on_time"], row["orders_shipped"]) == ("50.00", "100.00", 2)
    assert (row["days_to_ship"], row["days_median_to_ship"]) == ("1.50", "1.50")
    assert row["days_to_deliver"] == "2.50"


@pytest.mark.parametrize("path", [
    REVENUE, f"{REVENUE}?group_by=product&period=month", STATES, f"{SERVICE}?group_by=customer",
])
def test_a_report_is_one_statement_and_may_be_had_as_csv(acme: Company, shop: Shop, path: str) -> None:
    acme.api.get(path)
    with CaptureQueriesContext(connection) as sent:
        assert acme.api.get(path).status_code == 200
    mine = [query["sql"] for query in sent if "orders_salesorder" in query["sql"]]
    assert len(mine) == 1
    assert acme.api.get(path, HTTP_ACCEPT="text/csv").content.count(b"\n") >= 2


@pytest.mark.parametrize("query", [
    "from_day=2020-01-01&to_day=2024-01-01", "limit=0", "limit=x", "offset=9999999", "group_by=planet", "period=hour", "x=1",
    "warehouse=1", "from_day=1",
])
def test_a_wrong_question_is_refused(acme: Company, query: str) -> None:
    assert acme.api.get(f"{REVENUE}?{query}").status_code == 400


def test_who_may_see_what(acme: Company, shop: Shop) -> None:
    """Costs are for those who see what stock is worth; who sees some warehouses sees their orders."""
    view = "orders.view_salesorder"
    assert acme.api_by_key("inventory.view_valueentry").get(REVENUE).status_code == 403
    totals = acme.api_by_key(view).get(REVENUE).json()["totals"]
    assert (Decimal(totals["revenue"]), totals["cost"], totals["margin"], totals["costed_revenue"]) == (55, None, None, None)
    with acme.scope():
        other = Warehouse.objects.create(code="FAR", name="Far away")
    limited = limited_api(acme, other)
    assert limited.get(REVENUE).json()["totals"]["orders"] == 0
    assert limited.get(REVENUE, {"warehouse": shop.goods.warehouse.pk}).status_code == 403


def test_the_first_page_shows_what_orders_brought(acme: Company, shop: Shop) -> None:
    page = acme.admin.get("/admin/").content.decode()
    assert "Revenue per day" in page and "55.00" in page
