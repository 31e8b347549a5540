"""However promotions meet an order, and however it is split, invoiced and credited, its parts add up to the cent."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Conflict
from orders.models import Promotion, PromotionGoods, SalesOrder
from orders.queries.invoices import lines_to_invoice
from orders.queries.returns import refundable
from orders.services.credit_notes import CreditLine, credit_note_draft
from orders.services.invoices import InvoiceLine, invoice_issue, open_quantity
from orders.services.sales_orders import NewLine, sales_order_change, sales_order_create, sales_order_place
from orders.services.splitting import Split, sales_order_split
from tests.companies import Company
from tests.orders.invoicing import issued
from tests.orders.promoting import PLACE, taxed
from tests.orders.selling import Shop
from tests.orders.test_invoice_properties import Undone
from tests.orders.test_sales_orders import sound

LINES = st.lists(
    st.tuples(st.booleans(), st.integers(1, 7), st.decimals("0.01", "99.99", places=2), st.booleans()), min_size=1, max_size=4,
)
TERMS: list[st.SearchStrategy[dict[str, Any]]] = [
    st.fixed_dictionaries({"effect": st.just("percentage"), "percent": st.decimals("0.1", "100", places=1)}),
    st.fixed_dictionaries({
        "effect": st.just("amount"), "amount": st.decimals("0.01", "30", places=2), "currency": st.just("EUR"),
    }),
    st.fixed_dictionaries({
        "effect": st.just("buy_get"), "buy_quantity": st.integers(1, 3), "free_quantity": st.integers(1, 2),
    }),
]
PROMOTIONS = st.lists(st.tuples(st.one_of(TERMS), st.booleans()), min_size=1, max_size=3)


def test_orders_with_promotions_add_up(acme: Company) -> None:
    @settings(max_examples=8)
    @given(lines=LINES, promotions=PROMOTIONS, seed=st.integers(0, 10_000))
    def add_up(lines: list[Any], promotions: list[Any], seed: int) -> None:
        with acme.scope(), pytest.raises(Undone), transaction.atomic():
            chance, shop = Random(seed), Shop.create(backorders=True)
            taxed(shop)
            for number, (terms, for_nuts) in enumerate(promotions):
                made = Promotion.objects.create(name=f"Offer {number}", is_stackable=True, **terms)
                if for_nuts:
                    PromotionGoods.objects.create(promotion=made, variant=shop.goods.nut)
            wanted = [
                NewLine(shop.goods.nut.pk if is_nut else shop.goods.bolt.pk, Decimal(quantity), price, includes_tax=taxes)
                for is_nut, quantity, price, taxes in lines
            ]
            order = sales_order_place(order=sales_order_create(
                channel=shop.channel, customer=shop.customer, shipping_address=PLACE, lines=wanted,
            ))
            adds_up(order)
            for one in changed(order, chance):
                bill(one, chance)
            sound()
            raise Undone

    add_up()


def adds_up(order: SalesOrder) -> None:
    """What is taken off the lines is what the adjustments say, by tax rate, and never more than they cost."""
    by_rate: dict[Decimal, Decimal] = {}
    for line in order.lines.all():
        assert 0 <= line.promotion_discount <= line.net_amount + line.tax_amount
        by_rate[line.tax_rate] = by_rate.get(line.tax_rate, Decimal(0)) + line.promotion_discount
    rows = order.adjustments.order_by().values_list("tax_rate").annotate(Sum("net_amount"), Sum("tax_amount"))
    said = {rate: -net - tax for rate, net, tax in rows}
    assert {rate: said.get(rate, 0) for rate in by_rate} == by_rate
    order.refresh_from_db()
    assert refundable(order, {line.pk: line.quantity for line in order.lines.all()}) == [order.total]


def changed(order: SalesOrder, chance: Random) -> list[SalesOrder]:
    """As it is, with a line more, or as two."""
    line = order.lines.order_by("line")[0]
    if chance.random() < 0.3:
        more = [NewLine(one.variant_id, one.quantity + 1, id=one.pk) for one in order.lines.all()]
        adds_up(sales_order_change(order=order, lines=more))
    elif chance.random() < 0.5 and order.total and (order.lines.count() > 1 or line.quantity > 1):
        whole, part = order.total, Decimal(chance.randint(1, max(1, int(line.quantity) - 1)))
        try:
            with transaction.atomic():
                made = sales_order_split(order=order, lines=[Split(line.pk, part)])
        except Conflict as error:
            assert error.code == "nothing_left"
            return [order]
        order.refresh_from_db()
        assert order.total + made.total == whole
        return [order, made]
    return [order]


def bill(order: SalesOrder, chance: Random) -> None:
    """In parts, which are credited in parts."""
    while parts := [
        InvoiceLine(line.pk, Decimal(chance.randint(1, int(left))))
        for line in lines_to_invoice(order) if (left := open_quantity(line))
    ]:
        issued(order, lines=parts[: chance.randint(1, len(parts))])
    order.refresh_from_db()
    invoices = list(order.invoices.all())
    assert sum(one.net_total for one in invoices) == order.net_total
    assert sum(one.total for one in invoices) == order.total
    for invoice in invoices:
        item = chance.choice(list(invoice.items.filter(kind="goods")))
        for ways in ({"lines": [CreditLine(item.pk, Decimal(1))]}, {}):
            try:
                with transaction.atomic():
                    invoice_issue(invoice=credit_note_draft(invoice=invoice, **ways))
            except Conflict as error:
                assert error.code in ("nothing_to_credit", "total_below_zero", "over_credited"), error.detail
        assert sum(invoice.credit_notes.values_list("total", flat=True)) == invoice.total
