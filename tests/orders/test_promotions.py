"""What promotions take off, which of them, and why not."""

from decimal import Decimal
from typing import Any

import pytest

from orders.models import OrderAdjustment, PromotionGoods
from orders.queries.returns import refundable
from orders.services.credit_notes import CreditLine, credit_note_draft
from orders.services.fulfilment import sales_order_pack, sales_order_ship
from orders.services.invoices import InvoiceLine, invoice_draft_from_order, invoice_issue
from orders.services.promotions import promotion_code_apply, promotion_code_remove
from orders.services.sales_orders import (
    NewLine,
    sales_order_cancel,
    sales_order_change,
    sales_order_place,
)
from tests.companies import Company
from tests.factories.charges import ShippingMethodFactory
from tests.factories.inventory import CategoryFactory
from tests.factories.sales import ChannelFactory, CustomerFactory
from tests.orders.promoting import DAY, NOW, cart_of, count, nuts_apart, promotion, refused, taken, taxed, used
from tests.orders.selling import Shop
from tests.orders.test_sales_orders import sound


def test_a_code_takes_something_off_until_it_is_removed(acme: Company) -> None:
    with acme.scope():
        shop, made = Shop.create(), promotion()
        cart = shop.cart(bolts=2, nuts=4)
        assert cart.total == 20
        cart = promotion_code_apply(order=cart, code=" ten ")
        assert (cart.total, taken(cart), used(cart)) == (18, [("Offer TEN", -2, 0)], [("TEN", 2, False)])
        assert promotion_code_apply(order=cart, code="TEN").total == 18
        assert promotion_code_remove(order=cart, code="ten").total == 20
        refused("does_not_exist", promotion_code_remove, order=cart, code="TEN")
        refused("does_not_exist", promotion_code_apply, order=cart, code="ELEVEN")
        order = sales_order_place(order=promotion_code_apply(order=cart, code="TEN"))
        made.refresh_from_db()
        assert (order.total, used(order), made.used_count) == (18, [("TEN", 2, True)], 1)
        refused("wrong_status", promotion_code_apply, order=order, code="TEN")
        order = sales_order_change(order=order, lines=[NewLine(shop.goods.bolt.pk, Decimal(4))])
        assert (order.total, used(order)) == (18, [("TEN", 2, True)])
        order = sales_order_change(order=order, lines=[NewLine(shop.goods.bolt.pk, Decimal(8))])
        assert (order.total, used(order)) == (36, [("TEN", 4, True)])
        sound()
        sales_order_cancel(order=order)
        made.refresh_from_db()
        assert (used(order), made.used_count) == ([("TEN", 4, False)], 0)
        sound()


@pytest.mark.parametrize(("values", "reason"), [
    ({"is_active": False}, "promotion_inactive"), ({"starts_at": NOW + DAY}, "promotion_not_started"),
    ({"ends_at": NOW - DAY}, "promotion_ended"), ({"currency": "USD"}, "promotion_other_currency"),
    ({"max_uses": 3, "used_count": 3}, "promotion_used_up"), ({"min_total": 10.01, "currency": "EUR"}, "promotion_below_minimum"),
    ({"effect": "buy_get", "buy_quantity": 2, "free_quantity": 1}, "promotion_too_few"),
])
def test_a_code_that_takes_nothing_off_says_why(acme: Company, values: dict[str, Any], reason: str) -> None:
    with acme.scope():
        cart = cart_of(Shop.create(), bolts=2)
        promotion(**values)
        assert refused(reason, promotion_code_apply, order=cart, code="TEN").startswith("TEN ")
        assert used(cart) == [], "nothing half-written"


def test_codes_for_others_are_refused(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        cart, nobodys = cart_of(shop), cart_of(shop, customer=None)
        promotion("OTHER-CHANNEL", channel=ChannelFactory.create())
        promotion("OTHER-BUYER", customer=CustomerFactory.create())
        promotion("ONCE-EACH", max_per_customer=1)
        PromotionGoods.objects.create(promotion=promotion("NUTS"), variant=shop.goods.nut)
        refused("promotion_other_channel", promotion_code_apply, order=cart, code="OTHER-CHANNEL")
        refused("promotion_other_customer", promotion_code_apply, order=cart, code="OTHER-BUYER")
        refused("promotion_needs_customer", promotion_code_apply, order=nobodys, code="ONCE-EACH")
        refused("promotion_not_for_goods", promotion_code_apply, order=cart, code="NUTS")
        sales_order_place(order=promotion_code_apply(order=cart, code="ONCE-EACH"))
        refused("promotion_used_by_customer", promotion_code_apply, order=cart_of(shop), code="ONCE-EACH")


def test_what_counts_without_a_code_comes_and_goes_by_itself(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        low = promotion(None, name="Five", percent=5, min_total=10, currency="EUR", is_stackable=True)
        cart = cart_of(shop, bolts=2)
        assert (taken(cart), used(cart)) == ([("Five", Decimal("-0.50"), 0)], [(None, Decimal("0.50"), False)])
        assert used(sales_order_change(order=cart, lines=[NewLine(shop.goods.bolt.pk, Decimal(1))])) == []
        more = promotion("MORE", name="More", is_stackable=True, percent=50)
        promotion("ALONE", name="Alone", percent=20)
        cart = sales_order_change(order=cart, lines=[NewLine(shop.goods.bolt.pk, Decimal(2))])
        cart = promotion_code_apply(order=cart, code="MORE")
        assert taken(cart) == [("Five", Decimal("-0.25"), 0), ("More", -5, 0)], "the code first, then 5 % of what is left"
        refused("promotion_not_combined", promotion_code_apply, order=cart, code="ALONE")
        cart = promotion_code_apply(order=promotion_code_remove(order=cart, code="MORE"), code="ALONE")
        assert taken(cart) == [("Alone", -2, 0)], "what counts by itself gives way"
        low.priority = 1
        low.save(update_fields=["priority"])
        refused("promotion_not_combined", sales_order_place, order=cart)
        order = sales_order_place(order=promotion_code_remove(order=cart, code="ALONE"))
        assert (used(order), count(low), count(more)) == ([(None, Decimal("0.50"), True)], 1, 0)
        low.is_active = False
        low.save(update_fields=["is_active"])
        order = sales_order_change(order=order, lines=[NewLine(shop.goods.bolt.pk, Decimal(4))])
        assert order.total == 19, "it keeps what it has claimed"
        sound()


def test_an_amount_goes_over_the_goods_and_their_taxes(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        taxed(shop)
        promotion("FIVE-OFF", effect="amount", amount=5, currency="EUR")
        cart = cart_of(shop, bolts=2, nuts=4)  # 12.30 and 10.60 with tax
        cart = promotion_code_apply(order=cart, code="FIVE-OFF")
        assert cart.total == Decimal("17.90")
        assert taken(cart) == [
            ("Offer FIVE-OFF", Decimal("-2.18"), Decimal("-0.13")), ("Offer FIVE-OFF", Decimal("-2.19"), Decimal("-0.50")),
        ]
        cart = sales_order_change(order=cart, lines=[NewLine(shop.goods.nut.pk, Decimal(1))])
        assert cart.total == 0, "no more than the goods cost"
        sound()


def test_some_are_free(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        promotion("THREE-FOR-TWO", effect="buy_get", buy_quantity=2, free_quantity=1)
        cart = promotion_code_apply(order=cart_of(shop, bolts=7, nuts=2), code="THREE-FOR-TWO")
        assert (taken(cart), cart.total) == ([("Offer THREE-FOR-TWO", -10, 0)], 30)


def test_goods_are_named_one_by_one_or_by_category(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        whole = CategoryFactory.create()
        nuts_apart(shop, category=CategoryFactory.create(parent=whole))
        PromotionGoods.objects.create(promotion=promotion("HALF", percent=50), category=whole)
        cart = promotion_code_apply(order=cart_of(shop, bolts=2, nuts=4), code="HALF")
        discounts = list(cart.lines.order_by("line").values_list("promotion_discount", flat=True))
        assert (cart.total, discounts) == (15, [0, 5])


def test_shipping_is_free(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        method, other = ShippingMethodFactory.create(), ShippingMethodFactory.create()
        made = promotion("SENT", effect="free_shipping", shipping_method=method)
        cart = promotion_code_apply(order=cart_of(shop), code="SENT")
        assert (cart.total, used(cart)) == (10, [("SENT", 0, False)]), "before anybody says how it is sent"
        assert sales_order_change(order=cart, shipping_method_id=other.pk).total == Decimal("14.90")
        cart = sales_order_change(order=cart, shipping_method_id=method.pk)
        assert (cart.total, used(cart)) == (10, [("SENT", Decimal("4.90"), False)])
        assert cart.adjustments.get().label == "Parcel: Offer SENT"
        order = sales_order_place(order=cart)
        assert (order.total, count(made)) == (10, 1)
        picked_up = promotion_code_apply(order=cart_of(shop), code="SENT")
        assert (used(sales_order_place(order=picked_up)), count(made)) == ([], 1), "nothing was free"
        sound()


def test_it_belongs_to_the_goods_on_invoices_credit_notes_and_returns(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        PromotionGoods.objects.create(promotion=promotion("HALF", percent=50), variant=shop.goods.bolt)
        order = sales_order_place(order=promotion_code_apply(order=cart_of(shop, bolts=2, nuts=4), code="HALF"))
        sales_order_ship(order=sales_order_pack(order=order))
        bolts, nuts = order.lines.order_by("line")
        assert refundable(order, {bolts.pk: Decimal(1)}, {nuts.pk: Decimal(1)}) == [Decimal("2.50"), Decimal("2.50")]
        assert refundable(order, {bolts.pk: bolts.quantity, nuts.pk: nuts.quantity}) == [order.total] == [15]

        def invoice(*lines: tuple[Any, int]) -> Any:
            wanted = [InvoiceLine(line.pk, Decimal(quantity)) for line, quantity in lines]
            return invoice_issue(invoice=invoice_draft_from_order(order=order, lines=wanted))

        assert [invoice((nuts, 1)).total, invoice((bolts, 1), (nuts, 2)).total] == [Decimal("2.50"), Decimal("7.50")]
        last = invoice((bolts, 1), (nuts, 1))
        assert last.total == 5

        def credit(sku: str) -> Decimal:
            line = CreditLine(last.items.get(sku=sku).pk, Decimal(1))
            return invoice_issue(invoice=credit_note_draft(invoice=last, lines=[line])).total

        assert [credit("NUT"), credit("BOLT")] == [Decimal("2.50"), Decimal("2.50")]
        sound()


def test_what_is_invoiced_stays_as_a_row_when_it_takes_nothing_off_any_more(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(stock=20)
        promotion("BIG", percent=50, min_total=30, currency="EUR")
        order = sales_order_place(order=promotion_code_apply(order=cart_of(shop, bolts=6), code="BIG"))
        line = order.lines.get()
        first = invoice_draft_from_order(order=order, lines=[InvoiceLine(line.pk, Decimal(2))])
        assert first.total == 5
        order = sales_order_change(order=order, lines=[NewLine(line.variant_id, Decimal(4), id=line.pk)])
        assert (order.total, OrderAdjustment.objects.get(order=order).net_amount) == (20, 0)
        rest = invoice_draft_from_order(order=order, basis="ordered")
        assert first.total + rest.total == order.total
        sound()
