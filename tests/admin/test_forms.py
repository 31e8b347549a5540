from typing import Any

from accounts.models import Address, AuditEntry, Contact, Party, Role
from inventory.models import Category, Location
from tests.admin.pages import PARTIES, listed, parties, statements, text
from tests.companies import Company
from tests.factories.inventory import LocationFactory

INLINES = {
    f"{prefix}-{name}": value for prefix in ("addresses", "contacts")
    for name, value in {"TOTAL_FORMS": 0, "INITIAL_FORMS": 0, "MIN_NUM_FORMS": 0, "MAX_NUM_FORMS": 1000}.items()
}
PRODUCTS = "/admin/inventory/product/"
NO_VARIANTS = {name.replace("contacts", "variants"): value for name, value in INLINES.items()}


def form(**values: Any) -> dict[str, Any]:
    return {"name": "Zinc", "kind": "organization", **INLINES, **values}


def test_a_new_row_belongs_to_the_active_organization(acme: Company, bolt: Company) -> None:
    response = acme.admin.post(f"{PARTIES}add/", form())
    assert response.status_code == 302, text(response)
    with acme.scope():
        assert Party.objects.get().organization_id == acme.organization.pk
    with bolt.scope():
        assert not Party.objects.exists()


def test_a_control_character_is_said_at_its_field(acme: Company) -> None:
    response = acme.admin.post(f"{PARTIES}add/", form(name="Zi\x1bnc"))
    assert response.status_code == 200 and "Leave out control characters" in text(response)
    with acme.scope():
        assert not Party.objects.exists()


def test_what_is_no_key_of_a_row_is_said_at_its_field(acme: Company) -> None:
    for url in (f"{PRODUCTS}add/", "/admin/inventory/location/add/"):
        for key in ("x", "1e400", "\0"):
            sent = {"name": "Tea", "code": "T", "category": key, "base_unit": key, "warehouse": key, **NO_VARIANTS}
            response = acme.admin.post(url, sent)
            assert (response.status_code, "\0" in response.text) == (200, False), (url, key)
            assert response.context["errors"], (url, key)


def test_only_what_was_changed_is_written(acme: Company) -> None:
    [party] = parties(acme, "Zinc")
    client = acme.admin
    with statements() as asked:
        response = client.post(f"{PARTIES}{party.pk}/change/", form(tax_number="PT1"))
    assert response.status_code == 302, text(response)
    [update] = [statement for statement in asked if statement.startswith('UPDATE "accounts_party"')]
    assert update.count(" = ") == 2 and '"tax_number" = ' in update  # the column, and the row's id
    with acme.scope():
        changes = AuditEntry.objects.filter(row_id=party.pk, action="update").get().changes
    assert changes == {"tax_number": ["", "PT1"]}


def test_an_unchanged_form_writes_nothing(acme: Company) -> None:
    [party] = parties(acme, "Zinc")
    acme.admin.post(f"{PARTIES}{party.pk}/change/", form())
    with acme.scope():
        assert Party.objects.get().version == 1


def test_what_the_database_refuses_is_said_at_the_field(acme: Company) -> None:
    client = acme.admin
    client.post(f"{PARTIES}add/", form(external_ref="one"))
    response = client.post(f"{PARTIES}add/", form(name="Another", external_ref="one"))
    assert response.status_code == 200
    assert "Another party has this external_ref already." in response.context["adminform"].form.errors["external_ref"]
    with acme.scope():
        assert Party.objects.count() == 1
        assert Party.objects.get().name == "Zinc"


def test_two_organizations_may_use_the_same_unique_value(acme: Company, bolt: Company) -> None:
    for company in (acme, bolt):
        assert company.admin.post(f"{PARTIES}add/", form(external_ref="one")).status_code == 302


def test_an_inline_row_is_written_with_its_parent(acme: Company) -> None:
    [party] = parties(acme, "Zinc")
    contact = {"contacts-TOTAL_FORMS": 1, "contacts-0-name": "Zoe", "contacts-0-party": str(party.pk)}
    response = acme.admin.post(f"{PARTIES}{party.pk}/change/", form(**contact))
    assert response.status_code == 302, text(response)
    with acme.scope():
        assert Contact.objects.get().party_id == party.pk


def test_a_reference_into_another_organization_is_no_choice(acme: Company, bolt: Company) -> None:
    [theirs] = parties(bolt, "Theirs")
    values = {"party": str(theirs.pk), "kind": "billing", "street1": "x", "city": "y", "country": "PT"}
    response = acme.admin.post("/admin/accounts/address/add/", values)
    assert response.status_code == 200 and "party" in response.context["adminform"].form.errors
    assert "Theirs" not in text(response)
    with acme.scope():
        assert not Address.objects.exists()


def test_every_reference_to_searchable_rows_completes_itself(acme: Company) -> None:
    page = text(acme.admin.get("/admin/inventory/product/add/"))
    for name in ("category", "manufacturer", "base_unit"):
        assert f'data-field-name="{name}"' in page


def complete(company: Company, **query: Any) -> Any:
    source = {"app_label": "inventory", "model_name": "product", "field_name": "category"}
    return company.admin.get("/admin/autocomplete/", {**source, **query})


def categories(company: Company, *names: str) -> None:
    with company.scope():
        for name in names:
            Category.objects.create(name=name, slug=name.lower().replace(" ", "-"))


def test_autocomplete_is_bounded_uncounted_and_alphabetical(acme: Company) -> None:
    categories(acme, *(f"Brakes {number:03}" for number in reversed(range(45))))
    with statements() as asked:
        first = complete(acme, term="bra").json()
    assert [row["text"] for row in first["results"]] == [f"Brakes {number:03}" for number in range(20)]
    assert first["pagination"]["more"] is True
    assert complete(acme, term="bra", page=3).json()["pagination"]["more"] is False
    assert complete(acme, term="bra", page=1_000_000).json()["results"] == []
    assert not any("COUNT(" in statement.upper() for statement in asked)


def test_autocomplete_offers_neither_archived_nor_foreign_rows(acme: Company, bolt: Company) -> None:
    categories(acme, "Brakes", "Brakes of old")
    categories(bolt, "Brakes of theirs")
    with acme.scope():
        old = Category.objects.get(name="Brakes of old")
    assert acme.admin.post(f"/admin/inventory/category/{old.pk}/delete/", {"post": "yes"}).status_code == 302
    assert [row["text"] for row in complete(acme, term="br").json()["results"]] == ["Brakes"]


def test_deleting_what_can_be_archived_archives_it_after_a_question(acme: Company) -> None:
    [party] = parties(acme, "Zinc")
    client = acme.admin
    assert "Zinc" in text(client.get(f"{PARTIES}{party.pk}/delete/"))
    client.post(f"{PARTIES}{party.pk}/delete/")
    assert listed(client.get(PARTIES)) == ["Zinc"]  # not confirmed
    client.post(f"{PARTIES}{party.pk}/delete/", {"post": "yes"})
    assert listed(client.get(PARTIES)) == []
    client.post(f"{PARTIES}{party.pk}/restore/", {"post": "yes"})
    assert listed(client.get(PARTIES)) == ["Zinc"]


def test_archiving_several_says_which_first(acme: Company) -> None:
    one, two, _three = parties(acme, "One", "Two", "Three")
    client = acme.admin
    chosen = {"action": "archive_selected", "_selected_action": [str(one.pk), str(two.pk)]}
    question = text(client.post(PARTIES, {**chosen, "index": 0})).split("<main")[1]
    assert "One" in question and "Two" in question and "Three" not in question
    assert len(listed(client.get(PARTIES))) == 3
    assert client.post(PARTIES, {**chosen, "post": "yes"}).status_code == 302
    assert listed(client.get(PARTIES)) == ["Three"]


def test_a_row_that_others_refer_to_is_not_deleted_and_it_is_said_why(acme: Company) -> None:
    with acme.scope():
        shelf = LocationFactory()
        LocationFactory(parent=shelf, warehouse=shelf.warehouse)
    response = acme.admin.post(f"/admin/inventory/location/{shelf.pk}/delete/", {"post": "yes"}, follow=True)
    assert response.status_code == 200
    assert "Locations still refer to this one" in text(response)
    with acme.scope():
        assert Location.objects.filter(pk=shelf.pk).exists()


def test_a_built_in_role_is_looked_at(acme: Company) -> None:
    with acme.scope():
        role = Role.objects.get(code="viewer")
    client = acme.admin
    address = f"/admin/accounts/role/{role.pk}/change/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"name": "Mine", "code": "viewer", "permissions": []}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [str(role.pk)], "post": "yes"}
    client.post("/admin/accounts/role/", chosen)
    with acme.scope():
        assert Role.objects.get(code="viewer").name == "Viewer"


def test_a_key_is_shown_once(acme: Company) -> None:
    client = acme.admin
    values = {"name": "Shop", "scopes": ["inventory.view_product"], "allowed_networks": ""}
    response = client.post("/admin/accounts/apikey/add/", values)
    assert response.status_code == 200 and "no-store" in response["Cache-Control"]
    key = response.context["key"]
    assert key in text(response)
    from tests.companies import Api

    assert Api(f"Api-Key {key}").get("/api/v1/products/").status_code == 200
    with acme.scope():
        from accounts.models import ApiKey

        row = ApiKey.objects.get(name="Shop")
    assert key not in text(client.get(f"/admin/accounts/apikey/{row.pk}/change/"))
    revoke = f"/admin/accounts/apikey/{row.pk}/revoke/"
    assert "Revoke this key?" in text(client.get(revoke))
    assert Api(f"Api-Key {key}").get("/api/v1/products/").status_code == 200  # a link alone does nothing
    client.post(revoke)
    assert Api(f"Api-Key {key}").get("/api/v1/products/").status_code == 401
