"""The paths and shapes of source 001, for customers."""

from typing import Any
from uuid import uuid4

import pytest

from accounts.permissions import VIEWER
from core.invariants import broken
from orders.models import Channel, Customer, SalesOrder
from tests.accounts.test_old_paths import assert_old_error
from tests.companies import Company
from tests.contracts.resources import statements
from tests.limited import limited_api
from tests.orders.shop import ADDRESS, FULFIL, Shop

ORDER = ["id", "userId", "userEmail", "dateCreated", "dateUpdated", "status", "items", "shippingAddress"]


@pytest.fixture
def shop(acme: Company) -> Shop:
    return Shop(acme)


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_customer_orders_and_reads_the_own_orders(slash: str, shop: Shop) -> None:
    ada, ben = shop.customer(), shop.customer()
    response = ada.send("post", f"/orders{slash}", shop.body(3))
    order = response.json()
    assert (response.status_code, list(order), order["status"]) == (201, ORDER, "placed"), response.content
    assert order["items"] == [
        {"id": str(shop.goods.bolt.pk), "sku": "BOLT", "title": "Bolt", "quantity": 3, "price": 2.5},
    ] and order["shippingAddress"] == ADDRESS
    second = ada.send("post", f"/orders{slash}", {"items": [{"sku": "BOLT"}]}).json()
    shop.placed(1, ben)
    page = ada.get(f"/orders{slash}").json()
    assert (list(page), page["orders"], page["count"]) == (["orders", "count", "nextToken"], [second, order], 2)
    first = ada.get("/orders", {"limit": 1}).json()
    assert ada.get("/orders", {"limit": 1, "nextToken": first["nextToken"]}).json()["orders"] == [order]
    assert ada.get(f"/orders/{order['id']}{slash}").json() == order
    assert_old_error(ben.get(f"/orders/{order['id']}"), 404, "not_found")
    with shop.company.scope():
        row = shop.order(order)
        assert (row.number, row.email, row.total, row.channel_id) == ("SO-000001", order["userEmail"], 7.5, shop.channel.pk)
        assert str(row.customer.user_id) == order["userId"] and Customer.objects.count() == 2
        assert shop.told(order) == ["order.placed"] and shop.reserved(order) == ["active"]


def test_who_reads_whose_orders(shop: Shop, bolt: Company) -> None:
    order = shop.placed(api=shop.customer())
    url = f"/orders/{order['id']}"
    assert shop.partner.get(url).json() == order == shop.partner.get("/orders").json()["orders"][0]
    assert shop.company.api_as(VIEWER).get(url).json() == order, "who may see orders anyway"
    assert shop.company.api_as(VIEWER).get("/orders").json()["orders"] == []
    assert limited_api(shop.company, shop.goods.warehouse).get(url).json() == order
    assert_old_error(limited_api(shop.company, uuid4()).get(url), 404, "not_found")
    assert_old_error(bolt.api.get(url), 404, "not_found")
    assert_old_error(shop.company.api_by_key("inventory.view_product").get(url), 403, "permission_denied")


def test_who_may_order(shop: Shop) -> None:
    viewer, key = shop.company.api_as(VIEWER), shop.company.api_by_key("orders.shop_salesorder")
    assert_old_error(viewer.send("post", "/orders", shop.body()), 403, "permission_denied")
    assert_old_error(key.send("post", "/orders", shop.body()), 403, "permission_denied")
    assert_old_error(shop.partner.send("post", "/orders", shop.body()), 403, "permission_denied")


@pytest.mark.parametrize(("body", "code"), [
    ({"items": []}, "invalid"), ({"items": [{}]}, "invalid"), ({"items": [{"sku": "BOLT", "quantity": 0}]}, "invalid"),
    ({"items": [{"sku": "BOLT", "quantity": 10**20}]}, "invalid"), ({"items": [{"sku": "\0"}]}, "invalid"),
    ({"items": [{"sku": "NONE"}]}, "does_not_exist"), ({"items": [{"sku": "NUT"}]}, "no_price"), ({"items": "x"}, "invalid"),
    ({"channel": "NONE"}, "does_not_exist"), ({"shippingAddress": {"name": "x"}}, "invalid"), ({"x": 1}, "invalid"),
])  # fmt: skip
def test_says_what_is_wrong_with_an_order(body: dict[str, Any], code: str, shop: Shop) -> None:
    assert_old_error(shop.company.api.send("post", "/orders", {**shop.body(), **body}), 400, code)
    with shop.company.scope():
        assert not SalesOrder.objects.exists(), "nothing is left of it"


def test_an_order_that_cannot_be_had_changes_nothing(shop: Shop) -> None:
    assert_old_error(shop.company.api.send("post", "/orders", shop.body(11)), 409, "insufficient_stock")
    with shop.company.scope():
        assert not SalesOrder.objects.exists()
        Channel.objects.create(code="B2B", name="Business", currency="EUR", warehouse=shop.goods.warehouse)
    assert_old_error(shop.company.api.send("post", "/orders", shop.body()), 409, "several_channels")
    assert shop.company.api.send("post", "/orders", shop.body(channel="B2B")).status_code == 201
    with shop.company.scope():
        Channel.objects.update(is_active=False)
    assert_old_error(shop.company.api.send("post", "/orders", shop.body()), 409, "no_channel")


def test_an_order_is_not_made_twice(shop: Shop) -> None:
    key = {"Idempotency-Key": "order-1"}
    first, again = (shop.company.api.send("post", "/orders", shop.body(), headers=key) for _ in range(2))
    assert (first.json(), again.headers["Idempotent-Replayed"]) == (again.json(), "true")


def test_a_page_takes_as_many_statements_as_an_order(shop: Shop) -> None:
    shop.placed(1)
    statements(shop.company.api, "/orders")  # what a process asks once
    before = len(statements(shop.company.api, "/orders"))
    for _ in range(3):
        shop.placed(1)
    assert len(statements(shop.company.api, "/orders")) == before


@pytest.mark.parametrize("method", ["post", "put"])
def test_partners_say_that_it_is_packed_and_delivered(method: str, shop: Shop) -> None:
    order = shop.placed(3, shop.customer())
    packed = shop.partner.send(method, f"/orderpacked/{order['id']}")
    assert (packed.status_code, list(packed.json()), packed.json()["status"]) == (200, ORDER, "packed"), packed.content
    delivered = shop.partner.send(method, f"/orderdelivered/{order['id']}/")
    assert (delivered.status_code, delivered.json()["status"]) == (200, "delivered"), delivered.content
    with shop.company.scope():
        row = shop.order(order)
        assert (row.status, row.fulfilment_status) == ("delivered", "delivered")
        assert row.packed_at <= row.shipped_at <= row.delivered_at
        [line] = row.lines.all()
        assert (line.allocated_quantity, line.picked_quantity, line.shipped_quantity) == (3, 3, 3)
        assert shop.goods.on_hand() == 7 and shop.reserved(order) == ["consumed"]
        assert not [rows for _, rows in broken() if rows]


def test_only_partners_may_say_so(shop: Shop, bolt: Company) -> None:
    customer = shop.customer()
    order = shop.placed(3, customer)
    for path in (f"/orderpacked/{order['id']}", f"/orderdelivered/{order['id']}"):
        assert_old_error(customer.send("post", path), 403, "permission_denied")
        assert_old_error(bolt.api_by_key(FULFIL).send("post", path), 404, "not_found")
        assert_old_error(shop.company.api_by_key("orders.view_salesorder").send("post", path), 403, "permission_denied")
    for nowhere in (uuid4(), "x", "\0"):
        assert_old_error(shop.partner.send("post", f"/orderpacked/{nowhere}"), 404, "not_found")
