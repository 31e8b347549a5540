"""Goods of purchase orders: in parts, rejected, over-delivered, sent back; and two who receive the same."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import ExchangeRate
from core.errors import Conflict, DomainError, Invalid
from core.invariants import broken
from inventory.models import CostLayer, Lot
from inventory.services.posting import LotCode
from notifications.models import OutboxEvent
from orders.models import GoodsReceipt, GoodsReceiptItem, PurchaseOrder
from orders.services.purchase_goods import Delivery, Part, purchase_order_receive, purchase_order_send_back
from orders.services.purchase_proposals import purchase_orders_from_tasks
from orders.services.purchase_states import (
    purchase_order_cancel,
    purchase_order_close,
    purchase_order_revise,
    purchase_order_send,
    purchase_order_submit,
)
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.test_races import at_once
from tests.orders.buying import Buying, quantities

ORDERS = "/api/v1/purchase-orders/"


def part(order: PurchaseOrder, quantity: Any = 0, line: int = 1, **values: Any) -> Part:
    return Part(order.lines.get(line=line).pk, Decimal(quantity), **values)


def status(order: PurchaseOrder) -> str:
    order.refresh_from_db()
    return order.status


def test_over_the_api_in_parts(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        milk = buys.goods.tracked()
        order = buys.sent((buys.goods.bolt, 10), (milk, 6))
        bolts, milks = order.lines.order_by("line")
    url, api = f"{ORDERS}{order.pk}/", acme.api
    body = {"delivery_note": "LS-77", "location": str(buys.goods.shelf.pk), "lines": [
        {"line": str(bolts.pk), "quantity": "7", "rejected_quantity": "2", "rejected_because": "Rusty"},
        {"line": str(milks.pk), "quantity": "2", "lot_code": "L1", "expires_on": "2040-01-01"},
        {"line": str(milks.pk), "quantity": "3", "lot_code": "L2", "location": str(buys.goods.other_shelf.pk)},
    ], "idempotency_key": "scan-1"}  # fmt: skip
    first = api.send("post", f"{url}receive/", body)
    assert (first.status_code, first.json()["status"]) == (200, "partially_received"), first.content
    assert api.send("post", f"{url}receive/", body).json()["receipt"] == first.json()["receipt"], "sent twice, counted once"
    [receipt] = api.get("/api/v1/goods-receipts/", {"order": order.pk}).json()["results"]
    assert (receipt["number"], receipt["delivery_note"]) == ("GR-000001", "LS-77")
    lines = api.get(f"/api/v1/goods-receipts/{receipt['id']}/lines/").json()
    assert [(one["sku"], one["lot_code"], one["location_code"], one["quantity"][:1]) for one in lines] == [
        ("BOLT", None, "A-1", "7"), ("MILK", "L1", "A-1", "2"), ("MILK", "L2", "A-2", "3"),
    ]
    moves = api.get("/api/v1/stock-moves/", {"document_id": receipt["id"]}).json()["results"]
    assert {one["id"] for one in moves} == {one["move"] for one in lines}
    assert_problem(api.send("post", f"{url}receive/"), 400, "lot_required")
    assert_problem(api.send("post", f"{url}receive/", {"lines": [{"line": str(bolts.pk), "quantity": "4"}]}), 409, "over_receipt")
    rest = {"lines": [
        {"line": str(bolts.pk), "quantity": "3"}, {"line": str(milks.pk), "quantity": "1", "lot_code": "L1"},
    ]}  # fmt: skip
    assert api.send("post", f"{url}receive/", rest).json()["status"] == "received"
    assert_problem(api.send("post", f"{url}cancel/"), 409, "wrong_status")
    back = {"lines": [{"line": str(bolts.pk), "quantity": "4", "location": str(buys.goods.shelf.pk)}], "note": "Bent"}
    assert api.send("post", f"{url}send-back/", back).json()["status"] == "partially_received"
    assert api.send("post", f"{url}receive/").json()["status"] == "received", "they were replaced"
    assert api.send("post", f"{url}close/").json()["status"] == "closed"
    with acme.scope():
        assert quantities(order) == [(10, 14, 4, 2), (6, 6, 0, 0)]
        assert buys.goods.on_hand() == 10
        assert [rows for _, rows in broken() if rows] == []
        told = OutboxEvent.objects.filter(aggregate_id=order.pk, type__in=["purchase_order.received", "purchase_order.returned"])
        assert Counter(told.values_list("type", flat=True)) == {"purchase_order.received": 3, "purchase_order.returned": 1}


def test_cost_is_net_less_the_discount_at_the_rate_of_the_day(acme: Company) -> None:
    with acme.scope():
        ExchangeRate.objects.create(base="USD", quote="EUR", rate=Decimal("0.5"), valid_on=date(2020, 1, 1))
        buys = Buying.create(currency="USD")
        order = buys.order((buys.goods.bolt, 4))
        order.lines.update(unit_price=Decimal(10), discount_percent=Decimal(20))
        order = purchase_order_send(order=purchase_order_submit(order=order))
        done = purchase_order_receive(order=order)
        assert (done.receipt.exchange_rate, done.order.status) == (Decimal("0.5"), "received")
        assert GoodsReceiptItem.objects.get().unit_cost == 4
        assert set(CostLayer.objects.filter(variant=buys.goods.bolt).values_list("unit_cost", flat=True)) == {4}


def test_what_is_tolerated_and_what_is_not(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        order = buys.sent((buys.goods.bolt, 10), over=20)
        assert purchase_order_receive(order=order, parts=[part(order, 10)]).order.status == "received"
        purchase_order_receive(order=order, parts=[part(order, 2)])
        with pytest.raises(Conflict, match="0 more may come"):
            purchase_order_receive(order=order, parts=[part(order, "0.000001")])
        with pytest.raises(Conflict, match="12 came"):
            purchase_order_send_back(order=order, parts=[part(order, 13, location_id=buys.goods.shelf.pk)])
        with pytest.raises(Invalid, match="Say why"):
            purchase_order_receive(order=order, parts=[part(order, rejected_quantity=Decimal(1))])
        assert quantities(order) == [(10, 12, 0, 0)]
        assert [rows for _, rows in broken() if rows] == []


def test_serial_numbers_and_what_is_only_rejected(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        radio = buys.goods.tracked("serial", "RADIO")
        order = buys.sent((radio, 2))
        refused = part(order, rejected_quantity=Decimal(1), rejected_because="Wet")
        assert purchase_order_receive(order=order, parts=[refused]).order.status == "sent", "nothing was taken in"
        with pytest.raises(Conflict, match="have been here"):
            purchase_order_revise(order=order)
        pieces = [part(order, 1, lot=LotCode(code)) for code in ("S1", "S2")]
        assert purchase_order_receive(order=order, parts=pieces).order.status == "received"
        assert set(Lot.objects.filter(variant=radio).values_list("code", "kind")) == {("S1", "serial"), ("S2", "serial")}
        assert [rows for _, rows in broken() if rows] == []


def test_reorder_tasks_follow_what_comes(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        buys.sells(buys.goods.bolt)
        task = buys.task(minimum=9, basis="projected")
        [order] = purchase_orders_from_tasks()
        purchase_order_send(order=purchase_order_submit(order=order))
        purchase_order_receive(order=order, parts=[part(order, 4)])
        task.refresh_from_db()
        assert (task.status, task.ordered_quantity, task.received_quantity) == ("ordered", 10, 4)
        purchase_order_close(order=order, reason="Sold out")
        task.refresh_from_db()
        assert (task.status, task.dismissed_because, status(order)) == ("dismissed", "Sold out", "closed")
        with pytest.raises(Conflict):
            purchase_order_cancel(order=order)
        assert [rows for _, rows in broken() if rows] == []


def test_eight_processes_receive_what_was_ordered(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        buys = Buying.create()
        order = buys.sent((buys.goods.bolt, 10), over=10)
        buys.goods.rule()
        line = order.lines.get().pk

    def two(number: int) -> str:
        try:
            with company.scope():
                purchase_order_receive(order=order, parts=[Part(line, Decimal(2))], delivery=Delivery(note=str(number)))
        except DomainError as refused:
            return refused.code
        return "done"

    assert Counter(at_once(8, two)) == {"done": 5, "over_receipt": 3}

    def same(number: int) -> str:
        with company.scope():
            key = Delivery(idempotency_key="once")
            return str(purchase_order_receive(order=order, parts=[Part(line, Decimal(1))], delivery=key).receipt.pk)

    assert len(set(at_once(4, same))) == 1
    with company.scope():
        assert (quantities(order), buys.goods.on_hand(), GoodsReceipt.objects.count()) == ([(10, 11, 0, 0)], 11, 6)
        assert [rows for _, rows in broken() if rows] == []
