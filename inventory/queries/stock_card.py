"""Where the stock of variants lies, by location and lot, with its sums: what the stock card and the palette show."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.db.models import DecimalField
from django.db.models.expressions import RawSQL

from core.tenancy import active_organization_id
from inventory.models import Location, TransferOrder

MOST_PLACES = 200

# The sums are of all places, also of those that are not shown. What is for sale comes before what is set aside. What is sold by
# its components lies nowhere.
PLACES = """
    SELECT * FROM (
        SELECT s.variant_id, s.id, s.location_id, l.code, l.kind, s.warehouse_id, w.code, s.lot_id, lot.code AS lot_code,
            lot.expires_on, lot.status, s.quantity, s.reserved, a.available, s.packed,
            row_number() OVER (PARTITION BY s.variant_id ORDER BY s.lot_id IS NOT DISTINCT FROM %(lot)s DESC, w.code,
                l.kind = ANY (%(kinds)s) DESC, l.pick_sequence, l.code, lot.expires_on, lot.code, s.id) AS place,
            count(*) OVER v, sum(s.quantity) OVER v, sum(s.reserved) OVER v, sum(a.available) OVER v
        FROM inventory_stockitem AS s
        JOIN inventory_location AS l ON l.organization_id = s.organization_id AND l.id = s.location_id
        JOIN inventory_warehouse AS w ON w.organization_id = s.organization_id AND w.id = s.warehouse_id
        LEFT JOIN inventory_lot AS lot ON lot.organization_id = s.organization_id AND lot.id = s.lot_id
        CROSS JOIN LATERAL (SELECT CASE WHEN l.kind = ANY (%(kinds)s) THEN s.available ELSE 0 END AS available) AS a
        WHERE s.organization_id = %(organization)s AND s.variant_id = ANY (%(variants)s)
            AND (s.quantity <> 0 OR s.reserved <> 0)
            AND (%(warehouses)s::uuid[] IS NULL OR s.warehouse_id = ANY (%(warehouses)s::uuid[]))
        WINDOW v AS (PARTITION BY s.variant_id)
    ) AS found WHERE place <= %(most)s
    UNION ALL
    SELECT v.id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0,
           kit_available(v.organization_id, v.id, %(warehouses)s::uuid[])
    FROM inventory_productvariant AS v
    WHERE v.organization_id = %(organization)s AND v.id = ANY (%(variants)s) AND v.sold_by_components
    ORDER BY variant_id, place
"""


# Of a variant of the outer statement, by transfer orders under way and by what documents expect.
INCOMING = """
    SELECT COALESCE(sum(i.quantity), 0) FROM (
        SELECT l.quantity - l.cancelled_quantity - l.received_quantity - l.lost_quantity AS quantity
        FROM inventory_transferorderline AS l
        JOIN inventory_transferorder AS t ON t.organization_id = l.organization_id AND t.id = l.order_id
        WHERE l.organization_id = inventory_productvariant.organization_id AND l.variant_id = inventory_productvariant.id
            AND t.status = ANY (%s) AND (%s::uuid[] IS NULL OR t.destination_id = ANY (%s::uuid[]))
        UNION ALL
        SELECT e.quantity FROM inventory_expectedreceipt AS e
        WHERE e.organization_id = inventory_productvariant.organization_id AND e.variant_id = inventory_productvariant.id
            AND (%s::uuid[] IS NULL OR e.warehouse_id = ANY (%s::uuid[]))
    ) AS i
"""


def incoming(warehouses: Collection[UUID] | None) -> RawSQL:
    """What variants are annotated with."""
    some = None if warehouses is None else list(warehouses)
    return RawSQL(INCOMING, [list(TransferOrder.UNDER_WAY), some, some, some, some], DecimalField())  # noqa: S611  # values are parameters


@dataclass(frozen=True, slots=True)
class StockPlace:
    """A balance, and what there is of it."""

    item: UUID
    location: UUID
    location_code: str
    location_kind: str
    warehouse: UUID
    warehouse_code: str
    lot: UUID | None
    lot_code: str | None
    expires_on: date | None
    lot_status: str | None
    quantity: Decimal
    reserved: Decimal
    available: Decimal
    packed: Decimal

    @property
    def loose(self) -> Decimal:
        """What anybody may take: neither reserved nor packed."""
        return self.quantity - max(self.reserved, self.packed)


@dataclass(slots=True)
class Stock:
    """Of a variant: `places` are the first ones of `count`."""

    places: list[StockPlace] = field(default_factory=list)
    count: int = 0
    on_hand: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    available: Decimal = Decimal(0)


def stock_of(
    variants: Collection[UUID], *, warehouses: Collection[UUID] | None, lot: UUID | None = None, most: int = MOST_PLACES,
) -> dict[UUID, Stock]:
    """In one statement; the places of the lot come first. What has no stock has an empty one."""
    found = {variant: Stock() for variant in variants}
    with connection.cursor() as cursor:
        cursor.execute(PLACES, {
            "organization": active_organization_id(), "variants": list(variants), "lot": lot, "most": most,
            "kinds": list(Location.AVAILABLE), "warehouses": None if warehouses is None else list(warehouses),
        })
        for variant, *place, _, count, on_hand, reserved, available in cursor.fetchall():
            stock = found[variant]
            if place[0] is not None:
                stock.places.append(StockPlace(*place))
            stock.count, stock.on_hand, stock.reserved, stock.available = count, on_hand, reserved, available
    return found
