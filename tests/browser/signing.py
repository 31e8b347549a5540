from django.conf import settings
from playwright.sync_api import Page

from tests.companies import Company


def sign_in(page: Page, company: Company) -> None:
    """On the first page, by a session that is there already: signing in has tests of its own."""
    session = company.admin.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "domain": "127.0.0.1", "path": "/"}])
    page.goto("/admin/")
