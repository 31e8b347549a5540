"""What it takes to seal and to verify the audit trail, beside one pass of SHA-256 over it."""

import resource
import time
from collections.abc import Callable, Iterator
from uuid import UUID

from django.core.files.storage import storages
from django.db import connections

from accounts.queries.seals import CONTENT, checked
from accounts.services.seals import audit_seal
from accounts.services.tenancy import organization_found
from bench.measuring import Result

ENTRIES = 1_000_000
SLUG = "bench-audit"

FILL = """
    INSERT INTO accounts_auditentry (organization_id, table_name, row_id, action, changes, actor_id, request_id, reason, ip)
    SELECT %(organization)s, 'inventory_product', gen_random_uuid(), 'update',
           jsonb_build_object('name', jsonb_build_array('Bolt ' || n, 'Bolt ' || n + 1), 'status', '["draft", "active"]'::jsonb),
           gen_random_uuid(), 'req-' || n, '', '192.0.2.1'
    FROM generate_series(1, %(entries)s) AS n
"""
FLOOR = f"""
    SELECT count(sha256(convert_to({CONTENT}::text, 'UTF8'))) FROM accounts_auditentry AS e WHERE e.organization_id = %s
"""


def run(size: int) -> Iterator[Result]:
    organization_id = filled()
    storages["private"].save = lambda name, content, max_length=None: name  # type: ignore[method-assign]  # not the disk
    if not any(checked(organization_id)):
        seconds = timed(lambda: audit_seal(organization_id=organization_id))
        yield Result(f"seal {ENTRIES:,} audit entries", size, seconds * 1000)

    def floor() -> None:
        with connections["worker"].cursor() as cursor:
            cursor.execute(FLOOR, [organization_id])

    def verify() -> None:
        found = list(map(seen, checked(organization_id)))
        assert sum(entries for entries, _ in found) >= ENTRIES
        assert not any(deviations for _, deviations in found)

    floor()
    lowest, before = min(timed(floor) for _ in range(2)), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours = min(timed(verify) for _ in range(2))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"  {ENTRIES / ours:,.0f} entries verified a second; memory grew by {grown:.0f} MB")
    yield Result(f"verify {ENTRIES:,} audit entries", size, ours * 1000, lowest * 1000)


def seen(found: tuple) -> tuple[int, int]:
    link, deviations = found
    return link.entries, len(deviations)


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def filled() -> UUID:
    """An organization with a million entries, made once."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT id FROM accounts_organization WHERE slug = %s", [SLUG])
        if row := cursor.fetchone():
            return UUID(str(row[0]))
        organization = organization_found(name="Bench audit", slug=SLUG)
        cursor.execute(FILL, {"organization": organization.pk, "entries": ENTRIES})
        cursor.execute("ANALYZE accounts_auditentry")
        return organization.pk
