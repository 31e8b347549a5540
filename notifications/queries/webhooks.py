"""What a delivery to a webhook has to know, in one statement."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id

LINE = """
    SELECT e.id, e.url, e.secret, CASE WHEN e.previous_secret_until > now() THEN e.previous_secret END,
        e.max_per_second, e.disabled_at, e.disabled_reason, COALESCE(h.failures, 0), h.failing_since, h.closed_until,
        EXTRACT(epoch FROM h.closed_until - clock_timestamp())::float8
    FROM notifications_webhookendpoint AS e
    LEFT JOIN notifications_webhookhealth AS h ON h.organization_id = e.organization_id AND h.endpoint_id = e.id
    WHERE e.organization_id = %s AND e.id = %s
"""


@dataclass(frozen=True, slots=True)
class Line:
    """An endpoint as a delivery finds it. The secrets are sealed."""

    endpoint_id: UUID
    url: str
    secret: bytes
    previous_secret: bytes | None  # while it still signs
    max_per_second: int | None
    disabled_at: datetime | None
    disabled_reason: str
    failures: int
    failing_since: datetime | None
    closed_until: datetime | None
    closed_for: float | None  # seconds; below 0: the next one is a probe

    @property
    def state(self) -> str:
        if self.disabled_at:
            return "disabled"
        if self.closed_for is not None:
            return "circuit_open" if self.closed_for > 0 else "probing"
        return "failing" if self.failures else "healthy"


def line_to(endpoint_id: UUID) -> Line | None:
    """None for an endpoint that is gone."""
    with connection.cursor() as cursor:
        cursor.execute(LINE, [active_organization_id(), endpoint_id])
        found = cursor.fetchone()
    return Line(*found) if found else None
