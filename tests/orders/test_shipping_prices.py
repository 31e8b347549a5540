"""What it costs to send an order, and who carries it."""

from decimal import Decimal
from typing import Any

import pytest

from inventory.models import TaxCategory
from orders.models import OrderAdjustment, SalesOrder, Shipment, ShippingMethod
from orders.services.sales_orders import NewLine, sales_order_change, sales_order_create, sales_order_place
from orders.services.shipments import shipment_create, shipment_hand_over, shipment_pack
from orders.services.splitting import sales_order_split
from tests.companies import Company
from tests.factories.charges import ShippingMethodFactory
from tests.factories.taxes import TaxRateFactory
from tests.orders.selling import Shop
from tests.orders.test_sales_orders import refused, sound

URL = "/api/v1/shipping-methods/"
RATES = [
    {"price": "9.00"}, {"min": "20", "price": "12"}, {"min": "40", "price": None},
    {"country": "PT", "price": "4.90"}, {"country": "PT", "min": 30, "price": 2},
]


def charges(order: SalesOrder) -> list[tuple[str, Decimal, Decimal]]:
    found = order.adjustments.exclude(source_type="").order_by("net_amount")
    return list(found.values_list("source_type", "net_amount", "tax_amount"))


@pytest.mark.parametrize(("basis", "bolts", "country", "price"), [
    ("total", 2, "PT", "4.90"), ("total", 6, "PT", "2"), ("total", 2, "DE", "9"), ("total", 4, "", "12"),
    ("total", 8, "DE", None), ("weight", 2, "PT", "4.90"), ("weight", 3, "PT", "2"), ("weight", 4, "DE", None),
    ("quantity", 9, "DE", "9"),
])
def test_the_rate_that_counts(acme: Company, basis: str, bolts: int, country: str, price: str | None) -> None:
    with acme.scope():
        shop = Shop.create()
        shop.goods.bolt.weight = Decimal(10)
        shop.goods.bolt.save(update_fields=["weight"])
        method = ShippingMethodFactory.create(rates=RATES, basis=basis)
        values: dict[str, Any] = {
            "channel": shop.channel, "customer": shop.customer, "shipping_method": method,
            "shipping_address": {"country": country} if country else {}, "lines": [NewLine(shop.goods.bolt.pk, Decimal(bolts))],
        }
        if price is None:
            refused("shipping_unavailable", sales_order_create, **values)
            return
        order = sales_order_create(**values)
        assert charges(order) == [("shipping_method", Decimal(price), 0)] and order.total == bolts * 5 + Decimal(price)
        sound()


def test_the_charge_follows_the_order(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(backorders=True)
        TaxRateFactory.create(tax_category=TaxCategory.objects.get(code="standard"))
        method = ShippingMethodFactory.create(free_from=Decimal(60))
        other = ShippingMethodFactory.create(name="Truck", rates=[{"price": "12.30"}], includes_tax=True)
        cart = sales_order_create(
            channel=shop.channel, customer=shop.customer, shipping_address={"country": "PT"}, shipping_method=method,
            lines=[NewLine(shop.goods.bolt.pk, Decimal(2))],
        )
        assert charges(cart) == [("shipping_method", Decimal("4.90"), Decimal("1.13"))]
        assert cart.total == Decimal("18.33")
        cart = sales_order_change(order=cart, shipping_method_id=other.pk)
        assert charges(cart) == [("shipping_method", 10, Decimal("2.30"))]
        assert charges(sales_order_change(order=cart, shipping_method_id=None)) == []
        cart = sales_order_change(order=cart, shipping_method_id=method.pk)
        method.rates = [{"price": "6"}]
        method.save(update_fields=["rates"])
        order = sales_order_place(order=cart)
        assert charges(order)[0][1] == 6, "the price of now"
        kept = OrderAdjustment.objects.get(order=order).pk
        order = sales_order_change(order=order, lines=[NewLine(shop.goods.bolt.pk, Decimal(12))])
        assert charges(order) == [("shipping_method", 0, 0)] and order.adjustments.get().pk == kept, "free from 60 on"
        made = sales_order_split(order=order)
        assert (charges(made), made.shipping_method_id) == ([], method.pk), "paid once, and sent the same way"
        assert charges(sales_order_change(order=made, lines=[NewLine(shop.goods.bolt.pk, Decimal(1))])) == []
        order.refresh_from_db()
        assert charges(sales_order_change(order=order, shipping_method_id=other.pk))[0][1] == 10
        ShippingMethod.objects.update(is_active=False)
        sales_order_change(order=order, lines=[NewLine(shop.goods.bolt.pk, Decimal(9))])
        sound()
        lines = [NewLine(shop.goods.bolt.pk, Decimal(1))]
        place = {"country": "PT"}
        refused(
            "shipping_unavailable", sales_order_create, channel=shop.channel, shipping_method=other, shipping_address=place,
            lines=lines,
        )


def test_the_method_says_who_carries_it(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        method = ShippingMethodFactory.create(tracking_url_template="https://ctt.example/track?n={number}")
        order = sales_order_create(channel=shop.channel, shipping_method=method, lines=[NewLine(shop.goods.bolt.pk, Decimal(2))])
        order = sales_order_place(order=order)
        row = shipment_create(order=order)
        assert (row.carrier, row.tracking_url) == ("CTT", "")
        shipment_hand_over(shipment=shipment_pack(shipment=row), tracking_number="A 1/2")
        assert Shipment.objects.get().tracking_url == "https://ctt.example/track?n=A%201%2F2"


def test_options_by_the_api(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        cart = sales_order_create(
            channel=shop.channel, shipping_address={"country": "DE"}, lines=[NewLine(shop.goods.bolt.pk, Decimal(2))],
        )
    bodies: list[dict[str, Any]] = [
        {"code": "TRUCK", "rates": [{"price": "30"}], "eta_days": 4}, {"code": "PARCEL", "rates": [{"price": "4.9"}]},
        {"code": "BIKE", "rates": [{"country": "PT", "price": "3"}]},
        {"code": "YEN", "rates": [{"price": "3"}], "currency": "JPY"},
    ]
    for body in bodies:
        made = acme.api.send("post", URL, {"name": body["code"].title(), "currency": "EUR", **body})
        assert made.status_code == 201, made.content
    shown = acme.api.get(f"/api/v1/sales-orders/{cart.pk}/shipping-options/").json()
    assert [(one["code"], one["total"], one["is_available"]) for one in shown] == [
        ("PARCEL", "4.900000", True), ("TRUCK", "30.000000", True), ("BIKE", None, False), ("YEN", None, False),
    ]
    assert shown[2]["why"] == "Bike does not carry this to DE."
    url = f"/api/v1/sales-orders/{cart.pk}/"
    chosen = acme.api.send("patch", url, {"shipping_method": shown[0]["shipping_method"]})
    assert (chosen.status_code, chosen.json()["total"]) == (200, "14.900000"), chosen.content
    assert acme.api.send("patch", url, {"shipping_method": shown[2]["shipping_method"]}).status_code == 400
    assert acme.api.send("patch", url, {"shipping_method": str(cart.pk)}).status_code == 400
    page = acme.admin.get(f"/admin/orders/salesorder/{cart.pk}/change/")
    assert page.status_code == 200 and b"shipping_method" in page.content
    assert acme.admin.get(f"/admin/orders/shippingmethod/{chosen.json()['shipping_method']}/change/").status_code == 200


@pytest.mark.parametrize("rates", [
    [], {}, "x", None, [1], [{}], [{"price": "1", "to": "2"}], [{"price": "-1"}], [{"price": "NaN"}], [{"price": True}],
    [{"price": "1e99"}], [{"price": "1", "min": "0.0000001"}], [{"price": "1", "country": "pt"}], [{"price": "1", "country": 3}],
    [{"price": "1"}, {"price": "2"}], [{"price": "1", "min": None}],
])
def test_wrong_rates_are_refused(acme: Company, rates: Any) -> None:
    answer = acme.api.send("post", URL, {"code": "X", "name": "X", "currency": "EUR", "rates": rates})
    assert answer.status_code == 400, answer.content
