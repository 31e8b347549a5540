"""What is promised is not at its place: it is promised from another."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from core.errors import Conflict, Invalid
from inventory.events import LostLine, PromiseLost
from inventory.models import Reservation
from inventory.services.candidates import Wanted
from inventory.services.levels import levels_follow
from inventory.services.locks import lock_ahead, lock_items_of
from inventory.services.posting import change_balances, level_changes
from inventory.services.reservations import Demand, Reserved, Shortage, stock_release, stock_reserve
from inventory.services.stock import Document
from notifications.services.events import publish


def reservation_elsewhere(*, reservation_id: UUID, quantity: Decimal) -> Reserved:
    """So much of it is given back, and promised from other stock items of the warehouse, for the same demand.

    What no other has waits for goods. Raises Conflict where less is left of the reservation.
    """
    if quantity <= 0:
        raise Invalid("A quantity must be above zero.", fields={"quantity": "not positive"})
    row: Reservation | None = Reservation.objects.filter(pk=reservation_id, stock_item__isnull=False).first()
    if row is None:
        raise Conflict("This demand waits for goods already.", code="not_allocated")
    lock_ahead(demand=row.demand_id, whole=[(row.variant_id, row.warehouse_id)])
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
    return stock_reserve(lines=[wanted], demand=demand, shortage=Shortage.BACKORDER, waits=False)


@dataclass(frozen=True, slots=True)
class Lost:
    """So much was promised to a demand from a place where it is not."""

    sku: str
    wanted: Wanted
    demand: Demand


def promises_give_way(lacking: Mapping[UUID, Decimal]) -> list[Lost]:
    """So much of what is reserved is given back at each of these stock items, which are locked with all others of their variants
    in the warehouse, and with their cost pools and reorder rules. The youngest promises give way first; `promises_anew` follows
    once the balances are right.
    """
    rows = Reservation.objects.filter(stock_item__in=lacking, status=Reservation.Status.ACTIVE)
    left, ended, lost = dict(lacking), [], []
    for row in rows.select_related("variant").order_by("-pk"):
        item: UUID = row.stock_item_id
        part = min(row.quantity - row.picked_quantity, left[item])
        if part <= 0:
            continue
        left[item] -= part
        if part == row.quantity:
            ended.append(row.pk)
        else:
            _less(row, part)
        lost.append(Lost(
            row.variant.sku, Wanted(row.variant_id, row.warehouse_id, part, demand_line_id=row.demand_line_id),
            Demand(row.demand_type, row.demand_id, row.expires_at),
        ))
    if ended:
        stock_release(reservations=ended)
    return lost


def promises_anew(lost: Sequence[Lost], *, document: Document) -> None:
    """From what is elsewhere; what is nowhere waits for goods. Programs are told, and that `document` has shown it."""
    by_demand: dict[Demand, list[Lost]] = defaultdict(list)
    for one in reversed(lost):  # the oldest first
        if one.demand.expires_at is None or one.demand.expires_at > timezone.now():
            by_demand[one.demand].append(one)
    for demand, goods in by_demand.items():
        wanted = [one.wanted for one in goods]
        short = stock_reserve(lines=wanted, demand=demand, shortage=Shortage.BACKORDER, waits=False).short
        publish(PromiseLost(
            demand_type=demand.type, demand=demand.id, document_type=document.type, document=document.id, lines=[
                LostLine(
                    demand_line=one.wanted.demand_line_id, variant=one.wanted.variant_id, sku=one.sku,
                    warehouse=one.wanted.warehouse_id, quantity=one.wanted.quantity, waits=short.get(number, Decimal(0)),
                )
                for number, one in enumerate(goods)
            ],
        ), aggregate_id=demand.id)


def _less(row: Reservation, quantity: Decimal) -> None:
    [(place, balance)] = lock_items_of([row.pk]).values()
    row.quantity -= quantity
    if row.quantity == row.picked_quantity:
        row.status, row.closed_at = Reservation.Status.CONSUMED, timezone.now()
    row.save(update_fields=["quantity", "status", "closed_at"])
    levels_follow(level_changes(change_balances({place: balance}, {}, {place: -quantity})))
