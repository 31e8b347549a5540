"""Sealing the audit entries, by the worker's role, which sees all organizations."""

import time
from collections.abc import Iterable
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connections, transaction
from django.db.backends.utils import CursorWrapper
from uuid_utils.compat import uuid7

from accounts.models import Organization
from accounts.queries.seals import (
    BEFORE_ALL,
    ID_BYTES,
    NO_HASH,
    RECORD,
    RECORD_BYTES,
    Link,
    copy_of,
    copy_path,
    seal_hash,
)  # fmt: skip
from core.budget import Budget
from core.errors import Conflict

BATCH = 10_000  # entries of a seal
PATIENCE = 10.0  # seconds

# An id below this one was drawn before now, under a lock that its transaction holds until it ends. So once those
# who hold it now are gone, no entry can appear below: numbers are drawn in order, but committed in any.
HORIZON = "SELECT COALESCE(max(id), 0) FROM accounts_auditentry"
WRITERS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'accounts_auditentry'::regclass AND granted AND mode = 'RowExclusiveLock'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('audit seal ' || %s, 0))"
LAST = "SELECT number, last_id, hash FROM accounts_auditseal WHERE organization_id = %s ORDER BY number DESC LIMIT 1"
BATCH_RECORDS = f"""
    SELECT string_agg(record, ''::bytea ORDER BY id) FROM (
        SELECT e.id, {RECORD} AS record FROM accounts_auditentry AS e
        WHERE e.organization_id = %s AND e.id > %s AND e.id <= %s ORDER BY e.id LIMIT {BATCH}
    ) AS batch
"""
INSERT = """
    INSERT INTO accounts_auditseal (id, organization_id, number, first_id, last_id, entries, previous_hash, hash, digests,
                                    storage_key)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def audit_seal(*, organization_id: UUID, patience: float = PATIENCE, budget: Budget | None = None) -> int:
    """Seal what is not sealed yet; answers how many entries. Safe beside another: each entry is sealed once.

    Raises Conflict if transactions that write go on for longer than `patience` (seconds).
    """
    budget = budget or Budget()
    return _seal_up_to(organization_id, safe_horizon(min(patience, budget.left())), budget) if budget.has_time() else 0


def audit_seal_everywhere(*, budget: Budget | None = None) -> int:
    """In any order: time that runs out hits another organization each night."""
    budget = budget or Budget()
    if not budget.has_time():
        return 0
    horizon = safe_horizon(min(PATIENCE, budget.left()))
    organizations: Iterable[UUID] = Organization.objects.using("worker").order_by("?").values_list("pk", flat=True)
    return sum(_seal_up_to(organization_id, horizon, budget) for organization_id in list(organizations))


def safe_horizon(patience: float) -> int:
    """An id up to which no entry can appear any more. Raises Conflict."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(HORIZON)
        horizon = int(cursor.fetchone()[0])
        waited_for = _writers(cursor)
        end = time.monotonic() + patience
        while waited_for:
            if time.monotonic() > end:
                raise Conflict("A transaction has been writing for too long: nothing was sealed, try again.", code="busy")
            time.sleep(0.02)
            waited_for &= _writers(cursor)
    return horizon


def _writers(cursor: CursorWrapper) -> set[str]:
    cursor.execute(WRITERS)
    return {name for (name,) in cursor.fetchall()}


def _seal_up_to(organization_id: UUID, horizon: int, budget: Budget) -> int:
    """Each seal is committed, so what is left follows the next time."""
    sealed = 0
    while budget.has_time() and (count := _seal_batch(organization_id, horizon)):
        sealed += count
    return sealed


def _seal_batch(organization_id: UUID, horizon: int) -> int:
    """The copy first: one without a seal does no harm, and a seal cannot be told later where its copy is."""
    with transaction.atomic("worker"), connections["worker"].cursor() as cursor:
        cursor.execute(ONE_AT_A_TIME, [organization_id])
        cursor.execute(LAST, [organization_id])
        number, last_id, hash_before = cursor.fetchone() or (0, BEFORE_ALL, NO_HASH)
        cursor.execute(BATCH_RECORDS, [organization_id, last_id, horizon])
        digests = bytes(cursor.fetchone()[0] or b"")
        if not digests:
            return 0
        link = _link(organization_id, number + 1, hash_before, digests)
        name = f"{copy_path(organization_id)}/{link.number:08}-{link.hash[:16]}.json"
        key = storages["private"].save(name, ContentFile(copy_of(organization_id, link)))
        cursor.execute(INSERT, [uuid7(), organization_id, *link[:-1], key])
    return link.entries


def _link(organization_id: UUID, number: int, hash_before: str, digests: bytes) -> Link:
    first, last = (int.from_bytes(part, "big", signed=True) for part in (digests[:ID_BYTES], digests[-RECORD_BYTES:][:ID_BYTES]))
    link = Link(number, first, last, len(digests) // RECORD_BYTES, hash_before, "", digests, "")
    return link._replace(hash=seal_hash(organization_id, link))
