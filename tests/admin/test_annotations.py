"""Custom fields, tags and notes on the pages of rows."""

from typing import Any

from accounts.models import CustomFieldDefinition, JournalEntry, Party, Tag, TaggedItem
from accounts.permissions import MANAGER, VIEWER
from accounts.services.annotations import journal_status
from accounts.services.customizing import definition_save
from tests.admin.pages import PARTIES, listed, parties, text
from tests.admin.test_forms import form
from tests.companies import Company
from tests.factories.accounts import JournalEntryFactory, PartyFactory, TagFactory


def define(company: Company, **values: Any) -> None:
    with company.scope():
        definition_save(definition=CustomFieldDefinition(model="accounts.party", **values))


def define_each_type(company: Company) -> None:
    for kind in ("text", "integer", "decimal", "boolean", "date", "url"):
        define(company, key=f"a_{kind}", type=kind)
    define(company, key="colour", type="choice", choices=["red", "blue"])
    define(company, key="uses", type="multi-choice", choices=["wet", "cold"])


WRITTEN = {
    "cf_a_text": " x ", "cf_a_integer": "7", "cf_a_decimal": "12.50", "cf_a_boolean": "false", "cf_a_date": "2026-02-28",
    "cf_a_url": "https://a.example", "cf_colour": "red", "cf_uses": ["wet"],
}  # fmt: skip
KEPT = {
    "a_text": " x ", "a_integer": 7, "a_decimal": "12.50", "a_boolean": False, "a_date": "2026-02-28",
    "a_url": "https://a.example", "colour": "red", "uses": ["wet"],
}  # fmt: skip


def test_the_form_has_an_input_for_each_field(acme: Company) -> None:
    define_each_type(acme)
    client = acme.admin
    assert "Custom fields" in text(client.get(f"{PARTIES}add/"))
    response = client.post(f"{PARTIES}add/", form(**WRITTEN))
    assert response.status_code == 302, text(response)
    with acme.scope():
        party = Party.objects.get()
        assert party.custom_fields == KEPT
    page = text(client.get(f"{PARTIES}{party.pk}/change/"))
    assert 'value="12.50"' in page and 'value="2026-02-28"' in page
    client.post(f"{PARTIES}{party.pk}/change/", form(**WRITTEN))
    with acme.scope():
        assert Party.objects.get().version == 1  # nothing was changed
    client.post(f"{PARTIES}{party.pk}/change/", form(**{**WRITTEN, "cf_colour": "", "cf_a_integer": "8"}))
    with acme.scope():
        left = {name: value for name, value in KEPT.items() if name != "colour"}
        assert Party.objects.get().custom_fields == {**left, "a_integer": 8}


def test_a_change_in_the_form_leaves_other_keys_alone(acme: Company) -> None:
    define(acme, key="one")
    define(acme, key="two")
    [party] = parties(acme, "Zinc")
    client = acme.admin
    assert acme.api.send("patch", f"/api/v1/parties/{party.pk}/", {"custom_fields": {"two": "2"}}).status_code == 200
    client.post(f"{PARTIES}{party.pk}/change/", form(cf_one="1", cf_two="2"))
    with acme.scope():
        assert Party.objects.get().custom_fields == {"one": "1", "two": "2"}


def test_a_wrong_value_is_said_at_its_input(acme: Company) -> None:
    define(acme, key="code", pattern="[A-Z]+", required=True)
    define(acme, key="day", type="date")
    for values, field in (({"cf_code": "abc"}, "cf_code"), ({}, "cf_code"), ({"cf_code": "A", "cf_day": "x"}, "cf_day")):
        response = acme.admin.post(f"{PARTIES}add/", form(**values))
        assert response.status_code == 200
        assert list(response.context["adminform"].form.errors) == [field]
    with acme.scope():
        assert not Party.objects.exists()


def test_those_who_only_look_see_the_values(acme: Company) -> None:
    define(acme, key="colour", label="Color of the lid")
    with acme.scope():
        party = PartyFactory(custom_fields={"colour": "crimson"})
    page = text(acme.admin_as(VIEWER).get(f"{PARTIES}{party.pk}/change/"))
    assert "Color of the lid" in page and "crimson" in page and "cf_colour" not in page


def test_the_list_is_filtered_by_choices_and_tags(acme: Company) -> None:
    define(acme, key="colour", type="choice", choices=["red", "blue"])
    with acme.scope():
        red = PartyFactory(name="Red one", custom_fields={"colour": "red"})
        PartyFactory(name="Blue one", custom_fields={"colour": "blue"})
        TaggedItem.objects.create(tag=TagFactory(slug="fragile"), object_type="accounts.party", object_id=red.pk)
    for query in ("cf.colour=red", "tag=fragile"):
        assert listed(acme.admin.get(f"{PARTIES}?{query}")) == ["Red one"]
    assert listed(acme.admin.get(f"{PARTIES}?tag=no-such")) == []


def test_tags_are_chosen_on_the_page_of_a_row(acme: Company) -> None:
    with acme.scope():
        party, (one, two) = PartyFactory(), TagFactory.create_batch(2)
    client, url = acme.admin_as(MANAGER), f"{PARTIES}{party.pk}/"
    assert client.post(f"{url}annotate/", {"what": "tags", "tag": [str(one.pk), str(two.pk)]}).status_code == 302
    assert client.post(f"{url}annotate/", {"what": "tags", "tag": [str(two.pk)]}).status_code == 302
    with acme.scope():
        assert [item.tag for item in TaggedItem.objects.all()] == [two]
    page = text(client.get(f"{url}change/"))
    assert page.count(f'value="{two.pk}" checked') == 1 and f'value="{one.pk}" checked' not in page


def test_a_note_is_written_on_the_page_of_a_row(acme: Company) -> None:
    with acme.scope():
        party = PartyFactory()
        journal_status(object=party, from_state="new", to_state="checked")
    client, url = acme.admin_as(MANAGER), f"{PARTIES}{party.pk}/"
    client.post(f"{url}annotate/", {"what": "note", "body": "Call <b>Zoe</b> first"})
    page = text(client.get(f"{url}change/"))
    assert "Call &lt;b&gt;Zoe&lt;/b&gt; first" in page and "Manager Of Acme" in page and "checked" in page
    client.post(f"{url}annotate/", {"what": "note", "body": "  "})
    with acme.scope():
        note = JournalEntry.objects.get(kind="note")
    assert f"/journalentry/{note.pk}/change/" in page
    assert f"/journalentry/{note.pk}/change/" not in text(acme.admin.get(f"{url}change/"))  # somebody else's


def test_who_may_not_write_is_shown_no_forms_and_refused(acme: Company) -> None:
    with acme.scope():
        party, tag = PartyFactory(), TagFactory()
    client, url = acme.admin_as(VIEWER), f"{PARTIES}{party.pk}/"
    page = text(client.get(f"{url}change/"))
    assert "No tag yet" in page and "Save tags" not in page and "Add note" not in page
    for body in ({"what": "tags", "tag": [str(tag.pk)]}, {"what": "note", "body": "x"}):
        assert "You may not" in text(client.post(f"{url}annotate/", body, follow=True))
    with acme.scope():
        assert not TaggedItem.objects.exists() and not JournalEntry.objects.exists()


def test_another_organizations_tags_and_rows_are_not_there(acme: Company, bolt: Company) -> None:
    with bolt.scope():
        foreign, tag = PartyFactory(), TagFactory(slug="theirs", name="Theirs")
    [party] = parties(acme, "Zinc")
    assert acme.admin.post(f"{PARTIES}{foreign.pk}/annotate/", {"what": "note", "body": "x"}).status_code == 404
    answer = acme.admin.post(f"{PARTIES}{party.pk}/annotate/", {"what": "tags", "tag": [str(tag.pk)]}, follow=True)
    assert "Theirs" not in text(answer)
    with acme.scope():
        assert not TaggedItem.objects.exists() and not Tag.objects.exists()


def test_a_note_is_changed_by_its_author_alone(acme: Company) -> None:
    with acme.scope():
        note = JournalEntryFactory()
    url = f"/admin/accounts/journalentry/{note.pk}/change/"
    assert acme.admin_as(MANAGER).post(url, {"body": "Theirs"}).status_code == 403
    assert acme.admin.post(url, {"body": "Changed", "pinned": "on"}).status_code == 302
    with acme.scope():
        assert JournalEntry.objects.get().body == "Changed"


def test_definitions_are_made_and_cleared_in_the_admin(acme: Company) -> None:
    url = "/admin/accounts/customfielddefinition/"
    values = {"model": "accounts.party", "key": "colour", "type": "choice", "choices": "red\nblue\r\n", "position": "0"}
    response = acme.admin.post(f"{url}add/", values)
    assert response.status_code == 302, text(response)
    with acme.scope():
        definition = CustomFieldDefinition.objects.get()
        assert definition.choices == ["red", "blue"]
        PartyFactory(custom_fields={"colour": "red"})
    refused = acme.admin.post(f"{url}{definition.pk}/change/", {**values, "type": "text", "choices": ""})
    assert "1 rows hold a value" in text(refused)
    assert acme.admin.post(f"{url}{definition.pk}/clear/").status_code == 302
    with acme.scope():
        assert Party.objects.get().custom_fields == {}
    assert acme.admin.post(f"{url}{definition.pk}/delete/", {"post": "yes"}).status_code == 302
