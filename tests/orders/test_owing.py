"""What a customer owes: orders that cost nothing, and credit notes of money alone."""

from decimal import Decimal

from orders.models import Customer, SalesOrder
from orders.services.credit_notes import CreditLine, credit_note_draft
from orders.services.invoices import invoice_draft_from_order, invoice_issue
from orders.services.order_lines import NewAdjustment, NewLine
from orders.services.payments import Source, open_amount, payment_record, sales_order_refund
from orders.services.returns import Asked, return_refund
from orders.services.sales_orders import sales_order_change, sales_order_create, sales_order_place
from orders.services.splitting import Split, sales_order_split
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.inventory import WarehouseFactory
from tests.limited import limited_api
from tests.orders.invoicing import issued
from tests.orders.selling import Shop
from tests.orders.test_returns import came, inspected, shipped
from tests.orders.test_sales_orders import refused, sound


def gift(shop: Shop, quantity: int = 2) -> SalesOrder:
    lines = [NewLine(shop.goods.bolt.pk, Decimal(quantity), unit_price=Decimal(0))]
    return sales_order_create(channel=shop.channel, customer=shop.customer, lines=lines)


def stands(order: SalesOrder) -> tuple[str, Decimal, Decimal]:
    """Its payment status, what is credited, and what is open."""
    row = SalesOrder.objects.get(pk=order.pk)
    return row.payment_status, row.credited_total, open_amount(row)


def test_an_order_that_costs_nothing_is_settled_and_has_an_invoice_of_nothing(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        cart = gift(shop)
        assert stands(cart)[0] == "unpaid", "a cart"
        order = shipped(cart)
        assert stands(order) == ("paid", 0, 0)
        invoice = issued(order)
        assert (invoice.total, invoice.number, invoice.items.get().quantity) == (0, "INV-000001", 2)
        refused("more_than_open", payment_record, order=order, source=Source(), amount=Decimal(1))
        off = [NewAdjustment("discount", "100 %", Decimal(-20))]
        assert stands(sales_order_place(order=sales_order_change(order=shop.cart(bolts=4), adjustments=off)))[0] == "paid"
        sound()


def test_what_costs_something_later_is_to_be_paid_later(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = sales_order_place(order=gift(shop))
        order = sales_order_change(order=order, lines=[
            NewLine(shop.goods.bolt.pk, Decimal(2), Decimal(0), id=order.lines.get().pk), NewLine(shop.goods.nut.pk, Decimal(2)),
        ])
        assert stands(order) == ("unpaid", 0, 5)
        free, nuts = order.lines.order_by("line")
        made = sales_order_split(order=order, lines=[Split(free.pk)])
        assert (stands(made)[0], stands(order)[0]) == ("paid", "unpaid")
        order = sales_order_change(order=order, lines=[NewLine(shop.goods.nut.pk, Decimal(2), Decimal(0), id=nuts.pk)])
        assert stands(order) == ("paid", 0, 0)
        apart = sales_order_split(order=made, lines=[Split(made.lines.get().pk, Decimal(1))])
        assert {stands(made)[0], stands(apart)[0]} == {"paid"}, "what is free may be split"
        sound()


def test_money_that_is_credited_is_owed_no_more(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(stock=20)
        order, more = shipped(shop.cart(bolts=4)), shop.cart(bolts=4)  # 20 EUR each
        Customer.objects.filter(pk=shop.customer.pk).update(credit_limit=35)
        invoice = invoice_issue(invoice=invoice_draft_from_order(order=order))
        draft = credit_note_draft(invoice=invoice, amount=Decimal(5), note="Came late")
        assert stands(order) == ("unpaid", 0, 20), "a draft takes nothing off"
        refused("over_credit_limit", sales_order_place, order=more)
        invoice_issue(invoice=draft)
        assert stands(order) == ("unpaid", 5, 15)
        assert sales_order_place(order=more).status == "placed", "the credit limit is free again"
        refused("more_than_open", payment_record, order=order, source=Source(), amount=Decimal("15.01"))
        payment_record(order=order, source=Source())
        assert stands(order) == ("paid", 5, 0)
        refused("nothing_to_invoice", invoice_draft_from_order, order=order)
        sound()


def test_what_was_paid_already_is_owed_to_the_customer(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create()
        order = shipped(shop.cart(bolts=4))
        payment_record(order=order, source=Source())
        invoice = issued(order)
        line = invoice.items.get()
        invoice_issue(invoice=credit_note_draft(invoice=invoice, lines=[CreditLine(line.pk, amount=Decimal(4))]))
        sales_order_refund(order=order, amount=Decimal(4), reason="The price was wrong")
        assert stands(order) == ("paid", 4, 0)
        row = SalesOrder.objects.get(pk=order.pk)
        assert row.total - row.credited_total - row.paid_total + row.refunded_total == 0
        half = Asked(order.lines.get().pk, Decimal(2))
        for _ in range(2):
            row = return_refund(authorization=inspected(came(order, half), "restock"), reference="Transfer 9")
            assert row.refund_amount == 8, "what was credited is not given back once more"
        assert stands(order) == ("refunded", 20, 0)
        sound()


def test_goods_that_are_credited_are_still_to_be_paid(acme: Company) -> None:
    """They may be invoiced again."""
    with acme.scope():
        order = shipped(Shop.create().cart(bolts=4))
        invoice_issue(invoice=credit_note_draft(invoice=issued(order)))
        assert stands(order) == ("unpaid", 0, 20)
        assert issued(order).total == 20
        sound()


def test_the_admin_says_what_is_owed(acme: Company) -> None:
    with acme.scope():
        order = shipped(Shop.create().cart(bolts=4))
        payment_record(order=order, source=Source())
        draft = credit_note_draft(invoice=issued(order), amount=Decimal("2.50"))
    page = f"/admin/orders/invoice/{draft.pk}/issue/"
    told = acme.admin.post(page, follow=True).content.decode()
    assert "The customer has paid 2.5 EUR more than SO-000001 costs now" in told
    assert "-2.5" in acme.admin.get(f"/admin/orders/salesorder/{order.pk}/change/").content.decode()
    assert "CN-000001: 2.5" in acme.admin.get(f"/admin/orders/invoice/{draft.corrects_id}/change/").content.decode()


def test_a_statement_of_what_is_open(acme: Company) -> None:
    with acme.scope():
        shop = Shop.create(stock=50)
        owes, settled, owed = (shipped(shop.cart(bolts=4)) for _ in range(3))
        payment_record(order=owes, source=Source(), amount=Decimal(5))
        for order in (settled, owed):
            payment_record(order=order, source=Source())
        invoice_issue(invoice=credit_note_draft(invoice=issued(owed), amount=Decimal(3)))
        elsewhere = WarehouseFactory.create()
        shop.cart()
    url = "/api/v1/analytics/orders/receivables/"
    found = acme.api.get(f"{url}?customer={shop.customer.pk}").json()
    rows = [(row["number"], Decimal(row["open"])) for row in found["results"]]
    assert rows == [(owes.number, 15), (owed.number, -3)]
    [sums] = found["totals"]["by_currency"]
    amounts = [Decimal(sums[name]) for name in ("owed", "owed_to_customers", "open")]
    assert (sums["currency"], sums["orders"], amounts) == ("EUR", 2, [15, 3, 12])
    assert acme.api.get(f"{url}?limit=1").json()["count"] == 2
    assert b"SO-000001" in acme.api.get(url, HTTP_ACCEPT="text/csv").content
    assert acme.api.get(f"{url}?customer={elsewhere.pk}").json()["results"] == []
    assert limited_api(acme, elsewhere.pk).get(url).json()["results"] == []
    assert_problem(limited_api(acme, elsewhere.pk).get(f"{url}?warehouse={shop.goods.warehouse.pk}"), 403, "outside_warehouses")
