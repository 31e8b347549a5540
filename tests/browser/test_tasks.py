"""The clerk's daily tasks, played with keyboard and scanner alone; their actions are counted against the goals."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from inventory.models import Location, ProductBarcode, ProductVariant, ReasonCode, StockItem, StockMove, Warehouse
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.browser.test_accessibility import faults
from tests.browser.test_admin_pages import too_wide
from tests.browser.wedge import GS, Clerk
from tests.companies import Company
from tests.inventory.goods import Goods


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Company:
    made = new_company()
    with made.scope():
        goods = Goods.create()
        goods.receive(30)
        goods.receive(10, to=goods.other_shelf)
        goods.receive(7, goods.nut)
    return made


@pytest.fixture
def clerk(page: Page, company: Company) -> Clerk:
    sign_in(page, company)
    page.wait_for_load_state("networkidle")
    clerk = Clerk(page)
    clerk.begin()
    return clerk


def test_tasks_1_4_and_12(clerk: Clerk, company: Company) -> None:
    """Find; adjust, undo and be told of a change by others; ask why it is so, prove it, and reverse a move."""
    page = clerk.page
    clerk.key("Control+k")
    clerk.types("bol")
    said = "on hand 40 · reserved 0 · available 40 · A-1 30, A-2 10"
    expect(page.locator("#palette [role=option]").first).to_contain_text(said)
    clerk.key("Enter")
    expect(page.locator("#scan-panel h2")).to_contain_text("BOLT")
    assert (clerk.actions, clerk.loads) == (3, 0)
    clerk.begin()
    clerk.scan("BOLT")
    expect(page.locator("#scan-panel .card-sums")).to_contain_text("Available 40")
    assert (clerk.actions, clerk.loads, len(clerk.requests)) == (1, 0, 1), "task 1"

    clerk.begin()
    clerk.scan("BOLT")
    clerk.key("a")
    expect(page.locator("#entry")).to_be_focused()
    clerk.types("-2 da fell down")
    expect(page.locator("#entry-preview")).to_contain_text("30 → 28, available 28 · DAMAGED")
    screenshot(page, "stock-card")
    clerk.key("Enter")
    expect(page.locator(".card-done")).to_contain_text("30 → 28, DAMAGED.")
    assert clerk.actions <= 5 and clerk.loads == 0, "task 4"
    clerk.key("u")
    expect(page.locator(".card-done")).to_contain_text("Undone.")
    expect(page.locator("#scan-panel .card-sums")).to_contain_text("On hand 40")
    clerk.key("a")
    expect(page.locator("#entry")).to_be_focused()
    with company.scope():
        Goods.adjust(goods := _goods(), change="-5")
    clerk.types("=29 fo")
    clerk.key("Enter")
    expect(page.locator("#entry-preview")).to_contain_text("The balance is 25 by now, not 30")
    clerk.key("Enter")
    expect(page.locator(".card-done")).to_contain_text("25 → 29, FOUND.")
    with company.scope():
        assert goods.on_hand() == 29

    clerk.begin()
    clerk.scan("BOLT")
    expect(page.locator("#scan-status")).to_contain_text("BOLT: on hand 39")
    clerk.key("h")
    rows = page.locator(".history tbody tr")
    expect(rows.first).to_contain_text("Found")
    assert (clerk.actions, clerk.loads) == (2, 1), "task 12"
    expect(page.locator("#ledger [role=status]")).to_contain_text("It has never been counted.")
    balances = [row.locator("td").nth(1).inner_text() for row in rows.all()]
    assert balances == ["29", "25", "30", "28", "30"], "of A-1 alone, which was chosen on the card"
    assert company.user.name in rows.first.inner_text()
    screenshot(page, "history")
    assert faults(page) == [] and too_wide(page) == []
    clerk.key("v")
    expect(page.locator("#ledger-line")).to_contain_text("Right: the balance of 39 is the sum of its moves")
    rows.first.focus()
    clerk.key("z")
    expect(page.locator("#reverse-note")).to_be_focused()
    clerk.types("Counted wrongly")
    clerk.key("Enter")
    expect(page.locator("#ledger")).to_contain_text("is reversed.")
    expect(rows.first).to_contain_text("reverses another move")
    with company.scope():
        assert goods.on_hand() == 25 and StockMove.objects.latest("seq").note == "Counted wrongly"

    clerk.scan("A-1")
    expect(page.locator("#scan-panel h2")).to_contain_text("Location A-1 in Main: 2 items")
    clerk.key("c")
    page.wait_for_url(re.compile("/stockcount/.*/sheet/"))


def _goods() -> Any:
    """The company's, made anew from its rows."""
    def place(code: str) -> Location:
        return Location.objects.get(code=code)

    bolt, nut = (ProductVariant.objects.get(sku=sku) for sku in ("BOLT", "NUT"))
    found, damaged = (ReasonCode.objects.get(kind="adjustment", code=code) for code in ("FOUND", "DAMAGED"))
    return Goods(Warehouse.objects.get(code="W1"), place("A-1"), place("A-2"), place("Q"), bolt, nut, found, damaged)


def test_task_5_whole_lots_and_quantities_to_another_warehouse(clerk: Clerk, company: Company) -> None:
    page = clerk.page
    with company.scope():
        goods = _goods()
        milk, salt = goods.tracked(), goods.tracked("none", "SALT")
        goods.receive_lot(20, milk, "L7")
        goods.receive(5, salt)
        north = Location.objects.create(warehouse=Warehouse.objects.create(code="N", name="North"), code="N-1")
    clerk.scan("NUT")
    expect(page.locator("#scan-status")).to_contain_text("NUT: on hand 7")
    clerk.key("t")
    expect(page.locator("#tray-link")).to_have_text("Tray: 1")
    clerk.scan("MILK")
    clerk.scan("SALT")
    expect(page.locator("#tray-link")).to_have_text("Tray: 3")
    screenshot(page, "tray")
    clerk.scan("N-1")
    expect(page.locator(".card-done")).to_contain_text("On the way to North by TO-000001")
    expect(page.locator(".card-done")).to_contain_text("7 of NUT, 20 of MILK, 5 of SALT.")
    assert (clerk.actions <= 6, clerk.loads) == (True, 0), "task 5, whole lots"
    expect(page.locator("#tray-link")).to_have_text("")
    clerk.key("u")
    expect(page.locator(".card-done")).to_contain_text("Undone.")
    with company.scope():
        assert goods.on_hand(milk, north) == 0 and goods.on_hand(milk) == 20

    clerk.begin()
    clerk.scan("NUT")
    expect(page.locator("#scan-status")).to_contain_text("NUT: on hand 7")
    clerk.key("t")
    for code, quantity, size in (("", "3", 1), ("MILK", "6", 2), ("SALT", "2", 3)):
        if code:
            clerk.scan(code)
        expect(page.locator("#tray-link")).to_have_text(f"Tray: {size}")
        clerk.types(quantity)
    clerk.scan("N-1")
    expect(page.locator(".card-done")).to_contain_text("3 of NUT, 6 of MILK, 2 of SALT.")
    assert (clerk.actions <= 9, clerk.loads) == (True, 0), "task 5, with quantities"
    assert faults(page) == [] and too_wide(page) == []
    clerk.begin()
    clerk.scan("TO-000002")
    expect(page.locator("#scan-panel h2")).to_contain_text("TO-000002 from Main to North")
    clerk.key("Control+Enter")
    expect(page.locator(".card-done")).to_contain_text("TO-000002 is received.")
    assert (clerk.actions, clerk.loads) == (2, 0), "task 5, received"
    clerk.scan("N-1")
    expect(page.locator("#scan-panel h2")).to_contain_text("Location N-1 in North: 3 items")
    with company.scope():
        assert [goods.on_hand(one, north) for one in (goods.nut, milk, salt)] == [3, 6, 2]


def test_task_2_receiving_without_an_order(clerk: Clerk, company: Company) -> None:
    """Plain, by GS1 with typed quantities, and by GS1 whose symbol counts."""
    page, eans = clerk.page, [f"400638133{number}" for number in (3931, 3948, 3955, 3962, 3979)]
    with company.scope():
        goods = _goods()
        wares = [goods.tracked(sku=f"WARE-{number}") for number in range(5)]
        for ware, ean in zip(wares, eans, strict=True):
            ProductBarcode.objects.create(variant=ware, symbology="ean13", value=ean)
        Location.objects.create(warehouse=goods.warehouse, code="DOCK", kind="receiving")
    codes = {
        "plain": eans, "symbols": [f"]d201{ean.zfill(14)}1727123110LOT" for ean in eans],
        "counted": [f"]d201{ean.zfill(14)}10LOT2{GS}30{number}" for number, ean in enumerate(eans, 2)],
    }
    typed = {"plain": ["4 P1", "5 P2", "6 P3", "7 P4", "8 P5"], "symbols": ["9", "10", "11"], "counted": []}
    goals = {"plain": 15, "symbols": 10, "counted": 7}
    for way, scans in codes.items():
        page.goto("/admin/")
        page.wait_for_load_state("networkidle")
        clerk.begin()
        for number, code in enumerate(scans):
            clerk.scan(code)
            expect(page.locator("#scan-status")).to_contain_text(f"WARE-{number}")
            if not number:
                clerk.key("r")
                expect(page.locator("#receipt input[name=entry]")).to_be_focused()
            if number < len(typed[way]):
                clerk.types(typed[way][number])
        if way == "symbols":
            page.reload()
            expect(page.locator("#receipt input[name=entry]")).to_have_count(5)
            screenshot(page, "receive")
            assert faults(page) == [] and too_wide(page) == []
            clerk.loads -= 1
        clerk.key("Control+Enter")
        expect(page.locator(".card-done")).to_contain_text("Received 5 lines at DOCK.")
        assert clerk.actions <= goals[way] and clerk.loads <= 2, f"task 2, {way}: {clerk.actions} actions, {clerk.loads} pages"
    with company.scope():
        found = StockItem.objects.filter(location__code="DOCK").order_by("variant__sku", "lot__code")
        have = [(item.variant.sku, item.lot.code, int(item.quantity)) for item in found]
        assert [one for one in have if one[0] == "WARE-0"] == [("WARE-0", "LOT", 9), ("WARE-0", "LOT2", 2), ("WARE-0", "P1", 4)]
        assert [one for one in have if one[0] == "WARE-1"] == [("WARE-1", "LOT", 10), ("WARE-1", "LOT2", 3), ("WARE-1", "P2", 5)]
        assert {str(item.lot.expires_on) for item in found if item.lot.code == "LOT"} == {"2027-12-31"}
