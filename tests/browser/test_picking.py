"""Five lines are picked, packed and leave, by keyboard and scanner alone: task 9."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from inventory.models import Location, PriceListItem, ProductBarcode
from orders.models import Shipment
from orders.services.pick_lists import pick_list_create
from orders.services.sales_orders import NewLine, sales_order_create, sales_order_place
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.browser.wedge import Clerk
from tests.companies import Company
from tests.orders.selling import Shop

EANS = [f"400638133{number}" for number in (3931, 3948, 3955, 3962, 3979)]
SSCC = "340123450000000000"


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Company:
    """Two orders of the same five articles, one of each, whose second one is of a lot."""
    made = new_company()
    with made.scope():
        shop = Shop.create()
        goods = shop.goods
        wares = [goods.tracked("lot" if number == 1 else "none", f"WARE-{number}") for number in range(5)]
        for number, (ware, ean) in enumerate(zip(wares, EANS, strict=True)):
            ProductBarcode.objects.create(variant=ware, symbology="ean13", value=ean)
            PriceListItem.objects.create(price_list=shop.prices, variant=ware, price=Decimal(5))
            place = Location.objects.create(warehouse=goods.warehouse, code=f"B-{number}", pick_sequence=number)
            if number == 1:
                goods.receive_lot(9, ware, "L1", to=place)
            else:
                goods.receive(9, ware, to=place)
        for _ in range(2):
            lines = [NewLine(ware.pk, Decimal(1)) for ware in wares]
            order = sales_order_place(order=sales_order_create(channel=shop.channel, customer=shop.customer, lines=lines))
            pick_list_create(orders=[order.pk])
    return made


def codes(number: int) -> str:
    return f"]d201{EANS[number].zfill(14)}10L1" if number == 1 else EANS[number]


def test_five_lines(page: Page, company: Company) -> None:
    sign_in(page, company)
    clerk = Clerk(page)
    expect(page.locator("#scan-input")).to_be_visible()
    clerk.begin()
    clerk.scan("PL-000001")
    expect(page).to_have_title(re.compile("PL-000001"))
    for number in range(5):
        expect(page.locator(".pick-place")).to_have_text(f"B-{number}")
        clerk.scan(codes(number))
    expect(page.locator("#pack-title")).to_contain_text("Pack SO-")
    clerk.scan(SSCC)
    expect(page.locator("#scan-status")).to_contain_text(f"Carton {SSCC}. 1 carton")
    screenshot(page, "pack")
    clerk.key("Control+Enter")
    expect(page.locator("#round .card-done")).to_contain_text("has left by SH-000001")
    assert (clerk.actions, clerk.loads) == (8, 1), "task 9"
    screenshot(page, "shipped")
    with company.scope():
        shipment = Shipment.objects.get()
        assert (shipment.status, shipment.order.status, shipment.lines.count()) == ("handed_over", "shipped", 5)
        assert [parcel.unit.sscc for parcel in shipment.parcels.all()] == [SSCC]
