"""Transfer orders over the API and in the admin, also for who works in one of their warehouses."""

from typing import Any

from accounts.permissions import VIEWER
from inventory.models import TransferOrder
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.transfers import Two, places, quantities
from tests.limited import limited_api

ORDERS, PAGES = "/api/v1/transfer-orders/", "/admin/inventory/transferorder/"


def stocked(company: Company, quantity: int = 10) -> Two:
    with company.scope():
        two = Two.create()
        two.goods.receive(quantity)
        return two


def asked(two: Two, quantity: str = "4") -> dict[str, Any]:
    line = {"variant": str(two.goods.bolt.pk), "quantity": quantity}
    return {"source": str(two.goods.warehouse.pk), "destination": str(two.shop.pk), "lines": [line]}


def test_from_the_draft_to_the_shelf(acme: Company) -> None:
    two, api = stocked(acme), acme.api
    made = api.send("post", ORDERS, asked(two))
    assert (made.status_code, made.json()["status"]) == (201, "draft"), made.content
    url = f"{ORDERS}{made.json()['id']}/"
    changed = api.send("patch", url, {"lines": [{"variant": str(two.goods.bolt.pk), "quantity": "5"}]}, headers={
        "If-Match": made.headers["ETag"],
    })
    assert changed.status_code == 200 and changed.headers["ETag"] != made.headers["ETag"]
    assert_problem(api.send("post", f"{url}receive/"), 409, "wrong_status")
    assert api.send("post", f"{url}confirm/").json()["status"] == "confirmed"
    [line] = api.get(f"{url}lines/").json()
    assert (line["sku"], line["quantity"], line["shipped_quantity"]) == ("BOLT", "5.000000", "0.000000")
    part = {"lines": [{"line": line["id"], "quantity": "2"}]}
    assert api.send("post", f"{url}ship/", part).json()["status"] == "partly_shipped"
    assert_problem(api.send("post", f"{url}ship/", {"lines": [{"line": line["id"], "quantity": "4"}]}), 409, "more_than_is_left")
    assert api.send("post", f"{url}ship/").json()["status"] == "shipped"
    back = {"lines": [{"line": line["id"], "quantity": "1"}]}
    assert api.send("post", f"{url}take-back/", back).json()["status"] == "partly_shipped"
    assert api.send("post", f"{url}cancel/").json()["status"] == "shipped"
    assert api.send("post", f"{url}receive/", {**part, "location": str(two.counter.pk)}).json()["status"] == "shipped"
    assert_problem(api.send("post", f"{url}close/"), 400)
    closed = api.send("post", f"{url}close/", {"reason": str(two.goods.found.pk)})
    assert closed.json()["status"] == "completed", closed.content
    assert [api.get(f"{url}lines/").json()[0][f"{name}_quantity"] for name in ("received", "lost", "cancelled")] == [
        "2.000000", "2.000000", "1.000000",
    ]
    moves = api.get("/api/v1/stock-moves/", {"document_id": made.json()["id"], "count": "exact"}).json()
    assert moves["count"] == 5
    assert_problem(api.send("post", f"{url}cancel/"), 409, "wrong_status")


def test_each_works_at_their_own_end(acme: Company) -> None:
    two = stocked(acme)
    seller, packer = limited_api(acme, two.shop.pk), limited_api(acme, two.goods.warehouse.pk)
    made = seller.send("post", ORDERS, asked(two))
    assert made.status_code == 201, "the shop asks for goods"
    url = f"{ORDERS}{made.json()['id']}/"
    for verb in ("confirm", "ship"):
        assert_problem(seller.send("post", f"{url}{verb}/"), 403, "outside_warehouses")
    assert packer.send("post", f"{url}ship/").status_code == 200
    assert_problem(packer.send("post", f"{url}receive/"), 403, "outside_warehouses")
    assert seller.send("post", f"{url}receive/").status_code == 200
    assert_problem(acme.api_as(VIEWER).send("post", f"{url}close/"), 403, "permission_denied")


def test_in_the_admin(acme: Company) -> None:
    two, browser = stocked(acme), acme.admin
    form = {
        "source": two.goods.warehouse.pk, "destination": two.shop.pk, "to_location": "", "expected_on": "", "note": "",
        "lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 0, "lines-0-variant": two.goods.bolt.pk, "lines-0-lot": "",
        "lines-0-from_location": "", "lines-0-quantity": "4",
    }
    page = browser.post(f"{PAGES}add/", form)
    assert page.status_code == 302, page.content.decode()[-3000:]
    [row] = acme.api.get(ORDERS).json()["results"]
    url = f"{PAGES}{row['id']}/"
    with acme.scope():
        [line] = TransferOrder.objects.get(pk=row["id"]).lines.all()
    shown = browser.get(f"{url}change/")
    assert shown.status_code == 200 and b"Ship" in shown.content
    changed = {**form, "lines-INITIAL_FORMS": 1, "lines-0-id": line.pk, "lines-0-order": row["id"], "lines-0-quantity": "6"}
    assert browser.post(f"{url}change/", changed).status_code == 302
    assert b"Confirm this transfer order?" in browser.get(f"{url}confirm/").content
    assert browser.post(f"{url}confirm/").status_code == 302
    asking = browser.get(f"{url}ship/")
    assert asking.status_code == 200 and b'value="6"' in asking.content
    token = asking.context["form"].initial["token"]
    for _ in range(2):  # a form that is sent twice
        assert browser.post(f"{url}ship/", {"line-1": "5", "note": "", "token": token}).status_code == 302
    asking = browser.get(f"{url}receive/")
    field, token = asking.context["form"].rows[0][0], asking.context["form"].initial["token"]
    refused = browser.post(f"{url}receive/", {field: "7", "note": "", "location": "", "token": token})
    assert refused.status_code == 200 and b"there are 5 left in transit" in refused.content
    assert browser.post(f"{url}receive/", {field: "4", "note": "", "location": two.counter.pk, "token": token}).status_code == 302
    assert browser.post(f"{url}cancel/").status_code == 302
    asking = browser.get(f"{url}close/")
    token = asking.context["form"].initial["token"]
    closed = browser.post(f"{url}close/", {"reason": two.goods.found.pk, "note": "Broken", "token": token})
    assert closed.status_code == 302
    with acme.scope():
        order = line.order
        order.refresh_from_db()
        assert (order.status, quantities(order)) == ("completed", [(6, 5, 4, 1, 1)])
        assert places(two.goods.bolt) == {"A-1": (5, 0), "COUNTER": (4, 0)}
    assert browser.get(f"{url}change/").status_code == 200
    assert browser.get(f"{url}ship/").status_code == 403
