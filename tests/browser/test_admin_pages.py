"""Pages of people, keys, the trail, privacy, own fields and files: without fault in both themes, and no wider than a phone."""

import re
from collections.abc import Callable

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from accounts.models import Membership, Organization, RetentionPolicy, User, UserRole
from accounts.permissions import VIEWER, known
from accounts.services.invitations import invitation_create
from core.tenancy import Origin, organization_scope
from tests.browser.signing import sign_in
from tests.browser.test_accessibility import faults_in_themes, visit
from tests.companies import Company
from tests.factories.accounts import (
    ApiKeyFactory,
    AttachmentFactory,
    AuditEntryFactory,
    AuditSealFactory,
    CustomFieldDefinitionFactory,
    DataSubjectRequestFactory,
    ExchangeRateFactory,
    ExternalIdentityFactory,
    FeatureFlagFactory,
    IdempotencyRecordFactory,
    ImpersonationFactory,
    InvitationFactory,
    JournalEntryFactory,
    RoleFactory,
    SavedFilterFactory,
    TaggedItemFactory,
    UserSessionFactory,
)
from tests.factories.inventory import ProductFactory

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
FACTORIES = (
    ApiKeyFactory, AuditEntryFactory, AuditSealFactory, DataSubjectRequestFactory, ExchangeRateFactory, ExternalIdentityFactory,
    FeatureFlagFactory, IdempotencyRecordFactory, ImpersonationFactory, InvitationFactory, JournalEntryFactory, RoleFactory,
    SavedFilterFactory, UserSessionFactory,
)
LISTS = ("apikey", "attachment", "auditentry", "auditseal", "identityprovider", "membership", "retentionpolicy", "usersession")
FORMS = ("customfielddefinition", "identityprovider", "invitation", "role")


# Charts follow the window some frames later.
WIDTH = """async () => {
    const wide = () => document.documentElement.scrollWidth - window.innerWidth;
    for (let frames = 0; wide() > 0 && frames < 60; frames += 1) await new Promise(requestAnimationFrame);
    return wide();
}"""


def too_wide(page: Page) -> list[str]:
    page.set_viewport_size(PHONE)
    wide = page.evaluate(WIDTH)
    page.set_viewport_size(DESK)
    return [f"{wide} px wider than a phone"] if wide > 0 else []


def wrong(page: Page, address: str) -> list[str]:
    visit(page, address)
    return [*too_wide(page), *faults_in_themes(page)]


def rows(company: Company) -> list[str]:
    """A row of each kind; the addresses of their pages."""
    with organization_scope(company.organization.pk, origin=Origin(actor_id=company.user.pk)):
        made = [factory() for factory in FACTORIES]
        product = ProductFactory()
        kinds = {"choice": ["red", "dark blue"], "boolean": [], "date": [], "multi-choice": ["in", "out"]}
        for kind, choices in kinds.items():
            made.append(CustomFieldDefinitionFactory(model="inventory.product", type=kind, choices=choices))
        made.append(TaggedItemFactory(object_type="inventory.product", object_id=product.pk))
        made.append(made[-1].tag)
        made.append(AttachmentFactory(object_type="inventory.product", object_id=product.pk, filename=f"{'sheet-' * 20}.txt"))
        made += [product, UserRole.objects.first(), RetentionPolicy.objects.first(), Organization.objects.get()]
        made += [Membership.objects.get(user=company.user), next(row for row in made if hasattr(row, "provider")).provider]
        request = next(row for row in made if hasattr(row, "subject_email"))
    pages = dict.fromkeys(f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/" for row in made)
    return [f"/admin/accounts/datasubjectrequest/{request.pk}/fulfil/", *pages]


@pytest.fixture
def company(page: Page, new_company: Callable[[], Company]) -> Company:
    company = new_company()
    sign_in(page, company)
    return company


def test_pages_of_rows(page: Page, company: Company) -> None:
    addresses = [
        *rows(company), *(f"/admin/accounts/{name}/" for name in LISTS), *(f"/admin/accounts/{name}/add/" for name in FORMS),
    ]
    assert {address: found for address in addresses if (found := wrong(page, address))} == {}


def test_pages_of_the_site(page: Page, company: Company) -> None:
    User.objects.filter(pk=company.user.pk).update(is_superuser=True)
    addresses = ["/admin/", "/admin/second-factors/", "/admin/locked-accounts/", "/admin/platform/act-for-member/"]
    assert {address: found for address in addresses if (found := wrong(page, address))} == {}


def test_a_key_is_made_and_shown_with_its_secret(page: Page, company: Company) -> None:
    page.goto("/admin/accounts/apikey/add/")
    page.get_by_label("Name").fill("Scanner")
    page.locator("#id_scopes").select_option("accounts.view_party", force=True)
    page.locator("#id_require_signature").check(force=True)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#new-signing-secret")).to_be_visible()
    assert [*too_wide(page), *faults_in_themes(page)] == []


def test_pages_of_mailed_links(page: Page, new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        invitation_create(email="guest@example.test", roles=[VIEWER], granter=known(), inviter="Ada")
    found = re.search(r"/account/invitation/\S+", str(mail.outbox[-1].body))
    assert found
    addresses = ["/account/reset-password/", "/account/reset-password/none/", "/account/verify-email/none/", found.group()]
    assert {address: wrongs for address in addresses if (wrongs := wrong(page, address))} == {}
