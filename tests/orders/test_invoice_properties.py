"""However an order is invoiced and credited in parts, the parts add up to the cent, and so do taxes by rate."""

from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Conflict
from orders.models import Invoice
from orders.queries.invoices import lines_to_invoice
from orders.services.credit_notes import CreditLine, credit_note_draft
from orders.services.invoices import InvoiceLine, invoice_issue, open_quantity
from tests.companies import Company
from tests.orders.invoicing import Sold, issued, order_of
from tests.orders.test_sales_orders import sound

RATES = st.sampled_from(["0", "5.5", "7", "19", "23"])
LINES = st.lists(
    st.builds(
        Sold, quantity=st.integers(1, 7), price=st.decimals("0.01", "99.99", places=3), rate=RATES, includes_tax=st.booleans(),
    ),
    min_size=1, max_size=5,
)
BESIDE = st.lists(
    st.one_of(
        st.tuples(st.just("shipping"), st.decimals("0", "20", places=2), RATES),
        st.tuples(st.just("discount"), st.decimals("-0.05", "0", places=2), RATES),
    ),
    max_size=3,
)


class Undone(Exception):
    """Ends an example as it began."""


def test_parts_add_up(acme: Company) -> None:
    @settings(max_examples=15)
    @given(lines=LINES, beside=BESIDE, seed=st.integers(0, 10_000), currency=st.sampled_from(["EUR", "JPY"]))
    def parts_add_up(lines: list[Sold], beside: list[Any], seed: int, currency: str) -> None:
        with acme.scope(), pytest.raises(Undone), transaction.atomic():
            order = order_of(*lines, beside=beside, currency=currency)
            if order.total >= 0:
                play(order, Random(seed))
            raise Undone

    parts_add_up()


def test_what_is_rounded_does_not_add_up(acme: Company) -> None:
    """Each note of a line is off by a cent at most, the last one too: it was two."""
    with acme.scope():
        invoice = issued(order_of(Sold(1, "12.80", 23)))
        for amount in (Decimal("0.83"), Decimal("0.35"), None):
            adds_up(invoice_issue(invoice=credit_note_draft(invoice=invoice, amount=amount)))
        assert sum(invoice.credit_notes.values_list("total", flat=True)) == invoice.total == Decimal("15.74")
        sound()


def play(order: Any, chance: Random) -> None:
    while parts := [
        InvoiceLine(line.pk, Decimal(chance.randint(1, int(left)))) for line in lines_to_invoice(order)
        if (left := open_quantity(line)) and chance.random() < 0.6
    ] or any(map(open_quantity, lines_to_invoice(order))):
        if parts is True:
            continue
        try:
            with transaction.atomic():
                adds_up(issued(order, lines=parts))
        except Conflict as error:
            assert error.code == "total_below_zero"  # a discount of more than these goods: all at once
            issued(order, basis="ordered")
    invoices = list(order.invoices.all())
    assert sum(one.total for one in invoices) == order.total
    assert sum(one.net_total for one in invoices) == order.net_total
    for invoice in invoices:
        take_back(invoice, chance)
    sound()


def take_back(invoice: Invoice, chance: Random) -> None:
    for _ in range(3):
        item = chance.choice(list(invoice.items.filter(kind="goods")))
        amount = (invoice.total / 3).quantize(Decimal(1))
        ways = [{"lines": [CreditLine(item.pk, Decimal(1))]}, *([{"amount": amount}] if amount > 0 else [])]
        try:
            with transaction.atomic():
                adds_up(invoice_issue(invoice=credit_note_draft(invoice=invoice, **chance.choice(ways))))
        except Conflict as error:
            assert error.code in ("over_credited", "total_below_zero", "nothing_to_credit"), error.detail
    try:
        with transaction.atomic():
            adds_up(invoice_issue(invoice=credit_note_draft(invoice=invoice)))
    except Conflict as error:
        assert error.code in ("nothing_to_credit", "total_below_zero"), error.detail
    assert sum(invoice.credit_notes.values_list("total", flat=True)) == invoice.total


def adds_up(invoice: Invoice) -> None:
    cent = Decimal("0.01") if invoice.currency == "EUR" else Decimal(1)
    invoice.refresh_from_db()
    items = list(invoice.items.all())
    by_rate: dict[Decimal, Decimal] = {}
    for item in items:
        by_rate[item.tax_rate] = by_rate.get(item.tax_rate, Decimal(0)) + item.net_amount
    taxes = {Decimal(tax["rate"]): (Decimal(tax["net"]), Decimal(tax["tax"])) for tax in invoice.taxes}
    assert taxes == {rate: (net, (net * rate / 100).quantize(cent, ROUND_HALF_UP)) for rate, net in by_rate.items()}
    assert invoice.tax_total == sum(tax for _, tax in taxes.values())
    assert invoice.net_total == sum(item.net_amount for item in items)
    assert invoice.total == invoice.net_total + invoice.tax_total + invoice.rounding
    # A line's net is off by a cent at most, its tax by its part of that; of a discount both are rounded; the sum once more.
    most = sum(1 + item.tax_rate / 100 + (item.kind == "discount") for item in items) + Decimal("0.5")
    assert abs(invoice.rounding) <= cent * most
    assert all(item.net_amount % cent == 0 and item.tax_amount % cent == 0 for item in items)
