"""What stock is worth follows the moves: read, lock, compute (costing.py), write, for all moves of a posting at once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from django.db import connection
from uuid_utils.compat import uuid7

from core.arrays import array
from core.errors import Invalid
from core.tenancy import active_organization_id, active_scope
from inventory.services.costing import Change, Costing, Entry, Flow, Layer, Method, Pair
from inventory.services.locks import lock_cost_pools

# For moves that were written before; as in posting.py. Within a warehouse nothing changes. What is posted at once happened when
# it was posted.
FLOWS = """
    SELECT o.costing_method, m.id, m.variant_id, f.warehouse_id, t.warehouse_id, m.quantity, m.unit_cost, m.reverses_id,
           CASE WHEN m.occurred_at < m.created_at - interval '1 minute' THEN m.occurred_at ELSE m.created_at END, m.created_at,
           v.standard_cost,
           CASE WHEN m.kind = 'assembly' THEN m.document_id END
    FROM inventory_stockmove AS m
    JOIN accounts_organization AS o ON o.id = m.organization_id
    JOIN inventory_productvariant AS v ON v.organization_id = m.organization_id AND v.id = m.variant_id
    LEFT JOIN inventory_location AS f ON f.organization_id = m.organization_id AND f.id = m.from_location_id
    LEFT JOIN inventory_location AS t ON t.organization_id = m.organization_id AND t.id = m.to_location_id
    WHERE m.organization_id = %s AND m.id = ANY (%s) AND f.warehouse_id IS DISTINCT FROM t.warehouse_id
    ORDER BY m.seq
"""

POOLS = """
    INSERT INTO inventory_costlayer (
        id, organization_id, kind, variant_id, warehouse_id, remaining, value, landed_cost, received_at
    )
    SELECT new.id, %s, 'pool', new.variant_id, new.warehouse_id, 0, 0, 0, now()
    FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) AS new(id, variant_id, warehouse_id)
    ON CONFLICT DO NOTHING
"""

EARLIER = """
    SELECT move_id, layer_id, sum(quantity), sum(value) FROM inventory_valueentry
    WHERE organization_id = %s AND move_id = ANY (%s) GROUP BY move_id, layer_id
"""

# Of each pair the oldest receipts that cover what is needed; and those that a reversed move has touched.
RECEIPTS = """
    SELECT l.id, l.variant_id, l.warehouse_id, l.kind = 'pool', l.remaining, l.value, l.unit_cost, l.received_at
    FROM inventory_costlayer AS l
    WHERE l.organization_id = %(organization)s AND l.id IN (
        SELECT found.id
        FROM unnest(%(variants)s::uuid[], %(warehouses)s::uuid[], %(quantities)s::numeric[])
            AS n(variant_id, warehouse_id, quantity)
        CROSS JOIN LATERAL (
            SELECT o.id, sum(o.remaining) OVER (ORDER BY o.received_at, o.id) - o.remaining AS older
            FROM inventory_costlayer AS o
            WHERE o.organization_id = %(organization)s AND o.is_open AND o.kind = 'receipt'
                AND o.variant_id = n.variant_id AND o.warehouse_id = n.warehouse_id
        ) AS found
        WHERE found.older < n.quantity
        UNION ALL
        SELECT unnest(%(touched)s::uuid[])
    )
"""

WRITE = """
    WITH made AS (
        INSERT INTO inventory_costlayer (
            organization_id, kind, landed_cost, id, variant_id, warehouse_id, source_move_id, quantity, remaining, value,
            unit_cost, received_at
        )
        SELECT %s, 'receipt', 0, new.*
        FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[],
                    %s::timestamptz[]) AS new
    ), changed AS (
        UPDATE inventory_costlayer AS l SET remaining = c.remaining, value = c.value, unit_cost = c.unit_cost
        FROM unnest(%s::uuid[], %s::numeric[], %s::numeric[], %s::numeric[]) AS c(id, remaining, value, unit_cost)
        WHERE l.organization_id = %s AND l.id = c.id
    )
    INSERT INTO inventory_valueentry (
        id, organization_id, kind, variant_id, warehouse_id, layer_id, move_id, from_layer_id, quantity, value, occurred_at,
        created_at, note, document_type, actor_id, api_key_id
    )
    SELECT e.id, %s, e.kind, e.variant_id, e.warehouse_id, e.layer_id, e.move_id, e.from_layer_id, e.quantity, e.value,
           e.occurred_at, e.created_at, '', '', %s, %s
    FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::numeric[], %s::numeric[],
                %s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY
        AS e(id, kind, variant_id, warehouse_id, layer_id, move_id, from_layer_id, quantity, value, occurred_at, created_at, line)
    ORDER BY e.line
"""


# Read once the pools are locked: who changes a standard cost locks them too.
STANDARDS = "SELECT id, standard_cost FROM inventory_productvariant WHERE organization_id = %s AND id = ANY (%s::uuid[])"


def moves_value(*, moves: Sequence[UUID]) -> int:
    """Layers and entries of moves that have none; returns of how many, because those within a warehouse need none."""
    method, flows = _flows(moves)
    flows_value(method=method, flows=flows)
    return len(flows)


def flows_value(*, method: str, flows: Sequence[Flow]) -> None:
    """Layers and entries of moves that have just been written. Raises Invalid for a cost below zero."""
    if not flows:
        return
    if any(flow.unit_cost is not None and flow.unit_cost < 0 for flow in flows):
        raise Invalid("A cost cannot be below zero.", fields={"unit_cost": "negative"})
    pools = _pools(sorted({pair for flow in flows for pair in flow.pairs}))
    if method == Method.STANDARD:
        flows = _at_standard(flows)
    earlier = _earlier({flow.reverses for flow in flows if flow.reverses})
    layers = pools | _receipts(method, flows, pools, earlier)
    costing = Costing(method, layers, earlier)
    costing.run(flows)
    _write(costing)


def _flows(moves: Sequence[UUID]) -> tuple[str, list[Flow]]:
    if not moves:
        return "", []
    with connection.cursor() as cursor:
        cursor.execute(FLOWS, [active_organization_id(), list(moves)])
        rows = cursor.fetchall()
    return (rows[0][0] if rows else ""), [Flow(*row[1:]) for row in rows]


def _at_standard(flows: Sequence[Flow]) -> list[Flow]:
    with connection.cursor() as cursor:
        cursor.execute(STANDARDS, [active_organization_id(), array({flow.variant_id for flow in flows})])
        costs = dict(cursor.fetchall())
    return [replace(flow, standard_cost=costs[flow.variant_id]) for flow in flows]


def _pools(pairs: Sequence[Pair]) -> dict[UUID, Layer]:
    """Locked, and made where there was none."""
    found = lock_cost_pools(pairs)
    if missing := sorted(set(pairs) - {(row[1], row[2]) for row in found}):
        with connection.cursor() as cursor:
            cursor.execute(POOLS, [
                active_organization_id(), [uuid7() for _ in missing], [pair[0] for pair in missing],
                [pair[1] for pair in missing],
            ])
        found += lock_cost_pools(missing)
    return {row[0]: Layer(row[0], (row[1], row[2]), True, *row[3:]) for row in found}


def _earlier(reversed_moves: Collection[UUID]) -> dict[UUID, dict[UUID, Change]]:
    found: dict[UUID, dict[UUID, Change]] = {}
    if not reversed_moves:
        return found
    with connection.cursor() as cursor:
        cursor.execute(EARLIER, [active_organization_id(), list(reversed_moves)])
        for move_id, layer_id, quantity, value in cursor.fetchall():
            found.setdefault(move_id, {})[layer_id] = Change(quantity, value)
    return found


def _receipts(
    method: str, flows: Iterable[Flow], pools: dict[UUID, Layer], earlier: dict[UUID, dict[UUID, Change]],
) -> dict[UUID, Layer]:
    touched = {layer_id for changes in earlier.values() for layer_id in changes} - pools.keys()
    needed: dict[Pair, Decimal] = {}
    if method == Method.FIFO:
        needed = {pool.pair: -pool.remaining for pool in pools.values() if pool.remaining < 0}
        for flow in flows:
            if flow.source:
                pair = (flow.variant_id, flow.source)
                needed[pair] = needed.get(pair, Decimal(0)) + flow.quantity
    if not needed and not touched:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(RECEIPTS, {
            "organization": active_organization_id(), "variants": array(pair[0] for pair in needed),
            "warehouses": array(pair[1] for pair in needed), "quantities": array(needed.values()), "touched": array(touched),
        })
        return {row[0]: Layer(row[0], (row[1], row[2]), *row[3:]) for row in cursor.fetchall()}


def _write(costing: Costing) -> None:
    made = [layer for layer in costing.layers.values() if layer.is_new]
    changed = [layer for layer in costing.layers.values() if layer.is_changed and not layer.is_new]
    scope, entries = active_scope(), costing.entries
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [
            scope.organization_id, array(layer.id for layer in made), array(layer.pair[0] for layer in made),
            array(layer.pair[1] for layer in made), array(layer.source_move for layer in made),
            array(layer.quantity for layer in made), array(layer.remaining for layer in made),
            array(layer.value for layer in made), array(layer.unit_cost for layer in made),
            [layer.received_at for layer in made],
            array(layer.id for layer in changed), array(layer.remaining for layer in changed),
            array(layer.value for layer in changed), array(layer.unit_cost for layer in changed), scope.organization_id,
            scope.organization_id, scope.origin.actor_id, scope.origin.api_key_id, *_columns(entries),
        ])


def _columns(entries: Sequence[Entry]) -> list[object]:
    return [
        array(uuid7() for _ in entries), [entry.kind for entry in entries], array(entry.layer.pair[0] for entry in entries),
        array(entry.layer.pair[1] for entry in entries), array(entry.layer.id for entry in entries),
        array(entry.flow.move_id for entry in entries), array(entry.from_layer for entry in entries),
        array(entry.quantity for entry in entries), array(entry.value for entry in entries),
        [entry.flow.occurred_at for entry in entries], [entry.flow.created_at for entry in entries],
    ]
