"""The audit trail sees each change, whatever makes it, and nobody rewrites it; so for the version."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import ProgrammingError, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import F, QuerySet

from accounts.models import ApiKey, AuditEntry, Organization, Party, User
from tests.companies import Company
from tests.factories.accounts import ApiKeyFactory, PartyFactory
from tests.tenancy.test_wall import sql


def entries(row: Any) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(row_id=row.pk).order_by("id")


def test_sees_each_kind_of_change(acme: Company) -> None:
    with acme.scope(reason="annual review", ip="192.0.2.7"):
        party = PartyFactory(name="Before")
        found = entries(Party(pk=party.pk))
        Party.objects.filter(pk=party.pk).update(name="After")
        party.delete()
        insert, update, delete = found
    assert [entry.action for entry in (insert, update, delete)] == ["insert", "update", "delete"]
    assert insert.changes["name"] == [None, "Before"] and delete.changes["name"] == ["After", None]
    assert update.changes["name"] == ["Before", "After"]
    assert (update.table_name, update.reason, update.ip) == ("accounts_party", "annual review", "192.0.2.7")


def test_sees_bulk_changes_and_raw_sql(acme: Company) -> None:
    with acme.scope():
        parties = PartyFactory.create_batch(3, payment_terms_days=1)
        before = AuditEntry.objects.latest("id").pk
        Party.objects.update(payment_terms_days=F("payment_terms_days") + 1)
        sql("DELETE FROM accounts_party WHERE id = %s", parties[0].pk)
        found = AuditEntry.objects.filter(pk__gt=before).order_by("id")
        assert [entry.action for entry in found] == ["update"] * 3 + ["delete"]
        assert found[0].changes == {"payment_terms_days": [1, 2]}
        assert {(entry.actor_id, entry.request_id) for entry in found} == {(acme.user.pk, "req-0")}


def test_an_update_that_changes_nothing_is_no_change(acme: Company) -> None:
    with acme.scope():
        party = PartyFactory()
        before = entries(party).count()
        Party.objects.filter(pk=party.pk).update(name=F("name"))
        sql("UPDATE accounts_party SET name = name, updated_at = now() + interval '1 day', version = 77 WHERE id = %s", party.pk)
        assert entries(party).count() == before
        kept = Party.objects.get(pk=party.pk)
        assert (kept.version, kept.updated_at) == (1, kept.created_at)


def test_every_change_raises_the_version(acme: Company) -> None:
    with acme.scope():
        party = PartyFactory()
        sql("UPDATE accounts_party SET name = 'x' WHERE id = %s", party.pk)
        sql("UPDATE accounts_party SET name = 'y', version = 1 WHERE id = %s", party.pk)
        assert Party.objects.get(pk=party.pk).version == 3


def test_a_request_leaves_its_traces(acme: Company) -> None:
    headers = {"X-Request-Id": "req-9", "X-Change-Reason": "typo"}
    created = acme.api.send("post", "/api/v1/parties/", {"name": "Traced"}, headers=headers).json()
    key, secret = acme.key("accounts.change_party")
    url = f"/api/v1/parties/{created['id']}/"
    assert acme.api.send("patch", url, {"name": "By key"}, headers={"Authorization": f"Api-Key {secret}"}).status_code == 200
    with acme.scope():
        by_person, by_key = AuditEntry.objects.filter(row_id=created["id"]).order_by("id")
    assert (by_person.actor_id, by_person.api_key_id, by_person.request_id) == (acme.user.pk, None, "req-9")
    assert (by_person.reason, by_person.ip) == ("typo", "127.0.0.1")
    assert (by_key.actor_id, by_key.api_key_id) == (None, key.pk)


def test_secrets_are_redacted(acme: Company) -> None:
    with acme.scope():
        user = User.objects.get(pk=acme.user.pk)
        user.set_password("another secret")
        user.save(update_fields=["password"])
        changed = entries(user).last()
        assert changed is not None and changed.changes == {"password": ["redacted", "redacted"]}
        key = ApiKeyFactory()
        text = str([entry.changes for entry in entries(key)])
        assert "redacted" in text and ApiKey.objects.get(pk=key.pk).key_hash not in text


def test_changes_of_the_organization_and_of_people_count(acme: Company) -> None:
    with acme.scope():
        Organization.objects.update(name="Acme Inc.")
        User.objects.filter(pk=acme.user.pk).update(name="Renamed")
        User.objects.filter(pk=acme.user.pk).update(last_login="2026-01-01T00:00:00Z")
        assert entries(acme.organization).last().changes == {"name": ["Acme", "Acme Inc."]}
        assert entries(acme.user).last().changes["name"][1] == "Renamed"
    assert acme.organization.slug == "acme"


def test_people_are_changed_without_an_organization_too(acme: Company) -> None:
    User.objects.filter(pk=acme.user.pk).update(name="Renamed")
    with acme.scope():
        assert not AuditEntry.objects.filter(row_id=acme.user.pk, changes__has_key="name", action="update").exists()


REWRITES = [
    "UPDATE accounts_auditentry SET changes = '{}'", "DELETE FROM accounts_auditentry", "TRUNCATE accounts_auditentry",
]


@pytest.mark.parametrize("statement", [*REWRITES, "INSERT INTO accounts_auditentry SELECT * FROM accounts_auditentry"])
@pytest.mark.django_db(databases=["default", "worker"])
def test_neither_app_nor_worker_rewrites_it(statement: str, acme: Company) -> None:
    with acme.scope(), pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        sql(statement)
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic("worker"):
        sql(statement, using="worker")


@pytest.mark.parametrize("statement", REWRITES)
def test_nor_does_the_owner(statement: str, owner: CursorWrapper) -> None:
    with pytest.raises(ProgrammingError, match="append-only"):
        owner.execute(statement)


def test_nobody_calls_the_audit_function(acme: Company) -> None:
    with acme.scope(), pytest.raises(ProgrammingError), transaction.atomic():
        sql("SELECT audit_row()")


def test_a_forged_origin_names_no_other_organization(acme: Company, bolt: Company) -> None:
    """The entry belongs to the row's organization, whatever the settings say."""
    with acme.scope():
        party = PartyFactory()
        forged = f'{{"organization_id": "{bolt.organization.pk}", "actor_id": "{uuid4()}"}}'
        sql("SELECT set_config('app.origin', %s, true)", forged)
        Party.objects.filter(pk=party.pk).update(name="x")
        assert entries(party).count() == 2
