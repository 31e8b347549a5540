"""How a posting is written: lock, look, change, in statements for all lines at once."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import IntegrityError, connection
from uuid_utils.compat import uuid7

from core.arrays import array
from core.errors import Conflict, Invalid
from core.kept import Beside, Kept, Together, send, send_alone
from core.tenancy import active_organization_id, active_scope
from inventory.events import StockLine, StockPosted
from inventory.models import StockMove
from inventory.services.capacity import Overfull, check_room
from inventory.services.costing import Flow, rounded
from inventory.services.grounds import USUAL, Grounds, Rules, check_grounds
from inventory.services.levels import Arrival, Change, Coming, levels_follow
from inventory.services.locks import COST_POOLS, Balance, Place, lock_stock_items, pools_of
from inventory.services.loose import refuse_packed
from inventory.services.shortages import short_at
from inventory.services.valuation import flows_value, pairs_of
from notifications.services.events import published


@dataclass(frozen=True, slots=True)
class LotCode:
    """What a label says of a lot. A lot that comes in for the first time is made of it."""

    code: str
    expires_on: date | None = None
    best_before: date | None = None
    supplier_lot: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """`counted` replaces `quantity`: the balance at `to_location_id` becomes it, whatever it was.

    A lot is named by id, or by its code, which lots.py looks up before the posting. `kind` is that of the posting unless given.
    What a document has expected, see expected.py, `is_awaited` by that alone.
    """

    variant_id: UUID
    quantity: Decimal
    from_location_id: UUID | None = None
    to_location_id: UUID | None = None
    lot_id: UUID | None = None
    lot: LotCode | None = None
    unit_cost: Decimal | None = None
    document_line_id: UUID | None = None
    counted: Decimal | None = None
    expected: Decimal | None = None
    kind: str = ""
    reverses_id: UUID | None = None
    is_awaited: bool = False


@dataclass(frozen=True, slots=True)
class Posted:
    """`moves` in the order of the lines, without those that changed nothing; `balances` of the places touched.

    `overfull` are places that took more than fits, because they may.
    """

    moves: list[UUID]
    balances: list[dict[str, Any]]
    replayed: bool = False
    overfull: Sequence[Overfull] = ()


ZERO = Decimal(0)
AT_ONCE = timedelta(minutes=1)  # what is posted within it happened when it was posted
NOTHING: Mapping[Place, Decimal] = {}
ONE_PLACE = "stock_serial_in_one_place"  # the constraint, for two who receive one serial number in two places at once

# A new row's may_be_short is set by the change that follows in the same transaction.
CREATE = Kept("stock_items_made", """
    INSERT INTO inventory_stockitem (
        id, organization_id, variant_id, location_id, lot_id, warehouse_id, quantity, reserved, may_be_short, is_held, is_serial
    )
    SELECT new.id, l.organization_id, new.variant_id, l.id, new.lot_id, l.warehouse_id, 0, 0, false,
           COALESCE(lot.status <> 'released', false), COALESCE(p.tracking = 'serial', false)
    FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[]) WITH ORDINALITY
        AS new(id, variant_id, location_id, lot_id, number)
    JOIN inventory_location AS l ON l.organization_id = %s::uuid AND l.id = new.location_id
    LEFT JOIN inventory_lot AS lot ON lot.organization_id = l.organization_id AND lot.id = new.lot_id
    LEFT JOIN inventory_productvariant AS v ON v.organization_id = l.organization_id AND v.id = new.variant_id
    LEFT JOIN inventory_product AS p ON p.organization_id = l.organization_id AND p.id = v.product_id
    ORDER BY new.number
    ON CONFLICT DO NOTHING
""")

# The rows are locked and what is short has been refused; the table's own check stands behind it.
CHANGE = Kept("balances_changed", """
    UPDATE inventory_stockitem AS s
    SET quantity = s.quantity + d.change, reserved = s.reserved + d.promised, packed = s.packed + d.packed,
        may_be_short = %s::bool
            OR s.may_be_short AND s.quantity + d.change < GREATEST(s.reserved + d.promised, s.packed + d.packed)
    FROM unnest(%s::uuid[], %s::numeric[], %s::numeric[], %s::numeric[]) AS d(id, change, promised, packed),
         inventory_productvariant AS v
    WHERE s.organization_id = %s::uuid AND s.id = d.id
        AND v.organization_id = s.organization_id AND v.id = s.variant_id
    RETURNING s.id, s.variant_id, v.sku, s.location_id, s.lot_id, s.warehouse_id, s.quantity, s.reserved,
        s.available, d.change, CASE WHEN s.is_held THEN 0 ELSE d.change - d.promised END
""", gives="uuid uuid varchar uuid uuid uuid numeric numeric numeric numeric numeric")
CHANGED = (
    "id", "variant_id", "sku", "location_id", "lot_id", "warehouse_id", "quantity", "reserved", "available", "change", "freed",
)

# Once the cost pools of the flows are locked.
MOVES = Kept("moves", f"""
    WITH pools AS ({COST_POOLS})
    INSERT INTO inventory_stockmove (
        id, organization_id, kind, variant_id, lot_id, quantity, from_location_id, to_location_id, unit_cost, document_line_id,
        reverses_id, line, reason_id, note, document_type, document_id, occurred_at, idempotency_key, actor_id, api_key_id
    )
    SELECT m.id, %s::uuid, m.kind, m.variant_id, m.lot_id, m.quantity, m.from_location_id, m.to_location_id, m.unit_cost,
           m.document_line_id, m.reverses_id, m.line, %s::uuid, %s::text, %s::text, %s::uuid, %s::timestamptz, %s::text,
           %s::uuid, %s::uuid
    FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::uuid[], %s::numeric[], %s::uuid[], %s::uuid[], %s::numeric[], %s::uuid[],
                %s::uuid[], %s::int[])
        AS m(id, kind, variant_id, lot_id, quantity, from_location_id, to_location_id, unit_cost, document_line_id,
             reverses_id, line)
    WHERE (SELECT count(*) FROM pools) IS NOT NULL
    ORDER BY m.line
""")
Together(CHANGE, [MOVES])

# Goods that leave by these are sold or used.
USED_UP = (StockMove.Kind.ISSUE, StockMove.Kind.ASSEMBLY)

# By these one chooses the place. What is counted, or put back as it was, is there whether it fits or not.
BRINGS_TO_A_PLACE = (StockMove.Kind.RECEIPT, StockMove.Kind.MOVE, StockMove.Kind.ASSEMBLY)


class Taking(NamedTuple):
    """What a posting uses of what is reserved at each place, and how the reservations, which are locked, become so."""

    used: Mapping[Place, Decimal]
    written: Beside


def apply(
    *, kind: str, lines: Sequence[Line], occurred_at: datetime, rules: Rules = USUAL, take: Taking | None = None,
    coming: Sequence[Coming] = (), packed: Mapping[Place, Decimal] = NOTHING,
    balances: Mapping[Place, Balance] | None = None, **common: Any,
) -> Posted:
    """Raises Conflict, naming each line that is short, or Invalid for a location that is not there.

    `packed` is what goes along in logistic units: less where they leave, more where they come.

    Both before it changes a balance; what the database refuses after that ends the scope's transaction. `balances` are those
    of all places, if they are locked already.
    """
    balances = locked(_places(lines)) if balances is None else balances
    lines = _settle(lines, balances)
    leaving = [line for line in lines if (line.kind or kind) in USED_UP and line.from_location_id and not line.reverses_id]
    changes = changes_of(lines)
    overfull: Sequence[Overfull] = ()
    goods = check_grounds(lines, occurred_at=occurred_at, leaving=leaving, rules=rules) if lines else {}
    if kind in BRINGS_TO_A_PLACE and any(one.is_limited for one in goods.values()):
        overfull = check_room(changes)
    taken = take.used if take else {}
    _refuse_short(changes, balances, taken)
    refuse_packed(changes, packed, balances)
    moves = [uuid7() for _ in lines]
    flows = _flows(moves, kind, lines, balances, goods, occurred_at, common["document_id"])
    written = [take.written] if take else []
    if lines:
        written.append(_written(flows, moves, kind, lines, occurred_at, common))
    promised = {place: -quantity for place, quantity in taken.items()}
    rows = change_balances(balances, changes, promised, packed, written)
    besides: list[Beside] = []
    if moves:
        event = StockPosted(kind=kind, moves=moves, lines=[stock_line(row) for row in rows])
        method = next(iter(goods.values())).costing_method
        besides = [*flows_value(method=method, flows=flows), told(event, moves[0])]
    apart = {place for one in goods.values() for place in one.apart or ()}
    levels_follow(level_changes(rows, apart), _arrived(kind, lines), coming, besides)
    return Posted(moves, [shown(row) for row in rows], overfull=overfull)


def _places(lines: Iterable[Line]) -> set[Place]:
    return {
        Place(line.variant_id, location, line.lot_id)
        for line in lines for location in (line.from_location_id, line.to_location_id) if location
    }


def locked(places: set[Place]) -> dict[Place, Balance]:
    """The balances of all places, made where there was none: in one order for everybody, and before any is locked."""
    found = lock_stock_items(places, all_or_none=True)
    if len(found) < len(places):
        every = sorted(places, key=str)
        with connection.cursor() as cursor:
            CREATE(cursor, [
                array(uuid7() for _ in every), array(place.variant_id for place in every),
                array(place.location_id for place in every), array(place.lot_id for place in every), active_organization_id(),
            ])
        found = lock_stock_items(places, all_or_none=True)
        if len(found) < len(places):
            raise Invalid("There is no such location in this organization.", fields={"location": "does not exist"})
    return found


def _arrived(kind: str, lines: Iterable[Line]) -> list[Arrival]:
    """Receipts that no document has expected, and those that are taken back."""
    return [
        (line.variant_id, location, sign * line.quantity)
        for line in lines if (line.kind or kind) == StockMove.Kind.RECEIPT and not line.is_awaited
        for location, sign in ((line.from_location_id, -1), (line.to_location_id, 1)) if location
    ]


def refuse_twice(lines: Sequence[Line]) -> None:
    """Goods that are counted stand on no other line: two differences to one balance would not add up to what was seen."""
    if any(line.counted is not None for line in lines):
        seen = Counter(_place(line) for line in lines)
        if any(line.counted is not None and seen[_place(line)] > 1 for line in lines):
            raise Invalid("The same goods stand here twice: say once how many there are.", fields={"lines": "twice"})


def _place(line: Line) -> Place:
    return Place(line.variant_id, line.to_location_id or line.from_location_id, line.lot_id)  # type: ignore[arg-type]  # a line has a side


def _settle(lines: Sequence[Line], balances: Mapping[Place, Balance]) -> list[Line]:
    """Counted lines become the difference to the balance, which nobody can change any more."""
    refuse_twice(lines)
    settled = []
    for line in lines:
        place = _place(line)
        have = balances[place].quantity
        if line.expected is not None and line.expected != have:
            seen = f"{line.expected.normalize():f}"
            raise Conflict(f"The balance is {have.normalize():f} by now, not {seen}: look again.", code="balance_changed")
        if line.counted is None:
            settled.append(line)
        elif difference := line.counted - have:
            sides = (line.to_location_id, None) if difference > 0 else (None, line.to_location_id)
            settled.append(replace(line, quantity=abs(difference), to_location_id=sides[0], from_location_id=sides[1]))
    return settled


def changes_of(lines: Iterable[Line]) -> dict[Place, Decimal]:
    """What the lines together do to each place."""
    changes: dict[Place, Decimal] = {}
    for line in lines:
        for location, sign in ((line.from_location_id, -1), (line.to_location_id, 1)):
            if location:
                place = Place(line.variant_id, location, line.lot_id)
                changes[place] = changes.get(place, Decimal(0)) + sign * line.quantity
    return changes


def change_balances(
    balances: Mapping[Place, Balance], changes: Mapping[Place, Decimal], promised: Mapping[Place, Decimal],
    packed: Mapping[Place, Decimal] = NOTHING, besides: Sequence[Beside] = (),
) -> list[dict[str, Any]]:
    """What is on hand, reserved and packed at each place, which must be locked. A serial number leaves before it arrives."""
    every = {
        place: (changes.get(place, ZERO), promised.get(place, ZERO), packed.get(place, ZERO))
        for place in [*changes, *promised, *packed]
    }
    moved = {place: deltas for place, deltas in every.items() if any(deltas)}
    if any(balances[place].is_serial for place in moved):
        steps = [
            {place: deltas for place, deltas in moved.items() if deltas[0] < 0},
            {place: deltas for place, deltas in moved.items() if deltas[0] >= 0},
        ]
    else:
        steps = [moved]
    steps = [step for step in steps if step]
    if not steps:
        send_alone(besides)
    return [row for number, step in enumerate(steps) for row in _change(balances, step, () if number else besides)]


type Deltas = tuple[Decimal, Decimal, Decimal]  # on hand, reserved, packed


def _change(
    balances: Mapping[Place, Balance], step: Mapping[Place, Deltas], besides: Sequence[Beside],
) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        try:
            send(cursor, CHANGE, [
                any(balances[place].may_go_negative for place in step), array(balances[place].id for place in step),
                *map(array, zip(*step.values(), strict=True)), active_organization_id(),
            ], besides)
        except IntegrityError as error:
            if ONE_PLACE not in str(error):
                raise
            raise Conflict("One of the serial numbers has come into stock elsewhere just now.", code="serial_in_stock") from error
        return [dict(zip(CHANGED, row, strict=True)) for row in cursor.fetchall()]


def repack(packed: Mapping[Place, Decimal]) -> None:
    """Loose goods go into logistic units, or come out of them; nothing moves. Raises Conflict where there are too few."""
    balances = lock_stock_items(packed)
    refuse_packed({}, packed, balances, is_packing=True)
    change_balances(balances, {}, {}, packed)


def _refuse_short(
    changes: Mapping[Place, Decimal], balances: Mapping[Place, Balance], taken: Mapping[Place, Decimal],
) -> None:
    """Goods that are short leave only where the organization allows it; goods that come are always welcome."""
    short = {}
    for place, change in changes.items():
        balance = balances[place]
        free = balance.quantity - balance.reserved + taken.get(place, ZERO)
        if change < 0 and free + change < 0 and not balance.may_go_negative:
            short[place] = free, -change
    if short:
        raise short_at(short, balances)


def _written(
    flows: Sequence[Flow], moves: Sequence[UUID], kind: str, lines: Sequence[Line], occurred_at: datetime, common: dict[str, Any],
) -> Beside:
    scope = active_scope()
    return Beside(MOVES, [
        *pools_of(pairs_of(flows)), scope.organization_id,
        common["reason_id"], common["note"], common["document_type"], common["document_id"],
        occurred_at, common["idempotency_key"], scope.origin.actor_id, scope.origin.api_key_id,
        array(moves), [line.kind or kind for line in lines], array(line.variant_id for line in lines),
        array(line.lot_id for line in lines), array(line.quantity for line in lines),
        array(line.from_location_id for line in lines), array(line.to_location_id for line in lines),
        array(line.unit_cost for line in lines), array(line.document_line_id for line in lines),
        array(line.reverses_id for line in lines), array(range(len(lines))),
    ])


def _flows(
    moves: Sequence[UUID], kind: str, lines: Sequence[Line], balances: Mapping[Place, Balance], goods: Grounds,
    occurred_at: datetime, document_id: UUID | None,
) -> list[Flow]:
    """What the moves, as the database keeps them, bring to warehouses; within one nothing flows. See FLOWS of valuation.py."""
    flows = []
    for move, line in zip(moves, lines, strict=True):
        one = goods[line.variant_id, line.lot_id]
        source, target = (
            location and balances[Place(line.variant_id, location, line.lot_id)].warehouse_id
            for location in (line.from_location_id, line.to_location_id)
        )
        if source != target:
            flows.append(Flow(
                move, line.variant_id, source, target, rounded(Decimal(line.quantity)),
                None if line.unit_cost is None else rounded(Decimal(line.unit_cost)), line.reverses_id,
                occurred_at if occurred_at < one.now - AT_ONCE else one.now, one.now, one.standard_cost,
                document_id if (line.kind or kind) == StockMove.Kind.ASSEMBLY else None,
            ))
    return flows


def told(event: object, aggregate_id: UUID) -> Beside:
    return published([(event, aggregate_id)])[1]


def level_changes(rows: Iterable[Mapping[str, Any]], apart: Collection[UUID] = ()) -> list[Change]:
    """What lies `apart` is not available. Nothing there is reserved."""
    return [
        (row["variant_id"], row["warehouse_id"], row["change"], ZERO if row["location_id"] in apart else row["freed"])
        for row in rows
    ]


def stock_line(row: Mapping[str, Any]) -> StockLine:
    return StockLine(
        stock_item=row["id"], variant=row["variant_id"], sku=row["sku"], warehouse=row["warehouse_id"],
        location=row["location_id"], lot=row["lot_id"], change=row["change"], on_hand=row["quantity"], reserved=row["reserved"],
        available=row["available"],
    )


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "stock_item": str(row["id"]), "variant": str(row["variant_id"]), "location": str(row["location_id"]),
        "lot": row["lot_id"] and str(row["lot_id"]),
        "quantity": str(row["quantity"]), "reserved": str(row["reserved"]), "available": str(row["available"]),
    }
