"""Whatever names a person, or expires, must not be forgotten by an erasure or by the purge."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection

from core.privacy import PersonalData, personal_data
from core.retention import data_classes

# Columns that say whose row it is, and columns that tell something about who that is.
REFERENCES = {
    "email", "emails", "user", "users", "username", "member", "membership", "person", "people", "actor", "author", "owner",
    "creator", "assignee", "impersonator", "principal", "subscriber", "recipient", "bucket",
}
TRAITS = {"ip", "phone", "fax", "avatar", "agent", "address", "origin"}
NEVER_WRITTEN = "nobody may write it: the app and the worker may only read"
NOT_PERSONAL = {
    "account_emailaddress.email": "found by its user",
    "accounts_ratewindow.bucket": "written and read by a function alone, and gone a day after the person's last request",
    "axes_accessfailurelog.*": NEVER_WRITTEN,
    "axes_accesslog.*": NEVER_WRITTEN,
    "django_admin_log.*": NEVER_WRITTEN,
    "inventory_product.country_of_origin": "of the goods",
    "inventory_warehouse.address_id": "a site of the organization",
}
# Of accounts_user: what stays of a person.
STAYS = {"id", "created_at", "updated_at", "version"}

# Tables that expire without being purged.
NOT_PURGED = {
    "accounts_apikey": "a machine's: ledgers and the audit trail name it, and lists show it as ended",
    "accounts_datasubjectrequest": "the archive goes at that moment, by the purge as well; the request is proof",
    "accounts_featureflag": "off from then on; the organization decides when it is forgotten",
    "accounts_userrole": "counts no longer; it goes with the membership",
    "axes_accessattemptexpiration": "nobody may write it",
    "inventory_lot": "the goods expire, not the row, by which their recall is traced",
    "inventory_receiptdraftentry": "the goods expire; the row goes when it is posted",
    "inventory_reservation": "the goods are free again; the row tells what was promised to whom",
    "notifications_topicsubscription": "the code expires, of which the row has a hash alone; the subscription does not",
}

COLUMNS = """
    SELECT c.relname, a.attname, a.atttypid = 'inet'::regtype
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""
FOREIGN_KEYS = """
    SELECT DISTINCT k.conrelid::regclass::text, k.confrelid::regclass::text, a.attname
    FROM pg_constraint AS k JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
    WHERE k.contype = 'f' AND a.attname <> 'organization_id'
"""
PEOPLE = ("accounts_user", "accounts_membership")


@pytest.fixture
def columns(db: None) -> list[tuple[str, str, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        return cursor.fetchall()


@pytest.fixture
def foreign_keys(db: None) -> list[tuple[str, str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(FOREIGN_KEYS)
        return cursor.fetchall()


def is_exempt(table: str, column: str) -> bool:
    return f"{table}.{column}" in NOT_PERSONAL or f"{table}.*" in NOT_PERSONAL


def finds(data: PersonalData, column: str) -> bool:
    return re.search(rf"\bt\.{column}\b", data.condition) is not None or column in data.replacements


def rid_of(data: PersonalData, column: str) -> bool:
    return data.erasure != "pseudonymise" or column in data.replacements


def uncovered(columns: list[tuple[str, str, bool]], references: set[tuple[str, str]]) -> Iterator[str]:
    declared = personal_data()
    for table, column, is_address in columns:
        words = set(column.replace("user_agent", "agent").split("_"))
        covers = finds if (table, column) in references or words & REFERENCES else rid_of
        if covers is rid_of and not words & TRAITS and not is_address:
            continue
        if not any(covers(data, column) for data in declared if data.table == table):
            yield f"{table}.{column}"


def test_whatever_names_a_person_is_declared(
    columns: list[tuple[str, str, bool]], foreign_keys: list[tuple[str, str, str]],
) -> None:
    references = {(table, column) for table, target, column in foreign_keys if target in PEOPLE}
    open_questions = set(uncovered(columns, references))
    forgotten = sorted(name for name in open_questions if not is_exempt(*name.split(".")))
    assert not forgotten, "declare it in the app's privacy.py, or name why not in NOT_PERSONAL"
    needless = [
        name for name in NOT_PERSONAL
        if name not in open_questions and not (name.endswith(".*") and any(one.startswith(name[:-1]) for one in open_questions))
    ]
    assert not needless


def test_every_column_of_a_person_is_erased_or_stays_on_purpose(columns: list[tuple[str, str, bool]]) -> None:
    [person] = [data for data in personal_data() if data.table == "accounts_user"]
    assert {column for table, column, _ in columns if table == "accounts_user"} == {*person.replacements, *STAYS}


def test_what_nobody_writes_cannot_be_written() -> None:
    for name, reason in NOT_PERSONAL.items():
        if reason == NEVER_WRITTEN:
            assert settings.SHARED_TABLES[name.partition(".")[0]] == "SELECT"


def test_rows_are_deleted_before_those_that_they_refer_to(foreign_keys: list[tuple[str, str, str]]) -> None:
    """The last mention of a table counts: before it, no row of the person may refer to it any more."""
    order = {data.table: place for place, data in enumerate(personal_data())}
    deleted = {data.table for data in personal_data() if data.erasure == "delete"}
    empty = {name.removesuffix(".*") for name in NOT_PERSONAL if name.endswith(".*")} | {"axes_accessattemptexpiration"}
    late = [
        (table, target) for table, target, _ in foreign_keys
        if target in deleted and table != target and table not in empty and not order.get(table, len(order)) < order[target]
    ]
    assert not late, "the database refuses to delete the target: declare the table, above it"


def test_declarations_have_labels_of_their_own() -> None:
    labels = [data.label for data in personal_data()]
    assert len(labels) == len(set(labels))


def test_what_expires_is_purged_or_kept_on_purpose(columns: list[tuple[str, str, bool]]) -> None:
    expires = {table for table, column, _ in columns if "expire" in column}
    purged = {data_class.table for data_class in data_classes().values()}
    assert expires - purged == set(NOT_PURGED), "name a class of data in the app's retention.py, or why not in NOT_PURGED"
