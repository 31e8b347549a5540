"""Goods of a purchase order come in, by keyboard and scanner alone: task 2."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from inventory.models import Location, ProductBarcode, ReceiptDraftEntry, StockItem
from orders.models import GoodsReceipt, PurchaseOrder
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.browser.test_accessibility import faults, faults_in_themes
from tests.browser.test_admin_pages import too_wide
from tests.browser.wedge import GS, Clerk, opened
from tests.companies import Company
from tests.orders.buying import Buying, quantities

EANS = [f"400638133{number}" for number in (3931, 3948, 3955, 3962, 3979)]


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Company:
    """Three orders of the same five articles, of which the last two come in packs of ten."""
    made = new_company()
    with made.scope():
        buying = Buying.create()
        wares = [buying.goods.tracked(sku=f"WARE-{number}") for number in range(5)]
        for number, (ware, ean) in enumerate(zip(wares, EANS, strict=True)):
            ProductBarcode.objects.create(variant=ware, symbology="ean13", value=ean, quantity=10 if number > 2 else 1)
        Location.objects.create(warehouse=buying.goods.warehouse, code="DOCK", kind="receiving")
        for _ in range(3):
            buying.sent(*((ware, 10) for ware in wares))
        buying.sent((buying.goods.nut, 5))
    return made


def test_five_lines_of_which_three_come_in_part(page: Page, company: Company) -> None:
    """Plain codes, symbols with lots, and symbols that count: each is one order."""
    codes = {
        "plain": EANS, "symbols": [f"]d201{ean.zfill(14)}1727123110LOT" for ean in EANS],
        "counted": [f"]d201{ean.zfill(14)}10LOT2{GS}30{number}" for number, ean in zip((4, 5, 6, 1, 1), EANS, strict=True)],
    }
    typed = {"plain": ["4 P1", "5 P2", "6 P3", "+ P4", "+ P5"], "symbols": ["4", "5", "6"], "counted": []}
    goals = {"plain": 15, "symbols": 10, "counted": 7}
    sign_in(page, company)
    clerk = Clerk(page)
    for way, number in zip(codes, (1, 2, 3), strict=True):
        page.goto("/admin/")
        expect(page.locator("#scan-input")).to_be_visible()
        clerk.begin()
        clerk.scan(f"PO-{number:06}")
        expect(page).to_have_title(re.compile(f"PO-{number:06}"))
        for place, code in enumerate(codes[way]):
            clerk.scan(code)
            expect(page.locator("#scan-status")).to_contain_text(f"WARE-{place}:")
            if place < len(typed[way]):
                clerk.types(typed[way][place])
        if way == "symbols":
            page.reload()
            expect(page.locator("#receipt input[name=entry]").nth(4)).to_have_value("10")
            screenshot(page, "receive-order")
            assert faults(page) == [] and too_wide(page) == []
            clerk.loads -= 1
        clerk.key("Control+Enter")
        expect(page.locator(".card-done")).to_contain_text("Received 5 lines at DOCK by GR-")
        assert (clerk.actions <= goals[way], clerk.loads) == (True, 1), f"{way}: {clerk.actions} actions, {clerk.loads} pages"
        with company.scope():
            order = PurchaseOrder.objects.get(number=f"PO-{number:06}")
            assert order.status == "partially_received"
            assert [line[1] for line in quantities(order)] == [4, 5, 6, 10, 10]
    screenshot(page, "received")
    assert [*too_wide(page), *faults_in_themes(page)] == []
    with company.scope():
        found = StockItem.objects.filter(location__code="DOCK", variant__sku="WARE-0").order_by("lot__code")
        assert [(item.lot.code, int(item.quantity)) for item in found] == [("LOT", 4), ("LOT2", 4), ("P1", 4)]
        assert not ReceiptDraftEntry.objects.exists() and GoodsReceipt.objects.count() == 3


def test_by_an_article_and_what_is_refused(page: Page, company: Company) -> None:
    """Scanned right after its order, goods are of the order; an article that several orders are to bring asks for which."""
    sign_in(page, company)
    clerk = Clerk(page)
    expect(page.locator("#scan-input")).to_be_visible()
    clerk.scan(EANS[0])
    expect(page.locator("#scan-panel h2")).to_contain_text("WARE-0")
    clerk.key("r")
    expect(page.locator("#which-title")).to_contain_text("Several orders are to bring this")
    assert faults(page) == []
    clerk.key("2")
    expect(page).to_have_title(re.compile("PO-000002"))
    expect(page.locator("#receipt input[name=entry]").first).to_have_value("1")
    held = list[Any]()
    for path in ("**/scan/", "**/admin/receive/*/"):
        page.route(path, lambda route: held.append(route))  # it sets an attribute
    with page.expect_request("**/scan/"):
        clerk.scan("PO-000003")
    clerk.scan(EANS[3], after=0.04)
    with page.expect_request("**/admin/receive/*/"):
        held[0].continue_()
    clerk.scan(EANS[4], after=0.04)
    page.unroute("**/scan/")
    held[1].continue_()
    page.unroute("**/admin/receive/*/")
    expect(page).to_have_title(re.compile("PO-000003"))
    lines = page.locator("#receipt input[name=entry]")
    expect(lines.nth(4)).to_have_value("10")
    assert [one.input_value() for one in lines.all()] == ["", "", "", "10", "10"], "none lost, none doubled"
    page.go_back()
    expect(page).to_have_title(re.compile("PO-000002"))
    opened(page)
    page.go_forward()
    expect(page).to_have_title(re.compile("PO-000003"))
    expect(lines.nth(4)).to_have_value("10")
    clerk.scan(EANS[4])
    expect(page.locator("#scan-panel [role=alert]")).to_contain_text("Of WARE-4 10 may come: with these it would be 20.")
    clerk.scan("NUT")
    expect(page.locator("#scan-panel [role=alert]")).to_contain_text("NUT is not on PO-000003. PO-000004 is to bring it")
    clerk.key("Escape")
    expect(lines.nth(4)).to_have_value("")
    with company.scope():
        assert not GoodsReceipt.objects.exists()
