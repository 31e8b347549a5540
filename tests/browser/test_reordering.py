"""What is low is ordered by keyboard alone: task 8 of the clerk."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Party
from inventory.models import ReorderTask, Supplier, SupplierProduct
from inventory.services.replenishment import reorder_check
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.companies import Company
from tests.inventory.goods import Goods

REORDER = "/admin/inventory/reordertask/reorder/"


@pytest.fixture
def company(page: Page, new_company: Callable[[], Company]) -> Company:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        supplier = Supplier.objects.create(
            party=Party.objects.create(name="Bolts & Co"), code="S1", lead_time_days=4, min_order_value=Decimal(100),
        )
        other = Supplier.objects.create(party=Party.objects.create(name="Nuts Ltd"), code="S2")
        for variant in (goods.bolt, goods.nut):
            SupplierProduct.objects.create(
                supplier=supplier, variant=variant, supplier_sku=variant.sku, pack_size=6, last_price=Decimal("2.5"),
                is_preferred=True,
            )
            goods.rule(variant=variant)
        SupplierProduct.objects.create(supplier=other, variant=goods.nut, supplier_sku="N", last_price=Decimal(2))
        goods.rule(variant=goods.tracked(sku="OIL"))
        assert reorder_check() == 3
    sign_in(page, company)
    return company


def test_what_is_low_is_ordered_by_keyboard(page: Page, company: Company) -> None:
    page.goto(REORDER)
    expect(page.get_by_label("Quantity of OIL")).to_be_focused()  # nobody sells it: first
    page.keyboard.press("-")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Quantity of BOLT")).to_be_focused()
    page.keyboard.type("24")
    page.keyboard.press("Enter")
    page.keyboard.press("v")
    page.keyboard.press("ArrowDown")
    screenshot(page, "reorder")
    page.keyboard.press("Control+Enter")
    expect(page.locator("main")).to_contain_text("2 orders, 2 lines.")
    expect(page.locator("main")).to_contain_text("In all 60")
    expect(page.locator("main")).to_contain_text("takes an order for is 100")
    screenshot(page, "reorder-preview")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Ordered: 2 lines.")
    with company.scope():
        found = ReorderTask.objects.order_by("variant__sku").values_list("status", "ordered_quantity", "supplier__code")
        assert list(found) == [("ordered", 24, "S1"), ("ordered", 6, "S2"), ("open", None, None)]
    page.get_by_role("button", name="Undo the last order").press("Enter")
    expect(page.locator("main")).to_contain_text("2 tasks are open again")
    page.get_by_label("Quantity of BOLT").focus()
    page.keyboard.press("s")
    expect(page.locator("main")).to_contain_text("Snoozed until")
    expect(page.get_by_label("Quantity of BOLT")).to_have_count(0)


def test_what_is_no_quantity_is_said_beside_it(page: Page, company: Company) -> None:
    page.goto(REORDER)
    page.get_by_label("Quantity of NUT").fill("many")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_label("Quantity of NUT")).to_be_focused()
    expect(page.get_by_label("Quantity of NUT")).to_have_value("many")
    expect(page.get_by_role("alert")).to_contain_text("number")
