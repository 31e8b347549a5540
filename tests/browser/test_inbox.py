"""Somebody works through the inbox, by keyboard and on a telephone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Membership
from notifications.models import TopicSubscription
from notifications.services.messages import About, notify, topic_ensure
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.browser.test_accessibility import faults_in_themes, visit
from tests.browser.test_admin_pages import too_wide
from tests.companies import Company

MESSAGES = [
    ("Critical: Dead letters: above 0", "Dead letters: 3, above 0.\nAcknowledge it on its page.", "critical"),
    ("Warning: Orders stand still: above 0", "Orders that stand still: 2, above 0.", "warning"),
    ("Closed on Monday", "We count the stock.", "info"),
]


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Company:
    made = new_company()
    with made.scope():
        topic = topic_ensure(key="news", name="News", category="operations")
        member = Membership.objects.get(user_id=made.user.pk)
        TopicSubscription.objects.create(topic=topic, channel="inbox", address="a", membership=member, status="confirmed")
        for number, (title, body, severity) in enumerate(MESSAGES):
            about = About(severity, "/admin/notifications/topic/" if number == 0 else "")
            notify(topic="news", subject=title, body=body, dedupe_key=str(number), about=about)
    return made


def test_the_bell_leads_to_what_is_unread(page: Page, company: Company) -> None:
    sign_in(page, company)
    bell = page.get_by_role("link", name="Inbox, 3 unread")
    bell.focus()
    page.keyboard.press("Enter")
    items = page.locator(".inbox-item")
    expect(items).to_have_count(3)
    expect(items.first).to_contain_text("Closed on Monday")
    assert faults_in_themes(page) == [] and too_wide(page) == []
    screenshot(page, "inbox")
    page.set_viewport_size({"width": 390, "height": 844})
    screenshot(page, "inbox-phone")
    page.set_viewport_size({"width": 1280, "height": 900})

    items.first.get_by_role("button", name="Archive").focus()
    page.keyboard.press("Enter")
    expect(items).to_have_count(2)
    expect(page.get_by_role("link", name="Inbox, 2 unread")).to_be_visible()
    items.first.get_by_text("Later").focus()
    page.keyboard.press("Enter")
    items.first.get_by_role("button", name="Tomorrow").focus()
    page.keyboard.press("Enter")
    expect(items).to_have_count(1)
    items.first.get_by_role("link", name="Critical: Dead letters").click()
    expect(page).to_have_url(re.compile(r"/admin/notifications/topic/$"))
    expect(page.get_by_role("link", name="Inbox", exact=True).first).to_be_visible()


def test_the_bell_shows_what_comes_while_the_page_is_seen(page: Page, company: Company) -> None:
    sign_in(page, company)
    page.clock.install()
    visit(page, "/admin/inbox/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.clock.run_for(180_000)
    assert asked == [], "nobody sees it"
    with company.scope():
        notify(topic="news", subject="Open on Tuesday", body="", dedupe_key="later")
    page.evaluate("Object.defineProperty(document, 'hidden', { value: false, configurable: true })")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_role("link", name="Inbox, 4 unread")).to_be_visible()
    with page.expect_response("**/admin/inbox/bell/?shown=4") as answer:
        page.clock.run_for(60_000)
    assert answer.value.status == 204
    assert len(asked) == 2


def test_how_messages_come(page: Page, company: Company) -> None:
    sign_in(page, company)
    visit(page, "/admin/my-notifications/")
    page.get_by_role("button", name="E-mail: News").click()
    expect(page.get_by_role("button", name="E-mail: News")).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Category").select_option("operations")
    page.get_by_label("Channel").select_option("email")
    page.get_by_label("Mode").select_option("daily")
    page.get_by_label("Quiet from").fill("22:00")
    page.get_by_label("Quiet to").fill("07:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("by E-mail: together, once a day at 08:00, quiet from 22:00 to 07:00")).to_be_visible()
    assert faults_in_themes(page) == [] and too_wide(page) == []
    screenshot(page, "my-notifications")
