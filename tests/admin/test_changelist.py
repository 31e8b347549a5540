from uuid import uuid4

import pytest
from django.utils import timezone

from tests.admin.pages import PARTIES, link, listed, parties, statements, text
from tests.companies import Company

SIZE = 50


def test_pages_by_key_show_every_row_once(acme: Company) -> None:
    parties(acme, *(f"Party {number:03}" for number in range(120)))
    client = acme.admin
    seen: list[str] = []
    url: str | None = PARTIES
    sizes = []
    while url:
        response = client.get(url)
        rows = listed(response)
        sizes.append(len(rows))
        seen += rows
        following = link(response, "next")
        url = following and PARTIES + following
    assert sizes == [50, 50, 20]
    assert seen == [f"Party {number:03}" for number in range(120)]
    assert link(response, "prev")
    assert listed(client.get(PARTIES + str(link(response, "prev")))) == [f"Party {number:03}" for number in range(50, 100)]


def test_a_list_neither_counts_nor_skips_and_its_statements_do_not_grow(acme: Company) -> None:
    client = acme.admin
    parties(acme, *(f"Few {number}" for number in range(3)))
    client.get(PARTIES)
    with statements() as few:
        client.get(PARTIES)
    parties(acme, *(f"Many {number:03}" for number in range(120)))
    with statements() as many:
        first = client.get(PARTIES)
    with statements() as deep:
        client.get(PARTIES + str(link(first, "next")))
    assert len(few) == len(many) == len(deep)
    for statement in many + deep:
        assert "COUNT(" not in statement.upper()
        assert "OFFSET" not in statement.upper()


def test_references_are_joined_not_asked_for_row_by_row(acme: Company) -> None:
    from accounts.models import Contact

    client, url = acme.admin, "/admin/accounts/contact/"
    with acme.scope():
        from accounts.models import Party

        for number in range(20):
            Contact.objects.create(party=Party.objects.create(name=f"Firm {number}"), name=f"Person {number}")
    client.get(url)
    with statements() as asked:
        assert "Firm 7" in text(client.get(url))
    assert sum("accounts_party" in statement for statement in asked) == 1


def test_search_is_by_the_beginning_of_a_key_and_keeps_its_index(acme: Company, bolt: Company) -> None:
    parties(acme, "Østfold Tools", "Tools of Oslo", "Zinc")
    parties(bolt, "Tools of another company")
    client = acme.admin
    with statements() as asked:
        assert listed(client.get(PARTIES, {"q": "TOOLS"})) == ["Tools of Oslo"]
    assert listed(client.get(PARTIES, {"q": "øst"})) == ["Østfold Tools"]
    [search] = [statement for statement in asked if "name_key" in statement and "WHERE" in statement and "tools" in statement]
    assert "^@" in search and "LIKE" not in search.upper()


@pytest.mark.parametrize("query", ["nothing begins so", "%", "'"])
def test_a_search_without_result_is_an_empty_list(acme: Company, query: str) -> None:
    parties(acme, "Zinc")
    response = acme.admin.get(PARTIES, {"q": query})
    assert listed(response) == []


def test_only_columns_with_an_index_are_sorted_by(acme: Company) -> None:
    parties(acme, "B", "A", "C")
    client = acme.admin
    page = text(client.get(PARTIES))
    assert 'href="?o=-1"' in page and 'href="?o=3"' not in page and 'href="?o=5"' not in page
    assert listed(client.get(PARTIES, {"o": "-1"})) == ["C", "B", "A"]
    # Tax number has no index and the payment terms may be null: asked for by hand, they change nothing.
    assert listed(client.get(PARTIES, {"o": "3"})) == listed(client.get(PARTIES, {"o": "5"})) == ["A", "B", "C"]


@pytest.mark.parametrize("cursor", ["rubbish", "W10", "%00"])
def test_a_damaged_cursor_leads_back_to_the_first_page(acme: Company, cursor: str) -> None:
    parties(acme, "A")
    response = acme.admin.get(f"{PARTIES}?cursor={cursor}", follow=True)
    assert response.redirect_chain and listed(response) == ["A"]


def test_a_cursor_does_not_survive_another_order_or_search(acme: Company) -> None:
    parties(acme, *(f"Party {number:03}" for number in range(60)))
    client = acme.admin
    second = client.get(PARTIES + str(link(client.get(PARTIES), "next")))
    assert "cursor" not in text(second).split("<thead>")[1].split("</thead>")[0]


def test_archived_rows_are_hidden_until_asked_for(acme: Company) -> None:
    _kept, gone = parties(acme, "Kept", "Gone")
    with acme.scope():
        type(gone).objects.filter(pk=gone.pk).update(archived_at=timezone.now())
    client = acme.admin
    assert listed(client.get(PARTIES)) == ["Kept"]
    assert listed(client.get(PARTIES, {"archived": "yes"})) == ["Gone"]
    assert sorted(listed(client.get(PARTIES, {"archived": "all"}))) == ["Gone", "Kept"]


def test_a_filter_that_no_row_can_have_is_left_out(acme: Company) -> None:
    client = acme.admin
    for url in ("/admin/orders/salesorder/?status__exact=%00", "/admin/inventory/lot/?q=x%00"):
        answer = client.get(url)
        assert (answer.status_code, answer["Location"].split("?")[1]) == (302, "e=1")


def test_a_filter_by_reference_offers_this_organization_alone(acme: Company, bolt: Company) -> None:
    from inventory.models import Warehouse

    with acme.scope():
        Warehouse.objects.create(code="A1", name="Acme's warehouse")
    with bolt.scope():
        Warehouse.objects.create(code="B1", name="Bolt's warehouse")
    with statements() as asked:
        page = text(acme.admin.get("/admin/inventory/location/"))
    assert "Bolt" not in page
    assert not any("DISTINCT" in statement for statement in asked)


def test_a_row_of_another_organization_does_not_exist(acme: Company, bolt: Company) -> None:
    [theirs] = parties(bolt, "Theirs")
    client = acme.admin
    own = [f"{theirs.pk}/{page}/" for page in ("change", "history", "delete", "restore")]
    for address in (*own, f"{uuid4()}/change/", "rubbish/change/"):
        response = client.get(PARTIES + address)
        assert response.status_code in (302, 404)
        assert "Theirs" not in text(response)


def test_a_form_begins_empty_where_the_address_names_no_row(acme: Company) -> None:
    client = acme.admin
    for query in ("warehouse=x", "warehouse=%00", f"warehouse={uuid4()}", "code=%00"):
        page = client.get(f"/admin/inventory/location/add/?{query}")
        assert (page.status_code, "\0" in page.text) == (200, False), query
