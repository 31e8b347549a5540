"""The audit trail reads as sentences: who, what, which object, from what to what."""

import pytest

from accounts.models import AuditEntry, Membership, Party
from accounts.permissions import MANAGER, VIEWER
from inventory.models import Product
from tests.admin.pages import statements, text
from tests.companies import Company
from tests.factories.accounts import ApiKeyFactory, PartyFactory
from tests.factories.inventory import ProductFactory

TRAIL = "/admin/accounts/auditentry/"


def test_tells_who_changed_what_and_how(acme: Company) -> None:
    with acme.scope(reason="new owner", ip="192.0.2.7", request_id="req-77"):
        party = PartyFactory(name="Northwind")
        Party.objects.filter(pk=party.pk).update(name="Southwind", kind="person")
    page = text(acme.admin.get(TRAIL))
    assert "Changed: party" in page and f"{acme.user.name} ({acme.user.email})" in page
    assert f'<a class="text-important" href="/admin/accounts/party/{party.pk}/change/">Southwind</a>' in page
    assert "<b>Name</b>: <del>Northwind</del> → <ins>Southwind</ins>" in page
    assert "<b>Kind</b>: <del>Organization</del> → <ins>Person</ins>" in page
    assert "new owner" in page and "req-77" in page and "192.0.2.7" in page
    assert "accounts_party" not in page.replace("?table_name=accounts_party", "")
    assert "name_key" not in page


def test_names_what_is_gone(acme: Company) -> None:
    with acme.scope():
        PartyFactory(name="Vanished").delete()
    page = text(acme.admin.get(TRAIL))
    assert "Deleted: party" in page and "Vanished" in page


def test_names_the_rows_that_are_referred_to(acme: Company) -> None:
    with acme.scope():
        maker = PartyFactory(name="Maker of bolts")
        entry = AuditEntry.objects.get(row_id=ProductFactory(manufacturer=maker).pk)
    assert "<b>Manufacturer</b>: <ins>Maker of bolts</ins>" in text(acme.admin.get(f"{TRAIL}{entry.pk}/change/"))


def test_a_secret_is_not_shown(acme: Company) -> None:
    with acme.scope():
        key = ApiKeyFactory()
        entry = AuditEntry.objects.get(row_id=key.pk)
    for page in (TRAIL, f"{TRAIL}{entry.pk}/change/"):
        shown = text(acme.admin.get(page))
        assert "its value is not kept" in shown and key.key_hash not in shown


@pytest.mark.parametrize(("query", "expected"), [
    ("", {"Bolt", "Party"}), ("?table_name=inventory_product", {"Bolt"}), ("?table_name=accounts_party", {"Party"}),
    ("?action=update", {"Bolt"}), ("?action=delete", set()), ("?period=today", {"Bolt", "Party"}),
    ("?created_at__gte=2099-01-01T00:00:00Z", set()), ("?created_at__lt=2099-01-01T00:00:00Z", {"Bolt", "Party"}),
    ("?actor_id=nobody", set()),
])  # fmt: skip
def test_filters(query: str, expected: set[str], acme: Company) -> None:
    with acme.scope():
        PartyFactory(name="Party of the test")
        product = ProductFactory(name="Before", manufacturer=None, category=None)
        Product.objects.filter(pk=product.pk).update(name="Bolt of the test")
    page = text(acme.admin.get(f"{TRAIL}{query}"))
    assert {word for word in ("Bolt", "Party") if f"{word} of the test" in page} == expected


def test_what_one_person_did(acme: Company) -> None:
    manager = acme.members[MANAGER].user
    with acme.scope(actor_id=manager.pk):
        PartyFactory(name="By the manager")
    with acme.scope():
        PartyFactory(name="By the Admin")
        membership = Membership.objects.get(user=manager)
    member_page = text(acme.admin.get(f"/admin/accounts/membership/{membership.pk}/change/"))
    assert f'<a class="text-important" href="{TRAIL}?actor_id={manager.pk}">What this person did</a>' in member_page
    page = text(acme.admin.get(f"{TRAIL}?actor_id={manager.pk}"))
    assert "By the manager" in page and "By the Admin" not in page


def test_costs_the_same_for_one_entry_and_for_fifty(acme: Company) -> None:
    with acme.scope():
        last = AuditEntry.objects.latest("id").pk
        ProductFactory(manufacturer=PartyFactory())
        count = AuditEntry.objects.filter(pk__gt=last).count()
    acme.admin.get(TRAIL)
    client = acme.admin
    with statements() as few:
        assert client.get(f"{TRAIL}?request_id=req-0").status_code == 200
    with acme.scope():
        for _ in range(50 // count + 1):
            ProductFactory(manufacturer=PartyFactory())
    with statements() as many:
        assert client.get(f"{TRAIL}?request_id=req-0").status_code == 200
    assert len(many) <= len(few)
    assert not [sql for sql in many if "COUNT(*)" in sql or "OFFSET" in sql]


def test_a_viewer_sees_none_of_it(acme: Company) -> None:
    assert acme.admin_as(VIEWER).get(TRAIL).status_code == 403


def test_generated_columns_are_no_news(acme: Company) -> None:
    with acme.scope():
        party = PartyFactory(name="One")
        Party.objects.filter(pk=party.pk).update(name="Two")
        entries = AuditEntry.objects.filter(row_id=party.pk)
        assert [set(entry.changes) & {"name", "name_key"} for entry in entries] == [{"name"}, {"name"}]
