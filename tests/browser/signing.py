import re

from playwright.sync_api import Page

from tests.companies import PASSWORD, Company


def sign_in(page: Page, company: Company) -> None:
    page.goto("/admin/login/")
    page.get_by_label("E-mail address").fill(company.user.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/admin/$"))
