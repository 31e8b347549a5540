"""How an external source has been answering lately, as people are shown it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from notifications.models import ExternalSourceHealth


@dataclass(frozen=True, slots=True)
class Health:
    """Of a source that has not been asked, all is well."""

    failure_count: int = 0
    failing_since: datetime | None = None
    closed_until: datetime | None = None
    last_error: str = ""

    @property
    def circuit_state(self) -> str:
        if self.closed_until is None:
            return "closed"
        return "open" if self.closed_until > timezone.now() else "half_open"


def health_of(source_id: UUID) -> Health:
    row = ExternalSourceHealth.objects.filter(source_id=source_id).first()
    return Health(row.failures, row.failing_since, row.closed_until, row.last_error) if row else Health()
