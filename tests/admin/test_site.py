import re

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.core.checks import run_checks
from django.test import Client

from accounts.models import Membership, User
from accounts.permissions import MANAGER, VIEWER
from accounts.services.tenancy import membership_add
from inventory.models import StockMove
from notifications.models import OutboxEvent
from tests.admin.pages import PARTIES, listed, parties, statements, text
from tests.companies import PASSWORD, Company


def test_people_sign_in_by_e_mail_address(acme: Company) -> None:
    client = Client()
    page = text(client.get("/admin/login/"))
    assert "E-mail address" in page and "<main" in page
    response = client.post("/admin/login/", {"username": acme.user.email.upper(), "password": PASSWORD}, follow=True)
    assert response.redirect_chain[-1][0] == "/admin/"
    assert acme.organization.name in text(response)


def test_who_belongs_to_no_organization_is_told_so(acme: Company) -> None:
    lonely = User.objects.create_user("lonely@nowhere.test", PASSWORD, name="Lonely", is_staff=True)
    client = Client()
    client.force_login(lonely)
    rest = [f"/admin/{name}" for name in ("search/?s=ab", "switch-organization/", "accounts/")]
    for address in ("/admin/", PARTIES, f"{PARTIES}add/", *rest):
        response = client.get(address)
        assert response.status_code == 200, address
        assert "You belong to no organization yet" in text(response)
    assert client.post("/admin/logout/").status_code == 200


def test_a_suspended_member_is_out_at_once(acme: Company) -> None:
    client = acme.admin_as(MANAGER)
    with acme.scope():
        Membership.objects.filter(user=acme.members[MANAGER].user).update(status="suspended")
    client.get(PARTIES)
    assert "You belong to no organization yet" in text(client.get(PARTIES, follow=True))


def test_who_is_no_staff_has_no_admin(acme: Company) -> None:
    User.objects.filter(pk=acme.user.pk).update(is_staff=False)
    assert acme.admin.get(PARTIES).status_code == 302


def test_the_sidebar_holds_what_one_may_see(acme: Company) -> None:
    full, less = text(acme.admin.get("/admin/")), text(acme.admin_as(VIEWER).get("/admin/"))
    assert "/admin/accounts/apikey/" in full and "/admin/accounts/apikey/" not in less
    assert "/admin/accounts/party/" in less
    assert full.index("Inventory</h2>") < full.index("Company</h2>") < full.index("Notifications</h2>")


@pytest.mark.parametrize(("address", "title"), [
    ("costlayer/", "Cost layers"), ("costlayer/value/", "Inventory value"),
    ("pricelist/what-does-it-cost/", "What does it cost?"), ("pricelist/add/", "Price lists"),
])
def test_one_page_of_the_sidebar_is_the_current_one(acme: Company, address: str, title: str) -> None:
    page = text(acme.admin.get(f"/admin/inventory/{address}"))
    sidebar = page[page.index("nav-sidebar"):page.index("</nav>", page.index("nav-sidebar"))]
    assert re.findall(r'aria-current="page">([^<]+)<', sidebar) == [title]


def test_nothing_of_the_libraries_is_shown(acme: Company) -> None:
    apps = {model._meta.app_label for model in site._registry}
    assert apps <= {"accounts", "inventory", "orders", "notifications"}
    assert User not in site._registry


def test_djangos_own_log_stays_empty(acme: Company) -> None:
    [party] = parties(acme, "Zinc")
    client = acme.admin
    client.post(f"{PARTIES}{party.pk}/delete/", {"post": "yes"})
    client.post("/admin/accounts/numbersequence/add/", {
        "document_type": "so", "pattern": "SO-{number}", "next_value": 1, "reset": "never",
    })
    assert not LogEntry.objects.exists()
    with statements() as asked:
        client.get("/admin/")
    assert not any("django_admin_log" in statement for statement in asked)


def test_the_checks_ask_no_database(acme: Company) -> None:
    """Or nothing could be migrated: unfold's look a permission up that is named with its app."""
    with statements() as asked:
        run_checks()
    assert not asked


def test_ledgers_and_machinery_are_read_only(acme: Company) -> None:
    client = acme.admin
    for model in (StockMove, OutboxEvent):
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        page = client.get(address)
        assert page.status_code == 200 and "addlink" not in text(page)
        assert client.get(f"{address}add/").status_code == 403
        assert client.post(f"{address}add/", {}).status_code == 403
        assert "delete_selected" not in text(page)


def test_a_viewer_changes_nothing(acme: Company) -> None:
    [party] = parties(acme, "Zinc")
    viewer = acme.admin_as(VIEWER)
    assert listed(viewer.get(PARTIES)) == ["Zinc"]
    for address in ("add/", f"{party.pk}/delete/", f"{party.pk}/restore/"):
        assert viewer.post(PARTIES + address, {"name": "x", "post": "yes"}).status_code == 403
    assert viewer.post(f"{PARTIES}{party.pk}/change/", {"name": "x"}).status_code == 403
    viewer.post(PARTIES, {"action": "archive_selected", "_selected_action": [str(party.pk)], "post": "yes"})
    assert listed(viewer.get(PARTIES)) == ["Zinc"]


def test_a_new_password_leaves_the_rest_of_the_person_alone(acme: Company) -> None:
    User.objects.filter(pk=acme.user.pk).update(age=44, phone="+351 1")
    client = acme.admin
    new = "An entirely new 1"
    response = client.post("/admin/password_change/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new})
    assert response.status_code == 302, text(response)
    person = User.objects.get(pk=acme.user.pk)
    assert person.check_password(new) and (person.age, person.phone) == (44, "+351 1")
    assert client.get("/admin/").status_code == 200  # still signed in


def test_every_page_has_its_landmarks(acme: Company) -> None:
    for address in ("/admin/", PARTIES, f"{PARTIES}add/"):
        page = text(acme.admin.get(address))
        assert page.count("<main") == 1 and page.count("<h1") == 1 and 'href="#content"' in page


def test_the_first_page_shows_the_organizations_numbers(acme: Company, bolt: Company) -> None:
    from tests.inventory.goods import Goods

    with acme.scope():
        Goods.create().receive(40)
    cards = {card.title: card.value for card in acme.admin.get("/admin/").context["cards"]}
    assert cards["Stock value"] == "100.00"  # 40 at a standard cost of 2.50
    assert {card.title: card.value for card in bolt.admin.get("/admin/").context["cards"]}["Stock value"] == "0.00"


def test_the_numbers_are_for_those_who_may_see_the_stock(acme: Company) -> None:
    with acme.scope():
        from accounts.models import Role, UserRole

        Role.objects.create(code="clerk", name="Clerk", permissions=["accounts.view_party"])
        clerk = User.objects.create_user("clerk@acme.test", PASSWORD, name="Clerk", is_staff=True)
        membership_add(user=clerk, roles=["clerk"])
        assert UserRole.objects.filter(role__code="clerk").count() == 1
    client = Client()
    client.force_login(clerk)
    response = client.get("/admin/")
    assert response.status_code == 200 and "cards" not in response.context
    assert "Stock value" not in text(response)


def test_each_page_of_the_company_is_in_a_group_of_the_first_page(acme: Company) -> None:
    page = text(acme.admin.get("/admin/"))
    groups = re.findall(r"<h3>([^<]*)</h3>", page)
    assert groups[groups.index("Settings"):groups.index("Own fields, tags and files") + 1] == [
        "Settings", "Partners", "People and roles", "Keys and sign-in", "Audit and privacy", "Own fields, tags and files",
    ]
    assert "More" not in groups  # where a model stands that nobody has placed
    assert '<a href="/admin/locked-accounts/">Locked accounts</a>' in page
    assert ">API keys</a>" in page and "Api keys" not in page


def test_a_new_row_is_not_asked_for_what_only_the_product_fills(acme: Company) -> None:
    page = text(acme.admin.get("/admin/accounts/apikey/add/"))
    assert "Last used at" not in page and "Requests per minute" in page
