"""The seller's daily tasks, played with keyboard and scanner alone; their actions are counted against the goals."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from inventory.models import PriceListItem, ReasonCode
from orders.models import ReturnAuthorization, SalesOrder
from orders.services.fulfilment import sales_order_pack, sales_order_ship
from orders.services.invoices import invoice_draft_from_order, invoice_issue
from orders.services.order_lines import NewLine
from orders.services.returns import Asked, return_create
from orders.services.sales_orders import sales_order_create, sales_order_place
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.browser.test_accessibility import faults, faults_in_themes
from tests.browser.test_admin_pages import too_wide
from tests.browser.wedge import ENTER, Clerk
from tests.companies import Company
from tests.orders.selling import Shop
from tests.orders.test_returns import shipped

CODES = [f"P-{number}" for number in range(5)]
CONTROL_ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "modifiers": 2}


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Company:
    return new_company()


@pytest.fixture(autouse=True)
def shop(company: Company) -> Shop:
    """It has sold to its customer before, and has five parts on the shelf."""
    with company.scope():
        shop = Shop.create()
        for number, code in enumerate(CODES, 1):
            part = shop.goods.tracked("none", code)
            shop.goods.receive(20, variant=part)
            PriceListItem.objects.create(price_list=shop.prices, variant=part, price=Decimal(number))
        sales_order_place(order=shop.cart(bolts=2, nuts=4))
    return shop


@pytest.fixture
def clerk(page: Page, company: Company) -> Clerk:
    sign_in(page, company)
    expect(page.locator("#scan-status")).to_contain_text("Ready to scan")
    clerk = Clerk(page)
    clerk.begin()
    return clerk


def goes(clerk: Clerk, letter: str, field: str) -> None:
    """To the page of this letter, whose first field is ready then."""
    letters(clerk, f"g{letter}")
    expect(clerk.page.locator(field)).to_be_focused()


def letters(clerk: Clerk, keys: str) -> None:
    """At a person's pace: what comes sooner is a scan."""
    for key in keys:
        clerk.page.wait_for_timeout(160)
        clerk.key(key)
    clerk.page.wait_for_timeout(100)


def typed(clerk: Clerk, text: str, end: Mapping[str, Any] = ENTER) -> int:
    """A field and the key that ends it are one action; answers the keystrokes.

    At a quick person's pace by their stamps, and without its pauses: in those a busy machine would ask for suggestions.
    """
    clerk.types(text)
    clerk.scan("", dict(end), after=0.16)
    clerk.actions -= 1
    return len(text) + 1


def orders(company: Company) -> list[tuple[str, dict[str, Any]]]:
    with company.scope():
        return [
            (one.status, dict(one.lines.order_by("line").values_list("sku", "quantity")))
            for one in SalesOrder.objects.order_by("number")
        ]


def test_task_6_five_lines_for_a_known_customer(clerk: Clerk, company: Company) -> None:
    page = clerk.page
    sale = page.locator("#selling")
    goes(clerk, "s", "#entry-customer")
    strokes = 2 + typed(clerk, "smi")
    expect(sale).to_contain_text("For Smith Motors")
    expect(page.locator("#entry-code")).to_be_focused()
    for number, code in enumerate(CODES, 1):
        strokes += typed(clerk, code)
        expect(page.locator("#entry-quantity")).to_be_focused()
        strokes += typed(clerk, str(number), ENTER if number < 5 else CONTROL_ENTER)
    expect(page.locator("[data-placed]")).to_contain_text("Placed: SO-000002 for Smith Motors, 55 EUR.")
    assert (clerk.actions, clerk.loads, len(clerk.requests)) == (13, 1, 6), f"task 6: {clerk.requests}"
    assert strokes <= 55, strokes
    assert orders(company)[1] == ("placed", {code: number for number, code in enumerate(CODES, 1)})
    expect(page.locator("#entry-customer")).to_be_focused()


def test_task_6_pasted_scanned_and_as_last_time(clerk: Clerk, company: Company) -> None:
    """What nobody knows is marked and mended; letters are suggested with goods and prices; a reload loses nothing."""
    page = clerk.page
    sale = page.locator("#selling")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", "P-1\t2\nP-2\tA part\t3\nBOLZ 4\n")
    goes(clerk, "s", "#entry-customer")
    typed(clerk, "c-1")
    expect(page.locator("#entry-code")).to_be_focused()
    clerk.key("Control+v")
    expect(sale).to_contain_text("BOLZ is not known")
    clerk.key("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("BOLZ: not to be sold")
    page.keyboard.type("bo", delay=120)
    expect(page.get_by_role("option").first).to_contain_text("BOLT Bolt available 8 · 5 EUR")
    screenshot(page, "sell")
    assert faults_in_themes(page) + too_wide(page) == []
    page.locator("#entry-code").press("Escape")
    page.locator("[aria-invalid=true]").focus()
    page.keyboard.press("Control+a")
    typed(clerk, "bolt")
    expect(sale).not_to_contain_text("is not known")

    page.locator("#entry-code").focus()
    for code in ("NUT", "P-1", "NUT"):
        clerk.scan(code, after=0.04)
    expect(sale).to_contain_text("4 lines")
    page.reload()
    expect(page.locator("#entry-code")).to_be_focused()
    expect(page.get_by_label("Quantity of P-1")).to_have_value("3")
    expect(page.get_by_label("Quantity of NUT")).to_have_value("2")
    page.keyboard.type("bo", delay=120)
    expect(page.get_by_role("option").first).to_contain_text("BOLT Bolt available 8 · 5 EUR")
    clerk.key("Enter")
    expect(page.locator("#entry-code")).to_have_value("BOLT")
    clerk.key("Enter")
    expect(page.get_by_label("Quantity of BOLT")).to_have_value("5")
    clerk.key("Escape")
    expect(page.get_by_label("Quantity of BOLT")).to_have_value("4")
    clerk.key("Control+Enter")
    expect(page.locator("[data-placed]")).to_contain_text("Placed: SO-000002")
    assert orders(company)[1] == ("placed", {"P-1": 3, "P-2": 3, "BOLT": 4, "NUT": 2})

    page.goto("/admin/")
    clerk.begin()
    page.evaluate("text => navigator.clipboard.writeText(text)", "P-1\t1\nP-2\t1\nP-3\t1\nP-4\t1\nNUT\t1\n")
    goes(clerk, "s", "#entry-customer")
    typed(clerk, "c-1")
    expect(page.locator("#entry-code")).to_be_focused()
    clerk.key("Control+v")
    clerk.key("Control+Enter")
    expect(page.locator("[data-placed]")).to_contain_text("Placed: SO-000003")
    assert (clerk.actions, clerk.loads) == (5, 1), "task 6, pasted"
    typed(clerk, "c-1")
    expect(page.locator("#entry-code")).to_be_focused()
    clerk.key("Control+Shift+L")
    expect(sale).to_contain_text("As in SO-000003.")
    clerk.key("Control+Enter")
    expect(page.locator("[data-placed]")).to_contain_text("Placed: SO-000004")
    page.get_by_role("button", name="Undo").press("Enter")
    expect(sale).to_contain_text("SO-000004 is canceled. Its lines are here again.")
    assert [status for status, _ in orders(company)] == ["placed", "placed", "placed", "cancelled"]


def test_task_10_a_customer_brings_goods_back(clerk: Clerk, company: Company, shop: Shop) -> None:
    """One line with its reason; then more of them, counted by scans; then one by its serial number."""
    page = clerk.page
    rows, done = page.locator("#goods-back tbody tr"), page.locator("#goods-back [data-done]")
    with company.scope():
        ReasonCode.objects.create(kind="receipt", code="DEFECT", name="Defective")
        order = sales_order_ship(order=sales_order_pack(order=SalesOrder.objects.get()))
        invoice = invoice_issue(invoice=invoice_draft_from_order(order=order))
        engine = shop.goods.tracked("serial", "ENGINE")
        for code in ("ENG-1", "ENG-2"):
            shop.goods.receive_lot(1, engine, code)
        lines = [NewLine(engine.pk, Decimal(2), unit_price=Decimal(90))]
        shipped(sales_order_create(channel=shop.channel, customer=shop.customer, lines=lines))
    goes(clerk, "b", "body:has(#taking-back) #scan-input")
    clerk.scan(invoice.number or "")
    expect(rows.first).to_be_focused()
    letters(clerk, "r")
    expect(rows.first.get_by_role("textbox")).to_have_value("2")
    letters(clerk, "w")
    expect(page.locator("#back-reason")).to_be_focused()
    typed(clerk, "def", CONTROL_ENTER)
    expect(done).to_contain_text("RMA-000001 of SO-000001: 10 EUR are to be refunded, 1 credit note drafted.")
    assert (clerk.actions, clerk.loads, len(clerk.requests)) == (6, 1, 2), f"task 10: {clerk.requests}"
    screenshot(page, "take-back-done")

    clerk.begin()
    clerk.scan("SO-000001")
    expect(rows.first).to_be_focused()
    for _ in range(3):
        clerk.scan("NUT", after=0.04)
    expect(rows.nth(1).get_by_role("textbox")).to_have_value("3")
    expect(rows.nth(1)).to_be_focused()
    letters(clerk, "q")
    screenshot(page, "take-back")
    assert faults_in_themes(page) + too_wide(page) == []
    rows.nth(1).focus()
    clerk.key("Control+Enter")
    expect(done).to_contain_text("RMA-000002 of SO-000001: 7.5 EUR")

    clerk.scan("ENG-2")
    expect(page.locator("#goods-back tr:focus")).to_contain_text("ENG-2")
    expect(page.locator("#goods-back tr:focus [data-quantity]")).to_have_value("1")
    letters(clerk, "s")
    clerk.key("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("no location of kind scrap")
    letters(clerk, "s")
    letters(clerk, "n")
    expect(page.locator("#goods-back [data-quantity]:focus")).to_have_count(1)
    clerk.key("Enter")
    letters(clerk, "r")
    clerk.key("Control+Enter")
    expect(done).to_contain_text("RMA-000003 of SO-000002: 90 EUR")
    with company.scope():
        found = ReturnAuthorization.objects.order_by("number")
        assert [(one.status, one.lines.get().received_quantity, one.lines.get().disposition) for one in found] == [
            ("inspected", 2, "restock"), ("inspected", 3, "quarantine"), ("inspected", 1, "restock"),
        ]
        assert found[2].lines.get().lot.code == "ENG-2"


def test_task_10_from_anywhere_by_a_scanned_paper(clerk: Clerk, company: Company) -> None:
    page = clerk.page
    with company.scope():
        order = sales_order_ship(order=sales_order_pack(order=SalesOrder.objects.get()))
        invoice = invoice_issue(invoice=invoice_draft_from_order(order=order))
        asked = return_create(order=order, lines=[Asked(order.lines.get(sku="NUT").pk, Decimal(1))])
    clerk.scan(invoice.number or "")
    expect(page.locator("#scan-panel h2")).to_contain_text("SO-000001 of Smith Motors")
    screenshot(page, "sold")
    assert faults(page) == [] and too_wide(page) == []
    letters(clerk, "r")
    row = page.locator("#goods-back tbody tr").first
    expect(row).to_be_focused()
    letters(clerk, "r")
    expect(row.get_by_role("textbox")).to_have_value("2")
    clerk.key("Control+Enter")
    expect(page.locator("#goods-back [data-done]")).to_contain_text("RMA-000002 of SO-000001: 10 EUR")
    assert clerk.actions == 4, "a reason would be two more"
    page.goto("/admin/")
    clerk.scan(asked.number)
    expect(page.locator("#goods-back h2")).to_contain_text("RMA-000001")
    expect(row).to_be_focused()
