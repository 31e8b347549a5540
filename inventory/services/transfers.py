"""Transfer orders: made, changed while they are drafts, confirmed, canceled. Their goods: transfer_moves.py.

The order is locked before any stock, so whoever holds it knows what of its lines is shipped and received.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.services.documents import number_next
from core.errors import Conflict, Invalid
from inventory.events import TransferOrderClosed
from inventory.models import Location, Lot, Reservation, TransferOrder, TransferOrderLine, Warehouse
from inventory.queries.transfers import DOCUMENT
from inventory.services.candidates import Wanted
from inventory.services.levels import Coming
from inventory.services.reservations import Demand, Shortage, demand_release, stock_release, stock_reserve
from inventory.services.transfer_states import lines_add, lines_of, locked, status_follow, to_ship
from notifications.services.events import publish

NUMBERS = "TO-{number:06}"
MOST_LINES = 1_000
Status = TransferOrder.Status
EARLY = ("source_id", "destination_id")  # what may change while nothing is promised


@dataclass(frozen=True, slots=True)
class TransferLine:
    """Without a lot, what expires first is taken; without a location, what is first in pick order."""

    variant_id: UUID
    quantity: Decimal
    lot_id: UUID | None = None
    from_location_id: UUID | None = None


def transfer_order_create(
    *, source: Warehouse, destination: Warehouse, lines: Sequence[TransferLine] = (), to_location: Location | None = None,
    expected_on: date | None = None, note: str = "",
) -> TransferOrder:
    """A draft, which promises nothing yet."""
    _check_ends(source, destination)
    _check_entrance(to_location.pk if to_location else None, destination.pk)
    order: TransferOrder = TransferOrder.objects.create(
        number=number_next(document_type=DOCUMENT, first=NUMBERS), source=source, destination=destination,
        to_location=to_location, expected_on=expected_on, note=note,
    )
    _write_lines(order, lines)
    return order


def transfer_order_change(*, order: TransferOrder, lines: Sequence[TransferLine] | None = None, **values: Any) -> TransferOrder:
    """`values` are columns; the lines, if they are given, replace those before. What is promised already stays as it is."""
    row = locked(order, verb="changed", among=(Status.DRAFT, *TransferOrder.UNDER_WAY))
    moved = [name for name in EARLY if name in values and values[name] != getattr(row, name)]
    if row.status != Status.DRAFT and (moved or lines is not None):
        raise Conflict(
            f"Transfer order {row.number} is {row.status.replace('_', ' ')}: its warehouses and lines stay. Cancel what is not"
            " shipped, and make another order.", code="wrong_status",
        )
    for name, value in values.items():
        setattr(row, name, value)
    if moved:
        ends = Warehouse.objects.in_bulk([row.source_id, row.destination_id])
        if len(ends) == 2:  # else the foreign key says which is not there
            _check_ends(ends[row.source_id], ends[row.destination_id])
    if moved or "to_location_id" in values:
        _check_entrance(row.to_location_id, row.destination_id)
    if lines is not None:
        row.lines.all().delete()
        _write_lines(row, lines)
        row.revision += 1
    elif moved:
        _check_places(row, [line.from_location_id for line in row.lines.all() if line.from_location_id])
    row.save(update_fields=[*values, "revision"])
    return row


def transfer_order_confirm(*, order: TransferOrder, shortage: Shortage = Shortage.REFUSE) -> TransferOrder:
    """The goods are reserved at the source. With BACKORDER, what is not there waits for goods."""
    row = locked(order, verb="confirmed", among=(Status.DRAFT,))
    reserve(row, shortage)
    return status_follow(row)


def reserve(order: TransferOrder, shortage: Shortage, *, waits: bool = True) -> None:
    """All that is to be shipped; see `stock_reserve`."""
    lines = lines_of(order)
    if not lines:
        raise Invalid(f"Transfer order {order.number} has no lines: say what is to be moved.", fields={"lines": "empty"})
    stock_reserve(
        lines=[wanted(order, line, to_ship(line)) for line in lines.values()], demand=demand_of(order), shortage=shortage,
        coming=coming(order, {line: line.quantity for line in lines.values()}), waits=waits,
    )


def transfer_order_cancel(*, order: TransferOrder) -> TransferOrder:
    """What is not shipped stays, and is free again. What is in transit is received all the same."""
    row = locked(order, verb="canceled", among=(Status.DRAFT, Status.CONFIRMED, Status.PARTLY_SHIPPED))
    stop_shipping(row)
    status_follow(row)
    tell_if_closed(row)
    return row


def stop_shipping(order: TransferOrder) -> None:
    left = {line: quantity for line in lines_of(order).values() if (quantity := to_ship(line))}
    was_promised = order.status != Status.DRAFT
    demand_release(demand=demand_of(order), coming=coming(order, left, sign=-1) if was_promised else ())
    lines_add({line.pk: quantity for line, quantity in left.items()}, "cancelled_quantity")


def coming(order: TransferOrder, quantities: Mapping[TransferOrderLine, Decimal], *, sign: int = 1) -> list[Coming]:
    """What changes of what is on its way to the destination."""
    return [(line.variant_id, order.destination_id, sign * quantity) for line, quantity in quantities.items()]


def trim(order: TransferOrder) -> None:
    """No more is reserved for a line than there is to ship; what is held for the rest is chosen anew."""
    lines = lines_of(order)
    active = Reservation.objects.filter(demand_id=order.pk, demand_type=DOCUMENT, status=Reservation.Status.ACTIVE)
    held: dict[UUID, list[Reservation]] = {}
    for one in active.filter(demand_line_id__in=lines):
        held.setdefault(one.demand_line_id, []).append(one)
    over = [key for key, rows in held.items() if sum(one.quantity - one.picked_quantity for one in rows) > to_ship(lines[key])]
    if over:
        stock_release(reservations=[one.pk for key in over for one in held[key]])
    if left := [wanted(order, lines[key], to_ship(lines[key])) for key in over if to_ship(lines[key])]:
        stock_reserve(lines=left, demand=demand_of(order), shortage=Shortage.BACKORDER, waits=False)


def demand_of(order: TransferOrder) -> Demand:
    return Demand(DOCUMENT, order.pk)


def wanted(
    order: TransferOrder, line: TransferOrderLine, quantity: Decimal, lot_id: UUID | None = None, location_id: UUID | None = None,
) -> Wanted:
    return Wanted(
        line.variant_id, order.source_id, quantity, lot_id=lot_id or line.lot_id,
        location_id=location_id or line.from_location_id, demand_line_id=line.pk,
    )


def tell_if_closed(order: TransferOrder) -> None:
    if order.status in TransferOrder.OVER:
        lines = lines_of(order).values()
        publish(TransferOrderClosed(
            transfer_order=order.pk, number=order.number, source=order.source_id, destination=order.destination_id,
            status=order.status, received=sum((line.received_quantity for line in lines), Decimal(0)),
            lost=sum((line.lost_quantity for line in lines), Decimal(0)),
            cancelled=sum((line.cancelled_quantity for line in lines), Decimal(0)),
        ), aggregate_id=order.pk)


def _check_ends(source: Warehouse, destination: Warehouse) -> None:
    for name, warehouse in (("source", source), ("destination", destination)):
        if warehouse.kind == Warehouse.Kind.TRANSIT:
            detail = f"{warehouse.code} is for goods in transit: nothing is sent from there or to it."
            raise Invalid(detail, fields={name: detail})
        if warehouse.archived_at:
            raise Invalid(f"{warehouse.code} is archived.", fields={name: f"{warehouse.code} is archived."})


def _check_entrance(location_id: UUID | None, warehouse_id: UUID) -> None:
    if location_id and not Location.objects.filter(pk=location_id, warehouse_id=warehouse_id).exists():
        detail = "There is no such location in the warehouse where the goods go."
        raise Invalid(detail, code="does_not_exist", fields={"to_location": detail})


def _check_places(order: TransferOrder, locations: Collection[UUID]) -> None:
    if Location.objects.filter(pk__in=locations, warehouse_id=order.source_id).count() != len(set(locations)):
        detail = "There is no such location in the warehouse where the goods come from."
        raise Invalid(detail, code="does_not_exist", fields={"from_location": detail})


def _write_lines(order: TransferOrder, lines: Sequence[TransferLine]) -> None:
    if len(lines) > MOST_LINES:
        raise Invalid(f"At most {MOST_LINES} lines.", fields={"lines": "too many"})
    if any(line.quantity <= 0 for line in lines):
        raise Invalid("A quantity must be above zero.", fields={"quantity": "not positive"})
    lots = {line.lot_id for line in lines if line.lot_id}
    owners = dict(Lot.objects.filter(pk__in=lots).values_list("pk", "variant_id"))
    if any(line.lot_id and owners.get(line.lot_id) != line.variant_id for line in lines):
        raise Invalid("There is no such lot of this variant.", code="does_not_exist", fields={"lot": "does not exist"})
    _check_places(order, [line.from_location_id for line in lines if line.from_location_id])
    TransferOrderLine.objects.bulk_create([
        TransferOrderLine(
            order=order, line=number, variant_id=line.variant_id, quantity=line.quantity, lot_id=line.lot_id,
            from_location_id=line.from_location_id,
        )
        for number, line in enumerate(lines, 1)
    ])
