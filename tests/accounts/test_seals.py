"""What was sealed cannot be changed unnoticed, and the position of each change is said."""

import threading
from collections.abc import Callable, Iterator
from io import StringIO

import pytest
from django.conf import settings
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connections, transaction
from psycopg import Connection

from accounts.models import AuditEntry, AuditSeal
from accounts.queries.seals import checked, copy_path
from accounts.services import seals
from accounts.services.seals import audit_seal, audit_seal_everywhere
from core.budget import Budget
from core.errors import Conflict
from core.management.commands.setup_database import connect
from tests.companies import Company
from tests.factories.accounts import PartyFactory

COLUMNS = "table_name, row_id, action, changes, actor_id, api_key_id, request_id, reason, ip, created_at"


@pytest.fixture
def company(new_company: Callable[[], Company], monkeypatch: pytest.MonkeyPatch) -> Company:
    """With 5 seals or more, of up to 10 entries, and nothing that is not sealed."""
    company = new_company()
    with company.scope():
        size = AuditEntry.objects.count()
        PartyFactory.create_batch(max(50 - size, 0))
        total = AuditEntry.objects.count()
    monkeypatch.setattr(seals, "BATCH_RECORDS", seals.BATCH_RECORDS.replace(f"LIMIT {seals.BATCH}", "LIMIT 10"))
    assert audit_seal(organization_id=company.organization.pk) == total
    return company


@pytest.fixture
def tamper() -> Iterator[Connection]:
    """Somebody with the owner's rights, who switches the trigger off."""
    owner = settings.DATABASES["owner"]
    with connect(owner, owner["NAME"]) as connection:
        connection.execute("ALTER TABLE accounts_auditentry DISABLE TRIGGER wall")
        connection.execute("ALTER TABLE accounts_auditseal DISABLE TRIGGER wall")
        yield connection
        connection.execute("ALTER TABLE accounts_auditentry ENABLE TRIGGER wall")
        connection.execute("ALTER TABLE accounts_auditseal ENABLE TRIGGER wall")


def verified(company: Company, *options: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("audit_verify", "--organization", company.organization.slug, *options, stdout=out, stderr=StringIO())
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def ids(company: Company) -> list[int]:
    with company.scope():
        return list(AuditEntry.objects.order_by("id").values_list("pk", flat=True))


def test_what_is_untouched_is_proved(company: Company) -> None:
    code, said = verified(company, "--with-copies")
    assert code == 0
    assert f"ok   {company.organization.slug}: {-(-len(ids(company)) // 10)} seals, {len(ids(company))} entries" in said
    assert "0 not sealed yet" in said


def test_each_seal_follows_from_the_one_before(company: Company) -> None:
    with company.scope():
        chain = list(AuditSeal.objects.order_by("number"))
        hashes = [seal.hash for seal in chain]
    assert [seal.number for seal in chain] == list(range(1, len(chain) + 1))
    assert [seal.previous_hash for seal in chain] == ["0" * 64, *hashes[:-1]]
    assert sum(seal.entries for seal in chain) == len(ids(company))


def test_a_flipped_byte(company: Company, tamper: Connection) -> None:
    victim = ids(company)[13]
    tamper.execute(
        "UPDATE accounts_auditentry SET changes = replace(changes::text, 'Party', 'Qarty')::jsonb, reason = reason || 'x'"
        " WHERE id = %s", [victim])
    code, said = verified(company)
    assert code == 1 and f"changed: entry {victim} (seal 2, position 3)" in said
    assert said.count("entry") == 1


def test_every_column_counts(company: Company, tamper: Connection) -> None:
    victims = ids(company)
    changes = {
        "table_name": "'x'", "row_id": "gen_random_uuid()", "action": "'other'", "changes": "'{}'", "reason": "'x'", "ip": "'x'",
        "actor_id": "gen_random_uuid()", "api_key_id": "gen_random_uuid()", "request_id": "'x'",
        "created_at": "created_at + interval '1 microsecond'",
    }  # fmt: skip
    for victim, (column, value) in zip(victims, changes.items(), strict=False):
        tamper.execute(f"UPDATE accounts_auditentry SET {column} = {value} WHERE id = {victim}")
    said = verified(company)[1]
    for victim in victims[: len(changes)]:
        assert f"changed: entry {victim} " in said


def test_a_removed_row(company: Company, tamper: Connection) -> None:
    victim = ids(company)[20]
    tamper.execute("DELETE FROM accounts_auditentry WHERE id = %s", [victim])
    code, said = verified(company)
    assert code == 1 and f"removed: entry {victim} (seal 3, position 0)" in said


def test_a_swapped_pair(company: Company, tamper: Connection) -> None:
    one, other = ids(company)[2], ids(company)[7]
    tamper.execute(
        f"UPDATE accounts_auditentry AS e SET ({COLUMNS}) = (SELECT {COLUMNS} FROM accounts_auditentry AS o"
        " WHERE o.id = CASE e.id WHEN %(one)s THEN %(other)s ELSE %(one)s END) WHERE id IN (%(one)s, %(other)s)",
        {"one": one, "other": other})
    code, said = verified(company)
    assert code == 1 and f"swapped: entry {one} and {other} (seal 1, position 2)" in said
    assert said.count("entry") == 1


def test_an_inserted_row(company: Company, tamper: Connection) -> None:
    victim = ids(company)[15]
    tamper.execute("DELETE FROM accounts_auditentry WHERE id = %s", [victim])
    assert "removed" in verified(company)[1]
    tamper.execute(
        f"INSERT INTO accounts_auditentry (id, organization_id, {COLUMNS}) OVERRIDING SYSTEM VALUE"
        f" SELECT -id, organization_id, {COLUMNS} FROM accounts_auditentry WHERE id = %s", [ids(company)[0]])
    said = verified(company)[1]
    assert f"inserted: entry -{ids(company)[1]} (seal 1)" in said


def test_a_changed_seal_and_a_removed_one(company: Company, tamper: Connection) -> None:
    key = company.organization.pk
    tamper.execute("UPDATE accounts_auditseal SET entries = entries + 1 WHERE organization_id = %s AND number = 1", [key])
    tamper.execute("DELETE FROM accounts_auditseal WHERE organization_id = %s AND number = 3", [key])
    code, said = verified(company)
    assert code == 1 and "seal changed: seal 1" in said and "seal removed: seal 3" in said
    assert "inserted" not in said


def test_a_chain_that_was_computed_anew_differs_from_its_copies(company: Company, tamper: Connection) -> None:
    key = company.organization.pk
    tamper.execute("UPDATE accounts_auditentry SET reason = 'forged' WHERE id = %s", [ids(company)[0]])
    tamper.execute("DELETE FROM accounts_auditseal WHERE organization_id = %s", [key])
    before = len(storages["private"].listdir(copy_path(key))[1])
    storage_of_the_forger = pytest.MonkeyPatch()
    storage_of_the_forger.setattr(storages["private"], "save", lambda name, content: name)
    audit_seal(organization_id=key)
    storage_of_the_forger.undo()
    assert verified(company)[0] == 0
    code, said = verified(company, "--with-copies")
    assert code == 1 and said.count("copy differs") == before


def test_removed_last_seals_are_known_by_their_copies(company: Company, tamper: Connection) -> None:
    key = company.organization.pk
    [(last,)] = tamper.execute("SELECT max(number) FROM accounts_auditseal WHERE organization_id = %s", [key]).fetchall()
    tamper.execute("DELETE FROM accounts_auditseal WHERE organization_id = %s AND number = %s", [key, last])
    assert verified(company)[0] == 0, "without the copies nobody can know"
    code, said = verified(company, "--with-copies")
    assert code == 1 and f"seal removed: seal {last}" in said


def test_two_at_a_time_seal_each_entry_once(company: Company) -> None:
    with company.scope():
        PartyFactory.create_batch(35)
    sealed: list[int] = []

    def seal() -> None:
        sealed.append(audit_seal(organization_id=company.organization.pk))
        connections.close_all()

    threads = [threading.Thread(target=seal) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(sealed) == 35
    assert verified(company, "--with-copies")[0] == 0


def test_an_entry_that_is_committed_late_is_not_lost(company: Company) -> None:
    """Its number was drawn first and is committed last: sealing waits for it, or seals nothing."""
    drawn, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with company.scope(reason="slow"):
            PartyFactory()
            drawn.set()
            go_on.wait(30)
        connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    assert drawn.wait(30)
    with company.scope(reason="quick"):
        PartyFactory()
    with pytest.raises(Conflict, match="nothing was sealed"):
        audit_seal(organization_id=company.organization.pk, patience=0.3)
    go_on.set()
    assert audit_seal(organization_id=company.organization.pk) == 2
    thread.join()
    with company.scope():
        reasons = [entry.reason for entry in AuditEntry.objects.order_by("-id")[:2]]
    assert reasons == ["quick", "slow"]
    assert verified(company)[0] == 0


def test_a_late_transaction_of_another_time_is_not_waited_for(company: Company) -> None:
    """One that only reads, or has not written yet, holds nobody up."""
    with company.scope():
        assert AuditEntry.objects.exists()
        assert audit_seal(organization_id=company.organization.pk, patience=0.3) == 0


@pytest.mark.parametrize("statement", [
    "UPDATE accounts_auditseal SET entries = 1", "DELETE FROM accounts_auditseal", "TRUNCATE accounts_auditseal",
])  # fmt: skip
def test_nobody_rewrites_a_seal(statement: str, company: Company) -> None:
    for alias in ("default", "worker"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(alias):
            connections[alias].cursor().execute(statement)


def test_a_seal_of_another_organization_is_not_seen(company: Company, new_company: Callable[[], Company]) -> None:
    other = new_company()
    audit_seal(organization_id=other.organization.pk)
    assert [link.number for link, _ in checked(other.organization.pk)]
    listed = company.api.get("/api/v1/audit-seals/").json()["results"]
    assert {row["number"] for row in listed} == set(range(1, len(listed) + 1))
    assert "digests" not in listed[0]


@pytest.mark.parametrize("command", ["audit_seal", "audit_verify"])
def test_an_unknown_organization_is_refused(command: str, commits: None) -> None:
    with pytest.raises(CommandError, match="There is no organization 'nobody'") as refused:
        call_command(command, "--organization", "nobody")
    assert refused.value.returncode == 2


def test_without_time_nothing_is_sealed_and_the_next_tick_goes_on(company: Company) -> None:
    with company.scope():
        PartyFactory.create_batch(25)
    pk, budget = company.organization.pk, Budget(0)
    assert audit_seal(organization_id=pk, budget=budget) == 0 and budget.ran_out
    assert audit_seal_everywhere(budget=Budget(0)) == 0
    assert "25 not sealed yet" in verified(company)[1]
    assert audit_seal(organization_id=pk, budget=OneStep()) == 10, "each seal is committed"
    assert audit_seal(organization_id=pk) == 15
    assert verified(company, "--with-copies")[0] == 0


class OneStep(Budget):
    """Has time for the question before the work, and for one seal."""

    def __init__(self) -> None:
        super().__init__(60)
        self.questions = 0

    def has_time(self) -> bool:
        self.questions += 1
        return self.questions <= 2
