"""What is promised to one demand is promised to another from now on: the same goods, without a moment in which they are free."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from inventory.models import Reservation
from inventory.services.locks import lock_items_of
from inventory.services.reservations import Demand


@dataclass(frozen=True, slots=True)
class Handed:
    """So much of a line of the one demand, to a line of the other."""

    line_id: UUID
    to_line_id: UUID
    quantity: Decimal


def demand_hand_over(*, demand: Demand, to: Demand, lines: Sequence[Handed]) -> None:
    """What waits for goods goes first, then what was promised last. What nobody holds any more is not handed over."""
    active = Reservation.objects.filter(
        demand_type=demand.type, demand_id=demand.id, demand_line_id__in=[line.line_id for line in lines],
        status=Reservation.Status.ACTIVE,
    )
    lock_items_of(list(active.values_list("pk", flat=True)))
    held: dict[UUID, list[Reservation]] = defaultdict(list)
    for one in active.select_for_update(no_key=True).order_by("pk"):
        held[one.demand_line_id].append(one)
    whole, parts, fewer = [], [], []
    for line in lines:
        missing = line.quantity
        for one in sorted(held[line.line_id], key=lambda row: (row.stock_item_id is None, row.pk), reverse=True):
            taken = min(missing, one.quantity - one.picked_quantity)
            missing -= taken
            if taken and taken == one.quantity:
                one.demand_id, one.demand_line_id = to.id, line.to_line_id
                whole.append(one)
            elif taken:
                one.quantity -= taken
                fewer.append(one)
                parts.append(_part(one, to, line.to_line_id, taken))
    Reservation.objects.bulk_update(whole, ["demand_id", "demand_line_id"])
    Reservation.objects.bulk_update(fewer, ["quantity"])
    Reservation.objects.filter(pk__in=[one.pk for one in fewer], quantity=F("picked_quantity")).update(
        status=Reservation.Status.CONSUMED, closed_at=Now(),
    )
    Reservation.objects.bulk_create(parts)


def _part(one: Reservation, to: Demand, line: UUID, quantity: Decimal) -> Reservation:
    return Reservation(
        pk=uuid7(), variant_id=one.variant_id, warehouse_id=one.warehouse_id, stock_item_id=one.stock_item_id, lot_id=one.lot_id,
        quantity=quantity, demand_type=to.type, demand_id=to.id, demand_line_id=line, expires_at=one.expires_at,
        actor_id=one.actor_id, api_key_id=one.api_key_id,
    )
