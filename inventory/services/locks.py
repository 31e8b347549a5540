"""Locks on stock, in one order for every verb: a document's row, piles of logistic units, the grounds, stock items by id,
locations that have a capacity, cost pools by variant and warehouse, reorder rules by id and their tasks (levels.py), the number
that a document takes. Who holds a stock item may lock its reservations at any time: nobody locks them otherwise.

Two postings of the same goods then wait for each other instead of deadlocking: 954 five-line orders a second
on 30 hot products, against 2 or 3 unsorted.

The grounds are what a posting stands on while it looks and writes: which period is closed, how a product is tracked, the
status of a lot, how goods are costed. All postings of an organization share them, in memory alone; who changes them waits
until no posting is under way, and postings wait for the change (ADR 31).
"""

from collections.abc import Collection
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from core.arrays import array
from core.errors import Conflict
from core.kept import Kept
from core.tenancy import active_organization_id


class Place(NamedTuple):
    variant_id: UUID
    location_id: UUID
    lot_id: UUID | None = None


class Balance(NamedTuple):
    id: UUID
    quantity: Decimal
    reserved: Decimal
    packed: Decimal
    is_held: bool
    is_serial: bool
    may_go_negative: bool
    warehouse_id: UUID


# As a condition of a statement that locks rows: evaluated once, before any of them. The statement's own snapshot may be
# older than the lock, so what the grounds are is read by the statement after it.
SHARE_GROUNDS = "(SELECT pg_advisory_xact_lock_shared(hashtextextended(%s::text, 0))) IS NOT NULL"

# A place and its balance.
COLUMNS = """
    s.variant_id, s.location_id, s.lot_id, s.id, s.quantity, s.reserved, s.packed, s.is_held, s.is_serial,
    o.allow_negative_stock, s.warehouse_id
"""

# Found by two ways, because an index knows `=` and IS NULL, but not what is distinct from what. None is locked unless there are
# so many: who makes one that is missing holds no other, for which somebody may wait who has the new one.
GIVES = "uuid uuid uuid uuid numeric numeric numeric bool bool bool uuid"  # those columns
STOCK_ITEMS = Kept("stock_items", f"""
    WITH wanted AS (SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) AS w (variant_id, location_id, lot_id)),
    found AS MATERIALIZED (
        SELECT s.id FROM wanted AS w JOIN inventory_stockitem AS s ON s.organization_id = %s::uuid
            AND s.variant_id = w.variant_id AND s.location_id = w.location_id AND s.lot_id = w.lot_id
        UNION ALL
        SELECT s.id FROM wanted AS w JOIN inventory_stockitem AS s ON s.organization_id = %s::uuid
            AND s.variant_id = w.variant_id AND s.location_id = w.location_id AND s.lot_id IS NULL
        WHERE w.lot_id IS NULL
    )
    SELECT {COLUMNS}
    FROM inventory_stockitem AS s JOIN accounts_organization AS o ON o.id = s.organization_id
    WHERE {SHARE_GROUNDS} AND s.organization_id = %s::uuid AND s.id = ANY (ARRAY(SELECT id FROM found))
        AND (SELECT count(*) FROM found) >= %s::int
    ORDER BY s.id FOR NO KEY UPDATE OF s
""", gives=GIVES)


def lock_stock_items(places: Collection[Place], *, all_or_none: bool = False) -> dict[Place, Balance]:
    """Those that exist, with their balances as they are once locked."""
    organization = active_organization_id()
    with connection.cursor() as cursor:
        STOCK_ITEMS(cursor, [
            array(place.variant_id for place in places), array(place.location_id for place in places),
            array(place.lot_id for place in places), organization, organization, grounds(), organization,
            len(places) if all_or_none else 0,
        ])
        return {Place(*row[:3]): Balance(*row[3:]) for row in cursor.fetchall()}


def grounds() -> str:
    return f"stock grounds {active_organization_id()}"


def lock_grounds() -> None:
    """For who changes what postings stand on: afterwards no posting of the organization is under way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [grounds()])


def lock_posting(key: str) -> None:
    """Requests with one idempotency key wait for each other; each then sees what the one before it wrote."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{active_organization_id()} {key}"])


def lock_attribute_values() -> None:
    """Those who write values of many variants at once take turns: each lock the variants in the order of their rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{active_organization_id()} attribute values"])


def lock_reversals() -> None:
    """Reversals take turns, before any other lock: the next one sees which moves are reversed already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{active_organization_id()} reversals"])


# Of reservations; their stock items stay the same.
ITEMS_OF = Kept("items_of", f"""
    SELECT {COLUMNS}
    FROM inventory_stockitem AS s JOIN accounts_organization AS o ON o.id = s.organization_id
    WHERE {SHARE_GROUNDS} AND s.organization_id = %s::uuid AND s.id = ANY (ARRAY(
        SELECT r.stock_item_id FROM inventory_reservation AS r WHERE r.organization_id = %s::uuid AND r.id = ANY (%s::uuid[])))
    ORDER BY s.id FOR NO KEY UPDATE OF s
""", gives=GIVES)


ROOTS = """
    WITH RECURSIVE up AS (
        SELECT id, parent_id FROM inventory_logisticunit WHERE organization_id = %(organization)s AND id = ANY (%(units)s)
        UNION
        SELECT u.id, u.parent_id FROM up
        JOIN inventory_logisticunit AS u ON u.organization_id = %(organization)s AND u.id = up.parent_id
    )
    SELECT id FROM up WHERE parent_id IS NULL ORDER BY id
"""


def lock_units(units: Collection[UUID]) -> None:
    """Each with all that it stands on and all that stands on it, by the lowest one. Raises Conflict for one that leaves."""
    organization = active_organization_id()
    values: dict[str, Any] = {"organization": organization, "units": list(units)}
    with connection.cursor() as cursor:
        cursor.execute(ROOTS, values)
        roots = cursor.fetchall()
        cursor.execute(
            "SELECT FROM inventory_logisticunit WHERE organization_id = %s AND id = ANY (%s) ORDER BY id FOR NO KEY UPDATE",
            [organization, [row[0] for row in roots]],
        )
        cursor.execute(ROOTS, values)
        if cursor.fetchall() != roots:
            raise Conflict("Somebody has just put this unit elsewhere: look again.", code="unit_changed")


def lock_limited_locations(locations: Collection[UUID]) -> list[UUID]:
    """Those with a capacity: who brings goods there takes turns, of whatever variant they are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM inventory_location WHERE organization_id = %s AND id = ANY (%s)"
            " AND (capacity IS NOT NULL OR max_weight IS NOT NULL) ORDER BY id FOR NO KEY UPDATE",
            [active_organization_id(), list(locations)],
        )
        return [row[0] for row in cursor.fetchall()]


# The same for who picks them, and the reservations as they are once locked; without those that wait for goods. Joined one by one:
# for `= ANY` a planner that thinks the table small, as when it has grown since it was analyzed, reads an index of all of them.
PROMISED = Kept("promised", f"""
    SELECT {COLUMNS}, r.id, r.quantity - r.picked_quantity, r.status, r.demand_type, r.demand_id, r.demand_line_id
    FROM unnest(%s::uuid[]) AS w(id)
    JOIN inventory_reservation AS r ON r.organization_id = %s::uuid AND r.id = w.id
    JOIN inventory_stockitem AS s ON s.organization_id = r.organization_id AND s.id = r.stock_item_id
    JOIN accounts_organization AS o ON o.id = r.organization_id
    WHERE {SHARE_GROUNDS}
    ORDER BY s.id, r.id FOR NO KEY UPDATE OF s, r
""", gives=f"{GIVES} uuid numeric varchar varchar uuid uuid")


class Promised(NamedTuple):
    place: Place
    balance: Balance
    id: UUID
    left: Decimal
    status: str
    demand_type: str
    demand_id: UUID
    demand_line_id: UUID | None


def lock_promised(reservations: Collection[UUID]) -> list[Promised]:
    organization = active_organization_id()
    with connection.cursor() as cursor:
        PROMISED(cursor, [array(reservations), organization, grounds()])
        return [Promised(Place(*row[:3]), Balance(*row[3:11]), *row[11:]) for row in cursor.fetchall()]


def lock_items_of(reservations: Collection[UUID]) -> dict[UUID, tuple[Place, Balance]]:
    """The stock items that the reservations hold, by id."""
    organization = active_organization_id()
    with connection.cursor() as cursor:
        ITEMS_OF(cursor, [grounds(), organization, organization, array(reservations)])
        return {row[3]: (Place(*row[:3]), Balance(*row[3:])) for row in cursor.fetchall()}


# What is reserved for a demand; all places of some variants in warehouses; what lies of variants at locations.
TOUCHED = """
    SELECT r.stock_item_id AS id FROM inventory_reservation AS r
    WHERE r.organization_id = %(organization)s AND r.demand_id = %(demand)s AND r.status = 'active'
        AND r.stock_item_id IS NOT NULL
    UNION
    SELECT s.id FROM unnest(%(whole)s::uuid[], %(warehouses)s::uuid[]) AS w(variant_id, warehouse_id)
    JOIN inventory_stockitem AS s ON s.organization_id = %(organization)s
        AND s.warehouse_id = w.warehouse_id AND s.variant_id = w.variant_id
    UNION
    SELECT s.id FROM unnest(%(lying)s::uuid[], %(locations)s::uuid[]) AS w(variant_id, location_id)
    JOIN inventory_stockitem AS s ON s.organization_id = %(organization)s
        AND s.variant_id = w.variant_id AND s.location_id = w.location_id
"""
AHEAD = f"""
    WITH touched AS MATERIALIZED ({TOUCHED})
    SELECT s.id FROM inventory_stockitem AS s
    WHERE {SHARE_GROUNDS.replace("%s", "%(grounds)s")} AND s.organization_id = %(organization)s
        AND s.id = ANY (ARRAY(SELECT id FROM touched))
    ORDER BY s.id FOR NO KEY UPDATE OF s
"""
NEW = f"SELECT EXISTS (SELECT FROM ({TOUCHED}) AS touched WHERE id <> ALL (%(held)s::uuid[]))"

type Pairs = Collection[tuple[UUID, UUID]]


def lock_ahead(*, demand: UUID | None = None, whole: Pairs, lying: Pairs = (), pools: Pairs = ()) -> None:
    """For a verb of several steps: what they touch, in the one order. `whole` and `pools` are of (variant, warehouse), `lying` of
    (variant, location).

    A later step must not wait for a place that is new since then: who has it may wait for us. Who holds the pools of all that is
    touched meets none: what came while the locks were waited for is noticed, all is let go, and locked anew.
    """
    touched: dict[str, Any] = {
        "organization": active_organization_id(), "demand": demand, "whole": array(pair[0] for pair in whole),
        "warehouses": array(pair[1] for pair in whole), "lying": array(pair[0] for pair in lying),
        "locations": array(pair[1] for pair in lying),
    }
    if not pools:
        _lock_touched(touched)
        return
    while not _locked_with_pools(touched, pools):
        pass


def _lock_touched(touched: dict[str, Any]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(AHEAD, {**touched, "grounds": grounds()})
        return array(row[0] for row in cursor.fetchall())


def _locked_with_pools(touched: dict[str, Any], pools: Pairs) -> bool:
    with transaction.atomic():
        held = _lock_touched(touched)
        lock_cost_pools(pools)
        with connection.cursor() as cursor:
            cursor.execute(NEW, {**touched, "held": held})
            [has_come] = cursor.fetchone()
        transaction.set_rollback(has_come)
    return not has_come


COST_POOLS = """
    SELECT p.variant_id, p.warehouse_id FROM unnest(%s::uuid[], %s::uuid[]) AS w(variant_id, warehouse_id)
    JOIN inventory_costlayer AS p ON p.organization_id = %s::uuid AND p.kind = 'pool'
        AND p.variant_id = w.variant_id AND p.warehouse_id = w.warehouse_id
    ORDER BY p.variant_id, p.warehouse_id FOR NO KEY UPDATE OF p
"""


def lock_cost_pools(pairs: Pairs) -> None:
    """Those that exist, of (variant, warehouse): who holds one may change all layers of the pair."""
    with connection.cursor() as cursor:
        cursor.execute(COST_POOLS, pools_of(pairs))


RULES = """
    SELECT FROM unnest(%s::uuid[], %s::uuid[]) AS w(variant_id, warehouse_id)
    JOIN inventory_reorderrule AS r ON r.organization_id = %s::uuid
        AND r.variant_id = w.variant_id AND r.warehouse_id = w.warehouse_id
    ORDER BY r.id FOR NO KEY UPDATE OF r
"""


def lock_pools_and_rules(pairs: Pairs) -> None:
    """For who changes levels before it posts, or several times: of (variant, warehouse), whose stock items it has locked."""
    lock_cost_pools(pairs)
    with connection.cursor() as cursor:
        cursor.execute(RULES, pools_of(pairs))


def pools_of(pairs: Pairs) -> list[Any]:
    return [array(pair[0] for pair in pairs), array(pair[1] for pair in pairs), active_organization_id()]
