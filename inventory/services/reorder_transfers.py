"""What becomes of the reorder tasks that are on a transfer order when that order changes."""

from django.utils import timezone

from inventory.models import ReorderTask, TransferOrder

Status = ReorderTask.Status


def tasks_follow(order: TransferOrder) -> None:
    """What has come, or was written off, is done; what was canceled is open again."""
    if order.status not in TransferOrder.OVER:
        return
    tasks = ReorderTask.objects.filter(transfer_order=order, status=Status.ORDERED)
    if order.status == TransferOrder.Status.COMPLETED:
        tasks.update(status=Status.DONE, closed_at=timezone.now())
    else:
        tasks.update(status=Status.OPEN, transfer_order=None, ordered_quantity=None, ordered_at=None)
