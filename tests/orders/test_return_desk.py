"""Goods on the counter: one request asks for the return, takes it in, and proposes its money; sent twice it is done once."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail

from core.errors import Conflict
from inventory.models import Lot, ReasonCode, StockItem, StockMove, Warehouse
from notifications.models import OutboxEvent
from orders.handlers import tell_of_approval
from orders.models import Invoice, ReturnAuthorization, SalesOrder, Shipment
from orders.queries.return_desk import sold_rows
from orders.services.invoices import invoice_draft_from_order, invoice_issue
from orders.services.return_desk import Back, return_take
from orders.services.returns import Asked, return_approve, return_create, return_refund, return_replace
from orders.services.sales_orders import sales_order_create
from tests.admin.pages import statements, text
from tests.companies import Company
from tests.factories.accounts import RoleFactory
from tests.inventory.test_races import at_once
from tests.limited import limited_admin
from tests.orders.selling import Shop
from tests.orders.test_returns import NewLine, on_hand, shipped
from tests.orders.test_sales_orders import refused, sound

BACK = "/admin/take-back/"


def post(company: Company, name: str, status: int = 200, role: str = "admin", **fields: Any) -> str:
    response = company.admin_as(role).post(f"{BACK}{name}", {"id": uuid4().hex, **fields})
    assert response.status_code == status, text(response)
    return text(response)


@pytest.fixture
def shop(acme: Company) -> Shop:
    with acme.scope():
        return Shop.create()


def sent(company: Company, shop: Shop) -> SalesOrder:
    """Invoiced, and gone: four bolts and two nuts."""
    with company.scope():
        order = shipped(shop.cart(bolts=4, nuts=2))
        invoice_issue(invoice=invoice_draft_from_order(order=order))
        return order


def test_one_line_comes_back_once(acme: Company, shop: Shop) -> None:
    order = sent(acme, shop)
    with acme.scope():
        ReasonCode.objects.create(kind="receipt", code="DEFECT", name="Defective")
        bolts, nuts = sold_rows(order)
        moves = StockMove.objects.count()
    assert "shipped" in post(acme, "scan/", text="so-000001", by="scanner").lower()
    key = {"id": uuid4().hex}
    fields = {f"quantity_{bolts.key}": "1", f"disposition_{bolts.key}": "restock", "reason": "def rusty", **key}
    for _ in range(2):
        page = post(acme, "post/", order=order.pk, **fields)
    assert "RMA-000001" in page and "5 EUR are to be refunded" in page
    with acme.scope():
        row = ReturnAuthorization.objects.get()
        assert (row.status, row.refund_amount, row.note, row.reason.code) == ("inspected", 5, "rusty", "DEFECT")
        assert on_hand(shop) == {"A-1": 7}, "not by way of quarantine: somebody has looked"
        assert StockMove.objects.count() == moves + 1
        note = Invoice.objects.get(kind="credit_note")
        assert (note.status, note.total, note.note) == ("draft", 5, "Return RMA-000001")
        assert return_refund(authorization=row, reference="T-1").status == "refunded"
        assert Invoice.objects.filter(kind="credit_note").count() == 1, "not a second draft"
        event = OutboxEvent.objects.get(type="return.approved")
        tell_of_approval.func({"id": str(event.pk), "payload": event.payload})
        assert mail.outbox == [], "nobody is asked to send what is here"
        sound()
    page = post(acme, "post/", 422, **fields)
    assert "Scan first" in page
    nothing = post(acme, "post/", 422, order=order.pk)
    assert "Say of a line" in nothing
    assert "R, Q or S" in post(acme, "post/", 422, order=order.pk, **{f"quantity_{nuts.key}": "1"})
    over = {f"quantity_{bolts.key}": "4", f"disposition_{bolts.key}": "scrap"}
    assert "3 were shipped" in post(acme, "post/", 409, order=order.pk, **over)
    assert "No reason begins with zz" in post(acme, "post/", 422, order=order.pk, **over, reason="zz")


def test_every_paper_and_the_goods_lead_to_the_order(acme: Company, shop: Shop) -> None:
    order = sent(acme, shop)
    with acme.scope():
        engine = shop.goods.tracked("serial", "ENGINE")
        for code in ("E1", "E2"):
            shop.goods.receive_lot(1, engine, code)
        other = shipped(sales_order_create(channel=shop.channel, lines=[NewLine(engine.pk, Decimal(2), unit_price=Decimal(9))]))
        asked = return_approve(authorization=return_create(order=order, lines=[Asked(order.lines.first().pk, Decimal(3))]))
        Shipment.objects.create(order=order, warehouse=order.warehouse, number="SH-77", tracking_number="1Z999")
        invoice = Invoice.objects.get().number or ""
        lot, line = Lot.objects.get(code="E2"), other.lines.get()
        later = [shipped(shop.cart(bolts=1)) for _ in range(2)]
    for code in ("SO-000001", "sh-77", invoice, "1Z999"):
        assert "<h2" in (page := post(acme, "scan/", text=code, by="scanner")) and "SO-000001" in page, code
    page = post(acme, "scan/", text="E2", by="scanner")
    assert f'id="back-{line.pk}_{lot.pk}"' in page and "data-one" in page
    assert "E2: 1 more" in post(acme, "scan/", order=other.pk, text="E2", by="scanner")
    assert "BOLT: 1 more" in post(acme, "scan/", order=order.pk, text="BOLT", by="scanner")
    assert "not left by this order" in post(acme, "scan/", 422, order=other.pk, text="BOLT", by="scanner")
    assert "leads to no order" in post(acme, "scan/", 422, text="BOLT", by="scanner")
    assert "Nothing here has the code" in post(acme, "scan/", 404, text="NOBODY", by="scanner")
    assert len(later) == 2

    page = post(acme, "scan/", text=asked.number, by="scanner")
    with acme.scope():
        line = asked.lines.get()
    assert asked.number in page and "back-reason" not in page
    fields = {f"quantity_{line.pk}": "2", f"disposition_{line.pk}": "quarantine"}
    for _ in range(2):
        assert "10 EUR are to be refunded" in post(acme, "post/", **{"return": asked.pk}, **fields)
    assert "is inspected already" in post(acme, "scan/", 422, text=asked.number, by="scanner")
    page = text(acme.admin.get(f"{BACK}?return={asked.pk}"))
    assert "is inspected already" in page and "take-back/post" not in page
    with acme.scope():
        assert StockItem.objects.get(variant=shop.goods.bolt, location=shop.goods.quarantine).quantity == 2
        sound()


def test_the_card_of_a_sold_serial_number_begins_its_return(acme: Company, shop: Shop) -> None:
    def scanned(client: Any, code: str = "E1") -> str:
        return text(client.post("/admin/scan/", {"text": code, "id": uuid4().hex, "by": "scanner"}))

    with acme.scope():
        engine = shop.goods.tracked("serial", "ENGINE")
        for code in ("E1", "E2"):
            shop.goods.receive_lot(1, engine, code)
        lines = [NewLine(engine.pk, Decimal(1), unit_price=Decimal(9))]
        order = shipped(sales_order_create(channel=shop.channel, customer=shop.customer, lines=lines))
        lot, line = Lot.objects.get(code="E1"), order.lines.get()
        north = Warehouse.objects.create(code="N", name="North")
    page = scanned(acme.admin)
    assert "Serial number E1 is not in stock" in page and f"to {shop.customer.party}" in page and "SO-000001" in page
    url = f"{BACK}?order={order.pk}&amp;lot={lot.pk}"
    assert f'href="{url}" aria-keyshortcuts="B"' in page
    assert f'id="back-{line.pk}_{lot.pk}"' in text(acme.admin.get(url.replace("&amp;", "&")))
    viewed = scanned(acme.admin_as("viewer"))
    assert "SO-000001" in viewed and BACK not in viewed
    assert "SO-000001" not in scanned(limited_admin(acme, north))
    assert "is not in stock" not in scanned(acme.admin, "E2")
    with acme.scope():
        return_take(order=order, goods={(line.pk, lot.pk): Back(Decimal(1), "restock")}, key=uuid4())
    assert "SO-000001" not in scanned(acme.admin), "it is here again"


def test_it_waits_for_who_may_approve_and_receive_there(acme: Company, shop: Shop) -> None:
    order = sent(acme, shop)
    with acme.scope():
        [bolts, _] = sold_rows(order)
        north = Warehouse.objects.create(code="N", name="North")
        asks = ["orders.add_returnauthorization", "orders.view_salesorder", "inventory.view_stockitem"]
        RoleFactory(code="asks", permissions=asks)
    fields = {"id": uuid4().hex, f"quantity_{bolts.key}": "1", f"disposition_{bolts.key}": "scrap"}
    asker = limited_admin(acme, north, roles=("asks",))
    page = text(asker.post(f"{BACK}post/", {"order": order.pk, **fields}))
    assert "RMA-000001" in page and "waits for somebody who approves it" in page
    with acme.scope():
        made = ReturnAuthorization.objects.get()
        assert (made.status, made.lines.get().disposition) == ("requested", "scrap")
    assert asker.post(f"{BACK}post/", {"return": made.pk, **fields}).status_code == 403
    elsewhere = limited_admin(acme, north)
    assert elsewhere.post(f"{BACK}scan/", {"id": "1", "text": "SO-000001", "by": "scanner"}).status_code == 404
    assert elsewhere.post(f"{BACK}post/", {"order": order.pk, **fields}).status_code == 404
    assert acme.admin_as("viewer").get(BACK).status_code == 403


def test_what_is_replaced_is_not_credited(acme: Company, shop: Shop) -> None:
    order = sent(acme, shop)
    with acme.scope():
        [bolts, _] = sold_rows(order)
        goods = {(bolts.line, None): Back(Decimal(1), "restock")}
        first = return_take(order=order, goods=goods, key=uuid4()).authorization
        return_replace(authorization=first)
        assert not Invoice.objects.filter(kind="credit_note").exists()
        second = return_take(order=order, goods=goods, key=uuid4())
        invoice_issue(invoice=second.credit_notes[0])
        refused("credited_already", return_replace, authorization=second.authorization)


def test_statements(acme: Company, shop: Shop) -> None:
    """Of an order with an invoice: a line more costs none more."""
    counts = []
    for wanted in ({"bolts": 2}, {"bolts": 2}, {"bolts": 2, "nuts": 2}):  # the first one makes the sequence of numbers
        with acme.scope():
            order = shipped(shop.cart(**wanted))
            invoice_issue(invoice=invoice_draft_from_order(order=order))
            goods = {(row.line, row.lot): Back(Decimal(1), "restock") for row in sold_rows(order)}
            with statements() as made:
                assert len(return_take(order=order, goods=goods, key=uuid4()).credit_notes) == 1
        counts.append(len(made))
    assert counts[1] == counts[2] <= 30, counts


def test_eight_desks_take_back_the_same_goods(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        order = shipped(Shop.create().cart(bolts=3))
        [row] = sold_rows(order)

    def take(number: int) -> str:
        with company.scope():
            try:
                taken = return_take(order=order, goods={(row.line, None): Back(Decimal(1), "restock")}, key=uuid4())
                return taken.authorization.status
            except Conflict as conflict:
                return conflict.code

    assert Counter(at_once(8, take)) == {"inspected": 3, "more_than_shipped": 5}
    with company.scope():
        assert order.lines.get().returned_quantity == 3
        sound()
