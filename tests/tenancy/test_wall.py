"""The wall as the database sees it: what the ORM does out of good manners does not count here."""

from typing import Any

import pytest
from django.conf import settings
from django.db import DataError, IntegrityError, ProgrammingError, connection, connections, transaction
from django.db.backends.utils import CursorWrapper

from accounts.models import Contact, Membership, Organization, Party
from core import wall
from core.roles import WrongRole, refuse_wrong_roles
from core.tenancy import NoOrganization, WrongOrganization, scope_is_open
from tests.companies import Company, scope_of
from tests.factories.accounts import ContactFactory, PartyFactory

PARTITIONS_TAKE_REFERENCES = 18_00_00  # the first version
NO_SETTING = (ProgrammingError, DataError)  # 42704 where it was never made, 22P02 where it is empty


def sql(statement: str, *values: Any, using: str = "default") -> list[tuple[Any, ...]]:
    with connections[using].cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def parties(acme: Company, bolt: Company) -> dict[str, Party]:
    made = {}
    for name, company in (("acme", acme), ("bolt", bolt)):
        with company.scope():
            made[name] = PartyFactory(name=name)
    return made


def test_the_app_owns_nothing(db: None) -> None:
    assert sql("SELECT current_user") == [(settings.DATABASE_ROLES["app"],)]
    assert sql("SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user") == [(0,)]


def test_starts_with_the_right_roles(commits: None) -> None:
    refuse_wrong_roles()


@pytest.mark.parametrize("alias", ["default", "worker"])
def test_refuses_to_start_as_a_role_that_passes_the_wall(alias: str, commits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings, alias, {**settings.DATABASES["owner"]})
    connections[alias].close()
    del connections[alias]
    with pytest.raises(WrongRole, match=r"quartermaster_owner.*setup_database"):
        refuse_wrong_roles()
    del connections[alias]


def test_shows_one_organization_to_the_orm_and_to_sql(acme: Company, parties: dict[str, Party]) -> None:
    with acme.scope():
        assert list(Party.objects.all()) == list(Party.every_organization.all()) == [parties["acme"]]
        assert sql("SELECT name FROM accounts_party") == [("acme",)]
        assert [organization.slug for organization in Organization.objects.all()] == ["acme"]
        assert sql("SELECT DISTINCT organization_id FROM accounts_membership") == [(acme.organization.pk,)]


@pytest.mark.parametrize("use", [
    lambda: list(Party.objects.all()), lambda: Party.objects.update(name="x"), lambda: Party.objects.all().delete(),
    lambda: Party.objects.create(name="x"), lambda: Party.objects.count(),
])  # fmt: skip
def test_without_a_scope_the_orm_refuses(use: Any, db: None) -> None:
    with pytest.raises(NoOrganization):
        use()


@pytest.mark.parametrize("statement", [
    "SELECT count(*) FROM accounts_party", "SELECT count(*) FROM accounts_organization", "UPDATE accounts_party SET name = 'x'",
    "DELETE FROM accounts_party", "SELECT count(*) FROM accounts_auditentry",
])  # fmt: skip
def test_without_a_scope_sql_fails(statement: str, acme: Company, parties: dict[str, Party]) -> None:
    """On tables with rows: PostgreSQL does not look at the setting for none."""
    with acme.scope():
        pass
    with pytest.raises(NO_SETTING), transaction.atomic():
        sql(statement)


def test_a_queryset_belongs_to_the_scope_that_runs_it(acme: Company, bolt: Company, parties: dict[str, Party]) -> None:
    queryset = Party.objects.order_by("name")
    for company in (acme, bolt, acme):
        with company.scope():
            assert [party.name for party in queryset.all()] == [company.organization.slug]


def test_scopes_nest_in_one_organization_only(acme: Company, bolt: Company, parties: dict[str, Party]) -> None:
    with acme.scope():
        with scope_of(acme.organization.pk):
            assert Party.objects.exists()
        assert Party.objects.exists(), "the inner scope must not close the outer one"
        with pytest.raises(WrongOrganization), bolt.scope():
            pass
        assert Party.objects.exists()
    with pytest.raises(ZeroDivisionError), acme.scope():
        _ = 1 / 0
    assert not scope_is_open()
    with pytest.raises(NO_SETTING), transaction.atomic():
        sql("SELECT count(*) FROM accounts_party")


def test_an_inner_scope_that_fails_takes_its_own_writes_alone(acme: Company) -> None:
    with acme.scope():
        Party.objects.create(name="outer")
        with pytest.raises(ZeroDivisionError), scope_of(acme.organization.pk):
            Party.objects.create(name="inner")
            _ = 1 / 0
        assert [party.name for party in Party.objects.all()] == ["outer"]


def test_writes_cannot_leave_the_organization(acme: Company, bolt: Company, parties: dict[str, Party]) -> None:
    with acme.scope():
        assert Party.every_organization.filter(pk=parties["bolt"].pk).update(name="taken") == 0
        assert Party.every_organization.filter(pk=parties["bolt"].pk).delete()[0] == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            sql("UPDATE accounts_party SET organization_id = %s", bolt.organization.pk)
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Party.objects.create(name="planted", organization=bolt.organization)


def test_references_cannot_leave_the_organization(acme: Company, parties: dict[str, Party]) -> None:
    with acme.scope():
        contact = ContactFactory(party=parties["acme"])
        for write in (
            lambda: sql("UPDATE accounts_contact SET party_id = %s", parties["bolt"].pk),
            lambda: Contact.objects.filter(pk=contact.pk).update(party=parties["bolt"]),
            lambda: Contact.objects.create(party=parties["bolt"], name="x"),
        ):
            with pytest.raises(IntegrityError, match="accounts_contact_party_id_wall"), transaction.atomic():
                write()


def test_a_member_cannot_be_joined_to_another_organization(acme: Company, bolt: Company) -> None:
    with acme.scope(), pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        Membership.objects.create(user=acme.user, organization=bolt.organization)


def test_nobody_deletes_an_organization(acme: Company) -> None:
    with acme.scope(), pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        sql("DELETE FROM accounts_organization")


@pytest.mark.parametrize("statement", [
    "CREATE TABLE mine (id int)", "ALTER TABLE accounts_party DISABLE ROW LEVEL SECURITY", "SET ROLE quartermaster_owner",
    "TRUNCATE accounts_party CASCADE", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "SELECT * FROM pg_authid",
])  # fmt: skip
def test_the_app_cannot_change_the_wall(statement: str, db: None) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), transaction.atomic():
        sql(statement)


# --- Facts ------------------------------------------------------------------------------------------------


def test_the_wall_is_whole(db: None) -> None:
    with connection.cursor() as cursor:
        assert wall.deviations(cursor) == []


@pytest.mark.parametrize(("damage", "symptoms"), [
    ("DROP POLICY tenant ON accounts_party", ["missing: accounts_party: policy tenant"]),
    ("ALTER POLICY tenant ON accounts_party USING (true)",
     ["missing: accounts_party: policy tenant", "unexpected: accounts_party: policy tenant"]),
    ("ALTER POLICY tenant ON accounts_party TO PUBLIC",
     ["missing: accounts_party: policy tenant", "unexpected: accounts_party: policy tenant"]),
    ("CREATE POLICY extra ON accounts_party USING (true)", ["unexpected: accounts_party: policy extra"]),
    ("ALTER TABLE accounts_party NO FORCE ROW LEVEL SECURITY", ["missing: accounts_party: row security"]),
    ("ALTER TABLE accounts_party DISABLE ROW LEVEL SECURITY", ["missing: accounts_party: row security"]),
    ("ALTER TABLE accounts_contact ADD FOREIGN KEY (party_id) REFERENCES accounts_party (id)",
     ["unexpected: accounts_contact: FOREIGN KEY (party_id)"]),
    ("ALTER TABLE accounts_contact DROP CONSTRAINT accounts_contact_party_id_wall",
     ["missing: accounts_contact: FOREIGN KEY (organization_id, party_id)"]),
    ("ALTER TABLE accounts_party DISABLE TRIGGER wall", ["missing: accounts_party: CREATE TRIGGER wall "]),
    ("DROP TRIGGER wall_version ON accounts_party", ["missing: accounts_party: CREATE TRIGGER wall_version"]),
    ("CREATE TRIGGER extra BEFORE UPDATE ON accounts_party FOR EACH ROW EXECUTE FUNCTION raise_version('{}')",
     ["unexpected: accounts_party: CREATE TRIGGER extra"]),
    ("GRANT TRUNCATE ON accounts_party TO quartermaster_app",
     ["missing: accounts_party: quartermaster_app may", "unexpected: accounts_party: quartermaster_app may"]),
    ("GRANT UPDATE (changes) ON accounts_auditentry TO quartermaster_app",
     ["unexpected: accounts_auditentry: quartermaster_app may use a column"]),
    ("GRANT SELECT ON accounts_party TO PUBLIC", ["unexpected: accounts_party: public may SELECT"]),
    ("CREATE TABLE loose (id int)", ["unexpected: loose: neither"]),
    ("CREATE VIEW peep AS SELECT * FROM accounts_party", ["unexpected: peep: a view"]),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", ["unexpected: function f()"]),
    ("ALTER FUNCTION uuid7() SECURITY DEFINER", ["missing: function uuid7()", "unexpected: function uuid7()"]),
    ("GRANT EXECUTE ON FUNCTION audit_row() TO PUBLIC", ["missing: function audit_row()", "unexpected: function audit_row()"]),
    ("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET random_page_cost', current_database()); END $$",
     ["missing: database: random_page_cost"]),
])  # fmt: skip
def test_finds_damage(damage: str, symptoms: list[str], owner: CursorWrapper) -> None:
    owner.execute(damage)
    found = wall.deviations(owner)
    assert len(found) == len(symptoms), found
    assert all(line.startswith(symptom) for line, symptom in zip(found, symptoms, strict=True)), found


def test_knows_the_partitions_of_a_table(owner: CursorWrapper) -> None:
    if connections["default"].pg_version < PARTITIONS_TAKE_REFERENCES:
        pytest.skip("A reference from a partitioned table is added without reading it from PostgreSQL 18 on.")
    table = "inventory_productrelation"
    owner.execute(f"""
        ALTER TABLE {table} RENAME TO whole;
        CREATE TABLE {table} (LIKE whole INCLUDING DEFAULTS) PARTITION BY HASH (organization_id);
        CREATE TABLE part_0 PARTITION OF {table} FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE part_1 PARTITION OF {table} FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        DROP TABLE whole;
    """)
    wall.build(owner)
    assert wall.deviations(owner) == []
    # Row security guards the whole: nobody reads a part by its own name, and none is without the triggers of the whole.
    owner.execute("GRANT SELECT ON part_0 TO quartermaster_app; ALTER TABLE part_1 DISABLE TRIGGER wall")
    assert wall.deviations(owner) == [
        "unexpected: part_0: quartermaster_app may SELECT",
        "unexpected: part_1: a partition without the trigger wall of its table",
    ]
    owner.execute(f"REVOKE SELECT ON part_0 FROM quartermaster_app; ALTER TABLE {table} DETACH PARTITION part_1")
    assert "unexpected: part_1: neither a tenant table nor a shared one" in wall.deviations(owner)


def test_repairs_what_is_missing(owner: CursorWrapper) -> None:
    owner.execute("DROP POLICY tenant ON accounts_party; DROP TRIGGER wall ON accounts_party")
    owner.execute("ALTER TABLE accounts_contact DROP CONSTRAINT accounts_contact_party_id_wall")
    owner.execute("CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    owner.execute("REVOKE SELECT ON accounts_party FROM quartermaster_app")
    assert len(wall.build(owner)) == 5
    assert wall.deviations(owner) == []
    assert wall.build(owner) == []


def test_a_role_that_can_pass_the_wall_is_a_deviation(owner: CursorWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASE_ROLES, "app", settings.DATABASE_ROLES["owner"])
    assert "unexpected: role quartermaster_owner can pass the wall" in wall.deviations(owner)
