"""Counting a bin as a clerk does it: by keyboard and scanner alone, blind, while goods move."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from playwright.sync_api import Page, Route, expect

from inventory.models import Location, ProductBarcode, StockCount, StockItem
from inventory.services.posting import Line
from inventory.services.stock import stock_issue
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.browser.test_accessibility import faults
from tests.browser.wedge import opened
from tests.companies import Company
from tests.factories.inventory import ProductVariantFactory
from tests.inventory.goods import Goods

START = "/admin/inventory/stockcount/start/"
GOAL = 13  # of the whole task; on the home page the bin is scanned, and C on its card is one action more than here


class Hands:
    """A field that is typed with the key that ends it, a scan, and a key are an action each."""

    def __init__(self, page: Page) -> None:
        self.page, self.actions = page, 0

    def types(self, text: str, end: str = "Enter") -> None:
        opened(self.page)
        self.page.keyboard.type(text, delay=3 if len(text) > 4 else 0)
        self.key(end)

    def key(self, name: str) -> None:
        self.actions += 1
        self.page.keyboard.press(name)


def bin_of_ten(goods: Goods) -> list[Any]:
    variants = [ProductVariantFactory(product=goods.bolt.product, sku=f"PART-{number:02}") for number in range(10)]
    for number, variant in enumerate(variants):
        goods.receive(10 + number, variant=variant)
    return variants


def test_a_bin_of_ten_blind(page: Page, new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        variants = bin_of_ten(goods)
    sign_in(page, company)
    page.goto(START)
    expect(page.get_by_label("Location")).to_be_focused()
    hands, loads = Hands(page), []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    hands.types("A-1")
    page.wait_for_url(re.compile("/sheet/"), timeout=60_000)
    expect(page.locator("[data-rows] tr")).to_have_count(10)
    assert not re.search(r"\b1[0-9]\b", page.locator("[data-rows]").inner_text())  # blind: no balance is told
    assert faults(page) == []
    for number in range(9):
        hands.types(str(10 + number - (number == 3)))
    expect(page.locator("[data-progress]")).to_contain_text("9 of 10", timeout=60_000)
    with company.scope():
        stock_issue(lines=[Line(variants[3].pk, Decimal(2), from_location_id=goods.shelf.pk)])
    screenshot(page, "count-sheet")
    hands.types("19", end="Control+Enter")
    page.wait_for_url(re.compile("/variance/"), timeout=60_000)
    expect(page.locator("[data-variance]")).to_contain_text("10 of 10 lines counted, 1 differs")
    expect(page.locator("[data-rows] tr")).to_contain_text(["PART-03"])
    assert faults(page) == []
    screenshot(page, "count-variance")
    hands.key("Enter")
    expect(page.get_by_text("The count is posted.")).to_be_visible()
    assert (hands.actions + 1, len(loads)) <= (GOAL, 3)
    with company.scope():
        assert StockItem.objects.get(variant=variants[3]).quantity == 10  # 13 booked, 12 counted, 2 gone since
        assert StockCount.objects.get().status == "posted"


def test_unexpected_goods_serial_numbers_and_a_recount(page: Page, new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(5)
        goods.receive(7, variant=goods.nut)
        pump = goods.tracked("serial", "PUMP")
        goods.receive_lot(1, pump, "S-1")
        ProductBarcode.objects.create(variant=goods.nut, symbology="ean13", value="5601234567892")
        washer = ProductVariantFactory(product=goods.bolt.product, sku="WASHER", name="Washer")
        Location.objects.filter(pk=goods.shelf.pk).update(barcode="BIN-1")
    sign_in(page, company)
    page.goto(START)
    expect(page.get_by_label("Location")).to_be_focused()
    page.keyboard.type("BIN-1")
    page.get_by_label("Blind").uncheck(force=True)
    page.get_by_label("Tolerance quantity").fill("1")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/sheet/"), timeout=60_000)
    hands = Hands(page)
    hands.key("=")  # BOLT as booked
    hands.types("5601234567892")  # a scan into a field for numbers finds its line
    hands.types("4")
    expect(page.locator("[data-progress]")).to_contain_text("2 of 3")
    page.locator("#count-scan").focus()
    hands.types("WASHER")
    expect(page.locator("[data-rows] tr").last).to_contain_text("not expected")
    hands.types("6")
    page.locator("#count-scan").focus()
    hands.types("S-1")
    expect(page.locator("[data-progress]")).to_contain_text("4 of 4")
    screenshot(page, "count-sheet-open")
    hands.key("Control+Enter")
    page.wait_for_url(re.compile("/variance/"), timeout=60_000)
    row = page.locator("[data-rows] tr").filter(has_text="NUT")
    expect(row).to_have_class("count-above")
    row.focus()
    hands.key("x")
    expect(page.get_by_text("This line is to be counted again.")).to_be_visible()
    page.goto(page.url.replace("/variance/", "/sheet/"))
    hands.types("4", end="Control+Enter")
    page.wait_for_url(re.compile("/variance/"), timeout=60_000)
    expect(page.locator("[data-rows] tr").filter(has_text="NUT")).to_contain_text("before 4")
    with company.scope():
        count = StockCount.objects.get()
        counted = dict(count.lines.values_list("variant__sku", "counted"))
        assert counted == {"BOLT": 5, "NUT": 4, "WASHER": 6, "PUMP": 1}
        assert count.lines.get(variant=washer).is_found
    page.goto(page.url.replace("/variance/", "/print/"))
    expect(page.locator("table")).to_contain_text("WASHER")
    screenshot(page, "count-paper")


def test_a_number_is_meant_for_what_was_scanned_before_it(page: Page, new_company: Callable[[], Company]) -> None:
    """However long the network takes: not for the line that has the focus, and not for the scan after it."""
    company = new_company()
    with company.scope():
        goods = Goods.create()
        variants = bin_of_ten(goods)
    sign_in(page, company)
    page.goto(START)
    expect(page.get_by_label("Location")).to_be_focused()
    hands = Hands(page)
    hands.types("A-1")
    page.wait_for_url(re.compile("/sheet/"), timeout=60_000)
    expect(page.locator("[data-rows] input").first).to_be_focused()

    def later(route: Route) -> None:
        page.wait_for_timeout(500)
        route.continue_()

    page.route("**/scan/*", later)
    for sku, number in (("PART-05", "1"), ("PART-07", "22"), ("PART-02", "3")):
        hands.types(sku)
        hands.types(number)
    expect(page.locator("[data-progress]")).to_contain_text("3 of 10")
    hands.types("4")  # goes on with the first that is left
    expect(page.locator("[data-progress]")).to_contain_text("4 of 10")
    with company.scope():
        counted = dict(StockCount.objects.get().lines.exclude(counted=None).values_list("variant_id", "counted"))
    assert counted == {variants[5].pk: 1, variants[7].pk: 22, variants[2].pk: 3, variants[0].pk: 4}
