"""The wall as a client sees it, without and with real commits."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from accounts.models import Party
from accounts.permissions import VIEWER
from accounts.services.tenancy import membership_add
from core.tenancy import scope_is_open
from tests.companies import Api, Company, scope_of, signed_in
from tests.contracts.resources import assert_problem, ids
from tests.factories.accounts import ContactFactory, PartyFactory
from tests.tenancy.test_wall import NO_SETTING, sql

PARTIES, CONTACTS = "/api/v1/parties/", "/api/v1/contacts/"
type NewCompany = Callable[[], Company]

misbehaving = pytest.mark.urls("tests.tenancy.urls")


def with_party(company: Company, name: str) -> Party:
    with company.scope():
        party: Party = PartyFactory(name=name)
        return party


def names(response: Any) -> list[str]:
    return [name for name in b"".join(response).decode().split(",") if name]


# --- Two companies, real commits, each way in -------------------------------------------------------------


@pytest.fixture
def neighbors(new_company: NewCompany) -> tuple[Company, Company, Party, Party]:
    ours, theirs = new_company(), new_company()
    return ours, theirs, with_party(ours, "Ours"), with_party(theirs, "Theirs")


type Neighbors = tuple[Company, Company, Party, Party]


def test_the_api_shows_ones_own(neighbors: Neighbors) -> None:
    ours, theirs, own, foreign = neighbors
    for company, mine, other in ((ours, own, foreign), (theirs, foreign, own), (ours, own, foreign)):
        assert ids(company.api.get(PARTIES).json()["results"]) == [str(mine.pk)]
        assert company.api.get(f"{PARTIES}{mine.pk}/").status_code == 200
        assert_problem(company.api.get(f"{PARTIES}{other.pk}/"), 404)
        assert company.api.get(PARTIES, {"search": other.name[:3]}).json()["results"] == []
        assert company.api.get(PARTIES, {"count": "exact"}).json()["count"] == 1


def test_the_api_changes_ones_own(neighbors: Neighbors) -> None:
    ours, theirs, _, foreign = neighbors
    assert_problem(ours.api.send("patch", f"{PARTIES}{foreign.pk}/", {"name": "Taken"}), 404)
    assert_problem(ours.api.delete(f"{PARTIES}{foreign.pk}/"), 404)
    refused = ours.api.send("post", CONTACTS, {"party": str(foreign.pk), "name": "Spy"})
    assert_problem(refused, 400)
    with theirs.scope():
        assert Party.objects.get().name == "Theirs" and not Party.objects.get().contacts.exists()


def test_a_cursor_of_another_company_leads_to_ones_own_rows(neighbors: Neighbors) -> None:
    ours, theirs, *_ = neighbors
    with_party(theirs, "Theirs too")
    following = theirs.api.get(PARTIES, {"limit": 1, "sort": "name"}).json()["next"]
    found = ours.api.get(following).json()["results"]
    assert {row["name"] for row in found} <= {"Ours"}


def test_sql_and_the_orm_stay_inside(neighbors: Neighbors) -> None:
    ours, _, own, foreign = neighbors
    with ours.scope():
        assert list(Party.every_organization.all()) == [own]
        assert sql("SELECT id FROM accounts_party") == [(own.pk,)]
        assert sql("UPDATE accounts_party SET name = 'x' WHERE id = %s RETURNING id", foreign.pk) == []
    with pytest.raises(NO_SETTING):
        sql("SELECT id FROM accounts_party")


def test_the_worker_sees_everything_and_crosses_no_reference(neighbors: Neighbors) -> None:
    ours, _, own, foreign = neighbors
    with ours.scope():
        contact = ContactFactory(party=own)
    everything = Party.every_organization.using("worker").filter(pk__in=[own.pk, foreign.pk])
    assert everything.count() == 2
    with pytest.raises(IntegrityError, match="accounts_contact_party_id_wall"), transaction.atomic("worker"):
        sql("UPDATE accounts_contact SET party_id = %s WHERE id = %s", foreign.pk, contact.pk, using="worker")


def test_the_admin_shows_ones_own(neighbors: Neighbors) -> None:
    ours, _, own, foreign = neighbors
    admin = ours.admin
    changelist = admin.get(reverse("admin:accounts_party_changelist"))
    assert b"Ours" in changelist.content and b"Theirs" not in changelist.content
    assert admin.get(reverse("admin:accounts_party_change", args=[own.pk])).status_code == 200
    assert b"Theirs" not in admin.get(reverse("admin:accounts_party_change", args=[foreign.pk]), follow=True).content
    assert admin.get(reverse("admin:accounts_party_delete", args=[foreign.pk])).status_code in (302, 404)


def test_autocomplete_offers_ones_own(neighbors: Neighbors) -> None:
    ours, _, own, _ = neighbors
    query = {"app_label": "accounts", "model_name": "contact", "field_name": "party", "term": ""}
    found = ours.admin.get(reverse("admin:autocomplete"), query).json()["results"]
    assert [row["id"] for row in found] == [str(own.pk)]


def test_the_admin_refuses_a_foreign_reference(neighbors: Neighbors) -> None:
    ours, _, own, foreign = neighbors
    url = reverse("admin:accounts_contact_add")
    refused = ours.admin.post(url, {"party": str(foreign.pk), "name": "Spy", "_save": "1"})
    assert "party" in refused.context["adminform"].errors
    assert ours.admin.post(url, {"party": str(own.pk), "name": "Clerk", "_save": "1"}).status_code == 302
    with ours.scope():
        assert [contact.name for contact in own.contacts.all()] == ["Clerk"]


# --- One connection, one request after another ------------------------------------------------------------


@misbehaving
def test_nothing_is_left_for_the_next_request(neighbors: Neighbors) -> None:
    ours, *_ = neighbors
    process = connection.connection
    for url in (PARTIES, "/renders-lazily/"):
        assert ours.api.get(url).status_code == 200
        assert Api().get("/counts-raw/").status_code == 500, "the database answered without an organization"
    assert ours.api.post("/breaks-midway/").status_code == 500
    assert Api().get("/counts-raw/").status_code == 500
    assert connection.connection is process, "the point is one connection"
    assert not connection.in_atomic_block and not scope_is_open()


@misbehaving
def test_nothing_is_left_inside_a_test_either(acme: Company) -> None:
    with_party(acme, "Acme")
    assert acme.api.get(PARTIES).status_code == 200
    assert Api().get("/counts-raw/").status_code == 500


@misbehaving
@pytest.mark.parametrize(("url", "status"), [
    ("/breaks-midway/", 500), ("/breaks-while-rendering/", 500), ("/refuses-after-writing/", 409),
])  # fmt: skip
def test_an_error_leaves_nothing_written(url: str, status: int, new_company: NewCompany) -> None:
    company = new_company()
    assert company.api.post(url).status_code == status
    with company.scope():
        assert not Party.objects.filter(name="half done").exists()


@misbehaving
def test_renders_inside_the_scope(neighbors: Neighbors) -> None:
    ours, theirs, *_ = neighbors
    assert [names(company.api.get("/renders-lazily/")) for company in (ours, theirs)] == [["Ours"], ["Theirs"]]


@misbehaving
def test_streams_in_a_scope_of_its_own(neighbors: Neighbors) -> None:
    ours, theirs, *_ = neighbors
    with_party(ours, "Ours too")
    assert names(ours.api.get("/streams/").streaming_content) == ["Ours", "Ours too"]
    half_read = ours.api.get("/streams/")
    assert next(iter(half_read)) == b"Ours,"
    assert theirs.api.get(PARTIES).status_code == 500, "a stream left open is an error, not a leak"
    half_read.close()
    assert not connection.in_atomic_block and not scope_is_open()
    assert ids(theirs.api.get(PARTIES).json()["results"])


def test_a_connection_lost_in_between_is_made_again(neighbors: Neighbors) -> None:
    ours, *_ = neighbors
    assert ours.api.get(PARTIES).status_code == 200
    connection.close()
    assert ours.api.get(PARTIES).status_code == 200


# --- Which organization -----------------------------------------------------------------------------------


def test_a_member_of_two_names_one(new_company: NewCompany) -> None:
    first, second = new_company(), new_company()
    with scope_of(second.organization.pk):
        membership_add(user=first.user, roles=[VIEWER])
    slugs = {first.organization.slug, second.organization.slug}
    chosen = first.api.get("/api/v1/me/", headers={"Organization": second.organization.slug}).json()
    assert chosen["organization"]["slug"] == second.organization.slug
    assert chosen["roles"] == [VIEWER] and {own["slug"] for own in chosen["organizations"]} == slugs
    token = signed_in(first.user, second.organization.slug)
    assert token.organization == second.organization.slug
    own = Api(f"Bearer {token.access_token}").get("/api/v1/me/").json()
    assert own["organization"]["slug"] == second.organization.slug


def test_a_stranger_gets_in_nowhere(acme: Company, bolt: Company) -> None:
    assert_problem(acme.api.get(PARTIES, headers={"Organization": "bolt"}), 401)
    assert_problem(acme.api.get(PARTIES, headers={"Organization": "no-such"}), 401)
    stranger = Company(bolt.organization, acme.members)
    assert stranger.admin.get(reverse("admin:accounts_party_changelist")).status_code == 302


def test_a_cookie_needs_the_csrf_token(acme: Company) -> None:
    browser = acme.admin
    assert browser.get(PARTIES).status_code == 200
    browser.handler.enforce_csrf_checks = True
    assert browser.post(PARTIES, {"name": "x"}, content_type="application/json").status_code == 403
