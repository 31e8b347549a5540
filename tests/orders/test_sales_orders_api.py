"""Sales orders over the API and in the admin, also for who works in another warehouse."""

from collections.abc import Callable
from typing import Any

from accounts.permissions import VIEWER
from inventory.models import Reservation
from notifications.models import Job
from notifications.registry import handlers
from orders.models import SalesOrder
from orders.services.sales_orders import sales_order_cancel, sales_order_place
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers
from tests.factories.inventory import WarehouseFactory
from tests.limited import limited_api
from tests.notifications.at_work import quiet, run_all
from tests.notifications.test_relaying import relay_all
from tests.orders.selling import Shop, quantities

ORDERS, PAGES = "/api/v1/sales-orders/", "/admin/orders/salesorder/"


def shop_of(company: Company, **channel: Any) -> Shop:
    with company.scope():
        return Shop.create(**channel)


def asked(shop: Shop, quantity: str = "4", **line: Any) -> dict[str, Any]:
    return {
        "channel": str(shop.channel.pk), "customer": str(shop.customer.pk),
        "lines": [{"variant": str(shop.goods.bolt.pk), "quantity": quantity, **line}],
    }


def test_from_the_cart_to_the_order(acme: Company) -> None:
    shop, api = shop_of(acme), acme.api
    made = api.send("post", ORDERS, asked(shop))
    assert made.status_code == 201, made.content
    cart = made.json()
    assert (cart["status"], cart["currency"], cart["warehouse"]) == ("draft", "EUR", str(shop.goods.warehouse.pk))
    url = f"{ORDERS}{cart['id']}/"
    changed = api.send("patch", url, {
        "adjustments": [{"kind": "shipping", "label": "Parcel", "net_amount": "4.90"}],
        "shipping_address": {"name": "Ann", "city": "Porto", "country": "PT"},
    }, headers={"If-Match": made.headers["ETag"]})
    assert (changed.status_code, changed.json()["total"]) == (200, "24.900000"), changed.content
    placed = api.send("post", f"{url}place/")
    assert (placed.json()["status"], placed.json()["number"]) == ("placed", "SO-000001"), placed.content
    [line] = api.get(f"{url}lines/").json()
    assert (line["sku"], line["net_amount"], line["allocated_quantity"]) == ("BOLT", "20.000000", "4.000000")
    [shipping] = api.get(f"{url}adjustments/").json()
    assert (shipping["kind"], shipping["net_amount"]) == ("shipping", "4.900000")
    for query in (
        {"number": "SO-000001"}, {"search": "so-0000"}, {"status": "placed"}, {"placed_at__gte": "2020-01-01T00:00:00Z"},
        {"customer": str(shop.customer.pk), "sort": "-id"}, {"channel": str(shop.channel.pk)},
    ):
        assert [row["id"] for row in api.get(ORDERS, query).json()["results"]] == [cart["id"]], query
    problem = assert_problem(api.send("post", f"{url}place/"), 409, "wrong_status")
    assert problem["status_now"] == "placed" and {"confirm", "hold", "cancel"} <= set(problem["allowed"])
    assert_problem(api.send("patch", url, {"currency": "USD"}), 409, "fixed_once_placed")
    more = api.send("patch", url, {"lines": [{"id": line["id"], "variant": line["variant"], "quantity": "6"}]})
    assert (more.status_code, more.json()["total"], more.json()["revision"]) == (200, "34.900000", 1), more.content
    assert [row["allocated_quantity"] for row in api.get(f"{url}lines/").json()] == ["6.000000"]
    assert_problem(api.send("patch", url, {"lines": [{**asked(shop)["lines"][0], "id": cart["id"]}]}), 400, "does_not_exist")
    assert_problem(api.send("patch", url, {"lines": []}), 400)
    assert api.send("post", f"{url}confirm/").json()["status"] == "confirmed"
    assert api.send("post", f"{url}hold/", {"reason": "Call first"}).json()["held_from"] == "confirmed"
    assert api.send("post", f"{url}release/").json()["status"] == "confirmed"
    assert api.send("post", f"{url}cancel/", {"reason": "Ordered twice"}).json()["status"] == "cancelled"
    assert api.get(f"{url}lines/").json()[0]["cancelled_quantity"] == "6.000000"
    assert_problem(api.send("patch", url, {"note": "Too late"}), 409, "wrong_status")
    assert_problem(api.send("post", f"{url}cancel/"), 409, "wrong_status")


def test_from_the_order_to_the_customers_door(acme: Company) -> None:
    shop, api = shop_of(acme), acme.api
    url = f"{ORDERS}{api.send('post', ORDERS, asked(shop)).json()['id']}/"
    assert_problem(api.send("post", f"{url}pack/"), 409, "wrong_status")
    for verb, status in (("place", "placed"), ("pack", "packed"), ("fail", "error"), ("release", "packed"), ("ship", "shipped"),
                         ("deliver", "delivered"), ("complete", "completed")):
        body = {"code": "damaged", "reason": "A parcel is wet"} if verb == "fail" else {}
        done = api.send("post", f"{url}{verb}/", body)
        assert (done.status_code, done.json()["status"]) == (200, status), done.content
    [line] = api.get(f"{url}lines/").json()
    assert line["shipped_quantity"] == line["allocated_quantity"] == "4.000000"


def test_what_is_refused(acme: Company) -> None:
    shop, api = shop_of(acme), acme.api
    for body, pointer in (
        (asked(shop, "0"), "/lines/0/quantity"), (asked(shop, vehicle_model="x"), "/lines/0/vehicle_model"),
        ({**asked(shop), "shipping_address": {"country": "Portugal"}}, "/shipping_address/country"),
        ({**asked(shop), "shipping_address": {"planet": "Mars"}}, "/shipping_address/planet"),
        ({**asked(shop), "status": "placed"}, "/status"), ({**asked(shop), "customer": str(shop.channel.pk)}, "/customer"),
        ({**asked(shop), "channel": str(shop.customer.pk)}, "/channel"),
    ):
        assert pointer in pointers(assert_problem(api.send("post", ORDERS, body), 400)), body
    most = "9" * 13
    huge = assert_problem(api.send("post", ORDERS, asked(shop, most, unit_price=most)), 400)
    assert "larger than can be kept" in huge["detail"]
    url = f"{ORDERS}{api.send('post', ORDERS, asked(shop, '11')).json()['id']}/"
    assert_problem(api.send("patch", url, {"customer": str(shop.channel.pk)}), 400)
    assert_problem(api.send("post", f"{url}place/"), 409, "insufficient_stock")
    assert api.get(url).json()["status"] == "draft"
    assert_problem(acme.api_as(VIEWER).send("post", f"{url}place/"), 403, "permission_denied")
    with acme.scope():
        elsewhere = WarehouseFactory.create()
    assert limited_api(acme, shop.goods.warehouse.pk).send("patch", url, {"note": "Mine"}).status_code == 200
    unseen, watched = limited_api(acme, elsewhere.pk), limited_api(acme, elsewhere.pk, roles=(VIEWER,))
    for verb in ("place", "pack", "ship"):
        assert_problem(unseen.send("post", f"{url}{verb}/"), 404, "not_found")
        assert_problem(watched.send("post", f"{url}{verb}/"), 403, "outside_warehouses")
    assert_problem(api.send("post", f"{ORDERS}{shop.channel.pk}/place/"), 404, "not_found")


def follow_ups(company: Company) -> list[str]:
    """What the news of the stock has orders do, and it is done."""
    quiet()
    relay_all(*handlers())
    with company.scope():
        found = Job.objects.filter(status="queued", task__startswith="orders.handlers.follow").values_list("task", flat=True)
        tasks = list(found)
    run_all()
    return tasks


def test_the_lines_follow_what_the_stock_does_by_itself(new_company: Callable[[], Company]) -> None:
    acme = new_company()
    shop, api = shop_of(acme, backorders=True), acme.api
    relay_all()  # what others have left
    with acme.scope():
        order = sales_order_place(order=shop.cart(bolts=12))
        assert quantities(order) == [(12, 10, 0)]
        shop.goods.receive(5)
    assert follow_ups(acme) == [], "the order saw to its own lines"
    with acme.scope():
        [waiting] = Reservation.objects.filter(demand_id=order.pk, stock_item=None)
    assert api.send("post", "/api/v1/reservations/allocate/", {"reservations": [str(waiting.pk)]}).status_code == 201
    assert "orders.handlers.follow_promises" in follow_ups(acme)
    with acme.scope():
        assert quantities(order) == [(12, 12, 0)]
    released = api.send("post", "/api/v1/reservations/release/", {"demand_type": "sales_order", "demand_id": str(order.pk)})
    assert released.status_code == 200, released.content
    assert "orders.handlers.follow" in follow_ups(acme)
    with acme.scope():
        assert quantities(order) == [(12, 0, 0)]
        sales_order_cancel(order=sales_order_place(order=shop.cart(bolts=3)))
    assert follow_ups(acme) == [], "whoever cancels has seen to the lines"


def test_in_the_admin(acme: Company) -> None:
    shop, browser = shop_of(acme), acme.admin
    form = {
        "channel": shop.channel.pk, "customer": shop.customer.pk, "warehouse": shop.goods.warehouse.pk, "currency": "EUR",
        "email": "", "requested_on": "", "note": "", "external_ref": "",
        "lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 0, "lines-0-variant": shop.goods.bolt.pk, "lines-0-quantity": "4",
        "lines-0-unit_price": "", "lines-0-discount": "0", "lines-0-backorder_policy": "channel",
        "adjustments-TOTAL_FORMS": 1, "adjustments-INITIAL_FORMS": 0, "adjustments-0-kind": "shipping",
        "adjustments-0-label": "Parcel", "adjustments-0-net_amount": "5", "adjustments-0-tax_rate": "0",
    }
    page = browser.post(f"{PAGES}add/", form)
    assert page.status_code == 302, page.content.decode()[-3000:]
    with acme.scope():
        [order] = SalesOrder.objects.all()
        [line], [shipping] = order.lines.all(), order.adjustments.all()
        assert (order.total, line.price_agreed) == (25, False)
    url = f"{PAGES}{order.pk}/"
    shown = browser.get(f"{url}change/")
    assert shown.status_code == 200 and b"place/" in shown.content and b"confirm/" not in shown.content
    changed = {
        **form, "lines-INITIAL_FORMS": 1, "lines-0-id": line.pk, "lines-0-order": order.pk, "lines-0-unit_price": "4.50",
        "adjustments-INITIAL_FORMS": 1, "adjustments-0-id": shipping.pk, "adjustments-0-order": order.pk, "note": "Call first",
        "payments-TOTAL_FORMS": 0, "payments-INITIAL_FORMS": 0,
            "promotion_uses-TOTAL_FORMS": 0, "promotion_uses-INITIAL_FORMS": 0,
    }
    answer = browser.post(f"{url}change/", changed)
    assert answer.status_code == 302, answer.content.decode()[-3000:]
    assert b"Place this order?" in browser.get(f"{url}place/").content
    assert browser.post(f"{url}place/").status_code == 302
    with acme.scope():
        order.refresh_from_db()
        assert (order.status, order.total, order.note) == ("placed", 23, "Call first")
    shown = browser.get(f"{url}change/")
    assert shown.status_code == 200 and b"confirm/" in shown.content and b"BOLT" in shown.content
    assert browser.post(f"{url}place/").status_code == 403
    for verb, status in (("hold", "on_hold"), ("release", "placed"), ("confirm", "confirmed"), ("cancel", "cancelled")):
        assert browser.post(f"{url}{verb}/").status_code == 302
        with acme.scope():
            assert SalesOrder.objects.get(pk=order.pk).status == status
    for model in ("salesorder", "customer", "channel"):
        assert browser.get(f"/admin/orders/{model}/").status_code == 200
