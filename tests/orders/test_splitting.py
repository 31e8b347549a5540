"""One order becomes two, which together are what it was."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict
from inventory.models import Reservation, StockItem, TaxCategory
from orders.models import OrderAdjustment, SalesOrder
from orders.services.credit_notes import credit_note_draft
from orders.services.fulfilment import sales_order_pack, sales_order_ship
from orders.services.invoices import InvoiceLine, invoice_draft_from_order, invoice_issue
from orders.services.sales_orders import (
    NewAdjustment,
    NewLine,
    sales_order_cancel,
    sales_order_confirm,
    sales_order_create,
    sales_order_place,
)
from orders.services.splitting import Split, sales_order_split
from tests.companies import Company
from tests.factories.taxes import TaxRateFactory
from tests.inventory.test_races import at_once
from tests.orders.selling import Shop, quantities
from tests.orders.test_amending import Undone
from tests.orders.test_sales_orders import refused, sound


def test_what_can_go_goes(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(backorders=True)
        order = sales_order_confirm(order=sales_order_place(order=shop.cart(bolts=12, nuts=4)))
        rest = sales_order_split(order=order)
        assert (quantities(order), quantities(rest)) == ([(10, 10, 0), (4, 4, 0)], [(2, 0, 0)])
        order.refresh_from_db()
        assert (order.total, rest.total, rest.status, rest.placed_at) == (60, 10, "confirmed", order.placed_at)
        sound()
        refused("nothing_waits", sales_order_split, order=order)
        refused("nothing_left", sales_order_split, order=rest)
        sales_order_ship(order=sales_order_pack(order=order))
        refused("wrong_status", sales_order_split, order=order)
        sound()


def test_what_is_invoiced_stays_though_it_waits(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(backorders=True)
        order = sales_order_place(order=shop.cart(bolts=25, nuts=2))
        bolts, nuts = order.lines.order_by("line")
        invoice_issue(invoice=invoice_draft_from_order(order=order, lines=[InvoiceLine(bolts.pk, Decimal(20))]))
        made = sales_order_split(order=order)
        assert (quantities(order)[0][0], quantities(made)[0][0]) == (20, 5)
        refused("nothing_waits", sales_order_split, order=order)
        first = invoice_issue(invoice=invoice_draft_from_order(order=order, lines=[InvoiceLine(nuts.pk, Decimal(2))]))
        invoice_issue(invoice=credit_note_draft(invoice=first))
        refused("invoiced", sales_order_split, order=order, lines=[Split(nuts.pk)])
        sound()


def test_by_the_api(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = sales_order_place(order=shop.cart(bolts=3, nuts=4))
        bolts, nuts = order.lines.order_by("line").values_list("pk", flat=True)
    shown = acme.admin.get(f"/admin/orders/salesorder/{order.pk}/change/")
    assert shown.status_code == 200 and b"split/" in shown.content and b"lines-0-quantity" in shown.content
    assert acme.admin.post(f"/admin/orders/salesorder/{order.pk}/split/").status_code == 302, "nothing waits, which it says"
    url = f"/api/v1/sales-orders/{order.pk}/split/"
    for quantity in ("0", "4"):
        assert acme.api.send("post", url, {"lines": [{"line": str(bolts), "quantity": quantity}]}).status_code == 400
    assert acme.api.send("post", url, {"lines": [{"line": str(order.pk)}]}).status_code == 400
    assert acme.api.send("post", url, {"lines": [{"line": str(nuts)}, {"line": str(nuts)}]}).status_code == 400
    assert acme.api.send("post", url, {}).status_code == 409
    made = acme.api.send("post", url, {"lines": [{"line": str(bolts), "quantity": "1"}, {"line": str(nuts)}]})
    assert (made.status_code, made.json()["number"], made.json()["total"]) == (200, "SO-000002", "15.000000"), made.content
    with acme.scope():
        assert (quantities(order), quantities(SalesOrder(pk=made.json()["id"]))) == ([(2, 2, 0)], [(1, 1, 0), (4, 4, 0)])
        SalesOrder.objects.filter(pk=order.pk).update(payment_status="authorized")
        refused("already_paid", sales_order_split, order=order, lines=[Split(bolts, Decimal(1))])


cents = st.integers(1, 99_999).map(lambda cents: Decimal(cents) / 100)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(price=cents, other=cents, bolts=st.integers(1, 14), share=st.integers(1, 14), discount=st.integers(0, 100))
def test_the_money_adds_up(acme: Company, price: Decimal, other: Decimal, bolts: int, share: int, discount: int) -> None:
    with pytest.raises(Undone), acme.scope():
        shop = Shop.create(backorders=True)
        TaxRateFactory.create(tax_category=TaxCategory.objects.get(code="standard"))
        order = sales_order_place(order=sales_order_create(
            channel=shop.channel, customer=shop.customer, shipping_address={"country": "PT"},
            lines=[
                NewLine(shop.goods.bolt.pk, Decimal(bolts), price, includes_tax=True),
                NewLine(shop.goods.nut.pk, Decimal(3), other, discount=other * discount / 100),
            ],
            adjustments=[
                NewAdjustment("discount", "For you", -(price * discount / 100).quantize(Decimal("0.01")), Decimal(23)),
                NewAdjustment("shipping", "Parcel", Decimal("4.90"), Decimal(23)),
            ],
        ))
        whole = (order.net_total, order.tax_total, order.total)
        held = list(StockItem.objects.order_by("pk").values_list("reserved", flat=True))
        first = order.lines.order_by("line")[0]
        made = sales_order_split(order=order, lines=[Split(first.pk, Decimal(min(bolts, share)))])
        order.refresh_from_db()
        assert (order.net_total + made.net_total, order.tax_total + made.tax_total, order.total + made.total) == whole
        assert list(StockItem.objects.order_by("pk").values_list("reserved", flat=True)) == held
        assert OrderAdjustment.objects.filter(order=made, kind="shipping").count() == 0, "paid once"
        demands = Reservation.objects.filter(status="active").values_list("demand_id", "demand_line_id", "quantity")
        promised: Counter[object] = Counter()
        for demand, line, quantity in demands:
            promised[demand, line] += quantity
        lines = [*order.lines.all(), *made.lines.all()]
        assert promised == {(line.order_id, line.pk): line.quantity for line in lines}
        sound()
        raise Undone


def test_split_and_canceled_at_once(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        shop = Shop.create(stock=10)
        order = sales_order_place(order=shop.cart(bolts=8, nuts=2))
        line = order.lines.order_by("line")[0]

    def act(number: int) -> str:
        with company.scope():
            try:
                if number == 5:
                    return sales_order_cancel(order=order).status
                return sales_order_split(order=order, lines=[Split(line.pk, Decimal(1))]).status
            except Conflict as conflict:
                return conflict.code

    ended = Counter(at_once(6, act))
    assert ended["cancelled"] == 1 and ended["placed"] + ended["wrong_status"] == 5, ended
    with company.scope():
        sound()
        assert StockItem.objects.get(variant=shop.goods.bolt).reserved == ended["placed"]
