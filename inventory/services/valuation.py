"""What stock is worth follows the moves: read, lock, compute (costing.py), write, for all moves of a posting at once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from django.db import connection
from uuid_utils.compat import uuid7

from core.arrays import array
from core.errors import Invalid
from core.kept import Beside, Kept, send_alone
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

# The pools, and for FIFO of each pair the oldest receipts that cover what is needed, and what the pool is short of.
LAYER = "{0}.id, {0}.variant_id, {0}.warehouse_id, {0}.kind = 'pool', {0}.remaining, {0}.value, {0}.unit_cost, {0}.received_at"
POOLS_ONLY = f"""
    SELECT {LAYER.format("p")}, n.quantity - LEAST(p.remaining, 0) AS needed
    FROM unnest(%(variants)s::uuid[], %(warehouses)s::uuid[], %(quantities)s::numeric[]) AS n(variant_id, warehouse_id, quantity)
    JOIN inventory_costlayer AS p ON p.organization_id = %(organization)s::uuid AND p.kind = 'pool'
        AND p.variant_id = n.variant_id AND p.warehouse_id = n.warehouse_id
"""
WITH_RECEIPTS = f"""
    WITH pool (id, variant_id, warehouse_id, is_pool, remaining, value, unit_cost, received_at, needed) AS MATERIALIZED (
        {POOLS_ONLY}
    )
    SELECT * FROM pool
    UNION ALL
    SELECT found.* FROM pool CROSS JOIN LATERAL (
        SELECT {LAYER.format("o")}, sum(o.remaining) OVER (ORDER BY o.received_at, o.id) - o.remaining AS older
        FROM inventory_costlayer AS o
        WHERE o.organization_id = %(organization)s AND o.is_open AND o.kind = 'receipt'
            AND o.variant_id = pool.variant_id AND o.warehouse_id = pool.warehouse_id
    ) AS found
    WHERE found.older < pool.needed
"""
# Those that a reversed move has touched.
TOUCHED = f"""
    UNION ALL SELECT {LAYER.format("l")}, 0 FROM inventory_costlayer AS l
    WHERE l.organization_id = %(organization)s AND l.id = ANY (%(touched)s::uuid[])
"""
FOUND = "uuid uuid uuid bool numeric numeric numeric timestamptz numeric"
POOLS_FOUND = Kept("pools", POOLS_ONLY, gives=FOUND)
LAYERS_FOUND = Kept("layers", WITH_RECEIPTS, gives=FOUND)
POOLS_TOUCHED = Kept("pools_touched", POOLS_ONLY + TOUCHED, gives=FOUND)
LAYERS_TOUCHED = Kept("layers_touched", WITH_RECEIPTS + TOUCHED, gives=FOUND)

LAYERS_MADE = Kept("layers_made", """
    INSERT INTO inventory_costlayer (
        organization_id, kind, landed_cost, id, variant_id, warehouse_id, source_move_id, quantity, remaining, value,
        unit_cost, received_at
    )
    SELECT %s::uuid, 'receipt', 0, new.*
    FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::numeric[], %s::numeric[], %s::numeric[], %s::numeric[],
                %s::timestamptz[]) AS new
""")
LAYERS_CHANGED = Kept("layers_changed", """
    UPDATE inventory_costlayer AS l SET remaining = c.remaining, value = c.value, unit_cost = c.unit_cost
    FROM unnest(%s::uuid[], %s::numeric[], %s::numeric[], %s::numeric[]) AS c(id, remaining, value, unit_cost)
    WHERE l.organization_id = %s::uuid AND l.id = c.id
""")
VALUES_ENTERED = Kept("values_entered", """
    INSERT INTO inventory_valueentry (
        id, organization_id, kind, variant_id, warehouse_id, layer_id, move_id, from_layer_id, quantity, value, occurred_at,
        created_at, note, document_type, actor_id, api_key_id
    )
    SELECT e.id, %s::uuid, e.kind, e.variant_id, e.warehouse_id, e.layer_id, e.move_id, e.from_layer_id, e.quantity, e.value,
           e.occurred_at, e.created_at, '', '', %s::uuid, %s::uuid
    FROM unnest(%s::uuid[], %s::text[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::numeric[], %s::numeric[],
                %s::timestamptz[], %s::timestamptz[]) WITH ORDINALITY
        AS e(id, kind, variant_id, warehouse_id, layer_id, move_id, from_layer_id, quantity, value, occurred_at, created_at, line)
    ORDER BY e.line
""")

# Read once the pools are locked: who changes a standard cost locks them too.
STANDARDS = "SELECT id, standard_cost FROM inventory_productvariant WHERE organization_id = %s AND id = ANY (%s::uuid[])"


def moves_value(*, moves: Sequence[UUID]) -> int:
    """Layers and entries of moves that have none; returns of how many, because those within a warehouse need none."""
    method, flows = _flows(moves)
    lock_cost_pools(pairs_of(flows))
    send_alone(flows_value(method=method, flows=flows))
    return len(flows)


def flows_value(*, method: str, flows: Sequence[Flow]) -> list[Beside]:
    """The layers and entries of moves that have just been written, for a statement that writes them; the pools are locked.

    Raises Invalid for a cost below zero.
    """
    if not flows:
        return []
    if any(flow.unit_cost is not None and flow.unit_cost < 0 for flow in flows):
        raise Invalid("A cost cannot be below zero.", fields={"unit_cost": "negative"})
    earlier = _earlier({flow.reverses for flow in flows if flow.reverses})
    layers = _layers(method, flows, earlier)
    if missing := sorted(set(pairs_of(flows)) - {layer.pair for layer in layers.values() if layer.is_pool}):
        _make_pools(missing)
        layers = _layers(method, flows, earlier)
    if method == Method.STANDARD:
        flows = _at_standard(flows)
    costing = Costing(method, layers, earlier)
    costing.run(flows)
    return _written(costing)


def pairs_of(flows: Iterable[Flow]) -> list[Pair]:
    return sorted({pair for flow in flows for pair in flow.pairs})


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


def _make_pools(missing: Sequence[Pair]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(POOLS, [
            active_organization_id(), array(uuid7() for _ in missing), array(pair[0] for pair in missing),
            array(pair[1] for pair in missing),
        ])
    lock_cost_pools(missing)


def _earlier(reversed_moves: Collection[UUID]) -> dict[UUID, dict[UUID, Change]]:
    found: dict[UUID, dict[UUID, Change]] = {}
    if not reversed_moves:
        return found
    with connection.cursor() as cursor:
        cursor.execute(EARLIER, [active_organization_id(), list(reversed_moves)])
        for move_id, layer_id, quantity, value in cursor.fetchall():
            found.setdefault(move_id, {})[layer_id] = Change(quantity, value)
    return found


def _layers(method: str, flows: Sequence[Flow], earlier: dict[UUID, dict[UUID, Change]]) -> dict[UUID, Layer]:
    needed = dict.fromkeys(pairs_of(flows), Decimal(0))
    for flow in flows:
        if flow.source:
            needed[flow.variant_id, flow.source] += flow.quantity
    touched = {layer_id for changes in earlier.values() for layer_id in changes}
    plain, with_touched = (LAYERS_FOUND, LAYERS_TOUCHED) if method == Method.FIFO else (POOLS_FOUND, POOLS_TOUCHED)
    with connection.cursor() as cursor:
        (with_touched if touched else plain)(cursor, {
            "organization": active_organization_id(), "variants": array(pair[0] for pair in needed),
            "warehouses": array(pair[1] for pair in needed), "quantities": array(needed.values()), "touched": array(touched),
        })
        return {row[0]: Layer(row[0], (row[1], row[2]), *row[3:8]) for row in cursor.fetchall()}


def _written(costing: Costing) -> list[Beside]:
    made = [layer for layer in costing.layers.values() if layer.is_new]
    changed = [layer for layer in costing.layers.values() if layer.is_changed and not layer.is_new]
    scope, entries = active_scope(), costing.entries
    written = []
    if made:
        written.append(Beside(LAYERS_MADE, [
            scope.organization_id, array(layer.id for layer in made), array(layer.pair[0] for layer in made),
            array(layer.pair[1] for layer in made), array(layer.source_move for layer in made),
            array(layer.quantity for layer in made), array(layer.remaining for layer in made),
            array(layer.value for layer in made), array(layer.unit_cost for layer in made),
            [layer.received_at for layer in made],
        ]))
    if changed:
        written.append(Beside(LAYERS_CHANGED, [
            array(layer.id for layer in changed), array(layer.remaining for layer in changed),
            array(layer.value for layer in changed), array(layer.unit_cost for layer in changed), scope.organization_id,
        ]))
    written.append(Beside(VALUES_ENTERED, [
        scope.organization_id, scope.origin.actor_id, scope.origin.api_key_id, *_columns(entries),
    ]))
    return written


def _columns(entries: Sequence[Entry]) -> list[object]:
    return [
        array(uuid7() for _ in entries), [entry.kind for entry in entries], array(entry.layer.pair[0] for entry in entries),
        array(entry.layer.pair[1] for entry in entries), array(entry.layer.id for entry in entries),
        array(entry.flow.move_id for entry in entries), array(entry.from_layer for entry in entries),
        array(entry.quantity for entry in entries), array(entry.value for entry in entries),
        [entry.flow.occurred_at for entry in entries], [entry.flow.created_at for entry in entries],
    ]
