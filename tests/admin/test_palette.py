import re

from accounts.permissions import VIEWER
from accounts.services.tenancy import membership_add
from config.palette import PAGES, ROWS_OF_A_MODEL
from tests.admin.pages import parties, statements, text
from tests.companies import Company


def found(company: Company, words: str, role: str = "admin") -> list[tuple[str, str]]:
    response = company.admin_as(role).get("/admin/search/", {"s": words})
    assert response.status_code == 200
    return re.findall(r'palette-title">([^<]*)</span>\s*<span class="palette-kind">([^<]*)<', text(response))


def test_it_finds_rows_by_their_beginning_and_pages_by_name(acme: Company) -> None:
    [party] = parties(acme, "Zinc & Tin")
    assert found(acme, "zi") == [("Zinc &amp; Tin", "Party")]
    assert ("Products", "Page") in found(acme, "produ")
    assert f"/admin/accounts/party/{party.pk}/change/" in text(acme.admin.get("/admin/search/", {"s": "zi"}))


def test_it_is_bounded(acme: Company) -> None:
    parties(acme, *(f"Zinc {number:03}" for number in range(30)))
    client = acme.admin
    client.get("/admin/search/", {"s": "zinc"})
    with statements() as asked:
        response = client.get("/admin/search/", {"s": "zinc"})
    assert text(response).count('role="option"') == ROWS_OF_A_MODEL
    [search] = [statement for statement in asked if "^@" in statement]
    assert search.count('"cast1" FROM') == search.count(f"LIMIT {ROWS_OF_A_MODEL}")  # each of the models looked through
    assert len([hit for hit in found(acme, "e" * 2) if hit[1] == "Page"]) <= PAGES


def test_too_little_to_look_for_asks_nothing(acme: Company) -> None:
    client = acme.admin
    for words in ("", " ", "z", "\0\0\0"):
        with statements() as asked:
            assert client.get("/admin/search/", {"s": words}).status_code == 200
        assert not any("^@" in statement for statement in asked)


def test_nothing_of_another_organization_even_after_switching(acme: Company, bolt: Company) -> None:
    with bolt.scope():
        membership_add(user=acme.user, roles=["viewer"])
    parties(acme, "Zinc of Acme")
    parties(bolt, "Zinc of Bolt")
    client = acme.admin
    assert "Zinc of Acme" in text(client.get("/admin/search/", {"s": "zinc"}))
    client.post("/admin/switch-organization/", {"slug": "bolt"})
    after = text(client.get("/admin/search/", {"s": "zinc"}))
    assert "Zinc of Bolt" in after and "Zinc of Acme" not in after


def test_only_what_one_may_see(acme: Company) -> None:
    with acme.scope():
        from accounts.models import Role

        Role.objects.create(code="zebra", name="Zebra keeper")
    assert ("Zebra keeper", "Role") in found(acme, "zebra")
    assert ("API keys", "Page") not in found(acme, "api k", VIEWER)


def test_archived_rows_are_not_offered(acme: Company) -> None:
    [party] = parties(acme, "Zinc")
    acme.admin.post(f"/admin/accounts/party/{party.pk}/delete/", {"post": "yes"})
    assert found(acme, "zinc") == []
