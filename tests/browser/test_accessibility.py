"""axe-core finds nothing critical or serious, in the light and in the dark."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from accounts.models import Contact, Party
from tests.browser.signing import sign_in
from tests.companies import Company
from tests.inventory.goods import Goods

AXE = (Path(__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PARTIES = "/admin/accounts/party/"


def faults(page: Page, rules: Sequence[str] = RULES) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    ask = "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(result => result.violations)"
    found: list[Any] = page.evaluate(ask, list(rules))
    return [
        f"{fault['impact']} {fault['id']}: {fault['nodes'][0]['html'][:200]}"
        for fault in found if fault["impact"] in ("critical", "serious")
    ]


def faults_in_themes(page: Page) -> list[str]:
    """Of a page in the light, which it is again afterwards: what the themes differ in is the colors."""
    light = faults(page)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.evaluate("document.documentElement.classList.add('dark')")
    dark = faults(page, ["color-contrast"])
    page.emulate_media(color_scheme="light")
    page.evaluate("document.documentElement.classList.remove('dark')")
    return light + [f"dark: {fault}" for fault in dark]


def visit(page: Page, address: str, theme: Any = "light") -> None:
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    answer = page.goto(address)
    assert answer and answer.status == 200, address
    page.evaluate("document.fonts.ready.then(() => true)")  # a name of an icon is wider than the icon


@pytest.fixture
def row(page: Page, new_company: Callable[[], Company]) -> str:
    """The address of a party, in a company with stock; signed in."""
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(40)
        party = Party.objects.create(name="Zinc")
        Contact.objects.create(party=party, name="Zoe")
    sign_in(page, company)
    return f"{PARTIES}{party.pk}/"


def test_signing_in(page: Page) -> None:
    visit(page, "/admin/login/")
    assert faults_in_themes(page) == []


def test_pages(page: Page, row: str) -> None:
    addresses = [
        "/admin/", "/admin/switch-organization/", "/admin/password_change/", PARTIES, f"{PARTIES}add/", f"{PARTIES}?q=nothing",
        f"{row}change/", f"{row}history/", f"{row}delete/", "/admin/accounts/contact/add/", "/admin/inventory/product/add/",
        "/admin/inventory/stockitem/", "/admin/inventory/stockmove/", "/admin/accounts/apikey/add/",
        "/admin/accounts/auditentry/", "/admin/operations/",
    ]
    found = {}
    for address in addresses:
        visit(page, address)
        if now := faults_in_themes(page):
            found[address] = now
    assert found == {}


def test_what_opens_on_a_page(page: Page, row: str) -> None:
    visit(page, PARTIES)
    page.locator("input.action-select").first.check()
    assert faults_in_themes(page) == []
    page.locator(".filter-open-button").click()
    page.locator("#changelist-filter a").first.wait_for()
    assert faults_in_themes(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("zi")
    page.locator("#palette [role=option]").first.wait_for()
    assert faults_in_themes(page) == []


def test_a_form_with_rows_and_errors(page: Page, row: str) -> None:
    visit(page, f"{row}change/")
    page.get_by_role("link", name="Contacts", exact=True).click()
    page.locator("#contacts-group").wait_for()
    assert faults_in_themes(page) == []
    visit(page, f"{PARTIES}add/")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator("[role=alert]").first.wait_for()
    assert faults_in_themes(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_reference_while_it_is_searched_for(page: Page, row: str, theme: str) -> None:
    visit(page, "/admin/accounts/contact/add/", theme)
    page.locator(".select2-selection").first.click()
    page.locator(".select2-container--open .select2-search__field").fill("zi")
    page.locator(".select2-results__option--highlighted").wait_for()
    assert faults(page) == []
