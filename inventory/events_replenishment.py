"""What becomes of reorder tasks. That there is one, stock.low tells."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from notifications.event_types import SOME_ID, event_type

TASK = {"task": SOME_ID, "variant": SOME_ID, "sku": "BR-1001", "warehouse": SOME_ID, "warehouse_code": "PORTO"}


@event_type("reorder_task.ordered", aggregate="reorder_task", example={
    **TASK, "supplier": SOME_ID, "transfer_order": None, "quantity": 12.0, "due_on": "2026-12-03",
})  # fmt: skip
class ReorderTaskOrdered:
    """What a reorder task suggested was ordered: bought, so that it is on its way, or put on a draft of a transfer order."""

    task: UUID
    variant: UUID
    sku: str
    warehouse: UUID
    warehouse_code: str
    supplier: UUID | None
    transfer_order: UUID | None
    quantity: Decimal
    due_on: Annotated[date | None, "When the goods are expected."]


@event_type("reorder_task.snoozed", aggregate="reorder_task", example={**TASK, "until": "2026-12-01"})
class ReorderTaskSnoozed:
    """A reorder task was put off."""

    task: UUID
    variant: UUID
    sku: str
    warehouse: UUID
    warehouse_code: str
    until: Annotated[date, "The day on which it is open again."]


@event_type("reorder_task.dismissed", aggregate="reorder_task", example={**TASK, "reason": "Replaced by BR-1002"})
class ReorderTaskDismissed:
    """Somebody decided against a reorder task, or against waiting for what it had ordered."""

    task: UUID
    variant: UUID
    sku: str
    warehouse: UUID
    warehouse_code: str
    reason: str


@event_type("reorder_task.assigned", aggregate="reorder_task", example={**TASK, "assignee": SOME_ID})
class ReorderTaskAssigned:
    """A reorder task was given to a member, or to nobody in particular."""

    task: UUID
    variant: UUID
    sku: str
    warehouse: UUID
    warehouse_code: str
    assignee: Annotated[UUID | None, "The membership."]


@event_type("reorder_task.reopened", aggregate="reorder_task", example={**TASK, "because": "due"})
class ReorderTaskReopened:
    """A reorder task is open again."""

    task: UUID
    variant: UUID
    sku: str
    warehouse: UUID
    warehouse_code: str
    because: Annotated[Literal["due", "undone"], "The day came until which it was snoozed; or somebody took a decision back."]
