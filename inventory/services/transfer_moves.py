"""The goods of transfer orders: shipped into transit, received, taken back, written off.

Which lots a line has sent is in the ledger, whose moves name the line; what is received comes out of that.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from core.errors import Conflict, Invalid
from inventory.events import TransferLineMoved, TransferOrderReceived, TransferOrderShipped
from inventory.models import Location, Reservation, StockMove, TransferOrder, TransferOrderLine
from inventory.queries.stock import reason_of
from inventory.queries.transfers import DOCUMENT, UnderWay, in_transit, usual_entrance
from inventory.services.adjustments import is_over_limit
from inventory.services.levels import Coming
from inventory.services.locks import lock_ahead
from inventory.services.posting import Line, Posted
from inventory.services.reservations import Pick, Shortage, stock_pick_into_transit, stock_reserve
from inventory.services.stock import USUAL, Circumstances, Document, post, posted_before
from inventory.services.transfer_states import Status, lines_add, lines_of, locked, status_follow, to_ship, transit_to
from inventory.services.transfers import demand_of, reserve, stop_shipping, tell_if_closed, trim, wanted
from notifications.services.events import publish

MOVE, ADJUSTMENT = StockMove.Kind.MOVE, StockMove.Kind.ADJUSTMENT
SHIPPED = (Status.PARTLY_SHIPPED, Status.SHIPPED)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Part:
    """Of a line of the order: all that is left, of any lot, unless it says otherwise.

    `location_id` is where the goods are taken from when they are shipped, and where they go when they are received.
    """

    line_id: UUID
    quantity: Decimal | None = None
    lot_id: UUID | None = None
    location_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Share:
    line: TransferOrderLine
    quantity: Decimal
    lot_id: UUID | None
    location_id: UUID | None


def transfer_order_ship(
    *, order: TransferOrder, lines: Sequence[Part] | None = None, circumstances: Circumstances = USUAL,
) -> TransferOrder:
    """Goods leave the source and are in transit: all that is left to ship, unless lines say otherwise.

    A draft is confirmed first. Raises Conflict, naming what is short.
    """
    if posted_before(kind=MOVE, key=circumstances.idempotency_key):
        return _now(order)
    row = locked(order, verb="shipped", among=(Status.DRAFT, Status.CONFIRMED, Status.PARTLY_SHIPPED))
    transit = transit_to(row.destination)
    shares = _asked(row, lines, to_ship, "to ship")
    chosen = _lock_what_is_chosen(row, shares, transit)
    if row.status == Status.DRAFT:
        reserve(row, Shortage.REFUSE if lines is None else Shortage.BACKORDER, waits=False)
    picks = _picks(row, shares, chosen)
    stock_pick_into_transit(picks=picks, location_id=transit.pk, circumstances=_of(row, circumstances))
    lines_add(_by_line(shares), "shipped_quantity")
    trim(row)
    status_follow(row, shipped=True, transit_id=transit.pk)
    publish(TransferOrderShipped(
        transfer_order=row.pk, number=row.number, source=row.source_id, destination=row.destination_id, status=row.status,
        lines=[_told(share) for share in shares],
    ), aggregate_id=row.pk)
    return row


def transfer_order_receive(
    *, order: TransferOrder, lines: Sequence[Part] | None = None, location: Location | None = None,
    circumstances: Circumstances = USUAL,
) -> TransferOrder:
    """Goods come out of transit to the destination: all that is in transit, unless lines say otherwise.

    They go to the location of their line, else to `location`, to the order's, to where the warehouse receives goods.
    """
    if posted_before(kind=MOVE, key=circumstances.idempotency_key):
        return _now(order)
    row = locked(order, verb="received", among=SHIPPED)
    found = _take_out(row, lines)
    place = location.pk if location else row.to_location_id
    row.overfull = _move_out(row, found, row.destination_id, place, circumstances, coming=_gone(row, found)).overfull
    lines_add(_by_line(found), "received_quantity")
    status_follow(row, received=True)
    publish(TransferOrderReceived(
        transfer_order=row.pk, number=row.number, source=row.source_id, destination=row.destination_id, status=row.status,
        lines=[_told(share) for share in found],
    ), aggregate_id=row.pk)
    tell_if_closed(row)
    return row


def transfer_order_take_back(
    *, order: TransferOrder, lines: Sequence[Part] | None = None, location: Location | None = None,
    circumstances: Circumstances = USUAL,
) -> TransferOrder:
    """Goods in transit come back to the source, as if they had not been shipped: they are to ship again, or can be canceled."""
    if posted_before(kind=MOVE, key=circumstances.idempotency_key):
        return _now(order)
    row = locked(order, verb="taken back", among=SHIPPED)
    found = _take_out(row, lines)
    row.overfull = _move_out(row, found, row.source_id, location.pk if location else None, circumstances).overfull
    lines_add({key: -quantity for key, quantity in _by_line(found).items()}, "shipped_quantity")
    return status_follow(row)


def transfer_order_close(*, order: TransferOrder, circumstances: Circumstances) -> TransferOrder:
    """No more will come: what is in transit is written off by a reason, and what is not shipped is canceled."""
    if posted_before(kind=ADJUSTMENT, key=circumstances.idempotency_key):
        return _now(order)
    row = locked(order, verb="closed", among=SHIPPED)
    found = _take_out(row, None, may_be_none=True)
    transit = Location.objects.get(pk=row.transit_location_id)
    _lock_ahead(row, set(), {share.line.variant_id for share in found}, transit)
    stop_shipping(row)
    if found:
        lost = [
            Line(
                share.line.variant_id, share.quantity, from_location_id=transit.pk, lot_id=share.lot_id,
                document_line_id=share.line.pk,
            )
            for share in found
        ]
        _check_reason(circumstances, lost)
        post(
            kind=ADJUSTMENT, in_transit=True, circumstances=_of(row, circumstances), coming=_gone(row, found), lines=lost,
        )
        lines_add(_by_line(found), "lost_quantity")
    status_follow(row)
    tell_if_closed(row)
    return row


def _check_reason(circumstances: Circumstances, lost: Sequence[Line]) -> None:
    if circumstances.reason_id is None:
        raise Invalid("Say why the goods did not arrive: give a reason code.", fields={"reason": "required"})
    reason = reason_of(circumstances.reason_id)
    if reason and is_over_limit(reason, lost, [line.quantity for line in lost]):
        raise Conflict(
            f"This is over the limit of the reason {reason.code}: receive the goods, and adjust the stock there, which asks for"
            " approval.", code="needs_approval",
        )


def _now(order: TransferOrder) -> TransferOrder:
    order.refresh_from_db()
    return order


def _of(order: TransferOrder, circumstances: Circumstances) -> Circumstances:
    return replace(circumstances, document=Document(DOCUMENT, order.pk))


def _asked(
    order: TransferOrder, parts: Sequence[Part] | None, left_of: Callable[[TransferOrderLine], Decimal], what: str,
) -> list[Share]:
    """What the parts come to. Raises Invalid or Conflict if that is nothing, or more than there is."""
    lines = lines_of(order)
    if parts is None:
        parts = [Part(key) for key, line in lines.items() if left_of(line)]
        if not parts:
            raise Conflict(f"There is nothing left {what} of transfer order {order.number}.", code="nothing_left")
    if not parts:
        raise Invalid("Give at least one line, or leave the lines out for all of them.", fields={"lines": "empty"})
    shares, left = [], {key: left_of(line) for key, line in lines.items()}
    for part in parts:
        if part.line_id not in lines:
            raise Invalid(f"Transfer order {order.number} has no such line.", fields={"line": "does not exist"})
        quantity = left[part.line_id] if part.quantity is None else part.quantity
        if part.quantity is not None and quantity <= 0:
            raise Invalid("A quantity must be above zero.", fields={"quantity": "not positive"})
        if quantity > left[part.line_id] or not quantity:
            have = f"{left[part.line_id].normalize():f}"
            raise Conflict(f"Of line {lines[part.line_id].line} there are {have} left {what}.", code="more_than_is_left")
        left[part.line_id] -= quantity
        shares.append(Share(lines[part.line_id], quantity, part.lot_id, part.location_id))
    return shares


def _lock_what_is_chosen(order: TransferOrder, shares: Sequence[Share], transit: Location) -> set[UUID]:
    """The variants of which goods are chosen while the order is shipped: all their places are locked."""
    lines: Sequence[Any] = list(lines_of(order).values())
    if order.status != Status.DRAFT:
        lines = [share.line for share in _pick_reserved(order, shares, defaultdict(Decimal))]
    chosen = {line.variant_id for line in lines}
    _lock_ahead(order, chosen, chosen | {share.line.variant_id for share in shares}, transit)
    return chosen


def _lock_ahead(order: TransferOrder, chosen: set[UUID], variants: set[UUID], transit: Location) -> None:
    lock_ahead(
        demand=order.pk, whole=[(variant, order.source_id) for variant in chosen],
        lying=[(variant, transit.pk) for variant in variants],
        pools=[(variant, place) for variant in variants for place in (order.source_id, transit.warehouse_id)],
    )


def _picks(order: TransferOrder, shares: Sequence[Share], chosen: set[UUID]) -> list[Pick]:
    """What is reserved for the lines; for what is not, or is of another lot or place, goods are reserved now."""
    taken: dict[UUID, Decimal] = defaultdict(Decimal)
    missing = _pick_reserved(order, shares, taken)
    if not {share.line.variant_id for share in missing} <= chosen:
        raise Conflict("Somebody has just given back what was reserved: look again.", code="reservation_changed")
    if missing:
        lines = [wanted(order, one.line, one.quantity, one.lot_id, one.location_id) for one in missing]
        done = stock_reserve(lines=lines, demand=demand_of(order), waits=False)
        for one in Reservation.objects.filter(pk__in=done.reservations):
            taken[one.pk] += one.quantity
    return [Pick(key, quantity) for key, quantity in taken.items()]


def _pick_reserved(order: TransferOrder, shares: Sequence[Share], taken: dict[UUID, Decimal]) -> list[Share]:
    """Fills `taken`; returns what is missing. Who names a lot chooses first."""
    rows = Reservation.objects.filter(
        demand_id=order.pk, demand_type=DOCUMENT, status=Reservation.Status.ACTIVE, warehouse=order.source_id,
    )
    held: dict[tuple[UUID, UUID], list[Any]] = defaultdict(list)
    for one in rows.exclude(stock_item=None).select_related("stock_item").order_by("line", "pk"):
        held[one.demand_line_id, one.variant_id].append(one)
    missing = []
    for share in sorted(shares, key=lambda one: (one.lot_id is None, one.location_id is None)):
        need = share.quantity
        for one in held[share.line.pk, share.line.variant_id]:
            fits = share.lot_id in (None, one.lot_id) and share.location_id in (None, one.stock_item.location_id)
            if fits and (part := min(need, one.quantity - one.picked_quantity - taken.get(one.pk, ZERO))) > 0:
                taken[one.pk] += part
                need -= part
        if need:
            missing.append(replace(share, quantity=need))
    return missing


def _take_out(order: TransferOrder, parts: Sequence[Part] | None, *, may_be_none: bool = False) -> list[Share]:
    """What the parts come to, by line and lot."""
    goods: dict[UUID, list[UnderWay]] = defaultdict(list)
    for one in in_transit(order):
        goods[one.line_id].append(one)
    if may_be_none and not goods:
        return []
    shares = _asked(order, parts, lambda line: sum((one.quantity for one in goods[line.pk]), ZERO), "in transit")
    left = {(one.line_id, one.lot_id): one.quantity for rows in goods.values() for one in rows}
    found = []
    for share in sorted(shares, key=lambda one: one.lot_id is None):
        need = share.quantity
        for one in goods[share.line.pk]:
            if share.lot_id in (None, one.lot_id) and (part := min(need, left[one.line_id, one.lot_id])) > 0:
                found.append(replace(share, quantity=part, lot_id=one.lot_id))
                left[one.line_id, one.lot_id] -= part
                need -= part
        if need:
            raise Conflict(f"Of this lot less of line {share.line.line} is in transit.", code="more_than_is_left")
    return found


def _move_out(
    order: TransferOrder, shares: Sequence[Share], warehouse_id: UUID, place: UUID | None, circumstances: Circumstances,
    coming: Sequence[Coming] = (),
) -> Posted:
    if place is None and any(share.location_id is None for share in shares):
        entrance = usual_entrance(warehouse_id)
        place = entrance.pk if entrance else None
    targets = {share.location_id or place for share in shares}
    if None in targets:
        detail = "Say where the goods go: the warehouse has no place for receiving or storage."
        raise Invalid(detail, fields={"location": "required"})
    if Location.objects.filter(pk__in=targets, warehouse_id=warehouse_id).count() != len(targets):
        detail = "There is no such location in the warehouse where the goods go."
        raise Invalid(detail, code="does_not_exist", fields={"location": detail})
    return post(kind=MOVE, in_transit=True, circumstances=_of(order, circumstances), coming=coming, lines=[
        Line(
            share.line.variant_id, share.quantity, from_location_id=order.transit_location_id,
            to_location_id=share.location_id or place, lot_id=share.lot_id, document_line_id=share.line.pk,
        )
        for share in shares
    ])


def _gone(order: TransferOrder, shares: Sequence[Share]) -> list[Coming]:
    """On its way no longer."""
    return [(share.line.variant_id, order.destination_id, -share.quantity) for share in shares]


def _by_line(shares: Sequence[Share]) -> dict[UUID, Decimal]:
    sums: dict[UUID, Decimal] = defaultdict(Decimal)
    for share in shares:
        sums[share.line.pk] += share.quantity
    return sums


def _told(share: Share) -> TransferLineMoved:
    return TransferLineMoved(
        line=share.line.pk, variant=share.line.variant_id, lot=share.lot_id, quantity=share.quantity,
    )
