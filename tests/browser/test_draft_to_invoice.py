"""An order goes from draft to invoice by the pages that people have: placed, picked, packed, shipped, invoiced."""

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from orders.models import Invoice, SalesOrder
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.browser.wedge import Clerk
from tests.companies import Company
from tests.orders.selling import Shop


def chosen(page: Page, field: Locator, name: str) -> None:
    """In a field that offers what there is."""
    field.click()
    page.locator(".select2-results__option", has_text=name).first.click()


def done(page: Page, verb: str) -> None:
    """A button above the document, which asks before it acts."""
    page.get_by_role("link", name=verb, exact=True).first.click()
    page.locator("main form button[type=submit]").first.click()


def test_from_draft_to_invoice(page: Page, new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        Shop.create()
    sign_in(page, company)
    page.goto("/admin/orders/salesorder/add/")
    chosen(page, page.locator(".field-channel .select2-selection"), "WEB")
    chosen(page, page.locator(".field-customer .select2-selection"), "C-1")
    chosen(page, page.locator(".field-warehouse .select2-selection"), "Main")
    page.locator("#id_currency").fill("EUR")
    chosen(page, page.locator("#select2-id_lines-0-variant-container"), "BOLT")
    page.locator("#id_lines-0-quantity").fill("2")
    screenshot(page, "way-1-draft")
    page.keyboard.press("Control+Enter")
    page.locator("#result_list tbody a").first.click()
    done(page, "Place")
    expect(page.locator("Main")).to_contain_text("SO-000001")
    screenshot(page, "way-2-placed")

    done(page, "Pick")
    expect(page.locator(".pick-place")).to_have_text("A-1")
    screenshot(page, "way-3-pick")
    clerk = Clerk(page)
    clerk.scan("BOLT")
    expect(page.locator("#scan-status")).to_contain_text("1 of BOLT from A-1.")
    clerk.scan("BOLT")
    expect(page.locator("#pack-title")).to_have_text("Pack SO-000001 for Smith Motors")
    screenshot(page, "way-4-pack")
    clerk.key("Control+Enter")
    expect(page.locator("#round .card-done")).to_contain_text("SO-000001 has left by SH-000001.")
    screenshot(page, "way-5-left")

    page.goto("/admin/orders/salesorder/")
    page.locator("#result_list tbody a", has_text="SO-000001").click()
    page.get_by_role("link", name="Invoice", exact=True).first.click()
    screenshot(page, "way-6-invoice")
    page.get_by_role("button", name="Make the draft").click()
    done(page, "Issue")
    expect(page.locator("Main")).to_contain_text("INV-000001")
    screenshot(page, "way-7-issued")
    address = page.get_by_role("link", name="PDF", exact=True).first.get_attribute("href") or ""
    paper = page.request.get(address)
    assert (paper.status, paper.headers["content-type"], paper.body()[:5]) == (200, "application/pdf", b"%PDF-")
    with company.scope():
        order, invoice = SalesOrder.objects.get(), Invoice.objects.get()
        assert (order.status, order.fulfilment_status, invoice.status) == ("shipped", "shipped", "issued")
        assert (invoice.order_id, invoice.net_total) == (order.pk, 10)
