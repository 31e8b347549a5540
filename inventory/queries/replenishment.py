from datetime import datetime
from decimal import Decimal

from accounts.models import Organization
from inventory.models import ReorderTask

SHOWN = 100


def reminder(*, checked_at: datetime | str) -> tuple[str, str]:
    """Subject and text of a mail about the tasks that one check made: those of its transaction share its time."""
    organization = Organization.objects.get()
    found = ReorderTask.objects.filter(created_at=checked_at)
    found = found.select_related("variant", "warehouse", "supplier__party", "rule__vehicle_model")
    tasks = list(found.order_by("variant__sku")[: SHOWN + 1])
    more = found.count() - SHOWN if len(tasks) > SHOWN else 0
    lines = [_line(task) for task in tasks[:SHOWN]]
    if more > 0:
        lines.append(f"… and {more} more.")
    count = len(tasks[:SHOWN]) + max(more, 0)
    subject = f"{organization.name}: {count} {'item' if count == 1 else 'items'} to reorder"
    return subject, "\n".join(["At or under their threshold:", "", *lines])


def _line(task: ReorderTask) -> str:
    supplier = f" from {task.supplier.party.name}" if task.supplier else ""
    vehicle = f" for {task.rule.vehicle_model}" if task.rule.vehicle_model else ""
    return (
        f"{task.variant.sku}  {task.variant.name}: {_plain(task.triggered_quantity)} in {task.warehouse.code}"
        f" (threshold {_plain(task.threshold)}{vehicle}), order {_plain(task.suggested_quantity)}{supplier}"
    )


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
