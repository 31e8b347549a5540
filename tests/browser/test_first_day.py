"""A clerk's first day, by keyboard and mouse in a real browser."""

import re
from collections.abc import Callable
from decimal import Decimal

from playwright.sync_api import Page, expect

from accounts.services.tenancy import membership_add
from inventory.models import StockMove
from tests.browser.conftest import screenshot
from tests.companies import PASSWORD, Company
from tests.inventory.goods import Goods


def test_from_signing_in_to_the_history_of_an_adjustment(page: Page, new_company: Callable[[], Company]) -> None:
    here, there = new_company(), new_company()
    with there.scope():
        membership_add(user=here.user, roles=["admin"])
        goods = Goods.create()
        goods.receive(40)
        goods.rule(minimum=50)

    page.goto("/admin/")
    page.get_by_label(re.compile("e-mail", re.I)).fill(here.user.email)
    page.get_by_label(re.compile("password", re.I)).fill(PASSWORD)
    page.get_by_role("button", name=re.compile("log in|sign in", re.I)).click()

    page.goto("/admin/switch-organization/")
    page.locator("main").get_by_role("button", name=re.compile(there.organization.name)).click()
    expect(page).to_have_url(re.compile("/admin/$"))
    expect(page.locator("main")).to_contain_text("100")  # 40 at a standard cost of 2.50
    screenshot(page, "dashboard")

    page.goto("/admin/inventory/productvariant/")
    page.get_by_role("searchbox").or_(page.locator("#searchbar")).first.fill("bol")
    page.keyboard.press("Enter")
    expect(page.locator("#result_list")).to_contain_text("BOLT")
    expect(page.locator("#result_list")).not_to_contain_text("NUT")

    page.goto("/admin/inventory/stockitem/")
    page.locator("#result_list a").first.click()
    page.get_by_role("link", name="Adjust").click()
    page.get_by_label("Change").fill("-2")
    page.get_by_label("Reason").select_option(label=str(goods.found))
    page.get_by_label("Note").fill("two were bent")
    page.get_by_role("button", name="Post the adjustment").click()
    expect(page.locator("main")).to_contain_text("The adjustment is posted.")
    expect(page.locator("main")).to_contain_text("38")
    screenshot(page, "stock-item")

    page.get_by_role("link", name="History").click()
    expect(page.locator("main")).to_contain_text("38")
    expect(page.locator("main")).to_contain_text(here.user.name)
    screenshot(page, "history")

    page.goto("/admin/inventory/stockmove/")
    first = page.locator("#result_list tbody tr").first
    expect(first).to_contain_text("Adjustment")
    expect(first).to_contain_text("2")
    screenshot(page, "ledger")

    with there.scope():
        move = StockMove.objects.latest("seq")
        assert (move.quantity, move.note, move.actor_id) == (Decimal(2), "two were bent", here.user.pk)
    with here.scope():
        assert not StockMove.objects.exists()
