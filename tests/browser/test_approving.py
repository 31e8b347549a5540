"""A manager decides what is bought, by keyboard alone: task 7."""

import re
from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from orders.models import PurchaseOrder
from orders.services.purchase_states import purchase_order_approve, purchase_order_submit
from orders.services.purchasing import PurchaseLine, purchase_order_create
from tests.admin.pages import statements
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.browser.test_accessibility import faults
from tests.browser.test_admin_pages import too_wide
from tests.browser.wedge import Clerk
from tests.companies import Company
from tests.orders.buying import Buying, limit_purchases

APPROVALS = "/admin/approvals/"


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Company:
    """Four orders that the manager asked for, and one that the admin did, who looks."""
    made = new_company()
    with made.scope():
        buying = Buying.create()
        buying.sent((buying.goods.bolt, 5))  # at 2 each
        limit_purchases(100)
    manager = made.members["manager"].user.pk
    for actor, quantities in ((manager, (60, 70, 80, 90)), (made.user.pk, (500,))):
        with made.scope(actor_id=actor):
            for quantity in quantities:
                line = PurchaseLine(buying.goods.bolt.pk, Decimal(quantity), Decimal("2.5"))
                other = PurchaseLine(buying.goods.nut.pk, Decimal(1), Decimal(3))
                order = purchase_order_create(supplier=buying.supplier, warehouse=buying.goods.warehouse, lines=[line, other])
                purchase_order_submit(order=order)
    return made


def test_what_waits_is_approved_and_refused(page: Page, company: Company) -> None:
    sign_in(page, company)
    page.wait_for_load_state("networkidle")
    clerk = Clerk(page)
    clerk.begin()
    clerk.key("g")
    page.wait_for_timeout(200)  # a person's pace: what comes sooner is a scan
    clerk.key("a")
    rows = page.locator("#approvals li")
    expect(rows).to_have_count(4)  # nobody decides on their own
    expect(rows.first).to_be_focused()
    expect(rows.first).to_contain_text("153 EUR")
    expect(rows.first).to_contain_text("53 EUR over the limit of 100")
    expect(rows.first).to_contain_text("BOLT 25 % against the last purchase")
    expect(rows.first).to_contain_text("Asked by Manager Of")
    first = rows.first.get_attribute("data-number") or ""
    clerk.key("a")
    expect(page.locator(".card-done")).to_have_text(f"Approved: {first}.")
    assert (clerk.actions, clerk.loads) == (3, 1), "task 7"

    expect(rows.first).to_be_focused()
    clerk.key(" ")
    expect(rows.first.locator("table")).to_be_visible()
    assert faults(page) == [] and too_wide(page) == []
    page.wait_for_timeout(200)
    for letter in "xjx":  # as quick as fingers can be
        clerk.key(letter)
    expect(rows.nth(1)).to_be_focused()
    expect(page.locator("#marked-preview")).to_contain_text(re.compile(r"A approves 2: PO-\d+, PO-\d+, 381 EUR\."))
    screenshot(page, "approvals")
    for letter in "kja":
        page.wait_for_timeout(100)
        clerk.key(letter)
    expect(page.locator(".card-done")).to_contain_text(re.compile(r"Approved: PO-\d+, PO-\d+\."))
    page.wait_for_timeout(200)
    clerk.key("Shift+X")
    expect(page.locator("#refuse-reason")).to_be_focused()
    clerk.types("Too dear")
    clerk.key("Enter")
    expect(page.locator(".card-done")).to_contain_text("It is a draft again.")
    with company.scope():
        found = PurchaseOrder.objects.order_by("number").values_list("status", "decision_note")
        assert list(found) == [
            ("sent", ""), ("approved", ""), ("approved", ""), ("approved", ""), ("draft", "Too dear"), ("pending_approval", ""),
        ]


def test_own_orders_and_statements(company: Company) -> None:
    browser = company.admin
    with company.scope():
        own = PurchaseOrder.objects.get(requested_by=company.user.pk, status="pending_approval")
        others = list(PurchaseOrder.objects.filter(status="pending_approval").exclude(pk=own.pk).order_by("number"))
    assert "Somebody else" in browser.post(f"{APPROVALS}approve/", {"order": own.pk, "id": "1"}).content.decode()
    assert browser.post(f"{APPROVALS}refuse/", {"order": own.pk, "reason": "mine"}).status_code == 403
    with company.scope():
        own.refresh_from_db()
        assert own.status == "pending_approval"
        with statements() as sent:
            purchase_order_approve(order=others[0])
        assert len(sent) <= 6, sent
    assert company.admin_as("viewer").get(APPROVALS).status_code == 403
    both = browser.post(f"{APPROVALS}approve/", {"marked": f"{others[1].pk} {own.pk}"})
    assert both.status_code == 403
    with company.scope():
        others[1].refresh_from_db()
        assert others[1].status == "pending_approval", "all of them, or none"
    assert browser.post(f"{APPROVALS}approve/", {"marked": "nonsense"}).status_code == 422
    assert browser.post(f"{APPROVALS}approve/", {}).status_code == 404
    twice = [browser.post(f"{APPROVALS}approve/", {"order": others[1].pk, "id": "2"}).status_code for _ in range(2)]
    assert twice == [200, 200], "its answer was lost"
