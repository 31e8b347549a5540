"""Which goods to take: what expires first, then the oldest lot, in pick order; nothing that is held or expired."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from core.arrays import array
from core.kept import Kept
from core.tenancy import active_organization_id
from inventory.models import Location
from inventory.services import locks
from inventory.services.locks import SHARE_GROUNDS, Balance, Place, grounds


@dataclass(frozen=True, slots=True)
class InSets:
    """Goods that are of use together with those of other lines alone: `per` of them are in one set, and `whole` is what the
    demand line asks for in all, of which the rest is there already.
    """

    set_id: UUID
    per: Decimal
    whole: Decimal


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of a lot or a location, if the line names one; not of the stock item `elsewhere_than`. What is wanted `in_sets` names its
    demand line.
    """

    variant_id: UUID
    warehouse_id: UUID
    quantity: Decimal
    lot_id: UUID | None = None
    location_id: UUID | None = None
    demand_line_id: UUID | None = None
    elsewhere_than: UUID | None = None
    in_sets: InSets | None = None

    def takes(self, item: "Candidate") -> bool:
        is_there = self.lot_id in (None, item.place.lot_id) and self.location_id in (None, item.place.location_id)
        return is_there and item.id != self.elsewhere_than


class Candidate(NamedTuple):
    variant_id: UUID
    location_id: UUID
    lot_id: UUID | None
    id: UUID
    quantity: Decimal
    reserved: Decimal
    packed: Decimal
    is_held: bool
    is_serial: bool
    may_go_negative: bool
    warehouse_id: UUID
    expires_on: date | None
    pick_sequence: int

    @property
    def place(self) -> Place:
        return Place(*self[:3])

    @property
    def balance(self) -> Balance:
        return Balance(*self[3:11])

    @property
    def free(self) -> Decimal:
        return Decimal(0) if self.is_held else self.quantity - self.reserved

    @property
    def order(self) -> tuple[Any, ...]:
        """As in RANKED. Ids of lots are in the order in which they came."""
        return self.expires_on or date.max, str(self.lot_id or "~"), self.pick_sequence, self.id


# Each line sees as many places as it needs, and some more, for what others take while it waits for their locks.
SPARE = 4

# Parameters: organization; columns of the lines; kinds of location; how many of the first places at least.
RANKED = """
    SELECT s.id, s.warehouse_id, s.location_id, s.lot_id, s.quantity - s.reserved AS free, w.line, w.quantity AS wanted,
           l.code AS lot, l.expires_on, place.code AS location, place.pick_sequence, o.allow_negative_stock,
           sum(s.quantity - s.reserved) OVER fefo - (s.quantity - s.reserved) AS before, row_number() OVER fefo AS rank
    FROM unnest(%(variants)s::uuid[], %(warehouses)s::uuid[], %(lots)s::uuid[], %(locations)s::uuid[], %(quantities)s::numeric[])
        WITH ORDINALITY AS w(variant_id, warehouse_id, lot_id, location_id, quantity, line)
    JOIN accounts_organization AS o ON o.id = %(organization)s::uuid
    JOIN inventory_stockitem AS s ON s.organization_id = %(organization)s
        AND s.warehouse_id = w.warehouse_id AND s.variant_id = w.variant_id
    JOIN inventory_location AS place ON place.organization_id = %(organization)s AND place.id = s.location_id
    LEFT JOIN inventory_lot AS l ON l.organization_id = %(organization)s AND l.id = s.lot_id
    WHERE NOT s.is_held AND s.quantity > s.reserved AND place.kind = ANY (%(kinds)s::text[])
        AND (l.expires_on IS NULL OR l.expires_on >= (now() AT TIME ZONE o.timezone)::date)
        AND (w.lot_id IS NULL OR s.lot_id = w.lot_id) AND (w.location_id IS NULL OR s.location_id = w.location_id)
    WINDOW fefo AS (
        PARTITION BY w.line ORDER BY l.expires_on NULLS LAST, s.lot_id NULLS LAST, place.pick_sequence, s.id
        ROWS UNBOUNDED PRECEDING
    )
"""

# Several lines may want one place.
LOCK = f"""
    WITH wanted AS MATERIALIZED (
        SELECT DISTINCT r.id, r.expires_on, r.pick_sequence, r.allow_negative_stock FROM ({RANKED}) AS r WHERE {{0}}
    )
    SELECT s.variant_id, s.location_id, s.lot_id, s.id, s.quantity, s.reserved, s.packed, s.is_held, s.is_serial,
           w.allow_negative_stock, s.warehouse_id, w.expires_on, w.pick_sequence
    FROM inventory_stockitem AS s JOIN wanted AS w ON w.id = s.id
    WHERE {SHARE_GROUNDS.replace("%s", "%(grounds)s")} AND s.organization_id = %(organization)s
        AND s.id = ANY (ARRAY(SELECT id FROM wanted))
    ORDER BY s.id FOR NO KEY UPDATE OF s {{1}}
"""
GIVES = f"{locks.GIVES} date int"
FIRST = Kept(
    "first_candidates", LOCK.format("r.before < r.wanted * 2 OR r.rank <= %(spare)s::int", ""), gives=GIVES,
)
# Without waiting, since others may wait for the first ones.
MORE = Kept(
    "more_candidates", LOCK.format("r.id <> ALL (%(besides)s::uuid[])", "SKIP LOCKED"), gives=GIVES,
)


def lock_candidates(
    lines: Sequence[Wanted], besides: Collection[Candidate] = (), *, waits: bool = True,
) -> list[Candidate]:
    """The first places of each line. With those `besides`, or if it never `waits`, all others that nobody else is at."""
    with connection.cursor() as cursor:
        (FIRST if waits and not besides else MORE)(cursor, {
            **parameters(lines), "grounds": grounds(), "spare": SPARE, "besides": array(item.id for item in besides),
        })
        return [Candidate(*row) for row in cursor.fetchall()]


def parameters(lines: Sequence[Wanted]) -> dict[str, Any]:
    return {
        "organization": active_organization_id(), "kinds": list(Location.AVAILABLE),
        "variants": array(line.variant_id for line in lines), "warehouses": array(line.warehouse_id for line in lines),
        "lots": array(line.lot_id for line in lines), "locations": array(line.location_id for line in lines),
        "quantities": array(line.quantity for line in lines),
    }


@dataclass(frozen=True, slots=True)
class Proposal:
    """Take `quantity` there, for the line of this number."""

    line: int
    stock_item: UUID
    location: UUID
    location_code: str
    lot: UUID | None
    lot_code: str | None
    expires_on: date | None
    quantity: Decimal


PROPOSE = f"""
    SELECT r.line - 1, r.id, r.location_id, r.location, r.lot_id, r.lot, r.expires_on, LEAST(r.free, r.wanted - r.before)
    FROM ({RANKED}) AS r WHERE r.before < r.wanted ORDER BY r.line, r.rank
"""


def goods_propose(*, lines: Sequence[Wanted]) -> list[Proposal]:
    """What a reservation would take now, each line for itself; less than wanted where there is less."""
    with connection.cursor() as cursor:
        cursor.execute(PROPOSE, parameters(lines))
        return [Proposal(*row) for row in cursor.fetchall()]
