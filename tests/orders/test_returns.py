"""Goods come back: never more than were shipped, at the cost at which they left, for the money that they had cost."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.core import mail
from django.utils import timezone

from core.errors import Conflict
from inventory.models import CostLayer, Location, Lot, PriceListItem, ProductVariant, StockItem, ValueEntry
from inventory.services.posting import Line
from inventory.services.stock import stock_receive
from notifications.models import OutboxEvent
from orders.handlers import tell_of_approval, tell_of_refund
from orders.models import Customer, Invoice, ReturnAuthorization, SalesOrder
from orders.services.fulfilment import sales_order_pack, sales_order_ship
from orders.services.invoices import invoice_delete, invoice_draft_from_order, invoice_issue
from orders.services.order_lines import NewAdjustment, NewLine
from orders.services.payments import Source, open_amount, payment_record
from orders.services.returns import (
    Asked,
    Came,
    Seen,
    return_approve,
    return_close,
    return_create,
    return_inspect,
    return_receive,
    return_refund,
    return_reject,
    return_replace,
)
from orders.services.sales_orders import sales_order_create, sales_order_place
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.test_races import at_once
from tests.orders.selling import Shop
from tests.orders.test_sales_orders import refused, sound

RETURNS = "/api/v1/returns/"


def shipped(order: SalesOrder) -> SalesOrder:
    return sales_order_ship(order=sales_order_pack(order=sales_order_place(order=order)))


def came(order: SalesOrder, *asked: Asked) -> ReturnAuthorization:
    made = return_create(order=order, lines=asked or None)
    return return_receive(authorization=return_approve(authorization=made))


def inspected(row: ReturnAuthorization, *dispositions: str) -> ReturnAuthorization:
    keys = row.lines.filter(received_quantity__gt=0).order_by("line").values_list("pk", flat=True)
    return return_inspect(authorization=row, lines=[Seen(key, one) for key, one in zip(keys, dispositions, strict=True)])


def on_hand(shop: Shop) -> dict[str, Decimal]:
    rows = StockItem.objects.filter(variant=shop.goods.bolt, quantity__gt=0)
    return dict(rows.values_list("location__code", "quantity"))


def test_goods_come_back_at_what_they_cost_and_go_where_they_belong(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(stock=1)
        scrap = Location.objects.create(warehouse=shop.goods.warehouse, code="X", kind="scrap")
        stock_receive(lines=[
            Line(shop.goods.bolt.pk, Decimal(3), to_location_id=shop.goods.shelf.pk, unit_cost=Decimal("7.25")),
        ])
        order = shipped(shop.cart(bolts=4))
        left = -sum(ValueEntry.objects.filter(variant=shop.goods.bolt, value__lt=0).values_list("value", flat=True))
        line = order.lines.get()
        row = came(order, Asked(line.pk, Decimal(1)), Asked(line.pk, Decimal(1)), Asked(line.pk, Decimal(2)))
        assert on_hand(shop) == {"Q": 4}, "until somebody has looked"
        worth = sum(CostLayer.objects.filter(variant=shop.goods.bolt).values_list("value", flat=True))
        assert abs(worth - left) <= Decimal("0.00001"), (worth, left)
        done = inspected(row, "restock", "scrap", "quarantine")
        assert on_hand(shop) == {"A-1": 1, scrap.code: 1, "Q": 2}
        line.refresh_from_db()
        assert (line.returned_quantity, done.refund_amount) == (4, 20)
        refused("invalid", return_refund, authorization=done, reference=" ")
        assert return_refund(authorization=done, reference="Transfer 7").status == "refunded"
        assert return_close(authorization=done).status == "closed"
        told = OutboxEvent.objects.filter(aggregate_id=row.pk, type__startswith="return.").order_by("seq")
        assert list(told.values_list("type", flat=True)) == [
            f"return.{verb}" for verb in ("requested", "approved", "received", "inspected", "refunded", "closed")
        ]
        sound()


def test_what_is_archived_comes_back_once_it_is_restored(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(stock=2)
        order = shipped(shop.cart(bolts=2))
        row = return_approve(authorization=return_create(order=order, lines=[Asked(order.lines.get().pk, Decimal(1))]))
        ProductVariant.objects.filter(pk=shop.goods.bolt.pk).update(archived_at=timezone.now())
        refused("archived", return_receive, authorization=row)
        ProductVariant.objects.update(archived_at=None)
        return_receive(authorization=row)
        assert on_hand(shop) == {"Q": 1}


def test_returns_together_give_back_every_cent(acme: Company) -> None:
    """Of 3 for 10.00, with an order's discount of 1.00 and shipping that stays paid."""
    with acme.scope():
        shop = Shop.create()
        PriceListItem.objects.filter(variant=shop.goods.bolt).update(price=Decimal("3.333333"))
        order = shipped(sales_order_create(
            channel=shop.channel, lines=[NewLine(shop.goods.bolt.pk, Decimal(3))],
            adjustments=[NewAdjustment("discount", "Loyal", Decimal(-1)), NewAdjustment("shipping", "Parcel", Decimal(5))],
        ))
        line = order.lines.get()
        back = [inspected(came(order, Asked(line.pk, Decimal(1))), "restock").refund_amount for _ in range(3)]
        assert (back, sum(back)) == ([3, 3, 3], order.total - 5)
        refused("invalid", return_create, order=order)
        sound()


def test_no_more_comes_back_than_was_shipped(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = sales_order_place(order=shop.cart(bolts=3))
        refused("invalid", return_create, order=order)
        sales_order_ship(order=sales_order_pack(order=order))
        line = order.lines.get()
        asked = return_create(order=order, lines=[Asked(line.pk, Decimal(2))])
        refused("more_than_shipped", return_create, order=order, lines=[Asked(line.pk, Decimal(2))])
        return_reject(authorization=asked, reason="Too late")
        again = return_approve(authorization=return_create(order=order))
        key = again.lines.get().pk
        refused("invalid", return_receive, authorization=again, lines=[Came(key, Decimal(4))])
        return_receive(authorization=again, lines=[Came(key, Decimal(1))])
        refused("received_already", return_receive, authorization=again, lines=[Came(key, Decimal(1))])
        assert inspected(again, "restock").refund_amount == 5
        assert return_create(order=order).lines.get().quantity == 2, "what did not come may still"
        wrong = refused("wrong_status", return_approve, authorization=again)
        assert isinstance(wrong, Conflict) and wrong.members["allowed"] == ["refund", "replace", "close"]
        sound()


def test_a_serial_number_comes_back_if_it_was_shipped_on_that_line(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        engine = shop.goods.tracked("serial", "ENGINE")
        for code in ("E1", "E2", "E3"):
            shop.goods.receive_lot(1, engine, code)
        order = shipped(sales_order_create(channel=shop.channel, lines=[NewLine(engine.pk, Decimal(2), unit_price=Decimal(9))]))
        line, here = order.lines.get(), StockItem.objects.get(variant=engine, quantity=1).lot_id
        refused("invalid", return_create, order=order, lines=[Asked(line.pk, Decimal(1))])
        refused("invalid", return_create, order=order, lines=[Asked(line.pk, Decimal(1), here)])
        gone = Lot.objects.filter(variant=engine).exclude(pk=here).first()
        assert gone is not None
        inspected(came(order, Asked(line.pk, Decimal(1), gone.pk)), "restock")
        assert StockItem.objects.get(lot=gone, quantity=1).location == shop.goods.shelf
        refused("more_than_shipped", return_create, order=order, lines=[Asked(line.pk, Decimal(1), gone.pk)])
        sound()


def test_goods_are_replaced_at_no_charge(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(stock=2)
        row = inspected(came(shipped(shop.cart(bolts=2))), "quarantine")
        with pytest.raises(Conflict):
            return_replace(authorization=row)
        shop.goods.receive(2)
        done = return_replace(authorization=row)
        made = SalesOrder.objects.get(pk=done.replacement_id)
        assert (done.status, made.status, made.total, made.lines.get().quantity) == ("replaced", "placed", 0, 2)
        sound()


def test_the_customer_is_told(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = shipped(shop.cart(bolts=2))
        SalesOrder.objects.filter(pk=order.pk).update(email="ada@example.com")
        row = return_refund(authorization=inspected(came(order), "restock"), reference="Transfer 7")
        for kind, handler in (("approved", tell_of_approval), ("refunded", tell_of_refund)):
            event = OutboxEvent.objects.get(aggregate_id=row.pk, type=f"return.{kind}")
            handler.func({"id": str(event.pk), "payload": event.payload})
        assert [(one.to, one.subject) for one in mail.outbox] == [
            (["ada@example.com"], "Your return RMA-000001 is approved"),
            (["ada@example.com"], "The refund of your return RMA-000001"),
        ]
        assert "10.00 EUR" in mail.outbox[1].body


def test_a_return_by_the_api(acme: Company) -> None:
    with acme.scope():
        order = shipped(Shop.create().cart(bolts=2))
    api = acme.api
    made = api.send("post", RETURNS, {"order": str(order.pk)})
    assert made.status_code == 201, made.content
    path = f"{RETURNS}{made.json()['id']}/"
    assert_problem(api.send("post", f"{path}inspect/", {}), 400)
    assert_problem(api.send("post", f"{path}receive/", {}), 409, "wrong_status")
    assert api.send("post", f"{path}approve/").json()["status"] == "approved"
    assert api.send("post", f"{path}receive/", {}).json()["status"] == "received"
    [line] = api.send("get", f"{path}lines/").json()
    seen = {"lines": [{"line": line["id"], "disposition": "restock"}]}
    assert Decimal(api.send("post", f"{path}inspect/", seen).json()["refund_amount"]) == 10
    assert api.send("post", f"{path}refund/", {"reference": "T-7"}).json()["status"] == "refunded"
    assert_problem(api.send("post", RETURNS, {"order": str(order.pk), "lines": []}), 400)


def test_eight_processes_ask_for_the_same_goods(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        order = shipped(Shop.create().cart(bolts=3))
        line = order.lines.get()

    def back(number: int) -> str:
        with company.scope():
            try:
                return came(order, Asked(line.pk, Decimal(1))).status
            except Conflict as conflict:
                return conflict.code

    assert Counter(at_once(8, back)) == {"received": 3, "more_than_shipped": 5}
    with company.scope():
        line.refresh_from_db()
        assert line.returned_quantity == 3
        sound()


def test_what_was_paid_and_invoiced_is_given_back_and_credited(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(stock=9)
        order = shipped(shop.cart(bolts=4))
        invoice = invoice_issue(invoice=invoice_draft_from_order(order=order))
        payment_record(order=order, source=Source(reference="Transfer 1"))
        row = inspected(came(order, Asked(order.lines.get().pk, Decimal(1))), "restock")
        with pytest.raises(Exception, match="by which reference"):
            return_refund(authorization=row)
        done = return_refund(authorization=row, reference="Transfer 2")
        order.refresh_from_db()
        assert (order.refunded_total, order.payment_status) == (done.refund_amount, "paid")
        credited = Invoice.objects.get(kind="credit_note")
        assert (credited.status, credited.corrects, credited.total) == ("draft", invoice, done.refund_amount)
        sound()


def test_goods_that_came_back_unpaid_are_owed_no_more(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(stock=20)
        Customer.objects.filter(pk=shop.customer.pk).update(credit_limit=30)
        order, more = shipped(shop.cart(bolts=4)), shop.cart(bolts=4)  # 20 EUR each
        SalesOrder.objects.filter(pk=order.pk).update(email="ada@example.com")
        refused("over_credit_limit", sales_order_place, order=more)
        row = return_refund(authorization=inspected(came(order), "restock"), reference="Credit note 7")
        order.refresh_from_db()
        assert (order.payment_status, open_amount(order)) == ("paid", 0)
        refused("more_than_open", payment_record, order=order, source=Source(), amount=Decimal(20))
        assert sales_order_place(order=more).status == "placed", "the credit limit is free again"
        event = OutboxEvent.objects.get(aggregate_id=row.pk, type="return.refunded")
        tell_of_refund.func({"id": str(event.pk), "payload": event.payload})
        assert "20.00 EUR are taken off what the order costs you, for your return" in mail.outbox[-1].body
        sound()


@pytest.mark.parametrize(("paid", "given", "opened"), [(10, 0, 5), (16, 1, 0), (20, 5, 0)])
def test_what_is_given_back_is_what_was_paid_too_much(paid: int, given: int, opened: int, acme: Company) -> None:
    """Of 20 EUR the goods of 5 come back."""
    with acme.scope():
        order = shipped(Shop.create().cart(bolts=4))
        payment_record(order=order, source=Source(), amount=Decimal(paid))
        return_refund(
            authorization=inspected(came(order, Asked(order.lines.get().pk, Decimal(1))), "restock"), reference="Transfer 7",
        )
        order.refresh_from_db()
        assert (order.refunded_total, open_amount(order)) == (given, opened)
        assert order.payment_status == ("partly_paid" if opened else "paid")
        if opened:
            payment_record(order=order, source=Source())
            order.refresh_from_db()
        assert (order.paid_total - order.refunded_total, order.payment_status) == (15, "paid")
        refused("more_than_open", payment_record, order=order, source=Source(), amount=Decimal(1))
        sound()


def test_goods_that_are_replaced_are_paid_for(acme: Company) -> None:
    with acme.scope():
        order = shipped(Shop.create(stock=9).cart(bolts=4))
        row = inspected(came(order, Asked(order.lines.get().pk, Decimal(1))), "quarantine")
        return_replace(authorization=row)
        assert invoice_issue(invoice=invoice_draft_from_order(order=order)).total == 20
        sound()


def test_a_draft_that_asks_for_goods_that_came_back_is_not_issued(acme: Company) -> None:
    with acme.scope():
        order = shipped(Shop.create().cart(bolts=4))
        draft = invoice_draft_from_order(order=order)
        return_refund(
            authorization=inspected(came(order, Asked(order.lines.get().pk, Decimal(1))), "restock"), reference="Transfer 7",
        )
        assert "1 of BOLT" in refused("over_invoiced", invoice_issue, invoice=draft).detail
        invoice_delete(invoice=draft)
        assert invoice_issue(invoice=invoice_draft_from_order(order=order)).total == 15
        sound()
