"""Goods that lie on the counter: a return is asked for, received and inspected in one, and its money proposed.

The order is locked first, as in `returns`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from core.errors import Conflict, Invalid
from orders.models import Invoice, ReturnAuthorization, SalesOrder
from orders.services.credit_notes import ReturnedLine
from orders.services.return_settling import return_credit
from orders.services.returns import Asked, Came, Opened, return_begin, return_finish, return_open

Status = ReturnAuthorization.Status


@dataclass(frozen=True, slots=True)
class Back:
    """So much of a line that lies here, and what becomes of it."""

    quantity: Decimal
    disposition: str


@dataclass(frozen=True, slots=True)
class Taken:
    """`credit_notes` are drafts. Without `is_here` the return waits for somebody who approves it."""

    authorization: ReturnAuthorization
    credit_notes: Sequence[Invoice] = ()
    is_here: bool = False


def return_take(
    *, order: SalesOrder, goods: Mapping[tuple[UUID, UUID | None], Back], key: UUID, reason_id: UUID | None = None,
    note: str = "", may_finish: bool = True,
) -> Taken:
    """By line of the order and lot. `key` is the id of the return: who sends the same again is told what became of it.

    Raises Conflict for more than was shipped and is not back, Invalid for goods of which nobody says what becomes of them.
    """
    if not goods:
        raise Invalid("Say of a line what becomes of it: restock, quarantine or scrap.")
    asked = [Asked(item, one.quantity, lot, disposition=one.disposition) for (item, lot), one in goods.items()]
    opened = return_begin(order=order, lines=asked, reason_id=reason_id, note=note, key=key)
    if opened.row.status != Status.REQUESTED or not may_finish:
        return Taken(opened.row, is_here=opened.row.received_at is not None)
    return _finish(opened, [Came(item.pk, item.quantity, item.disposition) for item in opened.items])


def return_take_in(*, authorization: ReturnAuthorization, goods: Mapping[UUID, Back], may_approve: bool = True) -> Taken:
    """Of a return that was asked for, the lines that came. Sent again, it says what became of it."""
    opened = return_open(authorization)
    row = opened.row
    if row.inspected_at is not None:
        return Taken(row, is_here=True)
    if not goods:
        raise Invalid("Say of a line what becomes of it: restock, quarantine or scrap.")
    if row.status == Status.REQUESTED and not may_approve:
        raise Conflict(f"{row} is not approved yet.", code="not_approved")
    return _finish(opened, [Came(line, one.quantity, one.disposition) for line, one in goods.items()])


def _finish(opened: Opened, lines: Sequence[Came]) -> Taken:
    return_finish(opened, lines)
    came = [
        ReturnedLine(item.order_item_id, item.received_quantity, item.order_item.kit_id)
        for item in opened.items if item.received_quantity
    ]
    return Taken(opened.row, return_credit(authorization=opened.row, came=came), is_here=True)
