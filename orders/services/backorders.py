"""Orders that wait for goods get them as they come, first come first served: who was placed first, before the others.

Each order is its own transaction, which locks the order and then the stock, as all verbs do. What somebody else was quicker to
take is not there any more: the order waits on.
"""

from uuid import UUID

from core.errors import Conflict
from core.in_turn import in_turn
from core.tenancy import organization_scope
from inventory.models import Reservation
from inventory.services.reservations import reservation_allocate
from orders.models import SalesOrder
from orders.queries.backorders import orders_due, organizations_waiting
from orders.services.kits import in_kits
from orders.services.promising import DOCUMENT, allocated_follow
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
    lines = list(row.lines.order_by("line"))
    before = [line.allocated_quantity for line in lines]
    kits = {line.pk: found for line in lines if (found := in_kits(line))}
    if kits:  # a kit gets its components together
        waiting = Reservation.objects.filter(
            demand_type=DOCUMENT, demand_id=row.pk, demand_line_id__in=kits, status=Reservation.Status.ACTIVE, stock_item=None,
        )
        reservations = list({*reservations, *waiting.values_list("pk", flat=True)})
    reservation_allocate(reservations=reservations, in_sets=kits)
    allocated_follow(row)
    return list(row.lines.order_by("line").values_list("allocated_quantity", flat=True)) != before
