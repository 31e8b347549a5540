"""The first page says what waits for who looks at it."""

import html
import re
from collections.abc import Callable
from datetime import date

from playwright.sync_api import Page, expect

from orders.models import PurchaseOrder, SalesOrder
from orders.services.purchase_states import purchase_order_submit
from orders.services.sales_orders import sales_order_confirm, sales_order_hold, sales_order_place
from tests.admin.pages import statements
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.browser.test_accessibility import faults
from tests.browser.test_admin_pages import too_wide
from tests.companies import Company
from tests.orders.buying import Buying, limit_purchases
from tests.orders.selling import Shop


def _waiting(company: Company, role: str) -> dict[str, str]:
    """By title, the count."""
    text = company.admin_as(role).get("/admin/").content.decode()
    section = re.search(r'<section class="work-list".*?</section>', text, re.DOTALL)
    found = re.findall(r">([^<]*) <strong>(\d+)</strong></a>", section.group()) if section else []
    return dict(found)


def test_the_work_list(page: Page, new_company: Callable[[], Company]) -> None:
    company = new_company()
    assert _waiting(company, "admin") == {}
    with company.scope():
        shop = Shop.create()
        buying = Buying.create(shop.goods)
        confirmed, held = (sales_order_confirm(order=sales_order_place(order=shop.cart())) for _ in range(2))
        sales_order_hold(order=held)
        for day in (date(2026, 1, 5), date(2099, 1, 5)):
            buying.sent((shop.goods.bolt, 5), expected_on=day)
        buying.task(minimum=50)
        limit_purchases(1)
    with company.scope(actor_id=company.members["manager"].user.pk):
        purchase_order_submit(order=buying.order((shop.goods.bolt, 5)))
    expected = {
        "Orders on hold": "1", "Purchase orders to approve": "1", "Orders to pack": "1", "Purchase orders expected by today": "1",
        "Goods to reorder": "1",
    }
    assert _waiting(company, "admin") == expected
    assert _waiting(company, "viewer") == {}, "who may do nothing has nothing to do"
    browser = company.admin
    text = browser.get("/admin/").content.decode()
    urls = re.findall(r'<a href="([^"]*)">[^<]* <strong>', text)
    assert len(urls) == 5 and all(browser.get(html.unescape(url)).status_code == 200 for url in urls)
    assert "Purchase orders to approve" not in _waiting(company, "manager"), "who asked does not decide"
    with company.scope():
        late = PurchaseOrder.objects.get(expected_on=date(2026, 1, 5))
        coming = PurchaseOrder.objects.get(expected_on=date(2099, 1, 5))
        [url] = [html.unescape(one) for one in re.findall(r'<a href="([^"]*expected_on[^"]*)">', text)]
        number = SalesOrder.objects.get(pk=confirmed.pk).number
    shown = browser.get(url).content.decode()
    assert late.number in shown and coming.number not in shown
    packing = browser.get("/admin/orders/salesorder/?status__exact=confirmed").content.decode()
    assert number and number in packing and str(held.number) not in packing
    with statements() as sent:
        browser.get("/admin/")
    counting = [one for one in sent if "count(" in one.lower() and ("orders_" in one or "reordertask" in one.lower())]
    assert len(counting) <= 5, counting

    sign_in(page, company)
    expect(page.locator(".work-list li")).to_have_count(5)
    page.wait_for_load_state("networkidle")
    screenshot(page, "work-list")
    assert faults(page) == [] and too_wide(page) == []
