"""The scan bus: wherever the focus is, no scan is lost, doubled or misrouted, and nothing else happens."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from inventory.models import Location, ProductBarcode, StockItem, Warehouse
from tests.browser.signing import sign_in
from tests.browser.test_accessibility import faults_in_themes
from tests.browser.test_admin_pages import too_wide, wrong
from tests.browser.wedge import ENTER, GS, TAB, Clerk
from tests.companies import Company
from tests.inventory.goods import Goods

ITEMS, PARTY = "/admin/inventory/stockitem/", "/admin/accounts/party/add/"
EAN = "4006381333931"


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Company:
    made = new_company()
    with made.scope():
        goods = Goods.create()
        goods.receive(40)
        goods.receive(7, goods.nut)
        milk = goods.tracked()
        goods.receive_lot(30, milk, "L7")
        goods.receive_lot(20, milk, "L8")
        ProductBarcode.objects.create(variant=milk, symbology="ean13", value=EAN)
    return made


@pytest.fixture
def clerk(page: Page, company: Company) -> Clerk:
    sign_in(page, company)
    return Clerk(page)


def begin(clerk: Clerk, address: str, focus: str = "") -> None:
    clerk.page.goto(address)
    clerk.page.wait_for_load_state("networkidle")
    if focus:
        clerk.page.locator(focus).first.focus()
    else:
        clerk.page.evaluate("document.activeElement.blur()")
    clerk.begin()


def test_a_scan_with_any_focus_shows_the_card_and_does_nothing_else(clerk: Clerk) -> None:
    page = clerk.page
    for address, focus, end in (
        (ITEMS, "", ENTER), (ITEMS, "", TAB), (ITEMS, ".filter-open-button", ENTER), (ITEMS, "#scan-input", ENTER),
        (PARTY, "#id_kind", ENTER), (PARTY, "#id_kind", TAB), ("/admin/accounts/contact/add/", ".select2-selection", ENTER),
        (PARTY, "#id_is_customer, main input[type=checkbox]", ENTER), (PARTY, "main button[type=submit]", ENTER),
    ):
        begin(clerk, address, focus)
        state = "[...document.querySelectorAll('main select, main input')].map(one => one.checked + one.value).join('|')"
        before = page.evaluate(state)
        clerk.scan("BOLT", end)
        expect(page.locator("#scan-panel h2"), f"{address} {focus}").to_contain_text("BOLT")
        assert (clerk.sent, clerk.loads) == (["BOLT"], 0), f"{address} {focus}"
        expect(page.locator("#scan-input")).to_have_value("")
        page.evaluate("document.getElementById('scan-panel').replaceChildren()")
        assert page.evaluate(state) == before, f"{address} {focus}: what the scanner typed is taken back"


def test_symbols_of_gs1_find_the_lot(clerk: Clerk) -> None:
    gtin = EAN.zfill(14)
    begin(clerk, ITEMS)
    for code in (
        EAN, f"]E0{EAN}", f"]d201{gtin}10L8", f"]d210L8{GS}01{gtin}", f"(01){gtin}(10)L8", f"https://id.gs1.org/01/{gtin}/10/L8",
    ):
        clerk.scan(code)
        expect(clerk.page.locator("#scan-form")).to_have_attribute("data-state", "ready")
        first = "L8" if "L8" in code else "L7"
        expect(clerk.page.locator("#scan-panel tr:has(:checked)"), code).to_contain_text(first)
        expect(clerk.page.locator("#scan-panel h2")).to_contain_text("MILK")
        assert (clerk.sent.pop(), clerk.loads) == (code, 0)


def test_what_is_scanned_while_others_are_answered_is_kept_in_order(clerk: Clerk) -> None:
    begin(clerk, ITEMS)
    clerk.devtools.send("Network.enable")
    slow = {"offline": False, "latency": 200, "downloadThroughput": -1, "uploadThroughput": -1}
    clerk.devtools.send("Network.emulateNetworkConditions", slow)
    codes = ["BOLT", "NUT", "MILK", "A-1", "NUT", "BOLT", "MILK"]
    for code in codes:
        clerk.scan(code, after=0.04)
    expect(clerk.page.locator("#scan-panel h2")).to_contain_text("MILK")
    expect(clerk.page.locator("#scan-form")).to_have_attribute("data-state", "ready")
    assert (clerk.sent, clerk.loads) == (codes, 0)
    begin(clerk, "/admin/receive/")
    for code in ("A-1", "NUT", "BOLT", "NUT", "NUT", "BOLT"):
        clerk.scan(code, after=0.04)
    expect(clerk.page.locator("#receipt input[name=entry]").nth(1)).to_have_value("2")
    lines = clerk.page.locator("#receipt input[name=entry]")
    assert [one.input_value() for one in lines.all()] == ["3", "2"], "none lost, none doubled"
    expect(clerk.page.locator("#receipt")).to_contain_text("To A-1")


def test_an_answer_that_comes_amid_a_code_gets_none_of_it(clerk: Clerk) -> None:
    """It shows a field for the quantity, which the rest of the code would be typed into."""
    page, held = clerk.page, list[Route]()
    begin(clerk, "/admin/receive/")
    page.route("**/receive/scan/", lambda route: route.continue_() if held else held.append(route))
    clerk.scan("BOLT")
    page.evaluate("Wedge.alone = 60000")  # however long this machine takes from key to key
    clerk.clock += 0.2
    for character in "777":
        clerk.presses(character)
    with page.expect_response("**/receive/scan/"):
        held[0].continue_()
    page.wait_for_timeout(30)
    for character in "88888":
        clerk.presses(character)
    clerk.end()
    expect(page.locator("#scan-panel")).to_contain_text("77788888")
    expect(page.get_by_label("Quantity of BOLT")).to_have_value("1")
    assert clerk.sent == ["BOLT", "77788888"]
    assert not [url for url in clerk.requests if "receive/line" in url]


def test_a_code_that_begins_before_its_page_is_there_is_no_shorter_code(clerk: Clerk) -> None:
    """The page that goes has heard its beginning, and the one that comes its end."""
    page, said = clerk.page, clerk.page.locator("#scan-status")
    begin(clerk, ITEMS)
    page.evaluate("Wedge.alone = 60000")  # so that the next page comes while the code is still coming
    clerk.clock += 0.2
    for character in "BOLT":
        clerk.presses(character)
    page.goto("/admin/inventory/stockmove/")
    expect(said).to_contain_text("scan it again")
    page.goto(ITEMS)
    expect(said).to_have_text("Ready to scan")
    clerk.clock = page.evaluate("performance.timeOrigin + bus.opened") / 1000 + 0.1
    for character in "NUT":
        clerk.presses(character)
    clerk.end()
    expect(said).to_contain_text("scan it again")
    expect(page.locator("#scan-form")).to_have_attribute("data-state", "wrong")
    clerk.scan("BOLT")
    expect(page.locator("#scan-panel h2")).to_contain_text("BOLT")
    assert clerk.sent == ["BOLT"]


def test_what_is_scanned_while_a_page_is_still_coming_is_kept_for_it(clerk: Clerk) -> None:
    page, held = clerk.page, list[Route]()
    begin(clerk, ITEMS)
    page.route("**/alpine/alpine.js", lambda route: held.append(route))  # it sets an attribute
    with page.expect_request("**/alpine/alpine.js"):
        page.evaluate("setTimeout(() => location.assign('/admin/inventory/stockmove/'))")
    page.wait_for_function("typeof bus !== 'undefined' && performance.now() - bus.opened > 2 * Wedge.pause")
    for code in ("NUT", "BOLT"):
        clerk.clock = max(clerk.clock, page.evaluate("Date.now()") / 1000) + 0.2
        for character in code:
            clerk.presses(character)
        clerk.end()
    assert clerk.sent == []
    held[0].continue_()
    page.unroute("**/alpine/alpine.js")
    expect(page.locator("#scan-panel h2")).to_contain_text("BOLT")
    assert clerk.sent == ["NUT", "BOLT"]


def test_what_has_no_answer_is_sent_again_with_its_id_also_by_the_next_page(clerk: Clerk) -> None:
    page, ids = clerk.page, []
    begin(clerk, ITEMS)

    def lose(route: Any) -> None:
        ids.append(route.request.post_data.rpartition("id=")[2])
        route.abort() if len(ids) < 3 else route.continue_()

    page.route("**/admin/scan/", lose)
    clerk.scan("BOLT")
    expect(page.locator("#scan-status")).to_contain_text("trying again")
    page.goto("/admin/inventory/stockmove/")
    expect(page.locator("#scan-panel h2")).to_contain_text("BOLT")
    assert len(set(ids)) == 1 and len(ids) >= 3


def test_a_key_that_is_pressed_before_the_answer_is_for_the_answer(clerk: Clerk) -> None:
    page, held = clerk.page, list[Any]()
    begin(clerk, ITEMS)
    clerk.scan("BOLT")
    expect(page.locator("#scan-panel h2")).to_contain_text("BOLT")
    page.route("**/admin/scan/", lambda route: held.append(route))  # it sets an attribute
    page.evaluate("Wedge.alone = 1000")  # so that the answer comes before it is known that no scan begins with the key
    with page.expect_request("**/admin/scan/"):
        clerk.scan("NUT")
    clerk.key("h")
    held[0].continue_()
    expect(page).to_have_title(re.compile("^NUT"))
    assert clerk.loads == 1


def test_what_people_type_is_no_scan(clerk: Clerk) -> None:
    begin(clerk, ITEMS)
    clerk.types("bolt")
    clerk.key("Enter")
    begin(clerk, PARTY, "#id_name")
    clerk.scan("Scanned into a field for text")
    expect(clerk.page.locator("#id_name")).to_have_value("Scanned into a field for text")
    assert clerk.sent == []


def test_what_nobody_knows_and_what_may_be_several_is_said(clerk: Clerk, company: Company) -> None:
    page = clerk.page
    with company.scope():
        Location.objects.create(warehouse=Warehouse.objects.get(), code="bolt", name="A place called as an item is")
    begin(clerk, ITEMS)
    clerk.scan("NOBODY-1")
    expect(page.get_by_role("alert")).to_contain_text("Nothing here has the code")
    expect(page.locator("#scan-form")).to_have_attribute("data-state", "wrong")
    clerk.scan("BOLT")
    expect(page.locator("#scan-panel h2")).to_contain_text("may be one of 2")
    clerk.key("2")
    expect(page.locator("#scan-panel h2")).to_contain_text("Location bolt")


def test_pages_are_without_fault_in_both_themes_and_no_wider_than_a_phone(clerk: Clerk, company: Company) -> None:
    page = clerk.page
    with company.scope():
        milk, shelf = StockItem.objects.filter(lot__code="L7").values_list("variant", "location").get()
        item = StockItem.objects.get(lot__code="L7").pk
    of = {
        "stock/card": f"variant={milk}", "stock/place": f"location={shelf}", "stock/history": f"variant={milk}&item={item}",
        "labels": f"variant={milk}&item={item}", "receive": "", "tray": "",
    }
    found = {}
    for name, query in of.items():
        if now := wrong(page, f"/admin/{name}/?{query}"):
            found[name] = now
    assert found == {}
    begin(clerk, ITEMS)
    for code in ("MILK", "NOBODY-1"):
        clerk.scan(code)
        expect(page.locator("#scan-form:not([data-state=reading])")).to_be_visible()
        assert too_wide(page) + faults_in_themes(page) == [], code
