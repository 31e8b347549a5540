"""The page Analytics, in the light and in the dark, and on a telephone."""

from collections.abc import Callable

from playwright.sync_api import Page

from inventory.models import Category, Product
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.browser.test_accessibility import faults_in_themes, visit
from tests.companies import Company
from tests.inventory.test_analytics_reports import ago, posted
from tests.inventory.worth import Worth


def test_analytics(page: Page, new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        worth = Worth.create("average")
        Product.objects.update(category=Category.objects.create(name="Fasteners", slug="fasteners"))
        for days, change in ((60, 40), (25, -10), (20, 15), (12, -20), (6, 30), (2, -12)):
            posted(change, ago(days), worth.bolt, worth.goods.shelf, 3)
        posted(5, ago(9), worth.goods.nut, worth.branch_shelf)
        posted(-5, ago(4), worth.goods.nut, worth.branch_shelf)
        worth.goods.receive(3, to=worth.branch_shelf)
        worth.goods.rule(minimum=50)
    sign_in(page, company)
    visit(page, "/admin/analytics/")
    page.get_by_role("heading", name="Value of the stock").wait_for()
    assert faults_in_themes(page) == []
    screenshot(page, "analytics")
    page.get_by_text("The same as a table").first.click()
    assert faults_in_themes(page) == []
    page.get_by_label("By", exact=True).select_option("week")
    page.get_by_label("Category").select_option("Fasteners")
    page.get_by_role("button", name="Show").click()
    page.get_by_text("At the end of each week").wait_for()
    page.get_by_role("button", name="Write these classes").wait_for(state="detached")
    page.set_viewport_size({"width": 390, "height": 844})
    assert faults_in_themes(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, "nothing is cut off on a telephone"
