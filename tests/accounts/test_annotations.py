from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from accounts.models import JournalEntry, Tag, TaggedItem
from accounts.permissions import MANAGER, VIEWER, known
from accounts.services.annotations import journal_note, journal_status, objects_tag, tags_set
from core.errors import Forbidden, Invalid
from tests.companies import Company
from tests.contracts.resources import assert_problem, ids, pointers
from tests.factories.accounts import PartyFactory, TagFactory, TaggedItemFactory

TAGGED, JOURNAL = "/api/v1/tagged-items/", "/api/v1/journal-entries/"


def about(row: Any, **values: Any) -> dict[str, Any]:
    return {"object_type": row._meta.label_lower, "object_id": str(row.pk), **values}


def test_another_organizations_object_takes_no_tag_and_no_note(acme: Company, bolt: Company) -> None:
    with acme.scope():
        tag = TagFactory()
    with bolt.scope():
        foreign = PartyFactory()
    for url, body in ((TAGGED, about(foreign, tag=str(tag.pk))), (JOURNAL, about(foreign, body="Mine"))):
        problem = assert_problem(acme.api.send("post", url, body), 400, "does_not_exist")
        assert pointers(problem) == {"/object_id"}
    with acme.scope():
        assert not TaggedItem.objects.exists() and not JournalEntry.objects.exists()


def test_nothing_hangs_on_what_is_no_object(acme: Company) -> None:
    with acme.scope():
        tag = TagFactory()
    for kind in ("accounts.organization", "accounts.apikey", "x", "accounts_party"):
        for url, body in ((TAGGED, {"tag": str(tag.pk)}), (JOURNAL, {"body": "x"})):
            response = acme.api.send("post", url, {"object_type": kind, "object_id": str(uuid4()), **body})
            assert pointers(assert_problem(response, 400)) == {"/object_type"}


def test_tagging_needs_the_right_to_change_the_object(acme: Company) -> None:
    with acme.scope():
        tag, party = TagFactory(), PartyFactory()
    tagger = ("accounts.add_taggeditem", "accounts.delete_taggeditem", "accounts.view_taggeditem", "accounts.view_party")
    body = about(party, tag=str(tag.pk))
    refused = assert_problem(acme.api_by_key(*tagger).send("post", TAGGED, body), 403, "permission_denied")
    assert "accounts.change_party" in refused["detail"]
    created = acme.api_by_key(*tagger, "accounts.change_party").send("post", TAGGED, body)
    assert created.status_code == 201 and created.json()["tag_slug"] == tag.slug
    url = f"{TAGGED}{created.json()['id']}/"
    assert_problem(acme.api_by_key(*tagger).delete(url), 403)
    assert acme.api_by_key(*tagger, "accounts.change_party").delete(url).status_code == 204
    assert_problem(acme.api_as(VIEWER).send("post", TAGGED, body), 403)
    assert acme.api_as(MANAGER).send("post", TAGGED, body).status_code == 201


def test_shows_what_hangs_on_objects_that_one_may_see(acme: Company) -> None:
    with acme.scope():
        TaggedItemFactory()
        journal_note(kind="accounts.party", object_id=PartyFactory().pk, body="x", permissions=known())
    for url, scope in ((TAGGED, "accounts.view_taggeditem"), (JOURNAL, "accounts.view_journalentry")):
        assert acme.api_by_key(scope, "inventory.view_product").get(url).json()["results"] == []
        assert len(acme.api_by_key(scope, "accounts.view_party").get(url).json()["results"]) == 1


def test_tags_many_objects_at_once(acme: Company) -> None:
    with acme.scope():
        tag, rows = TagFactory(), PartyFactory.create_batch(3)
        queryset = type(rows[0]).objects.filter(pk__in=[row.pk for row in rows])
        TaggedItemFactory(tag=tag, object_id=rows[0].pk)
        assert objects_tag(tag=tag, rows=queryset, permissions=known()) == 2
        assert objects_tag(tag=tag, rows=queryset, permissions=known()) == 0
        with pytest.raises(Forbidden):
            objects_tag(tag=tag, rows=queryset, permissions={"accounts.view_party"})


def test_sets_the_tags_of_an_object(acme: Company) -> None:
    with acme.scope():
        party, (one, two, three) = PartyFactory(), TagFactory.create_batch(3)
        tags_set(row=party, tag_ids=[one.pk, two.pk], permissions=known())
        kept = TaggedItem.objects.get(tag=two)
        tags_set(row=party, tag_ids=[two.pk, three.pk], permissions=known())
        assert set(TaggedItem.objects.values_list("tag_id", flat=True)) == {two.pk, three.pk}
        assert TaggedItem.objects.get(tag=two) == kept


def test_deleting_a_tag_takes_it_off(acme: Company) -> None:
    with acme.scope():
        item = TaggedItemFactory()
    assert acme.api.delete(f"/api/v1/tags/{item.tag_id}/").status_code == 204
    with acme.scope():
        assert not TaggedItem.objects.exists() and not Tag.objects.exists()


def test_the_journal_of_an_object_begins_with_the_newest(acme: Company) -> None:
    with acme.scope():
        party, other = PartyFactory.create_batch(2)
    first, second = (acme.api.send("post", JOURNAL, about(party, body=text)).json() for text in ("One", "Two"))
    acme.api.send("post", JOURNAL, about(other, body="Elsewhere"))
    found = acme.api.get(JOURNAL, about(party)).json()["results"]
    assert ids(found) == ids([second, first])
    assert found[0]["author_id"] == str(acme.user.pk) and found[0]["kind"] == "note"


def test_a_note_is_its_authors(acme: Company) -> None:
    with acme.scope():
        party = PartyFactory()
    note = acme.api_as(MANAGER).send("post", JOURNAL, about(party, body="Mine")).json()
    url = f"{JOURNAL}{note['id']}/"
    for attempt in (acme.api.send("patch", url, {"body": "Yours"}), acme.api.delete(url)):
        assert "author" in assert_problem(attempt, 403, "permission_denied")["detail"]
    changed = acme.api_as(MANAGER).send("patch", url, {"body": "Still mine", "pinned": True})
    assert (changed.json()["body"], changed.json()["pinned"]) == ("Still mine", True)
    moved = acme.api_as(MANAGER).send("patch", url, {"object_id": str(uuid4())})
    assert pointers(assert_problem(moved, 400)) == {"/object_id"}
    assert acme.api_as(MANAGER).delete(url).status_code == 204
    assert acme.api.get(JOURNAL, about(party)).json()["results"] == []
    assert acme.api.get(JOURNAL, about(party, archived="true")).json()["results"][0]["body"] == "Still mine"


def test_the_note_of_a_key_is_that_keys(acme: Company) -> None:
    with acme.scope():
        party = PartyFactory()
    scopes = [f"accounts.{verb}_journalentry" for verb in ("view", "add", "change", "delete")]
    mine, other = (acme.api_by_key(*scopes, "accounts.view_party") for _ in range(2))
    note = mine.send("post", JOURNAL, about(party, body="By machine")).json()
    assert note["author_id"] is None and note["api_key_id"]
    assert_problem(other.send("patch", f"{JOURNAL}{note['id']}/", {"body": "x"}), 403)
    assert mine.send("patch", f"{JOURNAL}{note['id']}/", {"body": "x"}).status_code == 200


def test_a_note_says_something(acme: Company) -> None:
    with acme.scope():
        party = PartyFactory()
    for body in ({}, {"body": ""}, {"body": "  "}, {"body": "x" * 10_001}):
        assert pointers(assert_problem(acme.api.send("post", JOURNAL, about(party, **body)), 400)) == {"/body"}
    refused = acme.api.send("post", JOURNAL, about(party, body="x", kind="status"))
    assert pointers(assert_problem(refused, 400)) == {"/kind"}


def test_a_change_of_status_stays_as_it_was_written(acme: Company) -> None:
    with acme.scope():
        party = PartyFactory()
        entry = journal_status(object=party, from_state="new", to_state="checked", body="By hand")
        assert entry.author_id == acme.user.pk
        for attempt in (
            lambda: JournalEntry.objects.filter(pk=entry.pk).update(body="x"), lambda: JournalEntry.objects.all().delete(),
        ):
            with pytest.raises(IntegrityError, match="stays as it was written"), transaction.atomic():
                attempt()
    url = f"{JOURNAL}{entry.pk}/"
    for attempt in (acme.api.send("patch", url, {"body": "x"}), acme.api.delete(url)):
        assert_problem(attempt, 409, "append_only")
    assert acme.api.get(url).json()["body"] == "By hand"


def test_only_objects_have_a_status_to_note(acme: Company) -> None:
    with acme.scope(), pytest.raises(Invalid):
        journal_status(object=acme.organization, from_state="", to_state="closing")
