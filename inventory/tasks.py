"""What the clock starts."""

from typing import Any

from inventory.services.replenishment import reorder_check_everywhere
from notifications.schedules import scheduled


@scheduled("rate(1 hour)")
def reorder_check(event: Any = None, context: Any = None) -> None:
    reorder_check_everywhere()
