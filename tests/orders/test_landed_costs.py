"""Freight, duty and the like as a document: spread over the goods of receipts, and taken back."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import ExchangeRate, Organization
from accounts.permissions import MANAGER, VIEWER
from core.errors import DomainError
from core.invariants import broken
from inventory.models import ProductVariant, ValueEntry
from inventory.services.landed_costs import By
from notifications.models import OutboxEvent
from orders.models import GoodsReceipt, LandedCost, PurchaseOrder, SupplierBill
from orders.services.bill_states import supplier_bill_approve, supplier_bill_submit
from orders.services.bills import BillLine, supplier_bill_create
from orders.services.landed_cost_states import landed_cost_post
from orders.services.landed_costs import landed_cost_create
from orders.services.purchase_goods import Part, purchase_order_receive, purchase_order_send_back
from orders.services.purchase_states import purchase_order_send, purchase_order_submit
from orders.services.purchasing import PurchaseLine, purchase_order_create
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.inventory import SupplierFactory
from tests.inventory.test_races import at_once
from tests.limited import limited_api
from tests.orders.buying import Buying

COSTS, BILLS, PAGES = "/api/v1/landed-costs/", "/api/v1/supplier-bills/", "/admin/orders/landedcost/"


def come(buys: Buying, *lines: tuple[ProductVariant, Any]) -> GoodsReceipt:
    """At 2.00 each."""
    return purchase_order_receive(order=buys.sent(*lines), location=buys.goods.shelf).receipt


@pytest.fixture
def bought(acme: Company) -> tuple[Buying, list[GoodsReceipt]]:
    """Ten bolts, and then ten bolts and thirty nuts; five of the bolts are sold."""
    with acme.scope():
        Organization.objects.update(costing_method="fifo")
        buys = Buying.create()
        receipts = [come(buys, (buys.goods.bolt, 10)), come(buys, (buys.goods.bolt, 10), (buys.goods.nut, 30))]
        buys.goods.issue(5)
        return buys, receipts


def body(buys: Buying, of: list[GoodsReceipt], **values: Any) -> dict[str, Any]:
    return {"warehouse": str(buys.goods.warehouse.pk), "receipts": [str(one.pk) for one in of], **values}


def draft(acme: Company, buys: Buying, receipts: list[GoodsReceipt], **values: Any) -> str:
    """Its address."""
    made = acme.api.send("post", COSTS, body(buys, receipts, **values))
    assert made.status_code == 201, made.content
    return f"{COSTS}{made.json()['id']}/"


def worth(acme: Company) -> Decimal:
    with acme.scope():
        assert [rows for _, rows in broken() if rows] == []
        return sum(ValueEntry.objects.values_list("value", flat=True), Decimal(0))


def test_is_drafted_shown_posted_and_reversed(acme: Company, bought: tuple[Buying, list[GoodsReceipt]]) -> None:
    buys, receipts = bought
    with acme.scope():
        ExchangeRate.objects.create(base="USD", quote="EUR", rate=Decimal("0.9"), valid_on="2026-01-01")
        ExchangeRate.objects.create(base="USD", quote="EUR", rate=Decimal("0.5"), valid_on="2026-03-01")
    before = worth(acme)
    made = acme.api.send("post", COSTS, body(buys, receipts, kind="freight", by="quantity", currency="USD", amount="111.12",
                                             cost_on="2026-02-01", supplier_number="AWB-7"))
    assert made.status_code == 201, made.content
    cost = made.json()
    assert (cost["number"], cost["status"], cost["base_amount"]) == ("LC-000001", "draft", None)
    url = f"{COSTS}{cost['id']}/"
    assert [one["receipt_number"] for one in acme.api.get(f"{url}receipts/").json()] == ["GR-000001", "GR-000002"]
    seen = acme.api.send("post", f"{url}post/", {"preview": True}).json()
    assert (seen["base_amount"], seen["exchange_rate"], seen["preview"]) == ("100.010000", "0.900000000", True)
    assert seen["landed_cost"]["status"] == "draft" and worth(acme) == before
    done = acme.api.send("post", f"{url}post/").json()
    assert done["shares"] == seen["shares"] and {**done, "landed_cost": 0} == {**seen, "landed_cost": 0, "preview": False}
    shares = [(one["receipt_number"], one["sku"], Decimal(one["amount"])) for one in acme.api.get(f"{url}shares/").json()]
    assert shares == [
        ("GR-000001", "BOLT", Decimal(20)), ("GR-000002", "BOLT", Decimal(20)), ("GR-000002", "NUT", Decimal("60.01")),
    ], "to the cent"
    posted = acme.api.get(url).json()
    assert (posted["status"], posted["to_stock"], posted["to_sold"]) == ("posted", "90.010000", "10.000000")
    assert worth(acme) == before + Decimal("90.01")
    assert_problem(acme.api.send("post", f"{url}post/"), 409, "wrong_status")
    assert_problem(acme.api.send("patch", url, {"note": "x"}), 409, "wrong_status")
    with acme.scope():
        buys.goods.issue(5)  # the rest of the first ten, at what they are worth now
    assert_problem(acme.api.send("post", f"{url}reverse/"), 400)
    assert acme.api.send("post", f"{url}reverse/", {"reason": "Billed twice"}).json()["status"] == "reversed"
    assert worth(acme) == before - 10, "as if it had never been"
    assert acme.api.get(f"{url}shares/").json()[0]["amount"] == "20.000000", "what it was is told"
    with acme.scope():
        told = OutboxEvent.objects.filter(aggregate_id=cost["id"]).order_by("seq").values_list("type", flat=True)
        assert list(told) == ["landed_cost.posted", "landed_cost.reversed"]
        assert set(ValueEntry.objects.filter(kind="landed").values_list("document_type", flat=True)) == {
            "landed_cost", "landed_cost_reversal",
        }


def test_the_ways_to_spread_are_those_of_the_inventory() -> None:
    assert set(LandedCost.Basis.values) == {one.value for one in By}


def test_a_draft_changes_and_a_posting_says_what_is_missing(acme: Company, bought: tuple[Buying, list[GoodsReceipt]]) -> None:
    buys, receipts = bought
    url = draft(acme, buys, receipts, by="volume")
    assert "how much" in assert_problem(acme.api.send("post", f"{url}post/"), 400)["detail"]
    acme.api.send("patch", url, {"amount": "30", "receipts": []})
    assert "over which goods receipts" in assert_problem(acme.api.send("post", f"{url}post/"), 400)["detail"]
    acme.api.send("patch", url, {"receipts": [str(receipts[1].pk)]})
    assert "how long, wide and high" in assert_problem(acme.api.send("post", f"{url}post/"), 400)["detail"]
    with acme.scope():
        ProductVariant.objects.update(length=1, width=1, height=1)
        ProductVariant.objects.filter(sku="NUT").update(height=Decimal("0.5"))
    assert [one["amount"] for one in acme.api.send("post", f"{url}post/").json()["shares"]] == ["12.000000", "18.000000"]
    dollars = draft(acme, buys, receipts, amount="1", currency="USD")
    assert_problem(acme.api.send("post", f"{dollars}post/"), 400, "no_rate")
    assert acme.api.send("post", f"{dollars}cancel/", {"reason": "Entered twice"}).json()["status"] == "cancelled"
    for wrong in ({"amount": "0"}, {"currency": "XXX1"}, {"by": "feeling"}, {"receipts": [str(buys.goods.bolt.pk)]},
                  {"receipts": [str(receipts[0].pk)] * 2}, {"bill": str(receipts[0].pk)}):
        assert_problem(acme.api.send("post", COSTS, body(buys, receipts, **wrong)), 400)


def test_over_goods_that_came_to_one_warehouse(acme: Company, bought: tuple[Buying, list[GoodsReceipt]]) -> None:
    buys, receipts = bought
    with acme.scope():
        order = PurchaseOrder.objects.get(receipts=receipts[0])
        back = purchase_order_send_back(order=order, parts=[Part(order.lines.get().pk, Decimal(1), buys.goods.shelf.pk)]).receipt
    assert_problem(acme.api.send("post", COSTS, body(buys, [back], amount="1")), 400, "does_not_exist")
    url = draft(acme, buys, receipts, amount="1")
    limited = limited_api(acme, buys.goods.shelf.pk)
    assert limited.get(url).status_code == 404
    assert_problem(limited.send("post", COSTS, body(buys, receipts, amount="1")), 403, "outside_warehouses")
    assert_problem(acme.api_as(VIEWER).send("post", f"{url}post/"), 403, "permission_denied")


def carried(buys: Buying, price: Any = 30) -> tuple[PurchaseOrder, SupplierBill]:
    """A carrier's bill for freight, which is never received; who approves it is somebody else."""
    carrier = SupplierFactory(code="FAST", currency="EUR", min_order_value=0)
    freight = ProductVariant.objects.create(product=buys.goods.bolt.product, sku="FREIGHT", name="Freight")
    order = purchase_order_create(supplier=carrier, warehouse=buys.goods.warehouse, lines=[
        PurchaseLine(freight.pk, Decimal(1), Decimal(price)),
    ])
    order = purchase_order_send(order=purchase_order_submit(order=order), by="other")
    line = BillLine(order.lines.get().pk, Decimal(1))
    return order, supplier_bill_submit(bill=supplier_bill_create(order=order, supplier_number="F-9", lines=[line]))


def test_on_a_carriers_bill(acme: Company, bought: tuple[Buying, list[GoodsReceipt]]) -> None:
    buys, receipts = bought
    before = worth(acme)
    with acme.scope():
        bill = carried(buys)[1]
    manager, bill_url = acme.api_as(MANAGER), f"{BILLS}{bill.pk}/"
    url = draft(acme, buys, receipts, bill=str(bill.pk), amount="20")
    cost = acme.api.get(url).json()
    assert (cost["supplier"], cost["supplier_number"], cost["currency"]) == (str(bill.supplier_id), "F-9", "EUR")
    assert_problem(acme.api.send("post", f"{url}post/"), 409, "bill_not_approved")
    assert manager.send("post", f"{bill_url}approve/").status_code == 200
    rest = acme.api.send("post", COSTS, body(buys, receipts[:1], bill=str(bill.pk))).json()
    assert rest["amount"] == "10.000000", "what is left of it"
    for values, code in (({"amount": "1"}, "more_than_billed"), ({}, "nothing_to_land")):
        assert_problem(acme.api.send("post", COSTS, body(buys, receipts, bill=str(bill.pk), **values)), 409, code)
    assert_problem(acme.api.send("patch", url, {"amount": "20.01"}), 409, "more_than_billed")
    assert_problem(acme.api.send("patch", url, {"bill": None}), 400, "bill_stays")
    assert_problem(acme.api.send("patch", url, {"currency": "USD"}), 400, "not_as_on_the_bill")
    assert acme.api.send("post", f"{url}post/").status_code == 200
    assert_problem(acme.api.send("post", f"{bill_url}void/", {"reason": "No"}), 409, "has_landed_costs")
    acme.api.send("post", f"{url}reverse/", {"reason": "Wrong receipts"})
    assert draft(acme, buys, receipts, bill=str(bill.pk), amount="20"), "it asks for it still"
    assert acme.api.send("post", f"{bill_url}void/", {"reason": "No"}).json()["status"] == "cancelled"
    assert_problem(acme.api.send("post", f"{COSTS}{rest['id']}/post/"), 409, "bill_not_approved")
    assert worth(acme) == before


def test_a_bill_of_goods_is_not_landed_again(acme: Company, bought: tuple[Buying, list[GoodsReceipt]]) -> None:
    buys, receipts = bought
    with acme.scope():
        order = PurchaseOrder.objects.get(receipts=receipts[0])
        bill = supplier_bill_submit(bill=supplier_bill_create(order=order, supplier_number="RE-1"))
    assert_problem(acme.api.send("post", COSTS, body(buys, receipts, bill=str(bill.pk))), 409, "nothing_to_land")


def test_in_the_admin(acme: Company, bought: tuple[Buying, list[GoodsReceipt]]) -> None:
    buys, receipts = bought
    before, browser = worth(acme), acme.admin
    form = {
        "warehouse": buys.goods.warehouse.pk, "kind": "duty", "by": "value", "bill": "", "supplier": "", "supplier_number": "C-1",
        "currency": "", "amount": "10", "cost_on": "", "note": "", "receipts-TOTAL_FORMS": 1, "receipts-INITIAL_FORMS": 0,
        "receipts-0-receipt": receipts[0].pk,
    }
    wrong = browser.post(f"{PAGES}add/", {**form, "amount": "-1"})
    assert "An amount must be above zero" in wrong.content.decode()
    saved = browser.post(f"{PAGES}add/", form)
    assert saved.status_code == 302, saved.content.decode()[-3000:]
    with acme.scope():
        cost = LandedCost.objects.get()
        assert (cost.currency, cost.receipts.count()) == ("EUR", 1) and cost.cost_on
        line = cost.receipts.get()
    url = f"{PAGES}{cost.pk}/"
    more = {
        **form, "note": "Two of them", "currency": "EUR", "cost_on": "2026-11-02", "receipts-TOTAL_FORMS": 2,
        "receipts-INITIAL_FORMS": 1, "receipts-0-id": line.pk, "receipts-0-cost": cost.pk, "receipts-1-receipt": receipts[1].pk,
    }
    saved = browser.post(f"{url}change/", more)
    assert saved.status_code == 302, saved.content.decode()[-3000:]
    shown = browser.get(f"{url}post/").content.decode()
    assert "GR-000002" in shown and "<td>30</td>" in shown and "<strong>9</strong> more" in shown
    assert worth(acme) == before
    assert b"9 to goods in stock, 1 to the cost" in browser.post(f"{url}post/", follow=True).content
    assert worth(acme) == before + 9
    assert "Two of them" in browser.get(f"{url}change/").content.decode()
    assert acme.admin_as(VIEWER).get(f"{url}reverse/").status_code == 403
    assert b"is reversed" in browser.post(f"{url}reverse/", {"reason": "Not ours"}, follow=True).content
    assert worth(acme) == before


def test_a_new_one_from_a_receipt_or_an_order(acme: Company, bought: tuple[Buying, list[GoodsReceipt]]) -> None:
    """The page opens with the warehouse and the receipts in it; what is sent as it was shown is kept."""
    buys, receipts = bought
    browser, first, second = acme.admin, *receipts
    for name, key, of in (("goodsreceipt", first.pk, first), ("purchaseorder", second.order_id, second)):
        url = f"/admin/orders/{name}/{key}/"
        assert "Add a landed cost" in browser.get(f"{url}change/").content.decode()
        shown = browser.get(f"{url}landed-cost/", follow=True).content.decode()
        assert f'<option value="{of.pk}" selected>{of.number}</option>' in shown
        assert f'<option value="{buys.goods.warehouse.pk}" selected>' in shown
        assert b"Add a landed cost" not in acme.admin_as(VIEWER).get(f"{url}change/").content
        assert acme.admin_as(VIEWER).get(f"{url}landed-cost/").status_code == 403
    form = {"kind": "freight", "by": "value", "amount": "9", "receipts-TOTAL_FORMS": 1, "receipts-INITIAL_FORMS": 0}
    asked = f"{PAGES}add/?warehouse={buys.goods.warehouse.pk}&receipt={second.pk}&receipt=nonsense"
    sent = {"warehouse": buys.goods.warehouse.pk, "receipts-0-receipt": second.pk, **form}
    assert browser.post(asked, sent).status_code == 302
    with acme.scope():
        assert LandedCost.objects.get().receipts.get().receipt == second
        gone = Part(first.order.lines.get().pk, Decimal(1), buys.goods.shelf.pk)
        back = purchase_order_send_back(order=first.order, parts=[gone])
    url = f"/admin/orders/goodsreceipt/{back.receipt.pk}/"
    assert b"Add a landed cost" not in browser.get(f"{url}change/").content, "of goods that went back there is none"
    assert browser.get(f"{url}landed-cost/").status_code == 403


def test_eight_processes_take_what_a_bill_asks_for(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        buys = Buying.create()
        receipt = come(buys, (buys.goods.bolt, 10))
        bill = carried(buys)[1]
        SupplierBill.objects.filter(pk=bill.pk).update(entered_by=uuid4(), submitted_by=uuid4())
        supplier_bill_approve(bill=bill)

    def take(number: int) -> str:
        try:
            with company.scope():
                return landed_cost_post(cost=landed_cost_create(
                    warehouse=buys.goods.warehouse, receipts=[receipt.pk], bill_id=bill.pk, amount=Decimal(8),
                )).cost.status
        except DomainError as refused:
            return refused.code

    assert Counter(at_once(8, take)) == {"posted": 3, "more_than_billed": 5}
    with company.scope():
        cost = landed_cost_create(warehouse=buys.goods.warehouse, receipts=[receipt.pk], amount=Decimal(6))

    def post(number: int) -> str:
        try:
            with company.scope():
                return landed_cost_post(cost=cost).cost.status
        except DomainError as refused:
            return refused.code

    assert Counter(at_once(4, post)) == {"posted": 1, "wrong_status": 3}
    with company.scope():
        assert sum(ValueEntry.objects.values_list("value", flat=True)) == 20 + 24 + 6
