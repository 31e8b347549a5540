"""Whether a source is asked now: its rate, and its circuit, which works as that of a webhook does.

The circuit opens after so many failures in a row. When its time is over, one request goes as a probe (half open); success
closes it, failure opens it for twice as long. Each question is one statement, so that processes need not agree.
"""

from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection

from core.tenancy import active_organization_id
from notifications.services.circuits import LONGEST_CIRCUIT, PROBE, failed

ONE = "WHERE h.organization_id = %(organization)s AND h.source_id = %(source)s"

# The slot of the rate, and the probe where there is one to take: both or neither. A slot may be used one late.
TAKE = """
    INSERT INTO notifications_externalsourcehealth AS h (id, organization_id, source_id, next_slot_at)
    VALUES (uuid7(), %(organization)s, %(source)s, clock_timestamp() + %(step)s * interval '1 second')
    ON CONFLICT (organization_id, source_id) DO UPDATE SET
        closed_until = CASE WHEN h.closed_until IS NOT NULL THEN clock_timestamp() + %(probe)s * interval '1 second' END,
        next_slot_at = GREATEST(h.next_slot_at, clock_timestamp() - %(step)s * interval '1 second')
            + %(step)s * interval '1 second'
    WHERE COALESCE(h.closed_until <= clock_timestamp(), true) AND COALESCE(h.next_slot_at <= clock_timestamp(), true)
    RETURNING closed_until IS NOT NULL
"""
WAIT = f"""
    SELECT GREATEST(EXTRACT(epoch FROM closed_until - clock_timestamp()), 0)::float8,
           GREATEST(EXTRACT(epoch FROM next_slot_at - clock_timestamp()), 0)::float8
    FROM notifications_externalsourcehealth AS h {ONE}
"""
SUCCEEDED = f"""
    UPDATE notifications_externalsourcehealth AS h
    SET failures = 0, failing_since = NULL, closed_until = NULL, last_error = ''
    {ONE} AND (failures > 0 OR closed_until IS NOT NULL)
"""
FAILED = failed(table="notifications_externalsourcehealth", key="source_id")
NOTE = f"UPDATE notifications_externalsourcehealth AS h SET last_error = %(error)s {ONE}"
FORGET = f"DELETE FROM notifications_externalsourcehealth AS h {ONE}"


class Wait(NamedTuple):
    """Seconds, and why; 0 is to go now."""

    seconds: float
    why: str = ""
    is_circuit: bool = False
    is_probe: bool = False


def source_admit(*, source_id: UUID, max_per_minute: int | None) -> Wait:
    """Whoever is let go notes how it went."""
    if taken := _ask(TAKE, source_id, step=60 / max_per_minute if max_per_minute else 0, probe=PROBE):
        return Wait(0, is_probe=taken[0])
    closed, slot = _ask(WAIT, source_id) or (None, None)
    if closed:
        return Wait(closed, "The circuit is open: the source has been failing, or asked to wait.", is_circuit=True)
    return Wait(max(slot or 0, 0.01), "The rate of the source is used up.")


def source_succeeded(*, source_id: UUID) -> None:
    _ask(SUCCEEDED, source_id)


def source_failed(*, source_id: UUID, error: str, is_probe: bool, retry_after: float | None = None) -> None:
    """`retry_after` is what the source asked for, in seconds."""
    _ask(
        FAILED, source_id, probe=is_probe, threshold=settings.WEBHOOK_CIRCUIT_FAILURES, longest=LONGEST_CIRCUIT,
        circuit=settings.WEBHOOK_CIRCUIT_SECONDS, asked=retry_after or 0,
    )
    _ask(NOTE, source_id, error=error)


def source_health_forget(*, source_id: UUID) -> None:
    """After its address or its rate was changed: what was noted of the former ones says nothing."""
    _ask(FORGET, source_id)


def _ask(sql: str, source_id: UUID, **values: Any) -> Any:
    """The first row, if any is returned."""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"organization": active_organization_id(), "source": source_id, **values})
        return cursor.fetchone() if cursor.description else None
