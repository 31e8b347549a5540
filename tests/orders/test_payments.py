"""Payments that people handle: what is open, what is left, what the order says, and many at once."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.permissions import VIEWER
from core.errors import Conflict
from core.invariants import broken
from inventory.models import Reservation
from notifications.models import OutboxEvent
from orders.models import Customer, Payment, SalesOrder
from orders.services.order_lines import NewLine
from orders.services.payments import (
    Source,
    payment_authorize,
    payment_capture,
    payment_record,
    payment_refund,
    payment_void,
    sales_order_refund,
)
from orders.services.sales_orders import sales_order_cancel, sales_order_change, sales_order_place
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers
from tests.factories.inventory import WarehouseFactory
from tests.inventory.test_races import at_once
from tests.limited import limited_api
from tests.orders.selling import Shop

URL = "/api/v1/payments/"
COD = Source("cash_on_delivery")


@pytest.fixture
def shop(acme: Company) -> Shop:
    with acme.scope():
        return Shop.create(stock=100)


def placed(shop: Shop, bolts: int = 4) -> SalesOrder:
    """Of 20.00, unless it is said."""
    return sales_order_place(order=shop.cart(bolts=bolts))


def state(order: SalesOrder) -> tuple[str, Decimal, Decimal]:
    row = SalesOrder.objects.get(pk=order.pk)
    return row.payment_status, row.paid_total, row.refunded_total


def refused(code: str, verb: Callable[..., Any], **values: Any) -> None:
    with pytest.raises(Conflict) as error, transaction.atomic():
        verb(**values)
    assert error.value.code == code, error.value.detail


def sound() -> None:
    assert not [(one.name, rows) for one, rows in broken() if rows]


def test_the_order_follows_its_payments(acme: Company, shop: Shop) -> None:
    with acme.scope():
        refused("nothing_to_pay", payment_authorize, order=shop.cart(), source=COD)
        order = placed(shop)
        promised = payment_authorize(order=order, source=COD)
        assert (state(order), promised.amount) == (("authorized", 0, 0), 20)
        refused("more_than_open", payment_authorize, order=order, source=COD)
        refused("more_than_authorized", payment_capture, payment=promised, amount=Decimal("20.01"))
        first = payment_capture(payment=promised, amount=Decimal(5))
        assert state(order) == ("partly_paid", 5, 0)
        payment_void(payment=promised)
        refused("nothing_left", payment_void, payment=promised)
        refused("more_than_authorized", payment_capture, payment=promised, amount=Decimal(1))
        refused("more_than_open", payment_record, order=order, source=Source(), amount=Decimal("15.01"))
        payment_record(order=order, source=Source(reference="TX-1"))
        assert state(order) == ("paid", 20, 0)
        refused("more_than_captured", payment_refund, payment=first, amount=Decimal("5.01"))
        refused("wrong_status", payment_refund, payment=promised)
        payment_refund(payment=first, amount=Decimal(2), reason="Scratched")
        assert state(order) == ("paid", 20, 2)
        back = sales_order_refund(order=order, amount=Decimal(18), idempotency_key="rma-1")
        assert [one.amount for one in back] == [15, 3]
        assert [one.pk for one in sales_order_refund(order=order, amount=Decimal(18), idempotency_key="rma-1")] == [
            one.pk for one in back
        ]
        assert state(order) == ("refunded", 20, 20)
        refused("more_than_captured", sales_order_refund, order=order, amount=Decimal(1))
        told = OutboxEvent.objects.filter(type__startswith="payment.").order_by("seq").values_list("type", flat=True)
        assert [name.removeprefix("payment.") for name in told] == [
            "authorized", "captured", "voided", "captured", "refunded", "refunded", "refunded",
        ]
        sound()


def test_of_an_order_that_costs_less_now_than_was_promised_nothing_is_open(acme: Company, shop: Shop) -> None:
    with acme.scope():
        order = placed(shop)
        payment_authorize(order=order, source=COD)
        sales_order_change(order=order, lines=[NewLine(shop.goods.bolt.pk, Decimal(1), id=order.lines.get().pk)])
        refused("more_than_open", payment_authorize, order=order, source=COD)


def test_a_key_has_one_effect(acme: Company, shop: Shop) -> None:
    with acme.scope():
        order, other = placed(shop), placed(shop)
        taken = payment_record(order=order, source=Source(), amount=Decimal(5), idempotency_key="k")
        assert payment_record(order=order, source=Source(), amount=Decimal(5), idempotency_key="k").pk == taken.pk
        refused("idempotency_key_reused", payment_record, order=other, source=Source(), amount=Decimal(5), idempotency_key="k")
        refused("idempotency_key_reused", payment_refund, payment=taken, idempotency_key="k")
        assert state(order) == ("partly_paid", 5, 0)


def test_the_database_itself_refuses_more_than_was_taken(acme: Company, shop: Shop) -> None:
    with acme.scope():
        taken = payment_record(order=placed(shop), source=Source())
        with pytest.raises(IntegrityError, match="payment_used_once"), transaction.atomic():
            Payment.objects.filter(pk=taken.pk).update(used_amount=taken.amount + 1)


def test_the_credit_limit_frees_as_orders_are_paid(acme: Company, shop: Shop) -> None:
    with acme.scope():
        Customer.objects.filter(pk=shop.customer.pk).update(credit_limit=30)
        first, second = placed(shop), shop.cart(bolts=4)
        refused("over_credit_limit", sales_order_place, order=second)
        payment_record(order=first, source=Source(), amount=Decimal(10))
        assert sales_order_place(order=second).status == "placed"


def test_canceling_lets_go_what_is_promised_and_waits_for_what_is_paid(acme: Company, shop: Shop) -> None:
    with acme.scope():
        order = placed(shop)
        promised = payment_authorize(order=order, source=COD)
        taken = payment_capture(payment=promised, amount=Decimal(5))
        refused("paid", sales_order_cancel, order=order)
        assert Reservation.objects.filter(demand_id=order.pk, status="active").exists()
        payment_refund(payment=taken)
        sales_order_cancel(order=order, reason="Changed their mind")
        assert list(Payment.objects.filter(parent=promised, kind="void").values_list("amount", "reason")) == [
            (15, "Changed their mind"),
        ]
        refused("nothing_to_pay", payment_authorize, order=order, source=COD)
        sound()


def test_by_the_api(acme: Company, shop: Shop) -> None:
    with acme.scope():
        order = placed(shop)
    api = acme.api
    made = api.send("post", f"{URL}authorize/", {"order": str(order.pk), "provider": "cash_on_delivery"})
    assert (made.status_code, made.json()["status"], made.json()["amount"]) == (201, "succeeded", "20.000000"), made.content
    taken = api.send("post", f"{URL}{made.json()['id']}/capture/", {"amount": "12.50"})
    assert (taken.status_code, taken.json()["parent"]) == (201, made.json()["id"]), taken.content
    shown = api.get(f"/api/v1/sales-orders/{order.pk}/").json()
    assert (shown["payment_status"], shown["paid_total"], shown["refunded_total"]) == ("partly_paid", "12.500000", "0.000000")
    back = api.send("post", f"{URL}{taken.json()['id']}/refund/", {"reason": "Wet"})
    assert (back.status_code, back.json()["kind"], back.json()["amount"]) == (201, "refund", "12.500000"), back.content
    assert api.send("post", f"{URL}{made.json()['id']}/void/").json()["amount"] == "7.500000"
    record = api.send("post", f"{URL}record/", {"order": str(order.pk), "amount": "1", "reference": "TX-9"})
    assert (record.json()["provider"], record.json()["provider_reference"]) == ("manual", "TX-9"), record.content
    assert len(api.get(URL, {"order": str(order.pk)}).json()["results"]) == 5
    for path, body, pointer in (
        ("authorize/", {}, "/order"), ("record/", {"order": str(order.pk), "provider": "stripe"}, "/provider"),
        ("record/", {"order": str(order.pk), "amount": "0"}, "/amount"),
        ("record/", {"order": str(order.pk), "amount": "1.001"}, "/amount"),
    ):
        assert pointer in pointers(assert_problem(api.send("post", f"{URL}{path}", body), 400))
    wanted = {"order": str(order.pk), "provider": "stripe"}
    assert_problem(api.send("post", f"{URL}authorize/", wanted), 409, "no_payment_account")
    assert_problem(api.send("post", f"{URL}{made.json()['id']}/client-secret/"), 409, "wrong_status")
    assert_problem(acme.api_as(VIEWER).send("post", f"{URL}{taken.json()['id']}/refund/"), 403)
    assert_problem(acme.api_by_key("orders.take_payment").send("post", f"{URL}{taken.json()['id']}/refund/"), 403)


def test_in_the_admin(acme: Company, shop: Shop) -> None:
    with acme.scope():
        order = placed(shop)
        promised = payment_authorize(order=order, source=COD)
    browser, page = acme.admin, f"/admin/orders/payment/{promised.pk}/"
    assert b"Cash on delivery" in browser.get(f"/admin/orders/salesorder/{order.pk}/change/").content
    assert b"Capture" in browser.get(f"{page}change/").content
    assert browser.post(f"{page}capture/", {"confirmed": "yes"}).status_code == 302
    with acme.scope():
        assert state(order) == ("paid", 20, 0)
        [taken] = Payment.objects.filter(kind="capture")
    assert acme.admin_as(VIEWER).post(f"/admin/orders/payment/{taken.pk}/refund/", {"confirmed": "yes"}).status_code == 403
    made = browser.post("/admin/orders/paymentaccount/add/", {
        "code": "main", "name": "Main", "provider": "stripe", "secret_key": "sk_test_secret", "is_active": "on",
    })
    assert made.status_code == 302, made.content
    assert b"sk_test_secret" not in browser.get("/admin/orders/paymentaccount/").content


@pytest.mark.parametrize("what", ["refund", "capture", "record"])
def test_eight_processes_take_no_more_than_there_is(new_company: Callable[[], Company], what: str) -> None:
    company = new_company()
    with company.scope():
        order = placed(Shop.create(stock=100))
        promised = payment_authorize(order=order, source=COD)
        taken = payment_capture(payment=promised) if what == "refund" else None

    def work(number: int) -> str:
        with company.scope():
            try:
                if what == "refund":
                    payment_refund(payment=taken, amount=Decimal(6))
                elif what == "capture":
                    payment_capture(payment=promised, amount=Decimal(6))
                else:
                    payment_record(order=order, source=Source(), amount=Decimal(6), idempotency_key=f"{number % 4}")
                return "done"
            except Conflict as conflict:
                return conflict.code

    codes = {"refund": "more_than_captured", "capture": "more_than_authorized", "record": "more_than_open"}
    answers = Counter(at_once(8, work))
    if what == "record":  # of four keys, each sent twice, three find room
        assert answers == {"done": 6, codes[what]: 2}
    else:
        assert answers == {"done": 3, codes[what]: 5}
    with company.scope():
        row = SalesOrder.objects.get(pk=order.pk)
        assert (row.refunded_total if what == "refund" else row.paid_total) == 18
        sound()


def test_other_warehouses(acme: Company, shop: Shop) -> None:
    with acme.scope():
        order = placed(shop)
        elsewhere = WarehouseFactory()
    body = {"order": str(order.pk), "amount": "1"}
    assert_problem(limited_api(acme, elsewhere.pk).send("post", f"{URL}record/", body), 403)
    assert limited_api(acme, shop.goods.warehouse.pk).send("post", f"{URL}record/", body).status_code == 201
