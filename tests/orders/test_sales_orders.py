"""From a cart to an order with its goods, and what is refused on the way."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, JournalEntry
from core.errors import Conflict, Invalid
from core.invariants import broken
from inventory.models import PriceListItem, Reservation, StockItem, TaxCategory
from inventory.services.reservations import reservations_expire
from notifications.models import OutboxEvent
from orders.models import Customer, OrderAdjustment, SalesOrder
from orders.services.fulfilment import sales_order_pack
from orders.services.sales_orders import (
    NewAdjustment,
    NewLine,
    sales_order_cancel,
    sales_order_change,
    sales_order_confirm,
    sales_order_create,
    sales_order_hold,
    sales_order_place,
    sales_order_release,
)
from tests.companies import Company
from tests.factories.inventory import ProductVariantFactory
from tests.factories.taxes import TaxCategoryFactory, TaxRateFactory
from tests.inventory.test_races import at_once
from tests.orders.selling import Shop, quantities


def refused(code: str, verb: Callable[..., Any], **values: Any) -> Conflict | Invalid:
    with pytest.raises((Conflict, Invalid)) as caught:
        verb(**values)
    assert caught.value.code == code, caught.value.detail
    return caught.value


def sound() -> None:
    assert {invariant.name: rows for invariant, rows in broken() if rows} == {}


def test_a_cart_becomes_an_order(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(reservation_minutes=30)
        cart = shop.cart(bolts=2, nuts=4)
        assert (cart.number, cart.status, cart.total, cart.currency) == (None, "draft", 20, "EUR")
        assert StockItem.objects.filter(reserved__gt=0).count() == 0, "a cart promises nothing"
        PriceListItem.objects.filter(variant=shop.goods.bolt).update(price=6)
        order = sales_order_place(order=cart)
        assert (order.number, order.status, order.total) == ("SO-000001", "placed", 22), "at the price of now"
        assert quantities(order) == [(2, 2, 0), (4, 4, 0)]
        ends = set(Reservation.objects.filter(demand_id=order.pk).values_list("expires_at", flat=True))
        assert len(ends) == 1 and timedelta(minutes=29) < ends.pop() - timezone.now() <= timedelta(minutes=30)
        sales_order_confirm(order=order)
        assert not Reservation.objects.filter(demand_id=order.pk, expires_at__isnull=False).exists()
        steps = JournalEntry.objects.filter(object_id=order.pk).order_by("pk").values_list("from_state", "to_state")
        assert list(steps) == [("draft", "placed"), ("placed", "confirmed")]
        told = OutboxEvent.objects.filter(aggregate_id=order.pk, type__startswith="order.").order_by("seq")
        assert list(told.values_list("type", flat=True)) == ["order.placed", "order.confirmed"]
        assert [line["sku"] for line in told[0].payload["lines"]] == ["BOLT", "NUT"]
        assert AuditEntry.objects.filter(row_id=order.pk, changes__status=["placed", "confirmed"]).count() == 1
        sound()


def test_a_state_says_what_it_allows(acme: Company) -> None:
    with acme.scope():
        order = sales_order_place(order=Shop.create().cart())
        wrong = refused("wrong_status", sales_order_place, order=order)
        assert isinstance(wrong, Conflict) and wrong.members["status_now"] == "placed"
        assert {"confirm", "hold", "cancel"} <= set(wrong.members["allowed"])  # type: ignore[call-overload]
        sales_order_confirm(order=order)
        assert sales_order_hold(order=order, reason="Address is not complete").status == "on_hold"
        refused("wrong_status", sales_order_hold, order=order)
        assert sales_order_release(order=order).status == "confirmed", "where it was held"
        refused("wrong_status", sales_order_change, order=sales_order_pack(order=order), note="Too late")
        sound()


def test_a_canceled_order_frees_its_goods(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order, cart = sales_order_place(order=shop.cart(bolts=10)), shop.cart(bolts=1)
        refused("insufficient_stock", sales_order_place, order=cart)
        assert sales_order_cancel(order=order, reason="Ordered twice").status == "cancelled"
        assert quantities(order) == [(10, 0, 10)]
        assert JournalEntry.objects.filter(object_id=order.pk, to_state="cancelled", body="Ordered twice").exists()
        assert sales_order_place(order=cart).status == "placed"
        assert sales_order_cancel(order=shop.cart()).number is None, "a cart never gets a number"
        sound()


def test_only_a_cart_is_changed(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        cart = shop.cart(bolts=2)
        shipping = NewAdjustment(OrderAdjustment.Kind.SHIPPING, "Parcel", Decimal("4.90"))
        changed = sales_order_change(
            order=cart, lines=[NewLine(shop.goods.nut.pk, Decimal(3), unit_price=Decimal(2), discount=Decimal(1))],
            adjustments=[shipping], note="Leave at the door",
        )
        assert (changed.total, changed.revision, changed.note) == (Decimal("9.90"), 1, "Leave at the door")
        assert sales_order_change(order=cart, adjustments=[]).total == 5
        PriceListItem.objects.filter(variant=shop.goods.nut).update(price=9)
        assert sales_order_place(order=cart).total == 5, "what is agreed stays"
        sound()


@pytest.mark.parametrize(("line", "code"), [
    ({"quantity": Decimal(0)}, "invalid"),
    ({"discount": Decimal(100)}, "discount_too_large"),
])
def test_wrong_lines_are_refused(acme: Company, line: dict[str, Any], code: str) -> None:
    with acme.scope():
        shop = Shop.create()
        values: dict[str, Any] = {"variant_id": shop.goods.bolt.pk, "quantity": Decimal(1), **line}
        refused(code, sales_order_create, channel=shop.channel, lines=[NewLine(**values)])


def test_what_has_no_price_or_tax_is_not_sold(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        other = ProductVariantFactory.create()
        lines = [NewLine(shop.goods.bolt.pk, Decimal(1)), NewLine(other.pk, Decimal(1))]
        why = refused("no_price", sales_order_create, channel=shop.channel, lines=lines)
        assert isinstance(why, Invalid) and list(why.fields) == ["lines/1/unit_price"]
        refused("invalid", sales_order_place, order=sales_order_create(channel=shop.channel))
        other.archived_at = timezone.now()
        other.save(update_fields=["archived_at"])
        refused("does_not_exist", sales_order_create, channel=shop.channel, lines=[NewLine(other.pk, Decimal(1), Decimal(1))])
        category = TaxCategoryFactory.create()
        TaxRateFactory.create(tax_category=category)
        shop.goods.bolt.product.tax_category = category
        shop.goods.bolt.product.save(update_fields=["tax_category"])
        refused("no_place", shop.cart)
        portugal = {"shipping_address": {"country": "PT"}}
        taxed = sales_order_create(channel=shop.channel, lines=lines[:1], **portugal)
        assert (taxed.net_total, taxed.tax_total, taxed.total) == (5, Decimal("1.15"), Decimal("6.15"))
        Customer.objects.filter(pk=shop.customer.pk).update(tax_exempt=True)
        shop.customer.refresh_from_db()
        assert shop.cart(bolts=1).total == 5
        sound()


def test_who_may_not_buy_is_refused(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        for row, values, code in (
            (shop.customer, {"status": "blocked"}, "customer_blocked"),
            (shop.customer, {"archived_at": timezone.now()}, "customer_blocked"),
            (shop.channel, {"is_active": False}, "channel_inactive"),
        ):
            cart, before = shop.cart(), {name: getattr(row, name) for name in values}
            type(row).objects.filter(pk=row.pk).update(**values)
            refused(code, sales_order_place, order=cart)
            type(row).objects.filter(pk=row.pk).update(**before)
        Customer.objects.filter(pk=shop.customer.pk).update(credit_limit=30)
        assert sales_order_place(order=shop.cart(bolts=5)).status == "placed"
        over = shop.cart(bolts=2)
        refused("over_credit_limit", sales_order_place, order=over)
        SalesOrder.objects.filter(status="placed").update(payment_status="paid")
        assert sales_order_place(order=over).status == "placed", "what is paid is owed no more"


@pytest.mark.parametrize(("backorders", "policies", "placed"), [
    (True, ("channel", "channel"), True),
    (True, ("refuse", "channel"), False),
    (False, ("wait", "channel"), True),
    (False, ("channel", "channel"), False),
])
def test_who_may_wait_for_goods(acme: Company, backorders: bool, policies: tuple[str, str], placed: bool) -> None:
    """Of twelve bolts there are ten; of nuts there are enough."""
    with acme.scope():
        shop = Shop.create(backorders=backorders)
        variants, wanted = (shop.goods.bolt, shop.goods.nut), (12, 3)
        cart = sales_order_create(channel=shop.channel, lines=[
            NewLine(variant.pk, Decimal(quantity), backorder_policy=policy)
            for variant, quantity, policy in zip(variants, wanted, policies, strict=True)
        ])
        if not placed:
            refused("insufficient_stock", sales_order_place, order=cart)
            assert (SalesOrder.objects.get(pk=cart.pk).status, Reservation.objects.count()) == ("draft", 0)
            return
        order = sales_order_place(order=cart)
        assert quantities(order) == [(12, 10, 0), (3, 3, 0)], "two bolts wait for goods"
        sound()


def test_goods_that_were_given_up_are_promised_anew(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(reservation_minutes=5)
        order, late = sales_order_place(order=shop.cart(bolts=4)), sales_order_place(order=shop.cart(bolts=5))
        Reservation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert reservations_expire() == 2
        sales_order_confirm(order=order)
        assert quantities(order) == [(4, 4, 0)] and shop.goods.bolt.stock_items.get().reserved == 4
        assert sales_order_place(order=shop.cart(bolts=6)).status == "placed"
        refused("insufficient_stock", sales_order_confirm, order=late)


def test_five_lines_are_placed_in_nine_statements(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        variants = ProductVariantFactory.create_batch(5, product=shop.goods.bolt.product)
        for variant in variants:
            shop.goods.receive(10, variant=variant)
            PriceListItem.objects.create(price_list=shop.prices, variant=variant, price=3)
        TaxRateFactory.create(tax_category=TaxCategory.objects.get(code="standard"))
        values: dict[str, Any] = {
            "channel": shop.channel, "customer": shop.customer, "shipping_address": {"country": "PT"},
            "lines": [NewLine(variant.pk, Decimal(1)) for variant in variants],
        }
        carts = [sales_order_create(**values) for _ in range(2)]
        sales_order_place(order=carts[0])
        with CaptureQueriesContext(connection) as sent:
            sales_order_place(order=carts[1])
        assert len(sent) == 9, [query["sql"][:120] for query in sent]


def test_twenty_processes_place_the_last_goods(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create(stock=10)
        carts = [shop.cart(bolts=1, nuts=1) for _ in range(20)]

    def place(number: int) -> str:
        with company.scope():
            try:
                return sales_order_place(order=carts[number]).status
            except Conflict as conflict:
                return conflict.code

    assert Counter(at_once(20, place)) == {"placed": 10, "insufficient_stock": 10}
    with company.scope():
        numbers = set(SalesOrder.objects.filter(status="placed").values_list("number", flat=True))
        assert numbers == {f"SO-{number:06}" for number in range(1, 11)}
        assert SalesOrder.objects.filter(status="draft").count() == 10
        assert [item.reserved for item in StockItem.objects.all()] == [10, 10]
        sound()


def test_eight_processes_do_not_pass_the_credit_limit(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create(stock=100)
        Customer.objects.update(credit_limit=30)
        carts = [shop.cart(bolts=2) for _ in range(8)]

    def place(number: int) -> str:
        with company.scope():
            try:
                return sales_order_place(order=carts[number]).status
            except Conflict as conflict:
                return conflict.code

    assert Counter(at_once(8, place)) == {"placed": 3, "over_credit_limit": 5}
