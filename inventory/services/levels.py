"""The level of each reorder rule follows the stock that its basis looks at."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from core.arrays import array
from core.kept import Beside, Kept, Together, send, send_alone
from core.tenancy import active_organization_id
from inventory.models import Location, ReorderTask
from inventory.queries.levels import LEVELS
from inventory.services.valuation import LAYERS_CHANGED, LAYERS_MADE, VALUES_ENTERED
from notifications.services.events import PUBLISH

ZERO = Decimal(0)

# Rules are locked by id, after the stock items (see locks.py), and tasks after them. Of what comes in, as much was on its way
# as was ordered: a projected level stays then.
CHANGE = "CASE r.basis WHEN 'on_hand' THEN m.on_hand WHEN 'available' THEN m.available ELSE m.available + m.coming END"
LOCKED = f"""
        SELECT r.id, r.variant_id, r.warehouse_id, {CHANGE} AS change
        FROM unnest(
                %(variants)s::uuid[], %(warehouses)s::uuid[], %(on_hand)s::numeric[], %(available)s::numeric[],
                %(coming)s::numeric[]
            ) AS m(variant_id, warehouse_id, on_hand, available, coming)
        JOIN inventory_reorderrule AS r ON r.organization_id = %(organization)s::uuid
            AND r.variant_id = m.variant_id AND r.warehouse_id = m.warehouse_id
        WHERE {CHANGE} <> 0 OR {{arrives}} AND r.basis = 'projected'
        ORDER BY r.id FOR NO KEY UPDATE OF r
"""
FOLLOW = f"""
    WITH locked AS ({LOCKED}), {{came}} followed AS (
        UPDATE inventory_reorderrule AS r
        SET level = r.level + l.change + {{incoming}},
            quiet_at = CASE WHEN r.level + l.change + {{incoming}} <= r.min_quantity THEN r.quiet_at END
        FROM locked AS l {{joined}} WHERE r.organization_id = %(organization)s AND r.id = l.id
        RETURNING r.id, r.is_low
    )
    UPDATE inventory_reordertask AS t SET status = 'done', closed_at = now()
    FROM followed AS f
    WHERE t.organization_id = %(organization)s AND t.rule_id = f.id AND t.status = ANY (%(undecided)s::text[]) AND NOT f.is_low
"""

# Of goods that leave or are promised: a rule that was low stays so.
FALLEN = Kept("levels_fallen", f"""
    WITH locked AS ({LOCKED.format(arrives="false")})
    UPDATE inventory_reorderrule AS r
    SET level = r.level + l.change, quiet_at = CASE WHEN r.level + l.change <= r.min_quantity THEN r.quiet_at END
    FROM locked AS l WHERE r.organization_id = %(organization)s AND r.id = l.id
""")

MOVED = Kept("levels_moved", FOLLOW.format(arrives="false", came="", incoming="0", joined=""))

# The count makes the tasks wait for the rules: it is a condition that is evaluated once, before any of them is locked.
RECEIVED = Kept("levels_received", FOLLOW.format(
    arrives="true", incoming="CASE r.basis WHEN 'projected' THEN COALESCE(c.incoming, 0) ELSE 0 END",
    joined="LEFT JOIN came AS c ON c.variant_id = l.variant_id AND c.warehouse_id = l.warehouse_id",
    came="""
    arrived AS (
        SELECT a.variant_id, l.warehouse_id, sum(a.quantity) AS quantity
        FROM unnest(%(arrived)s::uuid[], %(arrived_at)s::uuid[], %(quantities)s::numeric[])
            AS a(variant_id, location_id, quantity)
        JOIN inventory_location AS l ON l.organization_id = %(organization)s AND l.id = a.location_id
        GROUP BY a.variant_id, l.warehouse_id
    ), awaited AS (
        SELECT t.id, a.quantity, t.ordered_quantity, t.received_quantity
        FROM inventory_reordertask AS t
        JOIN arrived AS a ON a.variant_id = t.variant_id AND a.warehouse_id = t.warehouse_id
        WHERE (SELECT count(*) FROM locked) IS NOT NULL AND t.organization_id = %(organization)s AND t.status = 'ordered'
            AND t.transfer_order_id IS NULL AND NOT EXISTS (
                SELECT FROM inventory_expectedreceipt AS x
                WHERE x.organization_id = t.organization_id AND x.reorder_task_id = t.id)
        ORDER BY t.id FOR NO KEY UPDATE OF t
    ), came AS (
        UPDATE inventory_reordertask AS t
        SET received_quantity = GREATEST(a.received_quantity + a.quantity, 0),
            status = CASE WHEN a.received_quantity + a.quantity >= a.ordered_quantity THEN 'done' ELSE t.status END,
            closed_at = CASE WHEN a.received_quantity + a.quantity >= a.ordered_quantity THEN now() END
        FROM awaited AS a WHERE t.organization_id = %(organization)s AND t.id = a.id
        RETURNING t.variant_id, t.warehouse_id, GREATEST(t.ordered_quantity - t.received_quantity, 0)
            - GREATEST(a.ordered_quantity - a.received_quantity, 0) AS incoming
    ),""",
))

# What a posting or a reservation writes besides.
for follow in (FALLEN, MOVED, RECEIVED):
    Together(follow, [PUBLISH])
    for layers in ([LAYERS_CHANGED], [LAYERS_MADE], [LAYERS_MADE, LAYERS_CHANGED]):
        Together(follow, [*layers, VALUES_ENTERED, PUBLISH])

# Of rules that were written, what was decided before counts no longer: a dismissal, and what a minimum was computed from.
REFRESH = f"""
    WITH found AS MATERIALIZED ({LEVELS}), refreshed AS (
        UPDATE inventory_reorderrule AS r
        SET level = f.level, quiet_at = CASE WHEN %(rules)s::uuid[] IS NULL THEN r.quiet_at END,
            explanation = CASE WHEN r.method = 'forecast' THEN r.explanation END
        FROM found AS f
        WHERE r.organization_id = %(organization)s AND r.id = f.id AND (
            r.level <> f.level OR r.quiet_at IS NOT NULL OR r.method = 'fixed' AND r.explanation IS NOT NULL)
        RETURNING r.id
    ), finished AS (
        UPDATE inventory_reordertask AS t SET status = 'done', closed_at = now()
        FROM found AS f JOIN inventory_reorderrule AS r ON r.organization_id = %(organization)s AND r.id = f.id
        WHERE t.organization_id = %(organization)s AND t.rule_id = f.id AND t.status = ANY (%(undecided)s)
            AND f.level > r.min_quantity
    )
    SELECT (SELECT count(*) FROM refreshed), EXISTS (
        SELECT FROM found AS f JOIN inventory_reorderrule AS r ON r.organization_id = %(organization)s AND r.id = f.id
        WHERE r.method = 'forecast')
"""

type Change = tuple[UUID, UUID, Decimal, Decimal]
type Arrival = tuple[UUID, UUID, Decimal]
type Coming = tuple[UUID, UUID, Decimal]


def levels_follow(
    changes: Iterable[Change], arrived: Sequence[Arrival] = (), coming: Iterable[Coming] = (), besides: Sequence[Beside] = (),
) -> None:
    """`changes` are (variant, warehouse, change on hand, change of what is available), as just made. Stock in quarantine or
    scrap is on hand, but not available.

    `arrived` are (variant, location, quantity) of goods from outside that no document expects: what reorder tasks have ordered
    of them is on its way no longer.
    `coming` are (variant, warehouse, change of what is on its way there): see `INCOMING`. All in one call, because rules are
    locked by id. `besides` is what else the posting writes.
    """
    sums: dict[tuple[UUID, UUID], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for variant, warehouse, on_hand, available in changes:
        of = sums[variant, warehouse]
        of[0], of[1] = of[0] + on_hand, of[1] + available
    for variant, warehouse, more in coming:
        sums[variant, warehouse][2] += more
    if not sums:
        send_alone(besides)
        return
    variants, warehouses, *amounts = _columns([(*pair, *three) for pair, three in sums.items()], 5)
    came, places, quantities = _columns(arrived, 3)
    falls = all(amount <= 0 for three in sums.values() for amount in three)
    with connection.cursor() as cursor:
        send(cursor, RECEIVED if arrived else FALLEN if falls else MOVED, {
            "organization": active_organization_id(), "variants": variants, "warehouses": warehouses,
            "on_hand": amounts[0], "available": amounts[1], "coming": amounts[2], "undecided": list(ReorderTask.UNDECIDED),
            "arrived": came, "arrived_at": places, "quantities": quantities,
        }, besides)


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[str]:
    return [array(column) for column in zip(*rows, strict=True)] if rows else ["{}"] * width


class Refreshed(NamedTuple):
    changed: int
    by_forecast: bool  # whether some of the rules have their minimum from the forecast


def levels_refresh(rules: Collection[UUID] | None = None) -> Refreshed:
    """Set the level of new or changed rules (all, without any) from the stock, and finish the tasks of those that are not low."""
    with connection.cursor() as cursor:
        cursor.execute(REFRESH, {
            "organization": active_organization_id(), "available": list(Location.AVAILABLE),
            "rules": list(rules) if rules is not None else None, "undecided": list(ReorderTask.UNDECIDED),
        })
        return Refreshed(*cursor.fetchone())
