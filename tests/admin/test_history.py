from accounts.models import Membership, Party
from accounts.permissions import VIEWER
from tests.admin.pages import PARTIES, link, parties, statements, text
from tests.companies import Company


def test_history_says_who_when_what_and_why(acme: Company) -> None:
    [party] = parties(acme, "Zinc")
    with acme.scope(request_id="req-7", reason="Merged with Tin"):
        Party.objects.filter(pk=party.pk).update(name="Tin", kind="person")
    page = text(acme.admin.get(f"{PARTIES}{party.pk}/history/"))
    assert acme.user.name in page and acme.user.email in page
    assert "<del>Zinc</del>" in page and "<ins>Tin</ins>" in page
    assert "<ins>Person</ins>" in page  # the choice's words
    assert "Merged with Tin" in page and "req-7" in page
    assert "name_key" not in page and "Name key" not in page


def test_history_is_bounded_and_goes_on_with_older_entries(acme: Company) -> None:
    [party] = parties(acme, "Zinc")
    client, url = acme.admin, f"{PARTIES}{party.pk}/history/"
    client.get(url)
    with statements() as short:
        client.get(url)
    with acme.scope():
        for number in range(60):
            Party.objects.filter(pk=party.pk).update(tax_number=str(number))
    with statements() as long:
        first = client.get(url)
    assert len(short) == len(long)
    assert not any("COUNT(" in statement.upper() or "OFFSET" in statement.upper() for statement in long)
    assert text(first).count("<time") == 50
    older = client.get(url + str(link(first, "next") or "") if link(first, "next") else url + _older(first))
    assert text(older).count("<time") == 11
    assert client.get(f"{url}?cursor=rubbish").status_code == 302


def _older(response: object) -> str:
    import re

    found = re.search(r'href="(\?cursor=[^"]*)" rel="next"', text(response))
    assert found
    return found.group(1)


def test_a_reference_is_told_by_its_name(acme: Company) -> None:
    from accounts.models import Contact

    zinc, tin = parties(acme, "Zinc", "Tin")
    with acme.scope():
        contact = Contact.objects.create(party=zinc, name="Zoe")
        Contact.objects.filter(pk=contact.pk).update(party=tin)
    page = text(acme.admin.get(f"/admin/accounts/contact/{contact.pk}/history/"))
    assert "<del>Zinc</del>" in page and "<ins>Tin</ins>" in page


def test_people_of_other_organizations_stay_unknown(acme: Company, bolt: Company) -> None:
    [party] = parties(acme, "Zinc")
    with acme.scope(actor_id=bolt.user.pk):
        Party.objects.filter(pk=party.pk).update(name="Tin")
    page = text(acme.admin.get(f"{PARTIES}{party.pk}/history/"))
    assert "Not a member here" in page and bolt.user.email not in page


def test_a_secret_is_not_in_the_history(acme: Company) -> None:
    row, _key = acme.key("inventory.view_product")
    page = text(acme.admin.get(f"/admin/accounts/apikey/{row.pk}/history/"))
    assert row.key_hash not in page and "its value is not kept" in page


def test_who_may_not_see_the_audit_trail_sees_no_history(acme: Company) -> None:
    [party] = parties(acme, "Zinc")
    viewer = acme.admin_as(VIEWER)
    assert viewer.get(f"{PARTIES}{party.pk}/change/").status_code == 200
    assert "/history/" not in text(viewer.get(f"{PARTIES}{party.pk}/change/"))
    assert viewer.get(f"{PARTIES}{party.pk}/history/").status_code == 403


def test_a_change_in_the_admin_is_its_users(acme: Company) -> None:
    with acme.scope():
        membership = Membership.objects.exclude(user=acme.user).first()
    inline = {"user_roles-TOTAL_FORMS": 0, "user_roles-INITIAL_FORMS": 0}
    url = f"/admin/accounts/membership/{membership.pk}/"
    response = acme.admin.post(f"{url}change/", {"status": "suspended", **inline})
    assert response.status_code == 302, text(response)
    page = text(acme.admin.get(f"{url}history/"))
    assert "<ins>Suspended</ins>" in page and acme.user.email in page
