"""What a posting stands on: the period is open, tracked goods have a lot, held lots stay, a serial number is one piece."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from core.arrays import array
from core.errors import Conflict, Invalid
from core.kept import Kept
from core.tenancy import active_organization_id
from inventory.models import Location, Product
from inventory.queries.closings import CLOSED_THROUGH

# And what its goods cost by. Read after the lock on the grounds is held, and for serial numbers after their items are locked.
GROUNDS = f"""
    SELECT w.variant_id, w.lot_id, v.sku, p.tracking, {{lot}},
           (now() AT TIME ZONE o.timezone)::date, (%s::timestamptz AT TIME ZONE o.timezone)::date,
           ({CLOSED_THROUGH.format("o.id")}),
           {{on_hand}}, places.transit, places.is_limited, places.apart, o.costing_method, v.standard_cost, now(),
           v.archived_at IS NOT NULL, places.closed, v.sold_by_components
    FROM accounts_organization AS o
    CROSS JOIN (
        SELECT min(place.code) FILTER (WHERE place.kind = 'transit') AS transit,
               COALESCE(bool_or(place.capacity IS NOT NULL OR place.max_weight IS NOT NULL)
                   FILTER (WHERE place.id = ANY (%s::uuid[])), false) AS is_limited,
               array_agg(place.id) FILTER (WHERE place.kind <> ALL (%s::text[])) AS apart,
               min(house.code) FILTER (WHERE house.archived_at IS NOT NULL AND place.id = ANY (%s::uuid[])) AS closed
        FROM inventory_location AS place
        JOIN inventory_warehouse AS house ON house.organization_id = place.organization_id AND house.id = place.warehouse_id
        WHERE place.organization_id = %s::uuid AND place.id = ANY (%s::uuid[])
    ) AS places
    CROSS JOIN unnest(%s::uuid[], %s::uuid[]) AS w(variant_id, lot_id)
    LEFT JOIN inventory_productvariant AS v ON v.organization_id = o.id AND v.id = w.variant_id
    LEFT JOIN inventory_product AS p ON p.organization_id = o.id AND p.id = v.product_id
    {{joined}}
    WHERE o.id = %s::uuid
"""
GIVES = (
    "uuid uuid varchar varchar uuid varchar varchar date date date date numeric text bool uuid[] varchar numeric timestamptz"
    " bool text bool"
)
WITHOUT_LOTS = Kept("grounds", GROUNDS.format(
    lot="NULL::uuid, NULL::varchar, NULL::varchar, NULL::date", on_hand="0::numeric", joined="",
), gives=GIVES)
WITH_LOTS = Kept("grounds_of_lots", GROUNDS.format(
    lot="l.variant_id, l.code, l.status, l.expires_on",
    on_hand="""
           CASE p.tracking WHEN 'serial' THEN (
               SELECT COALESCE(sum(s.quantity), 0) FROM inventory_stockitem AS s
               WHERE s.organization_id = o.id AND s.lot_id = w.lot_id) ELSE 0 END""",
    joined="LEFT JOIN inventory_lot AS l ON l.organization_id = o.id AND l.id = w.lot_id",
), gives=GIVES)

Tracking = Product.Tracking


class Goods(NamedTuple):
    """A variant or one of its lots. Without `tracking` there is no such variant, which its foreign key says."""

    variant_id: UUID
    lot_id: UUID | None
    sku: str | None
    tracking: str | None
    lot_variant_id: UUID | None
    code: str | None
    status: str | None
    expires_on: date | None
    today: date
    day: date
    closed_through: date | None
    on_hand: Decimal
    transit: str | None  # a place of the posting whose goods are under way
    is_limited: bool  # whether goods come to a place that may be full
    apart: list[UUID] | None  # places of the posting whose goods are on hand, but not available
    costing_method: str
    standard_cost: Decimal
    now: datetime  # when what is posted is written
    is_archived: bool
    closed: str | None  # an archived warehouse to which goods of the posting would come
    sold_by_components: bool | None

    @property
    def words(self) -> str:
        return f"lot {self.code} of {self.sku}" if self.tracking == Tracking.LOT else f"serial number {self.code} of {self.sku}"

    @property
    def held(self) -> str:
        """Why it may not be sold, if it may not."""
        if self.status not in (None, "released"):
            return f"is {self.status}"
        return f"expired on {self.expires_on}" if self.expires_on and self.expires_on < self.today else ""


type Grounds = Mapping[tuple[UUID, UUID | None], Goods]  # by variant and lot


@dataclass(frozen=True, slots=True)
class Rules:
    """What this posting may do although it is forbidden in general."""

    held_may_leave: bool = False
    in_transit: bool = False
    is_counted: bool = False  # what comes was here all the time


USUAL = Rules()


def check_grounds(lines: Sequence[Any], *, occurred_at: datetime, leaving: Iterable[Any], rules: Rules) -> Grounds:
    """`leaving` are the lines that go to somebody: held lots do not, unless the reason says so. Raises Conflict or Invalid."""
    goods = _goods(lines, occurred_at)
    for one in goods.values():
        _check_period(one)
        _check_lot(one)
        if one.sold_by_components:
            raise Conflict(
                f"{one.sku} is sold by its components, so there is no stock of it: receive, move and adjust these.",
                code="sold_by_components",
            )
        if one.transit and not rules.in_transit:
            raise Conflict(
                f"The goods at {one.transit} are in transit: they come and go by their transfer order alone.", code="in_transit",
            )
    if not rules.is_counted:
        _check_archived(lines, goods)
    if not rules.held_may_leave:
        held = {(line.variant_id, line.lot_id) for line in leaving}
        if refused := sorted(f"{goods[key].words} {goods[key].held}" for key in held if goods[key].held):
            raise Conflict(
                f"These goods are held: {'; '.join(refused)}. Issue them by a reason that takes held goods, or release the lot.",
                code="lot_held",
            )
    _check_serials(lines, goods)
    return goods


def _goods(lines: Sequence[Any], occurred_at: datetime) -> Grounds:
    wanted = {(line.variant_id, line.lot_id) for line in lines}
    places = {place for line in lines for place in (line.from_location_id, line.to_location_id) if place}
    targets = array({line.to_location_id for line in lines if line.to_location_id and not line.reverses_id})
    organization = active_organization_id()
    with connection.cursor() as cursor:
        (WITH_LOTS if any(lot for _, lot in wanted) else WITHOUT_LOTS)(cursor, [
            occurred_at, targets, list(Location.AVAILABLE), targets, organization, array(places),
            array(variant for variant, _ in wanted), array(lot for _, lot in wanted), organization,
        ])
        found = [Goods(*row) for row in cursor.fetchall()]
    return {(one.variant_id, one.lot_id): one for one in found}


def _check_period(one: Goods) -> None:
    if one.closed_through and one.day <= one.closed_through:
        raise Conflict(
            f"The books are closed through {one.closed_through}, and this happened on {one.day}: post it on a later day,"
            " or ask who may reopen the period.", code="period_closed",
        )


def _check_lot(one: Goods) -> None:
    if one.tracking is None:
        return
    if one.lot_id is None:
        if one.tracking != Tracking.NONE:
            what = "serial number" if one.tracking == Tracking.SERIAL else "lot"
            raise Invalid(f"{one.sku} is tracked by {what}: say which.", code="lot_required", fields={"lot": "required"})
    elif one.lot_variant_id != one.variant_id:
        raise Invalid(f"There is no such lot of {one.sku}.", code="does_not_exist", fields={"lot": "does not exist"})
    elif one.tracking == Tracking.NONE:
        raise Invalid(f"{one.sku} is not tracked: leave the lot out.", code="not_tracked", fields={"lot": "not tracked"})


def _check_archived(lines: Sequence[Any], goods: Grounds) -> None:
    """Of an archived variant nothing comes in any more, and to an archived warehouse nothing at all. What is left may leave,
    move and be counted, and what was posted be taken back."""
    coming = {
        (line.variant_id, line.lot_id) for line in lines
        if line.from_location_id is None and line.counted is None and not line.reverses_id
    }
    if archived := sorted({str(goods[key].sku) for key in coming if goods[key].is_archived}):
        skus, what = ", ".join(archived), "it" if len(archived) == 1 else "them"
        raise Conflict(
            f"{skus} {'is' if what == 'it' else 'are'} archived: restore {what} before goods come in."
            f" What is left may be issued, moved and counted.", code="archived",
        )
    if closed := next((one.closed for one in goods.values() if one.closed), None):
        raise Conflict(
            f"Warehouse {closed} is archived: restore it, or take the goods to another.", code="warehouse_archived",
        )


def _check_serials(lines: Sequence[Any], goods: Grounds) -> None:
    """The database refuses two of one as well, in words that know less."""
    change: dict[tuple[UUID, UUID | None], Decimal] = defaultdict(Decimal)
    for line in lines:
        one = goods[line.variant_id, line.lot_id]
        if one.tracking != Tracking.SERIAL:
            continue
        if line.quantity != 1:
            raise Invalid(f"The {one.words} is one piece.", fields={"quantity": "not one"})
        change[line.variant_id, line.lot_id] += (line.to_location_id is not None) - (line.from_location_id is not None)
    for key, difference in change.items():
        if difference > 0 and goods[key].on_hand + difference > 1:
            raise Conflict(f"The {goods[key].words} is in stock already.", code="serial_in_stock")
