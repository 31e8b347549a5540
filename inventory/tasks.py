"""What the clock starts, and what requests leave to a job."""

from datetime import date
from typing import Any
from uuid import UUID

from django_tasks import task

from inventory.services.abc import abc_classes_follow
from inventory.services.category_items import category_items_follow_everywhere
from inventory.services.count_plans import stock_count_plans_open
from inventory.services.forecasts import forecasts_compute_sitting
from inventory.services.replenishment import reorder_check as check_now
from inventory.services.replenishment import reorder_check_everywhere
from inventory.services.reservations import reservations_expire_everywhere
from inventory.services.snapshots import snapshots_follow
from notifications.schedules import ZoneTick, scheduled, scheduled_in_each_zone


@scheduled("rate(1 hour)")
def reorder_check(event: Any = None, context: Any = None) -> None:
    reorder_check_everywhere()


@scheduled("rate(1 minute)")
def expire_reservations(event: Any = None, context: Any = None) -> None:
    """Those whose time is up are free again."""
    reservations_expire_everywhere()


@scheduled("rate(1 minute)", catch_up=False)
def follow_category_items() -> None:
    """The places of items among those of their category, where `/items` is read, of what has changed since."""
    category_items_follow_everywhere()


@task()
def check(warehouses: list[str] | None = None) -> dict[str, int]:
    return {"created": check_now(warehouses=None if warehouses is None else [UUID(one) for one in warehouses])}


@task(takes_context=True)
def forecast(context: Any, day: str = "", warehouses: list[str] | None = None) -> dict[str, int]:
    return forecasts_compute_sitting(
        context=context, day=date.fromisoformat(day) if day else None,
        warehouses=None if warehouses is None else [UUID(one) for one in warehouses],
    )


@scheduled_in_each_zone("cron(0 2 ? * MON *)")
def demand_forecasts(tick: ZoneTick) -> None:
    tick.enqueue(forecast)


@task(takes_context=True)
def snapshot_stock(context: Any, day: str) -> dict[str, int]:
    return snapshots_follow(context=context, today=date.fromisoformat(day))


@scheduled_in_each_zone("cron(30 1 * * ? *)")
def stock_snapshots(tick: ZoneTick) -> None:
    tick.enqueue(snapshot_stock)


@task()
def open_counts(day: str) -> dict[str, int]:
    """Of what the plans say is due."""
    return {"counts": len(stock_count_plans_open())}


@scheduled_in_each_zone("cron(0 4 * * ? *)")
def stock_counts(tick: ZoneTick) -> None:
    tick.enqueue(open_counts)


@task(takes_context=True)
def write_abc_classes(context: Any, day: str) -> dict[str, int]:
    return abc_classes_follow(context=context, day=date.fromisoformat(day))


@scheduled_in_each_zone("cron(0 3 1 * ? *)")
def abc_classes(tick: ZoneTick) -> None:
    tick.enqueue(write_abc_classes)
