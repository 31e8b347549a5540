"""What the clock starts, and what requests leave to a job."""

from typing import Any
from uuid import UUID

from django_tasks import task

from inventory.services.replenishment import reorder_check as check_now
from inventory.services.replenishment import reorder_check_everywhere
from inventory.services.reservations import reservations_expire_everywhere
from notifications.schedules import scheduled


@scheduled("rate(1 hour)")
def reorder_check(event: Any = None, context: Any = None) -> None:
    reorder_check_everywhere()


@scheduled("rate(1 minute)")
def expire_reservations(event: Any = None, context: Any = None) -> None:
    """Those whose time is up are free again."""
    reservations_expire_everywhere()


@task()
def check(warehouses: list[str] | None = None) -> dict[str, int]:
    return {"created": check_now(warehouses=None if warehouses is None else [UUID(one) for one in warehouses])}
