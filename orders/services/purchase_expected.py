"""The inventory is told what purchase orders are still to bring, so that reorder rules do not ask for it again."""

from decimal import Decimal

from inventory.services.expected import Expected, receipts_expect
from inventory.services.levels import Coming, levels_follow
from inventory.services.stock import Document
from orders.models import PurchaseOrder, PurchaseOrderItem

DOCUMENT = "purchase_order"
ZERO = Decimal(0)
Status = PurchaseOrder.Status


def open_quantity(line: PurchaseOrderItem) -> Decimal:
    """What is still waited for."""
    return max(line.quantity - line.received_quantity + line.returned_quantity, ZERO)


def document_of(order: PurchaseOrder) -> Document:
    return Document(DOCUMENT, order.pk)


def expected_changes(
    order: PurchaseOrder, lines: list[PurchaseOrderItem] | None = None, *, is_new: bool = False,
) -> list[Coming]:
    """Written; the levels of reorder rules are to follow. The order is locked, its lines are as they are now.

    Of a draft, and of one that waits for approval, what reorder tasks ask for: they are ordered from then on.
    """
    found = list(order.lines.all()) if lines is None else lines
    if order.status not in PurchaseOrder.BRINGS:
        decided = order.status in PurchaseOrder.UNDECIDED
        found = [line for line in found if decided and line.reorder_task_id]
    return receipts_expect(
        document=document_of(order), number=order.number, warehouse_id=order.warehouse_id, expected_on=order.expected_on,
        is_new=is_new,
        lines=[Expected(line.pk, line.variant_id, open_quantity(line), line.reorder_task_id) for line in found],
    )


def expected_follow(order: PurchaseOrder, lines: list[PurchaseOrderItem] | None = None) -> None:
    levels_follow([], coming=expected_changes(order, lines))
