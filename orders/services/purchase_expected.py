"""The inventory is told what purchase orders are still to bring, so that reorder rules do not ask for it again."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from inventory.services.expected import Bringing, Expected, receipts_expect
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


def expected_changes(order: PurchaseOrder, lines: Sequence[PurchaseOrderItem] | None = None) -> list[Coming]:
    """Written; the levels of reorder rules are to follow. The order is locked, its lines are as they are now.

    Of a draft, and of one that waits for approval, what reorder tasks ask for: they are ordered from then on.
    """
    return _expect({order: list(order.lines.all()) if lines is None else lines})


def expected_follow(order: PurchaseOrder, lines: Sequence[PurchaseOrderItem] | None = None) -> None:
    levels_follow([], coming=expected_changes(order, lines))


def all_expected_follow(orders: Mapping[PurchaseOrder, Sequence[PurchaseOrderItem]]) -> None:
    levels_follow([], coming=_expect(orders))


def _expect(orders: Mapping[PurchaseOrder, Sequence[PurchaseOrderItem]]) -> list[Coming]:
    return receipts_expect(document_type=DOCUMENT, documents=[
        Bringing(order.pk, order.number, order.warehouse_id, _awaited(order, lines), order.expected_on)
        for order, lines in orders.items()
    ])


def _awaited(order: PurchaseOrder, lines: Sequence[PurchaseOrderItem]) -> list[Expected]:
    if order.status not in PurchaseOrder.BRINGS:
        decided = order.status in PurchaseOrder.UNDECIDED
        lines = [line for line in lines if decided and line.reorder_task_id]
    return [Expected(line.pk, line.variant_id, open_quantity(line), line.reorder_task_id) for line in lines]
