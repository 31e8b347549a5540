"""How often promotions are used, however many try, and what that costs those who have none."""

from collections.abc import Callable
from decimal import Decimal

from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.errors import Conflict
from orders.models import PromotionGoods, SalesOrder
from orders.services.promotions import promotion_code_apply
from orders.services.sales_orders import (
    NewLine,
    sales_order_cancel,
    sales_order_change,
    sales_order_place,
)
from orders.services.splitting import Split, sales_order_split
from tests.companies import Company
from tests.inventory.test_races import at_once
from tests.orders.promoting import DAY, NOW, cart_of, count, promotion, refused, used
from tests.orders.selling import Shop
from tests.orders.test_sales_orders import sound


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


def test_an_order_that_needs_it_no_longer_gives_it_back(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(stock=20)
        made = promotion("TEN", min_total=20, currency="EUR", max_uses=1)
        order = sales_order_place(order=promotion_code_apply(order=cart_of(shop, bolts=4), code="TEN"))
        line = order.lines.get()
        fewer = sales_order_change(order=order, lines=[NewLine(line.variant_id, Decimal(3), id=line.pk)])
        assert (fewer.total, used(order), count(made)) == (15, [("TEN", 0, False)], 0)
        other = sales_order_place(order=promotion_code_apply(order=cart_of(shop, bolts=4), code="TEN"))
        assert (other.total, count(made)) == (18, 1)
        more = sales_order_change(order=order, lines=[NewLine(line.variant_id, Decimal(5), id=line.pk)])
        assert (more.total, count(made)) == (25, 1), "the other has it now"
        sales_order_cancel(order=order)
        assert (used(other), count(made)) == ([("TEN", 2, True)], 1)
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
        assert statements() == plain + 7
