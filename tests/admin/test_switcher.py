from django.test import Client

from accounts.services.tenancy import membership_add
from tests.admin.pages import PARTIES, listed, parties, statements, text
from tests.companies import Company

SWITCH = "/admin/switch-organization/"


def test_somebody_in_two_organizations_switches_between_them(acme: Company, bolt: Company) -> None:
    with bolt.scope():
        membership_add(user=acme.user, roles=["viewer"])
    parties(acme, "Of Acme")
    parties(bolt, "Of Bolt")
    client = acme.admin
    assert listed(client.get(PARTIES)) == ["Of Acme"]
    choices = text(client.get(SWITCH))
    assert acme.organization.name in choices and bolt.organization.name in choices
    response = client.post(SWITCH, {"slug": "bolt"})
    assert response.status_code == 302 and response["Location"] == "/admin/"
    assert bolt.organization.name in text(client.get("/admin/"))
    assert listed(client.get(PARTIES)) == ["Of Bolt"]
    assert client.get(f"{PARTIES}add/").status_code == 403  # a viewer there
    client.post(SWITCH, {"slug": "acme"})
    assert listed(client.get(PARTIES)) == ["Of Acme"]


def test_nobody_switches_to_an_organization_of_others(acme: Company, bolt: Company) -> None:
    parties(acme, "Of Acme")
    client = acme.admin
    assert bolt.organization.name not in text(client.get(SWITCH))
    for slug in ("bolt", "", "nowhere", "\0"):
        response = client.post(SWITCH, {"slug": slug}, follow=True)
        assert "You are not an active member of that organization" in text(response)
        assert listed(client.get(PARTIES)) == ["Of Acme"]


def test_switching_needs_the_page_it_comes_from(acme: Company) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(acme.user)
    assert client.post(SWITCH, {"slug": "acme"}).status_code == 403
    assert client.get(SWITCH).status_code == 200
    assert client.put(SWITCH).status_code in (403, 405)


def test_switching_needs_a_sign_in(acme: Company) -> None:
    response = Client().post(SWITCH, {"slug": "acme"})
    assert response.status_code == 302 and "/login/" in response["Location"]


def test_htmx_gets_the_list_alone(acme: Company) -> None:
    part = text(acme.admin.get(SWITCH, headers={"HX-Request": "true"}))
    assert acme.organization.name in part and "<main" not in part


def test_other_pages_do_not_ask_for_the_organizations(acme: Company) -> None:
    client = acme.admin
    with statements() as asked:
        page = text(client.get(PARTIES))
    assert acme.organization.name in page
    assert not any("accounts_organizations_of" in statement for statement in asked)
