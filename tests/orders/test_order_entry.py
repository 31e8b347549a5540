"""Selling from the keyboard: nothing is placed that nobody meant, and nothing twice."""

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Address
from inventory.models import PriceListItem, ProductBarcode, TaxCategory, Warehouse
from orders.models import Channel, Customer, OrderEntryStep, SalesOrder
from orders.services.order_entry import order_entry, order_entry_place, pasted
from tests.admin.pages import statements, text
from tests.companies import Company
from tests.factories.taxes import TaxRateFactory
from tests.limited import limited_admin
from tests.orders.selling import Shop, quantities

SELL = "/admin/sell/"


class Seller:
    """Posts as the page does: each request has an id of its own."""

    def __init__(self, company: Company, role: str = "admin") -> None:
        self.browser, self.steps = company.admin_as(role), 0

    def post(self, name: str, status: int = 200, **fields: Any) -> str:
        self.steps += 1
        response = self.browser.post(f"{SELL}{name}", {"id": f"step-{self.steps}", **fields})
        assert response.status_code == status, text(response)
        return text(response)


@pytest.fixture
def shop(acme: Company) -> Shop:
    with acme.scope():
        return Shop.create()


def test_lines_are_entered_priced_and_placed_once(acme: Company, shop: Shop) -> None:
    with acme.scope():
        Address.objects.create(
            party=shop.customer.party, kind="billing", street1="Rua 1", city="Porto", country="PT", is_default=True,
        )
        PriceListItem.objects.create(
            price_list=shop.prices, variant=shop.goods.bolt, price=Decimal(4), min_quantity=Decimal(3),
        )
        ProductBarcode.objects.create(variant=shop.goods.nut, symbology="code128", value="NUT-BOX", quantity=Decimal(6))
    seller = Seller(acme)
    assert "Web shop" in text(seller.browser.get(SELL))
    assert "Smith Motors" in seller.post("customer/", customer="smi")
    suggested = text(seller.browser.get(f"{SELL}suggest/?text=bo"))
    assert "BOLT" in suggested and "available 10 · 5 EUR" in suggested
    seller.post("scan/", text="BOLT", by="scanner")
    seller.post("scan/", text="bolt", by="scanner")
    page = seller.post("add/", text="NUT-BOX", quantity="2")
    assert "12" in page and "2 short" in page
    page = seller.post(f"line/?line={shop.goods.nut.pk}", entry="4")
    assert " short<" not in page
    for _ in range(2):  # sent again with its id, since the answer was lost
        seller.browser.post(f"{SELL}scan/", {"id": "the-same", "text": "BOLT", "by": "scanner"})
    page = seller.post("place/", id="placed", text="NUT", quantity="1")
    assert "Placed:" in page
    seller.post("place/", id="placed", text="NUT", quantity="1")
    with acme.scope():
        order = SalesOrder.objects.get()
        assert (order.number, order.status, order.customer_id) == ("SO-000001", "placed", shop.customer.pk)
        assert order.total == Decimal("24.5"), "three bolts at the price from three on, and five nuts"
        assert order.billing_address == order.shipping_address == {
            "name": "Smith Motors", "street1": "Rua 1", "city": "Porto", "country": "PT",
        }
        assert quantities(order) == [(3, 3, 0), (5, 5, 0)]
        assert not OrderEntryStep.objects.exists()


def test_statements(acme: Company, shop: Shop) -> None:
    """Of a line, and of placing five, however many there are."""
    seller = Seller(acme)
    seller.post("customer/", customer="C-1")
    codes = [f"PART-{number}" for number in range(5)]
    with acme.scope():
        TaxRateFactory(tax_category=TaxCategory.objects.get(code="standard"), country="PT")
        Address.objects.create(
            party=shop.customer.party, kind="shipping", street1="Rua 1", city="Porto", country="PT", is_default=True,
        )
        for code in codes:
            made = shop.goods.tracked("none", code)
            shop.goods.receive(5, variant=made)
            PriceListItem.objects.create(price_list=shop.prices, variant=made, price=Decimal(3))
    seller.post("add/", text="BOLT", quantity="1")
    seller.post("place/")  # the first one makes the sequence of numbers
    seller.post("customer/", customer="C-1")
    counts = []
    for code in codes:
        with statements() as sent:
            seller.post("add/", text=code, quantity="2")
        counts.append(len(sent))
    assert len(set(counts)) == 1 and counts[0] <= 15, counts
    with acme.scope(), statements() as sent:
        order_entry_place(entry=order_entry(), step="placed")
    assert len(sent) <= 18, "\n".join(one[:90] for one in sent)
    seller.post("customer/", customer="C-1")
    seller.post("add/", text=codes[0], quantity="1")
    with statements() as sent:
        seller.post("place/", text=codes[1], quantity="1")
    assert len(sent) <= 29, "\n".join(one[:90] for one in sent)


def test_what_is_pasted_and_nobody_knows_is_marked_and_not_placed(acme: Company, shop: Shop) -> None:
    seller = Seller(acme)
    seller.post("customer/", customer="c-1")
    page = seller.post("paste/", block="BOLT\t3\n\nNUT\tHexagon nut\t2,5\t9.99\nBOLZ; 4\nEmpty\t0\n")
    assert "BOLZ is not known" in page and "some of them are wrong" in page
    assert "BOLZ: not to be sold" in seller.post("place/", status=422)
    page = seller.post("line/?line=%3FBOLZ", code="bolt")
    assert "is not known" not in page
    seller.post("undo/", step=f"step-{seller.steps}")
    page = seller.post("line/?line=%3FBOLZ", code="0")
    assert "is not known" not in page
    with acme.scope():
        assert not SalesOrder.objects.exists()
    seller.post("place/")
    with acme.scope():
        assert quantities(SalesOrder.objects.get()) == [(3, 3, 0), (Decimal("2.5"), Decimal("2.5"), 0)]


def test_as_last_time_and_undone(acme: Company, shop: Shop) -> None:
    seller = Seller(acme)
    assert "Say first who buys" in seller.post("repeat/", status=422)
    seller.post("customer/", customer="C-1")
    assert "has ordered nothing yet" in seller.post("repeat/", status=409)
    seller.post("paste/", block="BOLT 2\nNUT 3")
    seller.post("place/")
    with acme.scope():
        order = SalesOrder.objects.get()
    page = seller.post("reopen/", order=order.pk)
    assert "SO-000001 is canceled" in page and "Smith Motors" in page
    assert "undone already" in seller.post("reopen/", order=order.pk)
    seller.post("place/")
    seller.post("customer/", customer="C-1")
    assert "As in SO-000002" in seller.post("repeat/")
    seller.post("place/")
    with acme.scope():
        found = list(SalesOrder.objects.order_by("number"))
        assert [one.status for one in found] == ["cancelled", "placed", "placed"]
        assert {one.total for one in found} == {Decimal("17.5")}


def test_what_cannot_be_placed_stays_as_it_is(acme: Company, shop: Shop) -> None:
    seller = Seller(acme)
    assert "Say who buys" in seller.post("place/", status=422)
    assert "No customer has this code" in seller.post("customer/", status=422, customer="nobody")
    seller.post("customer/", customer="C-1")
    assert "nothing to order" in seller.post("place/", status=422)
    assert "Nothing here has the code" in seller.post("scan/", status=404, text="NOBODY-1", by="scanner")
    assert "is no quantity" in seller.post("add/", status=422, text="BOLT", quantity="many")
    assert "BOLZ is not known" in seller.post("add/", text="BOLZ"), "not BOLT, however near that is"
    seller.post("undo/", step=f"step-{seller.steps}")
    assert "Nut" in seller.post("add/", text="nu"), "letters that are in one article alone"
    seller.post("undo/", step=f"step-{seller.steps}")
    seller.post("add/", text="BOLT", quantity="11")
    assert "not enough stock" in seller.post("place/", status=409, text="NUT", quantity="1").lower()
    page = text(seller.browser.get(SELL))
    assert "1 short" in page and "1 line," in page, "what was typed with it is still in its field"
    with acme.scope():
        assert not SalesOrder.objects.exists()


def test_several_customers_and_channels(acme: Company, shop: Shop) -> None:
    with acme.scope():
        party = type(shop.customer.party).objects.create(name="Smithson")
        other = Customer.objects.create(code="C-2", party=party, tax_exempt=True)
        counter = Channel.objects.create(code="ZZ", name="Counter", currency="EUR", warehouse=shop.goods.warehouse)
    seller = Seller(acme)
    page = seller.post("customer/", customer="smith")
    assert "2 customers may be meant" in page
    assert "Smithson" in seller.post("customer/", chosen=other.pk)
    seller.post("channel/", channel=counter.pk)
    assert f'value="{counter.pk}" selected' in text(seller.browser.get(SELL))
    seller.post("add/", text="BOLT", quantity="1")
    seller.post("place/")
    with acme.scope():
        order = SalesOrder.objects.get()
        assert (order.channel_id, order.customer_id) == (counter.pk, other.pk)
    assert Seller(acme, "viewer").browser.get(SELL).status_code == 403
    with acme.scope():
        north = Warehouse.objects.create(code="N", name="North")
    elsewhere = limited_admin(acme, north)
    assert "There is no channel yet" in text(elsewhere.get(SELL))
    for name, value in (("channel/", counter.pk), ("reopen/", order.pk)):
        assert elsewhere.post(f"{SELL}{name}", {"id": "1", "channel": value, "order": value}).status_code in (200, 422)
    with acme.scope():
        order.refresh_from_db()
        assert order.status == "placed"


def test_what_is_pasted() -> None:
    assert pasted("A-1\t2\r\nB 3\nC;4\nD\nM8 x 20  5\n") == [
        ("A-1", 2), ("B", 3), ("C", 4), ("D", 1), ("M8 x 20", 5),
    ]
