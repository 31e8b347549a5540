"""An order is changed after it was placed: goods, money and credit follow, and nobody loses to somebody who is quicker."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict
from inventory.models import PriceListItem, Reservation, StockItem
from notifications.models import OutboxEvent
from orders.models import Customer
from orders.services.credit_notes import credit_note_draft
from orders.services.fulfilment import sales_order_pack, sales_order_ship
from orders.services.invoices import invoice_draft_from_order, invoice_issue
from orders.services.order_lines import NewAdjustment
from orders.services.payments import Source, payment_record
from orders.services.sales_orders import NewLine, sales_order_cancel, sales_order_change, sales_order_confirm, sales_order_place
from tests.companies import Company
from tests.inventory.test_races import at_once
from tests.orders.selling import Shop, quantities
from tests.orders.test_sales_orders import refused, sound


def test_goods_and_money_follow(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = sales_order_place(order=shop.cart(bolts=4, nuts=4))
        bolts, _nuts = order.lines.order_by("line")
        PriceListItem.objects.update(price=9)
        changed = sales_order_change(order=order, lines=[NewLine(shop.goods.bolt.pk, Decimal(6))], email="ann@example.com")
        assert (changed.total, changed.revision) == (30, 1), "at the price at which it was placed"
        assert quantities(order) == [(6, 6, 0)] and order.lines.get().pk == bolts.pk
        held = dict(StockItem.objects.values_list("variant", "reserved"))
        assert held == {shop.goods.bolt.pk: 6, shop.goods.nut.pk: 0}
        fewer = [NewLine(shop.goods.nut.pk, Decimal(2)), NewLine(shop.goods.bolt.pk, Decimal(1), Decimal(4), id=bolts.pk)]
        assert sales_order_change(order=order, lines=fewer).total == 22, "what is new costs what it costs now"
        assert quantities(order) == [(1, 1, 0), (2, 2, 0)]
        told = OutboxEvent.objects.filter(aggregate_id=order.pk, type="order.changed").order_by("seq")
        assert [event.payload["changed"] for event in told] == [["email", "lines"], ["lines"]]
        sales_order_change(order=order, note="Ring twice")
        for verb in (sales_order_confirm, sales_order_pack, sales_order_ship):
            verb(order=order)
        refused("wrong_status", sales_order_change, order=order, lines=fewer)
        sound()
    with acme.scope():
        assert sorted(StockItem.objects.values_list("quantity", "reserved")) == [(8, 0), (9, 0)]


def test_what_was_invoiced_stays_as_a_row_and_the_next_invoice_has_the_difference(acme: Company) -> None:
    """Of what people charge besides the goods, or take off."""
    parcel, off = NewAdjustment("shipping", "Parcel", Decimal("4.90")), NewAdjustment("discount", "Loyal", Decimal(-2))
    with acme.scope():
        shop = Shop.create()
        order = sales_order_place(order=sales_order_change(order=shop.cart(bolts=4), adjustments=[parcel, off]))
        kept = order.adjustments.get(kind="shipping")
        first = invoice_issue(invoice=invoice_draft_from_order(order=order, basis="ordered"))
        assert first.total == order.total == Decimal("22.90")
        changed = sales_order_change(order=order, adjustments=[parcel, replace(parcel, label="Island", net_amount=Decimal(3))])
        assert changed.total == Decimal("27.90")
        amounts = dict(changed.adjustments.values_list("label", "net_amount"))
        assert amounts == {"Parcel": Decimal("4.90"), "Loyal": 0, "Island": 3} and kept in changed.adjustments.all()
        rest = invoice_issue(invoice=invoice_draft_from_order(order=order, basis="ordered"))
        assert dict(rest.items.values_list("name", "net_amount")) == {"Loyal": 2, "Island": 3}
        assert first.total + rest.total == changed.total
        again = sales_order_change(order=order, adjustments=[parcel, parcel])
        assert (again.total, again.adjustments.count()) == (Decimal("29.80"), 4), "of two that are alike each counts"
        sound()


def test_a_line_that_an_invoice_names_stays_though_it_was_credited(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = sales_order_place(order=shop.cart(bolts=4, nuts=4))
        bolts, nuts = order.lines.order_by("line")
        first = invoice_issue(invoice=invoice_draft_from_order(order=order, basis="ordered"))
        fewer = [NewLine(shop.goods.bolt.pk, Decimal(4), id=bolts.pk)]
        refused("already_picked", sales_order_change, order=order, lines=fewer)
        invoice_issue(invoice=credit_note_draft(invoice=first))
        refused("invoiced", sales_order_change, order=order, lines=fewer)
        left = [*fewer, NewLine(shop.goods.nut.pk, Decimal(1), id=nuts.pk)]
        assert sales_order_change(order=order, lines=left).lines.count() == 2
        sound()


def test_what_is_refused(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = sales_order_place(order=shop.cart(bolts=4))
        [line] = order.lines.all()
        Customer.objects.update(credit_limit=25)
        more = [NewLine(shop.goods.bolt.pk, Decimal(6))]
    for code, values in (
        ("insufficient_stock", {"lines": [NewLine(shop.goods.bolt.pk, Decimal(11), Decimal(1))]}),
        ("over_credit_limit", {"lines": more}), ("fixed_once_placed", {"customer_id": None}), ("invalid", {"lines": []}),
        ("invalid", {"lines": [NewLine(shop.goods.nut.pk, Decimal(1), id=line.pk)]}),
        ("does_not_exist", {"lines": [NewLine(shop.goods.bolt.pk, Decimal(1), id=order.pk)]}),
    ):
        with pytest.raises(Undone), acme.scope():
            refused(code, sales_order_change, order=order, **values)
            raise Undone
    with acme.scope():
        assert (quantities(order), order.lines.get().net_amount) == ([(4, 4, 0)], 20)
        assert sales_order_change(order=order, lines=[NewLine(shop.goods.bolt.pk, Decimal(5))]).total == 25, "as much as it may"
        sound()


class Undone(Exception):
    pass


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)).filter(any), min_size=1, max_size=4))
def test_whatever_is_changed_adds_up(acme: Company, steps: list[tuple[int, int]]) -> None:
    with pytest.raises(Undone), acme.scope():
        shop = Shop.create(backorders=True)
        order = sales_order_place(order=shop.cart(bolts=5, nuts=15))
        for bolts, nuts in steps:
            wanted = ((shop.goods.bolt, bolts), (shop.goods.nut, nuts))
            lines = [NewLine(variant.pk, Decimal(quantity)) for variant, quantity in wanted if quantity]
            assert sales_order_change(order=order, lines=lines).total == bolts * 5 + nuts * Decimal("2.5")
            promised = {
                line.variant_id: (line.quantity, line.allocated_quantity) for line in order.lines.all()
            }
            assert promised == {variant.pk: (n, min(n, 10)) for variant, n in wanted if n}
            waiting = Reservation.objects.filter(demand_id=order.pk, status="active", stock_item=None)
            assert sum(waiting.values_list("quantity", flat=True)) == sum(max(0, n - 10) for _, n in wanted)
            sound()
        raise Undone


def test_changed_and_canceled_at_once(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create(stock=20)
        orders = [sales_order_place(order=shop.cart(bolts=2, nuts=2)) for _ in range(3)]

    def act(number: int) -> str:
        order = orders[number % 3]
        pair = [(shop.goods.bolt, 1 + number % 4), (shop.goods.nut, 4 - number % 4)]
        lines = [NewLine(variant.pk, Decimal(n)) for variant, n in (pair if number % 2 else reversed(pair))]
        verbs: list[tuple[Any, dict[str, Any]]] = [
            (sales_order_change, {"lines": lines}), (sales_order_change, {"lines": lines[:1]}), (sales_order_cancel, {}),
            (sales_order_pack, {}),
        ]
        verb, values = verbs[number // 3]
        with company.scope():
            try:
                return verb(order=order, **values).status
            except Conflict as conflict:
                return conflict.code

    ended = Counter(at_once(12, act))
    assert set(ended) <= {"placed", "cancelled", "packed", "wrong_status"}, ended
    with company.scope():
        sound()
        free = Reservation.objects.filter(status="active", demand_id__in=[o.pk for o in orders if o.status == "cancelled"])
        assert not free.exists()


def test_what_is_paid_is_kept_right(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = sales_order_place(order=shop.cart(bolts=4))
        payment_record(order=order, source=Source(), amount=Decimal(15))
        order = sales_order_change(order=order, lines=[NewLine(shop.goods.bolt.pk, Decimal(3))])
        assert (order.total, order.payment_status) == (15, "paid")
        order = sales_order_change(order=order, lines=[NewLine(shop.goods.bolt.pk, Decimal(4))])
        assert (order.total, order.payment_status) == (20, "partly_paid")
        sound()
    with pytest.raises(Undone), acme.scope():
        refused("paid", sales_order_change, order=order, lines=[NewLine(shop.goods.bolt.pk, Decimal(2))])
        raise Undone
