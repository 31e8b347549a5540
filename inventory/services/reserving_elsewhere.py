"""What is promised is not at its place: it is promised from another."""

from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from core.errors import Conflict, Invalid
from inventory.models import Reservation
from inventory.services.candidates import Wanted
from inventory.services.levels import levels_follow
from inventory.services.locks import lock_ahead, lock_items_of
from inventory.services.posting import change_balances, level_changes
from inventory.services.reservations import Demand, Reserved, Shortage, stock_release, stock_reserve


def reservation_elsewhere(*, reservation_id: UUID, quantity: Decimal) -> Reserved:
    """So much of it is given back, and promised from other stock items of the warehouse, for the same demand.

    What no other has waits for goods. Raises Conflict where less is left of the reservation.
    """
    if quantity <= 0:
        raise Invalid("A quantity must be above zero.", fields={"quantity": "not positive"})
    row: Reservation | None = Reservation.objects.filter(pk=reservation_id, stock_item__isnull=False).first()
    if row is None:
        raise Conflict("This demand waits for goods already.", code="not_allocated")
    lock_ahead(
        demand=row.demand_id, warehouse=row.warehouse_id, whole=[row.variant_id], location=row.warehouse_id, variants=(),
        pools=(),
    )
    row.refresh_from_db()
    if row.status != Reservation.Status.ACTIVE:
        raise Conflict(f"Reservation {row.pk} is {row.status} already.", code="not_active")
    if quantity > row.quantity - row.picked_quantity:
        raise Conflict(f"There is less left of reservation {row.pk}: look again.", code="reservation_changed")
    if quantity == row.quantity:
        stock_release(reservations=[row.pk])
    else:
        _less(row, quantity)
    wanted = Wanted(
        row.variant_id, row.warehouse_id, quantity, demand_line_id=row.demand_line_id, elsewhere_than=row.stock_item_id,
    )
    demand = Demand(row.demand_type, row.demand_id, row.expires_at)
    return stock_reserve(lines=[wanted], demand=demand, shortage=Shortage.BACKORDER)


def _less(row: Reservation, quantity: Decimal) -> None:
    [(place, balance)] = lock_items_of([row.pk]).values()
    row.quantity -= quantity
    if row.quantity == row.picked_quantity:
        row.status, row.closed_at = Reservation.Status.CONSUMED, timezone.now()
    row.save(update_fields=["quantity", "status", "closed_at"])
    levels_follow(level_changes(change_balances({place: balance}, {}, {place: -quantity})))
