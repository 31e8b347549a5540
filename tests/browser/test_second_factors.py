"""Enrolling and signing in with a code and with a security key, and acting for a member, in a real browser."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from accounts.models import User
from tests.accounts.second_factor_kit import code_of
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.browser.test_accessibility import faults
from tests.companies import PASSWORD, Company


def test_enrols_an_app_and_signs_in_with_its_code(page: Page, new_company: Callable[[], Company]) -> None:
    company = new_company()
    sign_in(page, company)
    page.set_viewport_size({"width": 1440, "height": 900})  # wide enough for the sidebar
    page.locator("details.account summary").filter(visible=True).click()
    page.get_by_role("link", name="Your second factors").filter(visible=True).click()
    page.wait_for_load_state("networkidle")
    assert faults(page) == []
    screenshot(page, "second-factors")
    secret = page.locator("section code").inner_text()
    page.get_by_label("Code", exact=True).fill(code_of(secret))
    page.locator("#totp-password").fill(PASSWORD)
    page.get_by_role("button", name="Add the app").click()
    expect(page.locator("main")).to_contain_text("is enrolled")
    page.locator("#codes-password").fill(PASSWORD)
    page.get_by_role("button", name="Make new codes").click()
    codes = page.locator("section li").all_inner_texts()
    assert len(codes) == 10 and faults(page) == []

    page.context.clear_cookies()
    page.goto("/admin/login/")
    page.get_by_label("E-mail address").fill(company.user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/second-factor/$"))
    assert faults(page) == []
    screenshot(page, "second-factor")
    page.get_by_label("Code of your authenticator app").fill("000000")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("This is wrong")
    page.get_by_label("Code of your authenticator app").fill(codes[0])
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/admin/$"))


def test_acts_for_a_member_under_a_banner(page: Page, new_company: Callable[[], Company]) -> None:
    company, staff_of = new_company(), new_company()
    User.objects.filter(pk=staff_of.user.pk).update(is_superuser=True)
    sign_in(page, staff_of)
    page.goto("/admin/platform/act-for-member/")
    assert faults(page) == []
    page.get_by_label("E-mail address of the member").fill(company.user.email)
    page.get_by_label("Organization").fill(company.organization.slug)
    page.get_by_label("Reason").fill("The member asked for help.")
    screenshot(page, "act-for-member")
    page.get_by_role("button", name="Act for this member").click()
    page.wait_for_url(re.compile("/admin/$"))
    expect(page.get_by_label("Acting for a member")).to_contain_text(company.user.email)
    page.goto("/admin/accounts/party/")
    expect(page.get_by_label("Acting for a member")).to_be_visible()
    assert faults(page) == []
    screenshot(page, "acting")
    page.get_by_role("button", name="End").click()
    expect(page.get_by_label("Acting for a member")).to_have_count(0)


def test_registers_a_security_key_and_signs_in_with_it(page: Page, server: str, new_company: Callable[[], Company]) -> None:
    """A key belongs to a host name, so the browser goes to localhost."""
    company = new_company()
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": {
        "protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }})
    home = server.replace("127.0.0.1", "localhost")

    def password() -> None:
        page.goto(f"{home}/admin/login/")
        page.get_by_label("E-mail address").fill(company.user.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")

    password()
    page.wait_for_url(re.compile("/admin/$"))
    page.goto(f"{home}/admin/second-factors/")
    page.get_by_role("button", name="Begin").click()
    page.get_by_label("Name, such as: blue key").fill("blue key")
    page.locator("#key-password").fill(PASSWORD)
    page.get_by_role("button", name="Touch the key").click()
    expect(page.locator("main")).to_contain_text("is enrolled")
    page.context.clear_cookies()
    password()
    page.get_by_role("button", name="Use a security key").click()
    page.wait_for_url(re.compile("/admin/$"))
