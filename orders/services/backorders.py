"""Orders that wait for goods get them as they come, first come first served: who was placed first, before the others.

Each order is its own transaction, which locks the order and then the stock, as all verbs do. What somebody else was quicker to
take is not there any more: the order waits on.
"""

from uuid import UUID

from core.errors import Conflict
from core.in_turn import in_turn
from core.tenancy import organization_scope
from inventory.services.reservations import reservation_allocate
from orders.models import SalesOrder
from orders.queries.backorders import orders_due, organizations_waiting
from orders.services.promising import allocated_follow
from orders.services.sales_orders import locked


def backorders_fill_everywhere() -> int:
    """As the worker; returns how many orders got goods."""
    return in_turn(organizations_waiting(), _fill)


def _fill(organization: UUID) -> int:
    with organization_scope(organization):
        due = orders_due()
    filled = 0
    for order, reservations in due:
        try:
            with organization_scope(organization):
                filled += backorder_fill(order=SalesOrder(pk=order), reservations=reservations)
        except Conflict:  # somebody has just allocated or released them: the next time looks anew
            continue
    return filled


def backorder_fill(*, order: SalesOrder, reservations: list[UUID]) -> bool:
    """What waits gets what there is. Raises Conflict for reservations that wait no longer."""
    row = locked(order)
    if row.status not in SalesOrder.FILLED:
        return False
    before = list(row.lines.order_by("line").values_list("allocated_quantity", flat=True))
    reservation_allocate(reservations=reservations)
    allocated_follow(row)
    return list(row.lines.order_by("line").values_list("allocated_quantity", flat=True)) != before
