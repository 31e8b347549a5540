"""Stock is promised, picked, given back, and free again when time is up.

Every verb locks the stock items first, by id, and their reservations with or after them: who holds an item's lock knows what
is reserved there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NoReturn
from uuid import UUID

from django.db import connection, connections
from django.utils import timezone
from uuid_utils.compat import uuid7

from core.arrays import array
from core.errors import Conflict, Invalid, NotFound
from core.in_turn import in_turn
from core.kept import Beside, Kept, Together
from core.tenancy import active_organization_id, active_scope, organization_scope
from inventory.events import ReservationEnded, StockReserved
from inventory.models import Reservation, StockMove
from inventory.services.candidates import Candidate, InSets, Wanted, lock_candidates
from inventory.services.levels import Coming, levels_follow
from inventory.services.locks import Balance, Place, Promised, lock_items_of, lock_posting, lock_promised
from inventory.services.posting import (
    CHANGE,
    MOVES,
    Line,
    Posted,
    Taking,
    change_balances,
    level_changes,
    shown,
    stock_line,
    told,
)
from inventory.services.shortages import short_of
from inventory.services.stock import USUAL, Circumstances, Document, post, posted_before
from inventory.services.whole_sets import in_whole_sets
from notifications.services.events import publish_from

RESERVE = Kept("reserved", """
    INSERT INTO inventory_reservation (
        id, organization_id, variant_id, warehouse_id, stock_item_id, lot_id, quantity, picked_quantity, demand_line_id, line,
        demand_type, demand_id, expires_at, status, idempotency_key, actor_id, api_key_id
    )
    SELECT r.id, %s::uuid, r.variant_id, r.warehouse_id, r.stock_item_id, r.lot_id, r.quantity, 0, r.demand_line_id, r.line,
           %s::text, %s::uuid, %s::timestamptz, 'active', %s::text, %s::uuid, %s::uuid
    FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::numeric[], %s::uuid[], %s::int[])
        AS r(id, variant_id, warehouse_id, stock_item_id, lot_id, quantity, demand_line_id, line)
    ORDER BY r.line
""")
Together(CHANGE, [RESERVE])

# Of reservations that are locked, and have as much left.
TAKE = Kept("taken", """
    UPDATE inventory_reservation AS r
    SET picked_quantity = r.picked_quantity + t.quantity,
        status = CASE WHEN r.picked_quantity + t.quantity = r.quantity THEN 'consumed' ELSE 'active' END,
        closed_at = CASE WHEN r.picked_quantity + t.quantity = r.quantity THEN now() END
    FROM unnest(%s::uuid[], %s::numeric[]) AS t(id, quantity)
    WHERE r.organization_id = %s::uuid AND r.id = t.id
""")
Together(CHANGE, [TAKE, MOVES])

TELL = publish_from(
    ReservationEnded, "ended", aggregate_id="id", reservation="id", demand_type="demand_type", demand="demand_id",
    demand_line="demand_line_id", variant="variant_id", warehouse="warehouse_id", status="status", quantity="quantity",
    picked="picked_quantity",
)

END = Kept("reservations_ended", f"""
    WITH locked AS (
        SELECT id FROM inventory_reservation
        WHERE organization_id = %(organization)s::uuid AND id = ANY (%(keys)s::uuid[]) AND status = 'active'
        ORDER BY id FOR NO KEY UPDATE
    ), ended AS (
        UPDATE inventory_reservation AS r SET status = %(status)s::text, closed_at = now()
        FROM locked AS l WHERE r.organization_id = %(organization)s AND r.id = l.id
        RETURNING r.*
    ), told AS ({TELL})
    SELECT id, stock_item_id, quantity - picked_quantity FROM ended
""", gives="uuid uuid numeric")

DUE = "SELECT DISTINCT organization_id FROM inventory_reservation WHERE status = 'active' AND expires_at <= now()"

Status = Reservation.Status


class Shortage(StrEnum):
    """What to do when there is less than wanted."""

    REFUSE = "refuse"  # all lines or none
    PARTIAL = "partial"  # what there is
    BACKORDER = "backorder"  # what there is, and the rest waits for goods


@dataclass(frozen=True, slots=True)
class Demand:
    """What the goods are for; the inventory knows it by name and id alone."""

    type: str
    id: UUID
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reserved:
    """`short` is what could not be had, by the number of the line."""

    reservations: list[UUID]
    balances: list[dict[str, Any]]
    short: dict[int, Decimal]
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Pick:
    """Without a quantity, all that is left of the reservation."""

    reservation_id: UUID
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What a line gets of a stock item; of none, it waits."""

    number: int
    line: Wanted
    quantity: Decimal
    item: Candidate | None = None


def stock_reserve(
    *, lines: Sequence[Wanted], demand: Demand, shortage: Shortage = Shortage.REFUSE, idempotency_key: str = "",
    coming: Sequence[Coming] = (), waits: bool = True,
) -> Reserved:
    """Promise goods of warehouses: what expires first, then the oldest lot, in pick order; nothing that is held or expired.

    `coming` is what is on its way by it; see levels.py. Who holds stock items, pools or reorder rules already never `waits` for
    a stock item, but locks all that may be needed ahead. Raises Conflict, naming each line that is short, before it changes
    anything.
    """
    _check(lines, demand)
    if idempotency_key:
        lock_posting(idempotency_key)
        earlier = Reservation.objects.filter(idempotency_key=idempotency_key).order_by("line").values_list("pk", flat=True)
        if earlier:
            return Reserved(list(earlier), [], {}, replayed=True)
    shares, short = _allocate(lines, waits=waits, in_sets=shortage != Shortage.REFUSE)
    if short and (shortage == Shortage.REFUSE or (shortage == Shortage.PARTIAL and not shares)):
        raise short_of(lines, short)
    if shortage == Shortage.BACKORDER:
        shares += [Share(number, lines[number], quantity) for number, quantity in short.items()]
    ids = [uuid7() for _ in shares]
    rows = _promise(
        [(share.item, share.quantity) for share in shares if share.item], _written(ids, shares, demand, idempotency_key),
    )
    event = StockReserved(
        demand_type=demand.type, demand=demand.id, expires_at=demand.expires_at, reservations=ids,
        lines=[stock_line(row) for row in rows],
    )
    levels_follow(level_changes(rows), coming=coming, besides=[told(event, demand.id)])
    return Reserved(ids, [shown(row) for row in rows], short)


def _check(lines: Sequence[Wanted], demand: Demand) -> None:
    if not lines:
        raise Invalid("Give at least one line.", fields={"lines": "empty"})
    if any(line.quantity <= 0 for line in lines):
        raise Invalid("A quantity must be above zero.", fields={"quantity": "not positive"})
    if demand.expires_at and demand.expires_at <= timezone.now():
        raise Invalid("This reservation would be over before it begins.", fields={"expires_at": "in the past"})


def _allocate(lines: Sequence[Wanted], *, waits: bool, in_sets: bool) -> tuple[list[Share], dict[int, Decimal]]:
    """Looks a second time, at everything that nobody else is at, if others were quicker in the first places."""
    found = lock_candidates(lines, waits=waits)
    shares, short = _share_out(lines, found)
    if short and found and waits and (more := lock_candidates(lines, besides=found)):
        found = [*found, *more]
        shares, short = _share_out(lines, found)
    if short and in_sets and (most := in_whole_sets(lines, short)):
        shares, short = _share_out(lines, found, most)
    return shares, short


def _share_out(
    lines: Sequence[Wanted], found: Iterable[Candidate], most: Mapping[int, Decimal] = MappingProxyType({}),
) -> tuple[list[Share], dict[int, Decimal]]:
    """`most`: how much a line takes, by its number, where that is less than it wants."""
    shelves: dict[tuple[UUID, UUID], list[Candidate]] = defaultdict(list)
    free: dict[UUID, Decimal] = {}
    for item in sorted(found, key=lambda one: one.order):
        shelves[item.variant_id, item.warehouse_id].append(item)
        free[item.id] = item.free
    shares, short = [], {}
    for number, line in enumerate(lines):
        missing = most.get(number, line.quantity)
        left = line.quantity - missing
        for item in shelves[line.variant_id, line.warehouse_id]:
            if missing and free[item.id] > 0 and line.takes(item):
                taken = min(missing, free[item.id])
                free[item.id] -= taken
                missing -= taken
                shares.append(Share(number, line, taken, item))
        if missing + left:
            short[number] = missing + left
    return shares, short


def _promise(promised: Sequence[tuple[Candidate, Decimal]], beside: Beside) -> list[dict[str, Any]]:
    balances: dict[Place, Balance] = {}
    added: dict[Place, Decimal] = defaultdict(Decimal)
    for item, quantity in promised:
        balances[item.place] = item.balance
        added[item.place] += quantity
    return change_balances(balances, {}, added, besides=[beside])


def _written(ids: Sequence[UUID], shares: Sequence[Share], demand: Demand, idempotency_key: str) -> Beside:
    scope = active_scope()
    return Beside(RESERVE, [
        scope.organization_id, demand.type, demand.id, demand.expires_at, idempotency_key,
        scope.origin.actor_id, scope.origin.api_key_id, array(ids),
        array(share.line.variant_id for share in shares), array(share.line.warehouse_id for share in shares),
        array(share.item and share.item.id for share in shares),
        array(share.item.lot_id if share.item else share.line.lot_id for share in shares),
        array(share.quantity for share in shares), array(share.line.demand_line_id for share in shares),
        array(range(len(shares))),
    ])


def stock_pick(*, picks: Sequence[Pick], circumstances: Circumstances = USUAL) -> Posted:
    """Goods that are reserved leave: an issue which uses the reservations. What is not picked stays reserved.

    Raises Conflict for a reservation that is not active, has less left, or waits for goods.
    """
    return _pick(StockMove.Kind.ISSUE, picks, circumstances)


def stock_pick_into_transit(*, picks: Sequence[Pick], location_id: UUID, circumstances: Circumstances = USUAL) -> Posted:
    """Goods that are reserved go to a place of kind transit, and are nobody's there. Otherwise as `stock_pick`."""
    return _pick(StockMove.Kind.MOVE, picks, circumstances, location_id)


def _pick(kind: str, picks: Sequence[Pick], circumstances: Circumstances, to_location_id: UUID | None = None) -> Posted:
    if done := posted_before(kind=kind, key=circumstances.idempotency_key):
        return done
    found = {one.id: one for one in lock_promised({pick.reservation_id for pick in picks})}
    if len(found) != len(picks):
        _refuse_missing(picks)
    taken = {pick.reservation_id: _quantity(pick, found[pick.reservation_id]) for pick in picks}
    lines = [_leaving(found[key], quantity, to_location_id) for key, quantity in taken.items()]
    demands = {(one.demand_type, one.demand_id) for one in found.values()}
    if circumstances.document is None and len(demands) == 1:
        circumstances = Circumstances(
            circumstances.reason_id, circumstances.note, Document(*demands.pop()), circumstances.occurred_at,
            circumstances.idempotency_key,
        )

    used: dict[Place, Decimal] = defaultdict(Decimal)
    for key, quantity in taken.items():
        used[found[key].place] += quantity
    in_transit = to_location_id is not None
    return post(
        kind=kind, lines=lines, circumstances=circumstances, in_transit=in_transit,
        take=Taking(used, Beside(TAKE, [array(taken), array(taken.values()), active_organization_id()])),
        balances=None if in_transit else {one.place: one.balance for one in found.values()},
    )


def _refuse_missing(picks: Sequence[Pick]) -> NoReturn:
    rows = Reservation.objects.filter(pk__in=[pick.reservation_id for pick in picks])
    waiting = {key: item is None for key, item in rows.values_list("pk", "stock_item_id")}
    if len(waiting) == len(picks) and (keys := [key for key, waits in waiting.items() if waits]):
        raise Conflict(f"Reservation {keys[0]} waits for goods: allocate it first.", code="not_allocated")
    raise NotFound("There is no such reservation, or it is named twice.")


def _quantity(pick: Pick, reservation: Promised) -> Decimal:
    quantity = reservation.left if pick.quantity is None else pick.quantity
    if reservation.status != Status.ACTIVE:
        raise Conflict(f"Reservation {reservation.id} is {reservation.status} already.", code="not_active")
    if quantity <= 0:
        raise Invalid("A quantity must be above zero.", fields={"quantity": "not positive"})
    if quantity > reservation.left:
        raise Conflict(f"There is less left of reservation {reservation.id}: look again.", code="reservation_changed")
    return quantity


def _leaving(reservation: Promised, quantity: Decimal, to_location_id: UUID | None) -> Line:
    place = reservation.place
    return Line(
        place.variant_id, quantity, from_location_id=place.location_id, to_location_id=to_location_id, lot_id=place.lot_id,
        document_line_id=reservation.demand_line_id,
    )


def stock_release(*, reservations: Collection[UUID]) -> list[UUID]:
    """What is left of them is free again. Those that have ended already stay as they are; returns the others."""
    if Reservation.objects.filter(pk__in=reservations).count() != len(set(reservations)):
        raise NotFound("There is no such reservation.")
    return [key for key, _, _ in _end(reservations, Status.RELEASED)]


def demand_release(*, demand: Demand, coming: Sequence[Coming] = ()) -> list[UUID]:
    """All that is reserved for it; `coming` is the change of what is on its way by it."""
    rows = Reservation.objects.filter(demand_id=demand.id, demand_type=demand.type, status=Status.ACTIVE)
    return [key for key, _, _ in _end(list(rows.values_list("pk", flat=True)), Status.RELEASED, coming)]


def demand_keep(*, demand: Demand) -> bool:
    """What is reserved for it stays so, without an end. Says whether that is all that was reserved a moment before."""
    return demands_keep(type=demand.type, ids=[demand.id])


def demands_keep(*, type: str, ids: Collection[UUID]) -> bool:
    rows = Reservation.objects.filter(demand_id__in=ids, demand_type=type, status=Status.ACTIVE)
    keys = list(rows.filter(expires_at__isnull=False).values_list("pk", flat=True))
    if keys:
        lock_items_of(keys)
        return bool(rows.filter(pk__in=keys).update(expires_at=None) == len(keys))
    return True


def reservations_expire(*, most: int = 5_000) -> int:
    """Of the active organization, those whose time is up; returns how many."""
    due = Reservation.objects.filter(status=Status.ACTIVE, expires_at__lte=timezone.now()).order_by("expires_at")
    return len(_end(list(due.values_list("pk", flat=True)[:most]), Status.EXPIRED))


def reservation_allocate(
    *, reservations: Collection[UUID], in_sets: Mapping[UUID, InSets] = MappingProxyType({}),
) -> Reserved:
    """Goods for demand that waits, as far as there are any; the rest waits on. All for one demand, of which these lines are of
    use `in_sets` alone.
    """
    rows = list(Reservation.objects.filter(pk__in=reservations, stock_item=None, status=Status.ACTIVE).order_by("pk"))
    if len({(row.demand_type, row.demand_id, row.expires_at) for row in rows}) != 1:
        raise Conflict("Give reservations of one demand that wait for goods.", code="not_waiting")
    lines = [
        Wanted(
            row.variant_id, row.warehouse_id, row.quantity, lot_id=row.lot_id, demand_line_id=row.demand_line_id,
            in_sets=in_sets.get(row.demand_line_id),
        )
        for row in rows
    ]
    ended = _end([row.pk for row in rows], Status.RELEASED)
    if len(ended) != len(rows):
        raise Conflict("Somebody else has just allocated this demand: look again.", code="reservation_changed")
    demand = Demand(rows[0].demand_type, rows[0].demand_id, rows[0].expires_at)
    return stock_reserve(lines=lines, demand=demand, shortage=Shortage.BACKORDER)


def reservations_expire_everywhere() -> int:
    """One organization after the other, each in a transaction of its own."""
    with connections["worker"].cursor() as cursor:
        cursor.execute(DUE)
        organizations = [row[0] for row in cursor.fetchall()]
    return in_turn(organizations, _expire_in)


def _expire_in(organization: UUID) -> int:
    with organization_scope(organization):
        return reservations_expire()


def _end(
    keys: Collection[UUID], status: Reservation.Status, coming: Sequence[Coming] = (),
) -> list[tuple[UUID, UUID | None, Decimal]]:
    if not keys:
        levels_follow([], coming=coming)
        return []
    places = lock_items_of(keys)
    with connection.cursor() as cursor:
        END(cursor, {"status": status, "organization": active_organization_id(), "keys": list(keys)})
        ended: list[tuple[UUID, UUID | None, Decimal]] = cursor.fetchall()
    freed: dict[Place, Decimal] = defaultdict(Decimal)
    for _, item, quantity in ended:
        if item:
            freed[places[item][0]] -= quantity
    rows = change_balances(dict(places.values()), {}, freed)
    levels_follow(level_changes(rows), coming=coming)
    return ended


