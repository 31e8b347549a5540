"""Suppliers' bills, held against what was ordered and what is here."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import ExchangeRate, Organization
from accounts.permissions import MANAGER, VIEWER
from core.errors import DomainError
from core.invariants import broken
from inventory.models import ValueEntry
from notifications.models import OutboxEvent
from orders.models import PurchaseOrder, PurchaseOrderItem, SupplierBill
from orders.services.bill_states import supplier_bill_submit
from orders.services.bills import BillLine, supplier_bill_create
from orders.services.purchase_goods import Part, purchase_order_receive, purchase_order_send_back
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.test_races import at_once
from tests.limited import limited_api
from tests.orders.buying import Buying

BILLS, PAGES = "/api/v1/supplier-bills/", "/admin/orders/supplierbill/"


def come(buys: Buying, quantity: Any = 10, received: Any = 10, **values: Any) -> PurchaseOrder:
    order = buys.sent((buys.goods.bolt, quantity), **values)
    if received:
        receive(buys, order, received)
    return order


def receive(buys: Buying, order: PurchaseOrder, quantity: Any) -> None:
    purchase_order_receive(
        order=order, parts=[Part(order.lines.get().pk, Decimal(quantity))], location=buys.goods.shelf,
    )


@pytest.fixture
def bought(acme: Company) -> tuple[Buying, PurchaseOrder]:
    with acme.scope():
        buys = Buying.create()
        return buys, come(buys)


def asked(order: PurchaseOrder, number: str = "RE-1", **line: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"order": str(order.pk), "supplier_number": number}
    return {**body, "lines": [{"line": str(order.lines.get().pk), **line}]} if line else body


def enter(acme: Company, order: PurchaseOrder, number: str = "RE-1", **line: Any) -> str:
    """Its address."""
    with acme.scope():
        body = asked(order, number, **line)
    made = acme.api.send("post", f"{BILLS}from-order/", body)
    assert made.status_code == 201, made.content
    return f"{BILLS}{made.json()['id']}/"


def codes(acme: Company, url: str) -> list[str]:
    return [one["code"] for line in acme.api.get(f"{url}lines/").json() for one in line["variances"]]


def billed(acme: Company, order: PurchaseOrder) -> int:
    with acme.scope():
        assert [rows for _, rows in broken() if rows] == []
        return int(PurchaseOrderItem.objects.get(order=order).billed_quantity)


def worth() -> tuple[Decimal, Decimal]:
    """Of what is here, and of all that came."""
    entries = ValueEntry.objects.select_related("move")
    came = [entry.value for entry in entries if entry.move and entry.move.kind == "receipt"]
    return sum((entry.value for entry in entries), Decimal(0)), sum(came, Decimal(0))


def test_what_is_as_ordered_and_received_is_approved_at_once(acme: Company, bought: tuple[Buying, PurchaseOrder]) -> None:
    buys, order = bought
    with acme.scope():
        buys.supplier.party.payment_terms_days = 30
        buys.supplier.party.save()
        body = {**asked(order), "billed_on": "2026-11-02"}
    made = acme.api.send("post", f"{BILLS}from-order/", body)
    assert made.status_code == 201, made.content
    bill = made.json()
    assert (bill["status"], bill["due_on"], bill["net_total"], bill["currency"]) == ("draft", "2026-12-02", "20.000000", "EUR")
    assert_problem(acme.api.send("post", f"{BILLS}from-order/", body), 409, "nothing_to_bill")
    url = f"{BILLS}{bill['id']}/"
    assert codes(acme, url) == []
    assert_problem(acme.api_as(VIEWER).send("post", f"{url}submit/"), 403, "permission_denied")
    assert acme.api.send("post", f"{url}submit/").json()["status"] == "approved"
    assert_problem(acme.api.send("patch", url, {"note": "x"}), 409, "wrong_status")
    assert_problem(acme.api.send("post", f"{url}cancel/"), 409, "wrong_status")
    assert billed(acme, order) == 10
    lines = acme.api.get(f"/api/v1/purchase-orders/{order.pk}/lines/").json()
    assert lines[0]["billed_quantity"] == "10.000000"
    with acme.scope():
        told = OutboxEvent.objects.filter(aggregate_id=bill["id"]).order_by("seq").values_list("type", flat=True)
        assert list(told) == ["supplier_bill.submitted", "supplier_bill.approved"]
        assert not ValueEntry.objects.filter(kind="landed").exists()


@pytest.mark.parametrize(("line", "found"), [
    ({"quantity": "11"}, ["quantity_over"]),
    ({"quantity": "10", "unit_price": "2.04"}, []),  # two per cent
    ({"quantity": "10", "unit_price": "2.05"}, ["price_over"]),
    ({"quantity": "10", "unit_price": "2.05", "discount_percent": "2"}, []),
    ({"quantity": "10", "unit_price": "1.9"}, ["price_under"]),
    ({"quantity": "10", "tax_rate": "7"}, ["tax_rate"]),
    ({"quantity": "12", "unit_price": "3", "tax_rate": "7"}, ["quantity_over", "price_over", "tax_rate"]),
])  # fmt: skip
def test_what_differs_waits_for_somebody_else(
    line: dict[str, str], found: list[str], acme: Company, bought: tuple[Buying, PurchaseOrder],
) -> None:
    url = enter(acme, bought[1], **line)
    assert codes(acme, url) == found
    assert acme.api.send("post", f"{url}submit/").json()["status"] == ("in_variance" if found else "approved")
    assert codes(acme, url) == found
    assert billed(acme, bought[1]) == (0 if found else 10)


def test_two_per_cent_of_much_is_looked_at(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        order = come(buys, 1000, 1000)
    url = enter(acme, order, quantity="1000", unit_price="2.02")
    assert codes(acme, url) == ["price_over"], "one per cent, and 20.00 in all"


def test_somebody_else_approves_or_rejects(acme: Company, bought: tuple[Buying, PurchaseOrder]) -> None:
    order = bought[1]
    url = enter(acme, order, quantity="12", unit_price="3")
    assert acme.api.send("post", f"{url}submit/").json()["status"] == "in_variance"
    for verb, body in (("approve", {}), ("reject", {"reason": "No"})):
        assert_problem(acme.api.send("post", f"{url}{verb}/", body), 403, "own_request")
    manager = acme.api_as(MANAGER)
    assert_problem(manager.send("post", f"{url}reject/"), 400)
    assert manager.send("post", f"{url}reject/", {"reason": "Ten came"}).json()["decision_note"] == "Ten came"
    with acme.scope():
        lines = asked(order, quantity="11", unit_price="3")["lines"]
    assert acme.api.send("patch", url, {"lines": lines}).json()["net_total"] == "33.000000"
    assert manager.send("post", f"{url}submit/").json()["status"] == "in_variance"
    for who in (acme.api, manager):  # one wrote it, the other submitted it
        assert_problem(who.send("post", f"{url}approve/"), 403, "own_request")
    assert manager.send("post", f"{url}cancel/", {"reason": "Sent anew"}).json()["status"] == "cancelled"
    again = enter(acme, order, quantity="12", unit_price="3")  # the same number
    acme.api.send("post", f"{again}submit/")
    assert manager.send("post", f"{again}approve/", {"note": "Two are on their way"}).json()["status"] == "approved"
    assert billed(acme, order) == 12
    assert codes(acme, again) == ["quantity_over", "price_over"], "as it was decided"


def test_approval_is_for_what_was_read(acme: Company, bought: tuple[Buying, PurchaseOrder]) -> None:
    buys, order = bought
    dear, plain = enter(acme, order, quantity="8", unit_price="3"), enter(acme, order, "RE-2", quantity="5")
    assert acme.api.send("post", f"{dear}submit/").json()["status"] == "in_variance"
    assert acme.api.send("post", f"{plain}submit/").json()["status"] == "approved"
    manager = acme.api_as(MANAGER)
    problem = assert_problem(manager.send("post", f"{dear}approve/"), 409, "variance_grew")
    assert "BOLT" in problem["detail"] and codes(acme, dear) == ["quantity_over", "price_over"]
    with acme.scope():
        more = come(buys)
        purchase_order_send_back(order=more, parts=[Part(more.lines.get().pk, Decimal(4), buys.goods.shelf.pk)])
    assert codes(acme, enter(acme, more, "RE-3", quantity="7")) == ["quantity_over"], "what went back is not paid"
    assert manager.send("post", f"{dear}reject/", {"reason": "Look again"}).status_code == 200
    assert acme.api.send("post", f"{dear}submit/").status_code == 200
    assert manager.send("post", f"{dear}approve/").json()["status"] == "approved"
    assert billed(acme, order) == 13


def test_a_bill_of_a_supplier_is_entered_once(acme: Company, bought: tuple[Buying, PurchaseOrder]) -> None:
    buys, order = bought
    enter(acme, order, quantity="1")
    with acme.scope():
        body = asked(order, quantity="1")
        draft = buys.order((buys.goods.bolt, 1))
        waiting = come(buys, received=0)
    assert acme.api.send("post", f"{BILLS}from-order/", body).status_code == 400
    line = body["lines"][0]
    for lines in ([], [line, line], [{**line, "quantity": "0"}], [{**line, "line": str(order.pk)}]):
        assert_problem(acme.api.send("post", f"{BILLS}from-order/", {**body, "supplier_number": "RE-2", "lines": lines}), 400)
    early = {**body, "supplier_number": "RE-2", "billed_on": "2026-11-02", "due_on": "2026-11-01"}
    assert acme.api.send("post", f"{BILLS}from-order/", early).status_code == 400
    unsent = {"order": str(draft.pk), "supplier_number": "X"}
    assert_problem(acme.api.send("post", f"{BILLS}from-order/", unsent), 409, "wrong_status")
    url = enter(acme, waiting, "RE-9", quantity="10")
    assert codes(acme, url) == ["quantity_over"]
    assert_problem(acme.api.send("post", f"/api/v1/purchase-orders/{waiting.pk}/revise/"), 409, "has_bills")
    with acme.scope():
        receive(buys, waiting, 10)
    assert acme.api.send("post", f"{url}submit/").json()["status"] == "approved", "the goods have come since"


@pytest.mark.parametrize("currency", ["EUR", "USD"])
def test_the_goods_are_worth_what_is_asked_for_them(currency: str, acme: Company) -> None:
    with acme.scope():
        Organization.objects.update(costing_method="fifo")
        ExchangeRate.objects.create(base="USD", quote="EUR", rate=Decimal("0.5"), valid_on="2020-01-01")
        rate = Decimal(1) if currency == "EUR" else Decimal("0.5")
        buys = Buying.create(currency=currency)
        order = come(buys, 10, 4)
        receive(buys, order, 6)
        buys.goods.issue(5)  # the first four and one of the others
        assert worth()[0] == 10 * rate
    # RE-1: four of the first receipt, which are sold, and one of the six of the second, of which five are here.
    # RE-2: five of these six, each for one less.
    manager = acme.api_as(MANAGER)
    for number, price, added in (("RE-1", "3", Decimal(5) / 6), ("RE-2", "1", Decimal(5 - 25) / 6)):
        url = enter(acme, order, number, quantity="5", unit_price=price)
        assert acme.api.send("post", f"{url}submit/").json()["status"] == "in_variance"
        assert manager.send("post", f"{url}approve/").json()["status"] == "approved"
        with acme.scope():
            assert abs(worth()[0] - (10 + added) * rate) < Decimal("0.00001")
    assert billed(acme, order) == 10
    with acme.scope():
        assert worth()[1] == 20 * rate, "five for three and five for one are what ten cost"


def status(acme: Company, order: PurchaseOrder) -> str:
    return str(acme.api.get(f"/api/v1/purchase-orders/{order.pk}/").json()["status"])


def test_an_order_is_billed_once_all_that_came_is(acme: Company, bought: tuple[Buying, PurchaseOrder]) -> None:
    buys, order = bought
    order_url = f"/api/v1/purchase-orders/{order.pk}/"
    first, rest = enter(acme, order, quantity="4"), enter(acme, order, "RE-2", quantity="6")
    acme.api.send("post", f"{first}submit/")
    assert status(acme, order) == "received", "six are to be billed"
    acme.api.send("post", f"{rest}submit/")
    assert status(acme, order) == "billed" and billed(acme, order) == 10
    assert_problem(acme.api_as(VIEWER).send("post", f"{rest}void/", {"reason": "No"}), 403, "permission_denied")
    assert_problem(acme.api.send("post", f"{rest}void/"), 400)
    voided = acme.api.send("post", f"{rest}void/", {"reason": "They sent another one"}).json()
    assert voided["status"] == "cancelled" and voided["approved_at"]
    assert status(acme, order) == "received" and billed(acme, order) == 4
    assert_problem(acme.api.send("post", f"{rest}void/", {"reason": "Again"}), 409, "wrong_status")
    acme.api.send("post", f"{enter(acme, order, 'RE-2', quantity='6')}submit/")  # its number is free
    with acme.scope():
        line, shelf = order.lines.get().pk, buys.goods.shelf.pk
        purchase_order_send_back(order=order, parts=[Part(line, Decimal(3), shelf)])
    assert status(acme, order) == "partially_received", "they owe us three, which are paid"
    with acme.scope():
        receive(buys, order, 3)
    assert status(acme, order) == "billed" and billed(acme, order) == 10
    entries = acme.api.get(f"/api/v1/journal-entries/?object_type=orders.purchaseorder&object_id={order.pk}").json()["results"]
    assert [one["to_state"] for one in entries if one["to_state"]][:3] == ["billed", "received", "partially_received"]
    with acme.scope():
        told = OutboxEvent.objects.filter(aggregate_id=order.pk, type__endswith="billed").order_by("seq")
        verbs = [name.removeprefix("purchase_order.") for name in told.values_list("type", flat=True)]
        assert verbs == ["billed", "unbilled", "billed", "billed"]
    assert acme.api.send("post", f"{order_url}close/").json()["status"] == "closed"


def test_a_bill_before_the_goods_and_one_after_the_end(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        early, closed = come(buys, received=0), come(buys, received=4)
    acme.api.send("post", f"{enter(acme, early, quantity='10')}submit/")
    assert acme.api_as(MANAGER).send("post", f"{BILLS}{bill_of(acme, early)}/approve/").status_code == 200
    assert status(acme, early) == "sent"
    with acme.scope():
        receive(buys, early, 10)
    assert status(acme, early) == "billed"
    acme.api.send("post", f"/api/v1/purchase-orders/{closed.pk}/close/")
    acme.api.send("post", f"{enter(acme, closed, 'RE-2', quantity='4')}submit/")
    assert status(acme, closed) == "closed" and billed(acme, closed) == 4
    acme.api.send("post", f"{BILLS}{bill_of(acme, closed)}/void/", {"reason": "Not ours"})
    assert status(acme, closed) == "closed" and billed(acme, closed) == 0


def bill_of(acme: Company, order: PurchaseOrder) -> str:
    return str(acme.api.get(f"{BILLS}?order={order.pk}").json()["results"][0]["id"])


def test_a_voided_bill_takes_back_what_it_added(acme: Company) -> None:
    with acme.scope():
        Organization.objects.update(costing_method="fifo")
        buys = Buying.create()
        order = come(buys, 10, 4)
        receive(buys, order, 6)
        buys.goods.issue(5)
    manager, urls = acme.api_as(MANAGER), []
    for number, price in (("RE-1", "3"), ("RE-2", "1")):
        urls.append(enter(acme, order, number, quantity="5", unit_price=price))
        acme.api.send("post", f"{urls[-1]}submit/")
        manager.send("post", f"{urls[-1]}approve/")
    with acme.scope():
        buys.goods.issue(2)  # at what they are worth now
    assert acme.api.send("post", f"{urls[0]}void/", {"reason": "Wrong price"}).status_code == 200
    with acme.scope():
        assert worth()[1] == 15, "five for one, and five as they were ordered for two"
        assert abs(worth()[0] - (3 * 2 - Decimal(5) / 6 * 3)) < Decimal("0.00001")
    assert acme.api.send("post", f"{urls[1]}void/", {"reason": "Wrong too"}).status_code == 200
    assert billed(acme, order) == 0
    with acme.scope():
        assert worth() == (6, 20), "as if there had been no bill"


def test_only_where_one_may(acme: Company, bought: tuple[Buying, PurchaseOrder]) -> None:
    buys, order = bought
    with acme.scope():
        body = asked(order)
    elsewhere = limited_api(acme, buys.goods.shelf.pk)
    assert_problem(elsewhere.send("post", f"{BILLS}from-order/", body), 403, "outside_warehouses")
    assert elsewhere.get(enter(acme, order)).status_code == 404


def test_in_the_admin(acme: Company, bought: tuple[Buying, PurchaseOrder]) -> None:
    order, browser = bought[1], acme.admin
    page = f"/admin/orders/purchaseorder/{order.pk}/"
    assert f"{page}bill/" in browser.get(f"{page}change/").content.decode()
    form = {
        "supplier_number": "RE-1", "billed_on": "2026-11-02", "due_on": "", "note": "", "quantity-1": "10", "unit_price-1": "3",
        "discount_percent-1": "0", "tax_rate-1": "0",
    }
    assert b'value="10"' in browser.get(f"{page}bill/").content
    assert b"Say what is billed" in browser.post(f"{page}bill/", {**form, "quantity-1": ""}).content
    assert browser.post(f"{page}bill/", form).status_code == 302
    assert b"is entered already" in browser.post(f"{page}bill/", form).content
    with acme.scope():
        bill = SupplierBill.objects.get()
        line = bill.lines.get()
    url = f"{PAGES}{bill.pk}/"
    shown = browser.get(f"{url}change/").content.decode()
    assert "The price is 3 after the discount" in shown and f"{url}submit/" in shown and f"{url}approve/" not in shown
    changed = {
        "supplier_number": "RE-7", "billed_on": "2026-11-02", "due_on": "2026-12-02", "note": "", "lines-TOTAL_FORMS": 1,
        "lines-INITIAL_FORMS": 1, "lines-0-id": line.pk, "lines-0-bill": bill.pk, "lines-0-quantity": "9",
        "lines-0-unit_price": "3", "lines-0-discount_percent": "0", "lines-0-tax_rate": "0",
    }
    saved = browser.post(f"{url}change/", changed)
    assert saved.status_code == 302, saved.content.decode()[-3000:]
    with acme.scope():
        bill.refresh_from_db()
        assert (bill.supplier_number, bill.net_total) == ("RE-7", 27)
    assert browser.post(f"{url}submit/").status_code == 302
    assert "Somebody else has to look" in browser.post(f"{url}approve/", follow=True).content.decode()
    manager = acme.admin_as(MANAGER)
    assert manager.post(f"{url}reject/", {"reason": "Too dear"}).status_code == 302
    assert browser.post(f"{url}submit/").status_code == 302
    assert b"Approved" in manager.post(f"{url}approve/", follow=True).content
    assert b"The price is 3 after the discount" in browser.get(f"{url}change/").content
    assert acme.admin_as(VIEWER).get(f"{url}submit/").status_code == 403 == acme.admin_as(VIEWER).get(f"{url}void/").status_code
    assert acme.admin_as(VIEWER).get(f"{page}bill/").status_code == 403
    assert billed(acme, order) == 9
    assert b"This field is required" in browser.post(f"{url}void/", {"reason": ""}).content
    assert b"canceled" in browser.post(f"{url}void/", {"reason": "Not ours"}, follow=True).content
    assert billed(acme, order) == 0


def test_eight_processes_bill_what_came(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        buys = Buying.create()
        order = come(buys)
        line = order.lines.get().pk

    def three(number: int) -> str:
        try:
            with company.scope():
                lines = [BillLine(line, Decimal(3), Decimal("2.02"))]
                return supplier_bill_submit(bill=supplier_bill_create(
                    order=order, supplier_number=f"RE-{number}", lines=lines,
                )).status
        except DomainError as refused:
            return refused.code

    assert Counter(at_once(8, three)) == {"approved": 3, "in_variance": 5}
    assert billed(company, order) == 9
    with company.scope():
        bill = supplier_bill_create(order=order, supplier_number="RE-Z", lines=[BillLine(line, Decimal(1))])

    def submit(number: int) -> str:
        try:
            with company.scope():
                return supplier_bill_submit(bill=bill).status
        except DomainError as refused:
            return refused.code

    assert Counter(at_once(4, submit)) == {"approved": 1, "wrong_status": 3}
    assert billed(company, order) == 10
    with company.scope():
        assert worth()[1] == Decimal("20.18")
