"""Stand where the sender of webhooks stands; what they are told is kept."""

import os
import random
from typing import Any

from notifications.services.delivering import Claimed, Outcome

told: list[Claimed] = []
outcomes: list[Any] = []  # of the next ones; an exception is raised; then all is well


def answer(claimed: Claimed) -> Outcome | None:
    told.append(claimed)
    outcome = outcomes.pop(0) if outcomes else Outcome("delivered", status_code=204, duration_ms=3)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def write_a_line(claimed: Claimed) -> Outcome:
    """A receiver that notes what it got, and does not always say so."""
    with open(os.environ["PLAYGROUND_RECEIVED"], "a", buffering=1) as file:  # noqa: PTH123
        file.write(f"{claimed.subscription_id} {claimed.envelope['aggregate_id']} {claimed.envelope['payload']['n']}\n")
    return Outcome(random.choices(["delivered", "retry", "postponed"], [8, 1, 1])[0], retry_after=0)
