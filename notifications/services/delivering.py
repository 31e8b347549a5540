"""The life of a delivery: an event on its way to one subscription."""

from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this worker has taken. `attempt` is the number of the try that is due, from 1."""

    id: UUID
    organization_id: UUID
    subscription_id: UUID
    endpoint_id: UUID | None
    topic_id: UUID | None
    task: str
    event_id: UUID
    envelope: dict[str, Any]
    attempt: int
    replay_no: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it. `postponed` was not tried (the circuit is open, the rate is used up): no attempt is counted."""

    status: Literal["delivered", "retry", "dead", "postponed"]
    error: str = ""
    retry_after: float | None = None  # seconds
    status_code: int | None = None
    response_excerpt: str = ""
    duration_ms: int = 0
