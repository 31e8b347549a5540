"""Whether an endpoint is tried now: its rate, its circuit, and how long it has been failing.

The circuit opens after so many failures in a row. When its time is over, one delivery goes as a probe (half open); success
closes it, failure opens it for twice as long. Each question is one conditional UPDATE, so that processes need not agree.
"""

import random
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from core.tenancy import active_organization_id
from notifications.queries.webhooks import Line
from notifications.services.circuits import LONGEST_CIRCUIT, PROBE, failed

LONGEST_PROMISE = 3600  # seconds that one waits for its slot without asking again

ONE = "WHERE h.organization_id = %(organization)s AND h.endpoint_id = %(endpoint)s"

TAKE_PROBE = f"""
    UPDATE notifications_webhookhealth AS h SET closed_until = clock_timestamp() + %(probe)s * interval '1 second'
    {ONE} AND closed_until <= clock_timestamp()
"""
CLOSED_FOR = f"SELECT EXTRACT(epoch FROM closed_until - clock_timestamp())::float8 FROM notifications_webhookhealth AS h {ONE}"

ENSURE = """
    INSERT INTO notifications_webhookhealth (id, organization_id, endpoint_id)
    VALUES (uuid7(), %(organization)s, %(endpoint)s) ON CONFLICT (organization_id, endpoint_id) DO NOTHING
"""
# A slot may be used one late: whoever comes back for a promised one is never there to the millisecond.
TAKE_SLOT = f"""
    WITH old AS MATERIALIZED (
        SELECT h.id, h.next_slot_at, h.promised_until, %(step)s * interval '1 second' AS step
        FROM notifications_webhookhealth AS h {ONE} FOR UPDATE
    ), asked AS MATERIALIZED (
        SELECT old.*, clock, COALESCE(next_slot_at <= clock, true) AS goes,
               GREATEST(next_slot_at, promised_until + step) AS promise
        FROM old, (SELECT clock_timestamp() AS clock) AS c
    )
    UPDATE notifications_webhookhealth AS h SET
        next_slot_at = CASE WHEN goes THEN GREATEST(h.next_slot_at, clock - step) + step ELSE h.next_slot_at END,
        promised_until = CASE WHEN goes THEN h.promised_until ELSE promise END
    FROM asked {ONE} AND h.id = asked.id
    RETURNING CASE WHEN goes THEN 0 ELSE GREATEST(EXTRACT(epoch FROM promise - clock), 0.001) END::float8
"""

SUCCEEDED = f"""
    UPDATE notifications_webhookhealth AS h SET failures = 0, failing_since = NULL, closed_until = NULL
    {ONE} AND (failures > 0 OR closed_until IS NOT NULL)
"""
FAILED = failed(table="notifications_webhookhealth", key="endpoint_id")


def health_admit(*, line: Line) -> tuple[float, str]:
    """Seconds to wait, and why; 0 is to go now. Whoever is let go notes how it went."""
    if line.closed_for is not None:
        if line.closed_for > 0:
            return _spread(line.closed_for), "The circuit is open: the endpoint has been failing, or asked to wait."
        taken, _ = _ask(TAKE_PROBE, line.endpoint_id, probe=PROBE)
        if not taken and (left := _ask(CLOSED_FOR, line.endpoint_id)[1]) and left[0] is not None:
            return _spread(max(left[0], 0.001)), "The endpoint is being probed by another delivery."
    if line.max_per_second:
        _ask(ENSURE, line.endpoint_id)
        _, slot = _ask(TAKE_SLOT, line.endpoint_id, step=1 / line.max_per_second)
        if slot and slot[0]:
            return min(slot[0], LONGEST_PROMISE * random.uniform(1, 1.2)), "The endpoint's rate is used up."  # noqa: S311
    return 0, ""


def health_succeeded(*, line: Line) -> None:
    """Asks nothing of the database while all is well."""
    if line.failures or line.closed_until:
        _ask(SUCCEEDED, line.endpoint_id)


def health_failed(*, line: Line, retry_after: float | None) -> str:
    """Notes a failure; `retry_after` is what the endpoint asked for. Returns why to disable it, or ""."""
    _, (failures, seconds) = _ask(
        FAILED, line.endpoint_id, probe=line.closed_for is not None, threshold=settings.WEBHOOK_CIRCUIT_FAILURES,
        circuit=settings.WEBHOOK_CIRCUIT_SECONDS, longest=LONGEST_CIRCUIT, asked=retry_after or 0,
    )
    if seconds < settings.WEBHOOK_DISABLE_AFTER_DAYS * 86_400:
        return ""
    return f"It has been failing for {seconds / 86_400:.0f} days: {failures} failures in a row."


def _spread(seconds: float) -> float:
    """So that those who wait do not all come at once, and the first of them is the probe."""
    return seconds * random.uniform(1, 1.1)  # noqa: S311


def _ask(sql: str, endpoint_id: UUID, **values: Any) -> tuple[int, Any]:
    """How many rows, and the first if any is returned."""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"organization": active_organization_id(), "endpoint": endpoint_id, **values})
        return cursor.rowcount, cursor.fetchone() if cursor.description else None
