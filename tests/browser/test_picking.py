"""Five lines are picked, packed and leave, by keyboard and scanner alone: task 9."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from inventory.models import Location, PriceListItem, ProductBarcode, Warehouse
from inventory.services.posting import Line
from inventory.services.stock import stock_receive
from orders.models import PickList, SalesOrder, Shipment
from orders.services.pick_lists import pick_list_create
from orders.services.sales_orders import NewLine, sales_order_create, sales_order_place
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.browser.test_accessibility import faults, faults_in_themes
from tests.browser.test_admin_pages import too_wide
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


def test_places_first_mistakes_and_what_is_short(page: Page, company: Company) -> None:
    """Thirteen actions with the places; besides, no wrong scan is taken, and the last pick is taken back."""
    with company.scope():
        Warehouse.objects.update(picks_by_place=True)
    sign_in(page, company)
    clerk = Clerk(page)
    expect(page.locator("#scan-input")).to_be_visible()
    clerk.begin()
    clerk.scan("PL-000002")
    for number in range(5):
        expect(page.locator(".pick-place")).to_have_text(f"B-{number}")
        if number == 1:
            made = clerk.actions
            clerk.scan("B-4")
            expect(page.locator("#scan-panel [role=alert]")).to_contain_text("WARE-1 is at B-1")
            expect(page.locator("#scan-form")).to_have_attribute("data-state", "wrong")
            clerk.scan(EANS[4])
            expect(page.locator("#scan-panel [role=alert]")).to_contain_text("That is WARE-4: this line wants WARE-1.")
            clerk.actions = made
        clerk.scan(f"B-{number}")
        expect(page.locator("#round .card-done")).to_contain_text(f"This is B-{number}.")
        if number == 3:
            screenshot(page, "pick")
            assert faults(page) == [] and too_wide(page) == []
        clerk.scan(codes(number))
        if number == 2:
            made = clerk.actions
            expect(page.locator(".pick-place")).to_have_text("B-3")
            clerk.key("Escape")
            expect(page.locator("#round .card-done")).to_contain_text("The last step is taken back")
            expect(page.locator(".pick-place")).to_have_text("B-2")
            clerk.scan(codes(number))
            clerk.actions = made
    expect(page.locator("#pack-title")).to_contain_text("Pack SO-000002")
    assert [*too_wide(page), *faults_in_themes(page)] == []
    clerk.scan(SSCC)
    clerk.key("Control+Enter")
    expect(page.locator("#round .card-done")).to_contain_text("has left by")
    assert (clerk.actions, clerk.loads) == (13, 1), "task 9, with places"


def test_typed_quantities_and_what_is_not_there(page: Page, company: Company) -> None:
    with company.scope():
        goods = Location.objects.get(code="B-0")
        order = SalesOrder.objects.get(number="SO-000001")
        other = Location.objects.create(warehouse=goods.warehouse, code="C-9", pick_sequence=99)
        variant = order.lines.order_by("line")[0].variant
        stock_receive(lines=[Line(variant.pk, Decimal(5), to_location_id=other.pk)])
    sign_in(page, company)
    page.goto("/admin/orders/picklist/")
    page.locator("#result_list tbody a", has_text="PL-000001").click()
    page.get_by_role("link", name="Pick by scanner").first.click()
    clerk = Clerk(page)
    expect(page.locator("#round input[name=entry]")).to_be_focused()
    clerk.types("b")
    clerk.key("Enter")
    expect(page.locator("#short-reason")).to_be_focused()
    clerk.types("Bin is empty")
    clerk.key("Enter")
    expect(page.locator("#round .card-done")).to_contain_text("There are more: 1 at C-9, at the end of the round.")
    expect(page.locator(".pick-place")).to_have_text("B-1")
    expect(page.locator("#round input[name=entry]")).to_be_focused()
    clerk.types("1")
    clerk.key("Enter")
    expect(page.locator(".pick-place")).to_have_text("B-2")
    expect(page.locator("#round input[name=entry]")).to_be_focused()
    clerk.types("1")  # what is typed before a scan counts before it
    clerk.scan(codes(3))
    expect(page.locator(".pick-place")).to_have_text("B-4")
    with company.scope():
        picked = PickList.objects.get(number="PL-000001").lines.order_by("line").values_list("picked_quantity", "short_quantity")
        assert list(picked) == [(0, 1), (1, 0), (1, 0), (1, 0), (0, 0), (0, 0)]
