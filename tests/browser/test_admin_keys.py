"""Keys and scanners: nothing that is typed outside a field does anything, and Ctrl+K is everywhere."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Party
from tests.browser.signing import sign_in
from tests.browser.wedge import Clerk
from tests.companies import Company

PARTIES = "/admin/accounts/party/"


@pytest.fixture
def clerk(page: Page, new_company: Callable[[], Company]) -> Company:
    company = new_company()
    with company.scope():
        for name in ("Zinc", "Zircon"):
            Party.objects.create(name=name)
    page.set_viewport_size({"width": 1440, "height": 900})  # wide enough for the sidebar
    sign_in(page, company)
    return company


def scan(page: Page, code: str) -> None:
    """A wedge scanner: quick keys, then Enter."""
    Clerk(page).scan(code)


@pytest.mark.parametrize("code", ["pcb-fuse-c1", "https://id.gs1.org/01/09506000134352", "[f]?c/", "5901234123457"])
def test_a_scan_into_nowhere_leaves_the_page_as_it_is(page: Page, clerk: Company, code: str) -> None:
    page.goto(PARTIES)
    address = page.url
    page.evaluate("document.activeElement.blur()")
    scan(page, code)
    page.wait_for_load_state("networkidle")
    assert page.url == address
    expect(page.locator("#nav-sidebar")).to_be_visible()
    expect(page.locator("#changelist-filter")).to_be_hidden()
    expect(page.locator("#searchbar")).not_to_be_focused()


def test_letters_in_a_select_choose_and_do_not_leave_a_half_filled_form(page: Page, clerk: Company) -> None:
    page.goto(f"{PARTIES}add/")
    address = page.url
    page.locator("#id_kind").focus()
    page.keyboard.press("p")
    expect(page.locator("#id_kind")).to_have_value("person")
    page.keyboard.press("c")
    page.wait_for_load_state("networkidle")
    assert page.url == address


def test_a_scan_into_a_field_goes_on_to_the_next_and_saves_nothing(page: Page, clerk: Company) -> None:
    page.goto(f"{PARTIES}add/")
    page.locator("#id_name").focus()
    scan(page, "Scanned")
    expect(page.locator("#id_kind")).to_be_focused()
    assert page.url.endswith("/add/")
    with clerk.scope():
        assert not Party.objects.filter(name="Scanned").exists()
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(f"{PARTIES}$"))
    expect(page.locator("#result_list")).to_contain_text("Scanned")


def test_the_palette_opens_from_a_field_and_a_scan_with_enter_opens_the_row(page: Page, clerk: Company) -> None:
    page.goto(PARTIES)
    page.locator("#searchbar").focus()
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-input")).to_be_focused()
    scan(page, "zinc")
    page.wait_for_url(re.compile("/change/"))
    expect(page.locator("h1")).to_have_text("Zinc")


def test_the_palette_is_left_and_walked_by_keys(page: Page, clerk: Company) -> None:
    page.goto(PARTIES)
    page.keyboard.press("Control+k")
    page.keyboard.type("zi")
    expect(page.locator("#palette [role=option]")).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Zircon")
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden()


def test_the_first_tab_stop_leads_past_the_sidebar(page: Page, clerk: Company) -> None:
    page.goto(PARTIES)
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#searchbar")).to_be_focused()


def test_a_narrow_page_names_the_organization_too(page: Page, clerk: Company) -> None:
    page.set_viewport_size({"width": 800, "height": 900})
    page.goto(PARTIES)
    expect(page.locator("header").get_by_role("link", name=clerk.organization.name)).to_be_visible()
    expect(page.locator("#nav-sidebar")).to_be_hidden()


def test_the_organization_is_switched_by_keyboard(page: Page, clerk: Company) -> None:
    page.goto(PARTIES)
    page.locator(".organization summary").focus()
    page.keyboard.press("Enter")
    choice = page.locator(".organization button[name=slug]")
    expect(choice).to_have_text(re.compile(clerk.organization.name))
    choice.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/admin/$"))
    expect(page.locator("main")).to_contain_text("You now work for")
