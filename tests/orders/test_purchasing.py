"""Purchase orders from the draft to what is sent: prices, approval, reorder tasks."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.permissions import MANAGER, VIEWER
from core.errors import Conflict, Forbidden, Invalid
from core.invariants import broken
from inventory.models import PriceList, PriceListItem, ProductVariant, ReorderTask
from notifications.models import OutboxEvent
from orders.machines import PURCHASE_ORDERS
from orders.models import PurchaseOrder
from orders.services.purchase_goods import purchase_order_receive
from orders.services.purchase_proposals import purchase_orders_from_tasks
from orders.services.purchase_states import purchase_order_approve, purchase_order_submit
from orders.services.purchasing import PurchaseLine, purchase_order_change
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.inventory import SupplierFactory
from tests.limited import limited_api
from tests.orders.buying import Buying, limit_purchases

ORDERS, PAGES = "/api/v1/purchase-orders/", "/admin/orders/purchaseorder/"


def buying(acme: Company, **supplier: Any) -> Buying:
    with acme.scope():
        return Buying.create(**supplier)


def asked(buys: Buying, quantity: str = "10", **line: Any) -> dict[str, Any]:
    lines = [{"variant": str(buys.goods.bolt.pk), "quantity": quantity, **line}]
    return {"supplier": str(buys.supplier.pk), "warehouse": str(buys.goods.warehouse.pk), "lines": lines}


def test_from_the_draft_to_the_supplier(acme: Company) -> None:
    buys, api = buying(acme), acme.api
    with acme.scope():
        buys.sells(buys.goods.bolt, "1.5", supplier_sku="THEIR-BOLT")
    made = api.send("post", ORDERS, asked(buys, discount_percent="10"))
    assert made.status_code == 201, made.content
    assert (made.json()["number"], made.json()["status"], made.json()["currency"]) == ("PO-000001", "draft", "EUR")
    assert made.json()["net_total"] == "13.500000", "what the supplier asked last, less the discount"
    url = f"{ORDERS}{made.json()['id']}/"
    problem = assert_problem(api.send("post", f"{url}send/"), 409, "wrong_status")
    assert (problem["status_now"], problem["allowed"]) == ("draft", ["submit", "cancel"])
    changed = api.send("patch", url, {"lines": asked(buys, "4", unit_price="2")["lines"]})
    assert changed.json()["net_total"] == "8.000000", changed.content
    assert api.send("post", f"{url}submit/").json()["status"] == "approved", "nobody has set a limit"
    assert_problem(api.send("patch", url, {"lines": []}), 409, "wrong_status")
    assert api.send("patch", url, {"expected_on": "2040-01-02"}).json()["expected_on"] == "2040-01-02"
    assert api.send("post", f"{url}send/").json()["status"] == "sent"
    assert (again := api.send("post", f"{url}revise/", {"reason": "Two more"}).json())["status"] == "draft"
    assert again["revision"] == 1
    with acme.scope():
        told = list(OutboxEvent.objects.filter(aggregate_id=made.json()["id"]).exclude(
            type__in=["purchase_order.created", "purchase_order.updated"],
        ).order_by("seq"))
        assert [one.type.rpartition(".")[2] for one in told] == ["submitted", "sent", "revised"]
        assert (told[1].payload["lines"][0]["supplier_sku"], told[1].payload["net_total"]) == ("THEIR-BOLT", 8)
        assert [rows for _, rows in broken() if rows] == []
    notes = api.get("/api/v1/journal-entries/", {"object_type": "orders.purchaseorder", "object_id": made.json()["id"]})
    assert len(notes.json()["results"]) == 3, "each step stands in its timeline"


def test_prices_come_from_the_suppliers_lists_without_tax(acme: Company) -> None:
    buys = buying(acme)
    with acme.scope():
        buys.sells(buys.goods.bolt, "9")
        listed = PriceList.objects.create(
            code="BUY", name="Buying", kind="purchase", currency="EUR", party=buys.supplier.party, priority=1,
        )
        PriceListItem.objects.create(price_list=listed, variant=buys.goods.bolt, min_quantity=10, price=Decimal("7"))
    few, many = (acme.api.send("post", ORDERS, asked(buys, quantity)).json()["net_total"] for quantity in ("5", "10"))
    assert (few, many) == ("45.000000", "70.000000")
    body = asked(buys)
    body["lines"][0]["variant"] = str(buys.goods.nut.pk)
    made = acme.api.send("post", ORDERS, body)
    problem = assert_problem(acme.api.send("post", f"{ORDERS}{made.json()['id']}/submit/"), 409, "no_price")
    assert "NUT" in problem["detail"]


def test_over_the_limit_somebody_else_approves(acme: Company) -> None:
    buys = buying(acme)
    assert acme.api.send("patch", f"/api/v1/organizations/{acme.organization.pk}/", {
        "purchase_approval_over": "20",
    }).status_code == 200
    urls = []
    for quantity in ("10", "11"):  # 20.00, which is not over it, and 22.00
        made = acme.api.send("post", ORDERS, asked(buys, quantity, unit_price="2"))
        urls.append(f"{ORDERS}{made.json()['id']}/")
    assert [acme.api.send("post", f"{url}submit/").json()["status"] for url in urls] == ["approved", "pending_approval"]
    url = urls[1]
    for verb, body in (("approve", {}), ("reject", {"reason": "No"})):
        assert_problem(acme.api.send("post", f"{url}{verb}/", body), 403, "own_request")
    assert_problem(acme.api_as(VIEWER).send("post", f"{url}approve/"), 403, "permission_denied")
    manager = acme.api_as(MANAGER)
    assert_problem(manager.send("post", f"{url}reject/"), 400)
    refused = manager.send("post", f"{url}reject/", {"reason": "There are enough"}).json()
    assert (refused["status"], refused["decision_note"]) == ("draft", "There are enough")
    assert acme.api.send("post", f"{url}submit/").json()["status"] == "pending_approval"
    approved = manager.send("post", f"{url}approve/", {"note": "Well"}).json()
    assert (approved["status"], approved["decided_by"]) == ("approved", str(acme.members[MANAGER].user.pk))
    assert_problem(manager.send("post", f"{url}approve/"), 409, "wrong_status")
    assert_problem(acme.api.send("post", f"{url}withdraw-approval/"), 409, "not_approved_by_you")
    withdrawn = manager.send("post", f"{url}withdraw-approval/").json()
    assert (withdrawn["status"], withdrawn["decided_by"], withdrawn["decision_note"]) == ("pending_approval", None, "")
    assert_problem(manager.send("post", f"{url}withdraw-approval/"), 409, "wrong_status")


def test_open_tasks_become_orders_in_one_action(acme: Company) -> None:
    buys = buying(acme, min_order_value=50)
    with acme.scope():
        buys.sells(buys.goods.bolt, 2, order_multiple=6, pack_size=4)
        other = Buying(buys.goods, SupplierFactory(code="BETA", currency="EUR"))
        other.sells(buys.goods.nut, 3)
        bolt, nut = buys.task(minimum=20), buys.task(buys.goods.nut, minimum=7)
        orphan = buys.task(buys.goods.tracked(), minimum=1)
    answer = acme.api.send("post", f"{ORDERS}from-tasks/", {})
    assert answer.status_code == 201, answer.content
    first, second = answer.json()["orders"]
    assert [(one["supplier_code"], one["net_total"]) for one in (first, second)] == [
        ("ACME", "48.000000"), ("BETA", "24.000000"),
    ], "24 bolts are whole packs of 4 and multiples of 6"
    assert (first["missing_to_minimum"], second["missing_to_minimum"]) == ("2.000000", None)
    [line] = acme.api.get(f"{ORDERS}{first['id']}/lines/").json()
    assert (line["reorder_task"], line["quantity"]) == (str(bolt.pk), "24.000000")
    with acme.scope():
        assert {task.pk: task.status for task in ReorderTask.objects.all()} == {
            bolt.pk: "ordered", nut.pk: "ordered", orphan.pk: "open",
        }
    assert_problem(acme.api.send("post", f"{ORDERS}from-tasks/", {}), 409, "nothing_to_buy")
    assert_problem(acme.api.send("post", f"{ORDERS}from-tasks/", {"tasks": [str(bolt.pk)]}), 409, "is_ordered")
    assert_problem(acme.api.send("post", f"{ORDERS}from-tasks/", {"tasks": [str(orphan.pk)]}), 409, "no_supplier")
    assert acme.api.send("post", f"{ORDERS}{first['id']}/cancel/", {"reason": "Too early"}).json()["status"] == "cancelled"
    with acme.scope():
        bolt.refresh_from_db()
        assert (bolt.status, bolt.ordered_quantity) == ("open", None)
        assert [rows for _, rows in broken() if rows] == []
    [again] = acme.api.send("post", f"{ORDERS}from-tasks/", {"tasks": [str(bolt.pk)]}).json()["orders"]
    assert again["net_total"] == "48.000000"


def test_a_task_follows_its_line(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        buys.sells(buys.goods.bolt)
        task = buys.task(minimum=9)
        [order] = purchase_orders_from_tasks()

        def written(*lines: PurchaseLine) -> tuple[str, Any]:
            purchase_order_change(order=order, lines=lines)
            task.refresh_from_db()
            return task.status, task.ordered_quantity

        bolt = buys.goods.bolt.pk
        assert written(PurchaseLine(bolt, Decimal(12), reorder_task_id=task.pk)) == ("ordered", 12)
        assert written(PurchaseLine(bolt, Decimal(12))) == ("open", None), "the line does not answer the task any more"
        assert written(PurchaseLine(bolt, Decimal(11), reorder_task_id=task.pk)) == ("ordered", 11)
        with pytest.raises(Invalid, match="no such reorder task"):
            purchase_order_change(order=order, lines=[PurchaseLine(buys.goods.nut.pk, Decimal(1), reorder_task_id=task.pk)])
        assert [rows for _, rows in broken() if rows] == []


def test_the_limit_is_in_the_base_currency(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create(currency="USD")
        limit_purchases(10)
        order = buys.order((buys.goods.bolt, 1))
        with pytest.raises(Invalid, match="no exchange rate from USD to EUR"):
            purchase_order_submit(order=order)


def test_nobody_approves_their_own(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        limit_purchases(0)
        order = purchase_order_submit(order=buys.order((buys.goods.bolt, 1)))
        with pytest.raises(Forbidden):
            purchase_order_approve(order=order)
    with acme.scope(actor_id=None):
        assert purchase_order_approve(order=order).status == "approved"
        with pytest.raises(Conflict, match="does not allow approve: it allows"):
            purchase_order_approve(order=order)


def test_what_is_blocked_elsewhere_or_wrong(acme: Company) -> None:
    buys = buying(acme, status="blocked")
    assert_problem(acme.api.send("post", ORDERS, asked(buys)), 400)
    with acme.scope():
        type(buys.supplier).objects.update(status="active")
    no_task = str(buys.goods.bolt.pk)
    for wrong in ({"quantity": "0"}, {"unit_price": "-1"}, {"discount_percent": "101"}, {"reorder_task": no_task}):
        assert_problem(acme.api.send("post", ORDERS, asked(buys, **wrong)), 400)
    assert acme.api.send("post", ORDERS, asked(buys, "9999999999999", unit_price="9999999999999")).status_code == 400
    elsewhere = limited_api(acme, buys.goods.shelf.pk)
    assert_problem(elsewhere.send("post", ORDERS, asked(buys)), 403, "outside_warehouses")


def test_nothing_archived_is_bought_or_taken_in(acme: Company) -> None:
    buys = buying(acme)
    with acme.scope():
        sent = buys.sent((buys.goods.bolt, 5))
        ProductVariant.objects.filter(pk=buys.goods.bolt.pk).update(archived_at=timezone.now())
    refused = assert_problem(acme.api.send("post", ORDERS, asked(buys)), 400, "archived")
    assert [(one["pointer"], one["detail"]) for one in refused["errors"]] == [
        ("/lines/0/variant", "BOLT is archived: restore it, or buy another."),
    ]
    with acme.scope():
        with pytest.raises(Conflict, match="BOLT is archived: restore it before goods come in"), transaction.atomic():
            purchase_order_receive(order=sent, location=buys.goods.shelf)
        ProductVariant.objects.update(archived_at=None)
        purchase_order_receive(order=sent, location=buys.goods.shelf)
        assert buys.goods.on_hand() == 5


def test_its_states_are_drawn() -> None:
    drawn = PURCHASE_ORDERS.diagram()
    assert "    [*] --> draft" in drawn and "    pending_approval --> approved: approve" in drawn
    assert {state for one in PURCHASE_ORDERS.transitions for state in one.targets} == set(PurchaseOrder.Status.values)
