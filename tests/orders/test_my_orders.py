"""A customer's own orders by the API, and nobody else's."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import Role, User, UserRole
from accounts.services.tenancy import membership_add
from core.invariants import broken
from inventory.models import Warehouse
from orders.models import Customer, ReturnAuthorization, SalesOrder
from orders.services.fulfilment import sales_order_deliver, sales_order_pack
from orders.services.payments import Source, payment_record
from orders.services.returns import return_approve
from orders.services.shipments import Part, shipment_create, shipment_deliver, shipment_hand_over, shipment_pack
from orders.services.splitting import Split, sales_order_split
from tests.companies import Api, Company, signed_in
from tests.contracts.resources import assert_problem, statements
from tests.factories.accounts import UserFactory
from tests.orders.shop import ADDRESS, Shop

MINE = "/api/v1/my/orders/"
WAYS = [("get", ""), ("get", "lines/"), ("get", "shipments/"), ("get", "returns/"), ("post", "cancel/"), ("post", "returns/")]


@pytest.fixture
def shop(acme: Company) -> Shop:
    return Shop(acme)


def placed(api: Api, quantity: Any = 3, **values: Any) -> dict[str, Any]:
    response = api.send("post", MINE, {"lines": [{"sku": "BOLT", "quantity": quantity}], **values})
    assert response.status_code == 201, response.content
    found: dict[str, Any] = response.json()
    assert response.headers["Location"].endswith(f"{MINE}{found['id']}/")
    return found


def staff(shop: Shop, *permissions: str, warehouses: Sequence[UUID] = ()) -> tuple[Api, User]:
    """Somebody of the shop who also buys there."""
    user: User = UserFactory()
    with shop.company.scope():
        role = Role.objects.create(code="clerk", name="Clerk", permissions=["orders.shop_salesorder", *permissions])
        UserRole.objects.create(membership=membership_add(user=user, roles=[]), role=role, warehouse_ids=list(warehouses))
    return Api(f"Bearer {signed_in(user).access_token}"), user


def test_from_the_order_to_the_return(shop: Shop) -> None:
    api, bolt = shop.customer(), str(shop.goods.bolt.pk)
    made = api.send("post", MINE, {
        "lines": [{"variant": bolt, "quantity": "2"}, {"sku": "BOLT", "quantity": 1}], "shipping_address": ADDRESS,
        "requested_on": "2030-01-02", "note": "Ring twice",
    })
    assert made.status_code == 201, made.content
    order = made.json()
    assert (order["status"], order["number"], order["shipping_address"]) == ("placed", "SO-000001", ADDRESS)
    assert (Decimal(order["total"]), order["note"], order["channel_code"]) == (Decimal("7.5"), "Ring twice", "WEB")
    url = f"{MINE}{order['id']}/"
    assert api.get(MINE).json()["results"] == [api.get(url).json()] == [order]
    first, second = api.get(f"{url}lines/").json()
    assert (first["sku"], Decimal(first["quantity"]), Decimal(second["quantity"])) == ("BOLT", 2, 1)
    assert api.get(f"{url}shipments/").json() == [] == api.get(f"{url}returns/").json()
    assert_problem(api.send("post", f"{url}returns/"), 409, "not_delivered")
    with shop.company.scope():
        row = shop.order(order)
        one = shipment_create(order=row, parts=[Part(UUID(first["id"]), Decimal(2))])
    assert api.get(f"{url}shipments/").json() == [], "nobody has packed it"
    with shop.company.scope():
        shipment_hand_over(
            shipment=shipment_pack(shipment=one), carrier="CTT", tracking_number="T-1", tracking_url="https://c.pt/T-1",
        )
    [sent] = api.get(f"{url}shipments/").json()
    assert (sent["status"], sent["tracking_number"], sent["tracking_url"]) == ("handed_over", "T-1", "https://c.pt/T-1")
    assert [(line["order_item"], Decimal(line["quantity"])) for line in sent["lines"]] == [(first["id"], 2)]
    back = {"lines": [{"order_item": first["id"], "quantity": 1, "note": "Bent"}], "note": "Does not fit"}
    assert_problem(api.send("post", f"{url}returns/", back), 409, "not_delivered")
    with shop.company.scope():
        shipment_deliver(shipment=one)
    asked = api.send("post", f"{url}returns/", back)
    assert (asked.status_code, asked.json()["status"], asked.json()["number"]) == (201, "requested", "RMA-000001"), asked.content
    for line, quantity in ((second, 1), (first, 2)):
        too_much = {"lines": [{"order_item": line["id"], "quantity": quantity}]}
        assert_problem(api.send("post", f"{url}returns/", too_much), 409, "not_delivered")
    [rest] = api.send("post", f"{url}returns/").json()["lines"]
    assert (rest["order_item"], Decimal(rest["quantity"])) == (first["id"], 1), "all that is there and not asked for"
    with shop.company.scope():
        sales_order_deliver(order=sales_order_pack(order=row))
        return_approve(authorization=ReturnAuthorization.objects.get(pk=asked.json()["id"]))
    assert [one["status"] for one in api.get(f"{url}returns/").json()] == ["approved", "requested"]
    assert_problem(api.send("post", f"{url}returns/", back), 409, "more_than_shipped")
    assert [line["order_item"] for line in api.send("post", f"{url}returns/", {}).json()["lines"]] == [second["id"]]
    assert api.get(url).json()["status"] == "delivered"
    assert_problem(api.send("post", f"{url}cancel/"), 409, "wrong_status")
    with shop.company.scope():
        assert not [rows for _, rows in broken() if rows]


def test_an_order_is_canceled_as_long_as_it_may_be(shop: Shop) -> None:
    api = shop.customer()
    order, paid, gone = (placed(api) for _ in range(3))
    done = api.send("post", f"{MINE}{order['id']}/cancel/", {"reason": "Found a cheaper one"})
    assert (done.status_code, done.json()["status"]) == (200, "cancelled"), done.content
    assert_problem(api.send("post", f"{MINE}{order['id']}/cancel/"), 409, "wrong_status")
    with shop.company.scope():
        assert shop.reserved(order) == ["released"]
        payment_record(order=shop.order(paid), source=Source(), amount=Decimal(1))
        sales_order_pack(order=shop.order(gone))
    for one in (paid, gone):
        assert_problem(api.send("post", f"{MINE}{one['id']}/cancel/"), 409)
        assert api.get(f"{MINE}{one['id']}/").json()["status"] != "cancelled"


@pytest.mark.parametrize(("method", "way"), WAYS)
def test_the_order_of_another_customer_is_not_there(method: str, way: str, shop: Shop, bolt: Company) -> None:
    """For another customer, for the Admin and for a clerk who may do all to all orders, and for another company."""
    owner = shop.customer()
    order = placed(owner)
    with shop.company.scope():
        sales_order_deliver(order=sales_order_pack(order=shop.order(order)))
    clerk, _ = staff(
        shop, "orders.view_salesorder", "orders.change_salesorder", "orders.cancel_salesorder", "orders.fulfil_salesorder",
        "orders.view_shipment", "orders.view_returnauthorization", "orders.add_returnauthorization",
    )
    assert clerk.get(f"/api/v1/sales-orders/{order['id']}/").status_code == 200
    own = placed(clerk, 1)["id"]
    for stranger, theirs in ((shop.customer(), []), (clerk, [own]), (shop.company.api, []), (bolt.api, [])):
        assert_problem(stranger.send(method, f"{MINE}{order['id']}/{way}"), 404, "not_found")
        assert [one["id"] for one in stranger.get(MINE).json()["results"]] == theirs
    assert owner.get(f"{MINE}{order['id']}/").json()["status"] == "delivered"
    for nowhere in (uuid4(), "x", "\0"):
        assert_problem(owner.send(method, f"{MINE}{nowhere}/{way}"), 404, "not_found")


def test_lists_and_tables_have_no_order_of_another(shop: Shop) -> None:
    owner, other = shop.customer(), shop.customer()
    orders = [placed(owner, 1) for _ in range(2)]
    placed(other, 1)
    found = owner.get(MINE, {"count": "exact"}).json()
    assert ([one["id"] for one in found["results"]], found["count"]) == ([one["id"] for one in reversed(orders)], 2)
    assert owner.get(MINE, {"search": "SO-000003"}).json()["results"] == []
    assert "SO-000003" not in owner.get(MINE, headers={"Accept": "text/csv"}).getvalue().decode()
    assert_problem(owner.get(MINE, {"customer": str(uuid4())}), 400)


def test_a_cart_that_somebody_prepares_is_no_order_yet(shop: Shop) -> None:
    api = shop.customer()
    order = placed(api, 1)
    with shop.company.scope():
        cart = SalesOrder.objects.get(pk=order["id"])
        SalesOrder.objects.filter(pk=cart.pk).update(status="draft", placed_at=None)
    assert api.get(MINE).json()["results"] == []
    assert_problem(api.send("post", f"{MINE}{order['id']}/cancel/"), 404, "not_found")


def test_what_is_split_off_is_the_customers_too(shop: Shop) -> None:
    api = shop.customer()
    order = placed(api)
    with shop.company.scope():
        row = shop.order(order)
        made = sales_order_split(order=row, lines=[Split(row.lines.get().pk, Decimal(1))])
    assert api.get(f"{MINE}{made.pk}/").json()["status"] == "placed"


def test_who_may(shop: Shop) -> None:
    viewer, key = shop.company.api_as("viewer"), shop.company.api_by_key("orders.shop_salesorder", "orders.view_salesorder")
    order = placed(shop.customer())
    for api in (viewer, key):
        for url, method in ((MINE, "get"), (MINE, "post"), *((f"{MINE}{order['id']}/{way}", method) for method, way in WAYS)):
            assert_problem(api.send(method, url), 403, "permission_denied")
    with shop.company.scope():
        elsewhere = Warehouse.objects.create(code="FAR", name="Far")
    clerk, user = staff(shop, "orders.view_salesorder", warehouses=[elsewhere.pk])
    assert_problem(clerk.send("post", MINE, {"lines": [{"sku": "BOLT", "quantity": 1}]}), 403)
    with shop.company.scope():
        assert not SalesOrder.objects.filter(customer__user_id=user.pk).exists(), "the warehouse is not theirs to shop in"
    blocked = shop.customer()
    placed(blocked, 1)
    with shop.company.scope():
        Customer.objects.update(status="blocked")
    assert_problem(blocked.send("post", MINE, {"lines": [{"sku": "BOLT", "quantity": 1}]}), 409)


@pytest.mark.parametrize(("body", "code"), [
    ({}, "invalid"), ({"lines": []}, "invalid"), ({"lines": [{}]}, "invalid"), ({"lines": "x"}, "invalid"),
    ({"lines": [{"sku": "BOLT", "quantity": 0}]}, "invalid"), ({"lines": [{"sku": "BOLT", "quantity": 10**20}]}, "invalid"),
    ({"lines": [{"sku": "BOLT"}]}, "invalid"), ({"lines": [{"sku": "\0", "quantity": 1}]}, "invalid"),
    ({"lines": [{"sku": "NONE", "quantity": 1}]}, "does_not_exist"), ({"lines": [{"sku": "NUT", "quantity": 1}]}, "no_price"),
    ({"lines": [{"sku": "BOLT", "variant": str(uuid4()), "quantity": 1}]}, "invalid"), ({"channel": "NONE"}, "does_not_exist"),
    ({"shipping_address": {"country": "xx"}}, "invalid"), ({"customer": str(uuid4())}, "invalid"),
    ({"lines": [{"sku": "BOLT", "quantity": 1, "unit_price": 0}]}, "invalid"),
])  # fmt: skip
def test_says_what_is_wrong_with_an_order(body: dict[str, Any], code: str, shop: Shop) -> None:
    given = {"lines": [{"sku": "BOLT", "quantity": 1}], **body} if body else body
    problem = assert_problem(shop.customer().send("post", MINE, given), 400, code)
    assert all(error["pointer"].split("/")[1] in {"lines", *body} for error in problem["errors"])
    with shop.company.scope():
        assert not SalesOrder.objects.exists(), "nothing is left of it"


def test_goods_that_are_not_there_and_an_order_sent_twice(shop: Shop) -> None:
    api = shop.customer()
    assert_problem(api.send("post", MINE, {"lines": [{"sku": "BOLT", "quantity": 11}]}), 409, "insufficient_stock")
    body, key = {"lines": [{"sku": "BOLT", "quantity": 1}]}, {"Idempotency-Key": "mine-1"}
    first, again = (api.send("post", MINE, body, headers=key) for _ in range(2))
    assert (first.json(), again.headers["Idempotent-Replayed"]) == (again.json(), "true")


@pytest.mark.parametrize("way", ["", "shipments/", "returns/"])
def test_more_of_them_take_no_more_statements(way: str, shop: Shop) -> None:
    api = shop.customer()
    order = placed(api)
    url = f"{MINE}{order['id']}/{way}" if way else MINE
    with shop.company.scope():
        row = shop.order(order)
        key = row.lines.get().pk
    counts: list[int] = []
    for _ in range(3):
        with shop.company.scope():
            shipment = shipment_create(order=row, parts=[Part(key, Decimal(1))])
            shipment_deliver(shipment=shipment_hand_over(shipment=shipment_pack(shipment=shipment)))
        assert api.send("post", f"{MINE}{order['id']}/returns/").status_code == 201
        placed(api, 1)
        statements(api, url)  # what a process asks once
        counts.append(len(statements(api, url)))
    assert counts[0] == counts[-1]

