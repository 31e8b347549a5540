"""What promotions take off, which of them, and why not."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.errors import Conflict, DomainError
from inventory.models import TaxCategory
from orders.models import OrderAdjustment, Promotion, PromotionGoods, SalesOrder
from orders.queries.returns import refundable
from orders.services.credit_notes import CreditLine, credit_note_draft
from orders.services.fulfilment import sales_order_pack, sales_order_ship
from orders.services.invoices import InvoiceLine, invoice_draft_from_order, invoice_issue
from orders.services.promotions import promotion_code_apply, promotion_code_remove
from orders.services.sales_orders import (
    NewLine,
    sales_order_cancel,
    sales_order_change,
    sales_order_create,
    sales_order_place,
)
from orders.services.splitting import Split, sales_order_split
from tests.companies import Company
from tests.factories.charges import ShippingMethodFactory
from tests.factories.inventory import CategoryFactory, ProductFactory
from tests.factories.sales import ChannelFactory, CustomerFactory
from tests.factories.taxes import TaxCategoryFactory, TaxRateFactory
from tests.inventory.test_races import at_once
from tests.orders.selling import Shop
from tests.orders.test_sales_orders import sound

NOW, DAY = timezone.now(), timedelta(days=1)
SOME_ID = "01a1fdd4-177b-70f6-ad99-54ce21a902a0"
PLACE = {"country": "PT"}


def promotion(code: str | None = "TEN", **values: Any) -> Promotion:
    """10 %, unless it says what."""
    values = values if "effect" in values else {"effect": "percentage", "percent": 10, **values}
    made: Promotion = Promotion.objects.create(**{"name": f"Offer {code}", "code": code, **values})
    return made


def nuts_apart(shop: Shop, **values: Any) -> None:
    """As a product of their own."""
    shop.goods.nut.product = ProductFactory.create(**values)
    shop.goods.nut.save(update_fields=["product"])


def taxed(shop: Shop) -> None:
    """Bolts at 23 %, nuts at 6 %."""
    low = TaxCategoryFactory.create()
    for category, rate in ((TaxCategory.objects.get(code="standard"), 23), (low, 6)):
        TaxRateFactory.create(tax_category=category, rate=Decimal(rate))
    nuts_apart(shop, tax_category=low)


def cart_of(shop: Shop, bolts: Any = 2, nuts: Any = 0, **values: Any) -> SalesOrder:
    wanted = ((shop.goods.bolt, bolts), (shop.goods.nut, nuts))
    lines = [NewLine(variant.pk, Decimal(quantity)) for variant, quantity in wanted if quantity]
    return sales_order_create(**{
        "channel": shop.channel, "customer": shop.customer, "shipping_address": PLACE, "lines": lines, **values,
    })


def taken(order: SalesOrder) -> list[tuple[str, Decimal, Decimal]]:
    rows = order.adjustments.filter(source_type="promotion").order_by("label", "tax_rate")
    return list(rows.values_list("label", "net_amount", "tax_amount"))


def used(order: SalesOrder) -> list[tuple[str | None, Decimal, bool]]:
    rows = order.promotion_uses.order_by("promotion__code")
    return [(use.promotion.code, use.amount, bool(use.claimed_at and not use.released_at)) for use in rows]


def count(made: Promotion) -> int:
    made.refresh_from_db()
    return made.used_count


def refused(reason: str, verb: Callable[..., Any], **values: Any) -> str:
    with pytest.raises(DomainError) as caught, transaction.atomic():
        verb(**values)
    assert caught.value.code == reason, caught.value.detail
    return caught.value.detail


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


def test_terms_stay_once_they_are_used(acme: Company) -> None:
    with acme.scope():
        shop, made = Shop.create(), promotion()
        sales_order_place(order=promotion_code_apply(order=cart_of(shop), code="TEN"))
        url = f"/api/v1/promotions/{made.pk}/"
    answer = acme.api.send("patch", url, {"percent": "20"})
    assert (answer.status_code, answer.json()["code"]) == (409, "used"), answer.content
    assert acme.api.send("patch", url, {"goods": [{"variant": str(shop.goods.nut.pk)}]}).status_code == 409
    ended = acme.api.send("patch", url, {"ends_at": NOW.isoformat(), "max_uses": 1, "is_active": False})
    assert (ended.status_code, ended.json()["used_count"]) == (200, 1), ended.content


def test_both_halves_of_an_order_keep_their_part(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(stock=20)
        made = promotion("SIX-OFF", effect="amount", amount=6, currency="EUR", min_total=30, max_uses=1)
        PromotionGoods.objects.create(promotion=made, variant=shop.goods.bolt)
        order = sales_order_place(order=promotion_code_apply(order=cart_of(shop, bolts=6, nuts=4), code="SIX-OFF"))
        bolts, nuts = order.lines.order_by("line")
        other = sales_order_split(order=order, lines=[Split(bolts.pk, Decimal(2)), Split(nuts.pk, Decimal(4))])
        order.refresh_from_db()
        assert [one.total for one in (order, other)] == [16, 18], "six bolts share it, and the nuts have none of it"
        for one, total in ((order, 21), (other, 13)):
            changed = sales_order_change(order=one, lines=[NewLine(bolts.variant_id, Decimal(5 if one is order else 3))])
            assert changed.total == total, "each its own part of the amount, whatever its goods cost now"
        sales_order_cancel(order=order)
        assert count(made) == 1, "the other has it still"
        refused("promotion_used_up", promotion_code_apply, order=cart_of(shop, bolts=6), code="SIX-OFF")
        sales_order_cancel(order=other)
        assert count(made) == 0
        sound()


def test_it_belongs_to_the_goods_on_invoices_credit_notes_and_returns(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        PromotionGoods.objects.create(promotion=promotion("HALF", percent=50), variant=shop.goods.bolt)
        order = sales_order_place(order=promotion_code_apply(order=cart_of(shop, bolts=2, nuts=4), code="HALF"))
        sales_order_ship(order=sales_order_pack(order=order))
        bolts, nuts = order.lines.order_by("line")
        assert [refundable(order, {line.pk: Decimal(1)}) for line in (bolts, nuts)] == [Decimal("2.50"), Decimal("2.50")]
        assert refundable(order, {bolts.pk: bolts.quantity, nuts.pk: nuts.quantity}) == order.total == 15

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


def test_eight_processes_use_five(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create(stock=100)
        made = promotion("FIRST-FIVE", max_uses=5)
        carts = [promotion_code_apply(order=cart_of(shop), code="FIRST-FIVE") for _ in range(8)]

    def place(number: int) -> str:
        try:
            with company.scope():
                return str(sales_order_place(order=carts[number]).total)
        except Conflict as error:
            return error.code

    answers = at_once(8, place)
    assert sorted(answers) == ["9.000000"] * 5 + ["promotion_used_up"] * 3, answers
    with company.scope():
        assert count(made) == 5 == SalesOrder.objects.filter(status="placed").count()
        sound()


def test_a_customer_uses_it_once_however_many_processes(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create(stock=100)
        made = promotion("ONCE", max_per_customer=1)
        carts = [promotion_code_apply(order=cart_of(shop), code="ONCE") for _ in range(4)]

    def place(number: int) -> str:
        try:
            with company.scope():
                return sales_order_place(order=carts[number]).status
        except Conflict as error:
            return error.code

    assert sorted(at_once(4, place)) == ["placed", *["promotion_used_by_customer"] * 3]
    with company.scope():
        assert count(made) == 1


def test_by_the_api(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        category = CategoryFactory.create()
        cart = shop.cart(bolts=2, nuts=4)
    bolt = {"variant": str(shop.goods.bolt.pk)}
    body = {"name": "Half price", "code": "HALF", "effect": "percentage", "percent": "50", "goods": [bolt]}
    made = acme.api.send("post", "/api/v1/promotions/", body)
    assert made.status_code == 201, made.content
    promotions = f"/api/v1/promotions/{made.json()['id']}/"
    both = [bolt, {"category": str(category.pk)}]
    assert acme.api.send("patch", promotions, {"goods": both}).status_code == 200
    shown = acme.api.get(f"{promotions}goods/").json()
    assert [(one["sku"], one["category_name"]) for one in shown] == [("BOLT", None), (None, category.name)]
    url = f"/api/v1/sales-orders/{cart.pk}/"
    applied = acme.api.send("post", f"{url}apply-code/", {"code": "half"})
    assert (applied.status_code, applied.json()["total"]) == (200, "15.000000"), applied.content
    [use] = acme.api.get(f"{url}promotions/").json()
    assert (use["code"], use["amount"], use["why"], use["claimed_at"]) == ("HALF", "5.000000", "", None)
    nuts = {"lines": [{"variant": str(shop.goods.nut.pk), "quantity": "1"}]}
    assert acme.api.send("patch", url, nuts).json()["total"] == "2.500000"
    [use] = acme.api.get(f"{url}promotions/").json()
    assert (use["amount"], use["reason"], use["why"]) == (
        "0.000000", "promotion_not_for_goods", "HALF is not for these goods.",
    )
    late = acme.api.send("post", f"{url}place/")
    assert (late.status_code, late.json()["code"]) == (409, "promotion_not_for_goods"), late.content
    assert acme.api.send("post", f"{url}remove-code/", {"code": "HALF"}).status_code == 200
    assert acme.api.send("post", f"{url}remove-code/", {"code": "HALF"}).status_code == 400
    unknown = acme.api.send("post", f"{url}apply-code/", {"code": "NONE"})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (400, "/code"), unknown.content
    assert acme.api.send("post", f"{url}place/").status_code == 200


@pytest.mark.parametrize("body", [
    {"effect": "percentage"}, {"effect": "percentage", "percent": "0"}, {"effect": "percentage", "percent": "100.1"},
    {"effect": "percentage", "percent": "5", "amount": "5", "currency": "EUR"}, {"effect": "amount", "amount": "5"},
    {"effect": "buy_get", "buy_quantity": 1}, {"effect": "free_shipping", "min_total": "5"},
    {"effect": "free_shipping", "code": ""}, {"effect": "free_shipping", "code": "no spaces"},
    {"effect": "free_shipping", "max_uses": 0},
    {"effect": "free_shipping", "starts_at": "2030-01-02T00:00Z", "ends_at": "2030-01-01T00:00Z"},
    {"effect": "free_shipping", "goods": [{}]}, {"effect": "free_shipping", "goods": [{"variant": SOME_ID}]},
])
def test_wrong_promotions_are_refused(acme: Company, body: dict[str, Any]) -> None:
    answer = acme.api.send("post", "/api/v1/promotions/", {"name": "Wrong", **body})
    assert answer.status_code == 400, answer.content
    with acme.scope():
        assert Promotion.objects.count() == 0


def test_in_the_admin(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        cart = shop.cart(bolts=2)
    form = {
        "name": "Ten off", "code": "TEN", "effect": "percentage", "percent": "10", "is_active": "on", "priority": "0",
        "goods-TOTAL_FORMS": "1", "goods-INITIAL_FORMS": "0", "goods-0-variant": str(shop.goods.bolt.pk),
    }
    missing = acme.admin.post("/admin/orders/promotion/add/", {**form, "percent": ""})
    assert missing.status_code == 200 and b"Per cent off has percent" in missing.content
    assert acme.admin.post("/admin/orders/promotion/add/", form).status_code == 302
    page = f"/admin/orders/salesorder/{cart.pk}/code/"
    wrong = acme.admin.post(page, {"code": "ELEVEN"})
    assert wrong.status_code == 200 and b"There is no promotion code ELEVEN." in wrong.content
    assert acme.admin.post(page, {"code": "ten"}).status_code == 302
    shown = acme.admin.get(f"/admin/orders/salesorder/{cart.pk}/change/")
    assert b"Ten off (TEN)" in shown.content
    with acme.scope():
        made = Promotion.objects.get()
        sales_order_place(order=cart)
    assert acme.admin.get(page).status_code == 403, "a cart's alone"
    uses = acme.admin.get(f"/admin/orders/promotion/{made.pk}/uses/", follow=True)
    assert uses.status_code == 200 and b"SO-000001" in uses.content
    form |= {"goods-TOTAL_FORMS": "0", "percent": "20"}
    refused_there = acme.admin.post(f"/admin/orders/promotion/{made.pk}/change/", form)
    assert refused_there.status_code == 200 and b"so its terms stay as they are" in refused_there.content


def test_who_has_no_promotion_pays_no_statement_for_it(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        sales_order_place(order=cart_of(shop))

        def statements() -> int:
            cart = cart_of(shop, nuts=1)
            with CaptureQueriesContext(connection) as sent:
                sales_order_place(order=cart)
            return len(sent)

        plain = statements()
        promotion()
        promotion(None, ends_at=NOW - DAY)
        assert statements() == plain
        promotion(None)
        assert statements() <= plain + 9
