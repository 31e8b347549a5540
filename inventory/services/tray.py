"""The tray: what somebody takes along between two scans. Everybody has one, and nobody sees another's."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils import timezone

from core.errors import Invalid
from core.tenancy import active_scope
from inventory.models import Location, StockItem, StockMove, TransferOrder, TrayLine, Warehouse
from inventory.queries.drafts import tray_of
from inventory.queries.transfers import DOCUMENT
from inventory.services.capacity import Overfull
from inventory.services.locks import lock_ahead, lock_pools_and_rules
from inventory.services.posting import Line
from inventory.services.reversal import stock_reverse
from inventory.services.stock import Circumstances, stock_move
from inventory.services.transfer_moves import transfer_order_ship, transfer_order_take_back
from inventory.services.transfer_states import transit_to
from inventory.services.transfers import TransferLine, transfer_order_cancel, transfer_order_create

AWAKE = timedelta(hours=1)  # a tray that was forgotten does nothing by itself


@dataclass(frozen=True, slots=True)
class PutDown:
    """What was moved, last first, and by which orders what came from other warehouses is on its way.

    `overfull` says so where the location took more than fits.
    """

    carried: list[Any]
    orders: list[TransferOrder]
    overfull: Sequence[Overfull] = ()


def tray_put(*, item_id: UUID) -> TrayLine:
    """All that is neither reserved nor packed there, until it is said otherwise. Once more changes nothing."""
    found = StockItem.objects.filter(pk=item_id).first()
    if found is None:
        raise Invalid("There is no such stock.")
    if found.quantity <= max(found.reserved, found.packed):
        raise Invalid("Nothing of it is free there: it is reserved, packed, or gone.")
    line: TrayLine
    line, _ = TrayLine.objects.get_or_create(actor_id=_actor(), stock_item=found)
    return line


def tray_quantity(*, line_id: UUID, quantity: Decimal | None) -> None:
    """None: all."""
    if quantity is not None and quantity <= 0:
        raise Invalid("A quantity is above zero. To leave it there, take it out of the tray.")
    TrayLine.objects.filter(actor_id=_actor(), pk=line_id).update(quantity=quantity)


def tray_take_out(*, line_id: UUID) -> None:
    """It lies where it lay."""
    TrayLine.objects.filter(actor_id=_actor(), pk=line_id).delete()


def tray_awake() -> bool:
    """Whether it is being filled: scans then go into it, and a scanned location is where it goes."""
    return bool(TrayLine.objects.filter(actor_id=_actor(), created_at__gt=timezone.now() - AWAKE).exists())


def tray_put_down(*, location: Location, key: str) -> PutDown:
    """Moves what is of the location's warehouse, and ships the rest there by a transfer order for each warehouse.

    All of it or nothing. Raises Invalid, or Conflict where goods are gone.
    """
    held = list(TrayLine.objects.select_for_update(no_key=True).filter(actor_id=_actor()).values_list("pk", flat=True))
    carried = tray_of(_actor())
    if not carried:
        raise Invalid("The tray is empty.")
    if here := [line.stock_item.variant.sku for line in carried if line.stock_item.location_id == location.pk]:
        raise Invalid(f"{', '.join(here)} lies there already: take it out of the tray, or scan another location.")
    if gone := [line.stock_item.variant.sku for line in carried if line.takes <= 0]:
        raise Invalid(f"Nothing of {', '.join(gone)} is free any more: take it out of the tray.")
    by_warehouse: dict[Warehouse, list[Any]] = defaultdict(list)
    for line in carried:
        by_warehouse[line.stock_item.warehouse].append(line)
    elsewhere = [warehouse for warehouse in by_warehouse if warehouse.pk != location.warehouse_id]
    if elsewhere:
        _lock_ahead(carried, location.warehouse)
    drafts = {warehouse: _draft(warehouse, location, by_warehouse[warehouse]) for warehouse in elsewhere}
    orders: list[TransferOrder] = []
    overfull: Sequence[Overfull] = ()
    for number, (warehouse, lines) in enumerate(sorted(by_warehouse.items(), key=lambda pair: pair[0].code)):
        circumstances = Circumstances(idempotency_key=_key(key, number))
        if draft := drafts.get(warehouse):
            orders.append(transfer_order_ship(order=draft, circumstances=circumstances))
        else:
            overfull = stock_move(lines=[_line(one, location) for one in lines], circumstances=circumstances).overfull
    TrayLine.objects.filter(pk__in=held).delete()
    return PutDown(carried, orders, overfull)


def tray_undo(*, key: str) -> list[StockMove]:
    """What was put down with the key goes back: moves are reversed, orders taken back and canceled. Returns what was moved."""
    found: list[StockMove] = []
    number = 0
    while moves := list(StockMove.objects.filter(idempotency_key=_key(key, number))):
        found += moves
        circumstances = Circumstances(note="Undone.", idempotency_key=f"{_key(key, number)}:undo")
        if moves[0].document_type == DOCUMENT:
            order = TransferOrder.objects.get(pk=moves[0].document_id)
            if order.status != TransferOrder.Status.CANCELLED:
                transfer_order_cancel(order=transfer_order_take_back(order=order, circumstances=circumstances))
        else:
            stock_reverse(moves=[move.pk for move in moves], circumstances=circumstances)
        number += 1
    return found


def _key(key: str, number: int) -> str:
    """The first posting has the key itself, by which the whole is known."""
    return f"{key}:{number}" if number else key


def _line(line: Any, location: Location) -> Line:
    item = line.stock_item
    return Line(item.variant_id, line.takes, item.location_id, location.pk, lot_id=item.lot_id)


def _draft(warehouse: Warehouse, location: Location, lines: Sequence[Any]) -> TransferOrder:
    return transfer_order_create(
        source=warehouse, destination=location.warehouse, to_location=location, lines=[
            TransferLine(one.stock_item.variant_id, one.takes, one.stock_item.lot_id, one.stock_item.location_id) for one in lines
        ],
    )


def _lock_ahead(carried: Sequence[Any], destination: Warehouse) -> None:
    """What moves and shipments from several warehouses touch, before the first of them, and before orders take a number."""
    transit = transit_to(destination)
    variants = {one.stock_item.variant_id for one in carried}
    whole = {(one.stock_item.variant_id, one.stock_item.warehouse_id) for one in carried}
    pairs = whole | {(variant, place) for variant in variants for place in (destination.pk, transit.warehouse_id)}
    lock_ahead(whole=whole, lying={(variant, transit.pk) for variant in variants}, pools=pairs)
    lock_pools_and_rules(pairs)


def _actor() -> UUID:
    actor = active_scope().origin.actor_id
    if actor is None:
        raise Invalid("A tray belongs to a person.")
    return actor
