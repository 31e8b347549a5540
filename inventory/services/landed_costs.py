"""Freight, duty and the like, known after the goods came: spread over their receipts, and from there over what became of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from uuid_utils.compat import uuid7

from core.errors import Conflict, Invalid
from core.tenancy import active_organization_id, active_scope
from inventory.models import CostLayer, ValueEntry
from inventory.queries.landed_costs import added_by, passed_before
from inventory.services.costing import EXACT, UNIT, ZERO, Method
from inventory.services.landing import Landing, Passage
from inventory.services.locks import lock_cost_pools
from inventory.services.stock import Document

MOST_RECEIPTS = 1_000
LARGEST = Decimal(10) ** 12
CENT = Decimal("0.01")


class By(StrEnum):
    VALUE, QUANTITY, WEIGHT, VOLUME = "value", "quantity", "weight", "volume"


class Receipt(NamedTuple):
    move_id: UUID
    variant_id: UUID
    warehouse_id: UUID
    sku: str
    quantity: Decimal
    weight: Decimal | None  # of one
    volume: Decimal | None  # of one
    value: Decimal | None  # null: it has none yet
    is_reversed: bool
    seq: int


@dataclass(frozen=True, slots=True)
class Spread:
    """What a receipt has of the amount, and where it went: into goods that are here, or into those that were sold."""

    move: UUID
    variant: UUID
    sku: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Landed:
    """`to_stock` revalues what is left; `to_sold` corrects the cost of what was sold (at standard cost, all but a variance)."""

    spread: list[Spread]
    to_stock: Decimal
    to_sold: Decimal


RECEIPTS = """
    SELECT m.id, m.variant_id, t.warehouse_id, v.sku, m.quantity, v.weight,
           v.length * v.width * v.height, e.value,
           EXISTS (SELECT FROM inventory_stockmove AS r WHERE r.organization_id = m.organization_id AND r.reverses_id = m.id),
           e.seq
    FROM inventory_stockmove AS m
    JOIN inventory_location AS t ON t.organization_id = m.organization_id AND t.id = m.to_location_id
    JOIN inventory_productvariant AS v ON v.organization_id = m.organization_id AND v.id = m.variant_id
    LEFT JOIN LATERAL (
        SELECT sum(value) AS value, min(seq) AS seq FROM inventory_valueentry
        WHERE organization_id = m.organization_id AND move_id = m.id AND kind = 'cost' AND quantity > 0 AND from_layer_id IS NULL
    ) AS e ON true
    WHERE m.organization_id = %(organization)s AND m.from_location_id IS NULL AND m.reverses_id IS NULL
        AND {chosen}
    ORDER BY m.seq LIMIT %(limit)s
"""
OF_MOVES = "m.id = ANY (%(moves)s)"
OF_DOCUMENT = "m.document_id = %(document_id)s AND m.document_type = %(document_type)s AND m.kind = 'receipt'"

POOLS = """
    SELECT variant_id, warehouse_id FROM inventory_costlayer
    WHERE organization_id = %s AND variant_id = ANY (%s) AND kind = 'pool'
"""
PASSAGES = """
    SELECT move_id, layer_id, from_layer_id, reverses_id, quantity, before FROM (
        SELECT e.seq, e.move_id, e.layer_id, e.from_layer_id, m.reverses_id, e.quantity,
               sum(e.quantity) OVER (PARTITION BY e.layer_id ORDER BY e.seq) - e.quantity AS before
        FROM inventory_valueentry AS e
        LEFT JOIN inventory_stockmove AS m ON m.organization_id = e.organization_id AND m.id = e.move_id
        WHERE e.organization_id = %s AND e.variant_id = ANY (%s)
    ) AS passed
    WHERE seq >= %s AND quantity <> 0 ORDER BY seq
"""
# A pool's cost is that of what is there.
WRITE = """
    WITH changed AS (
        UPDATE inventory_costlayer AS l
        SET value = l.value + c.held, landed_cost = l.landed_cost + c.came,
            unit_cost = CASE WHEN l.kind = 'pool' AND l.remaining > 0 AND %(is_average)s
                        THEN round((l.value + c.held) / l.remaining, 6) ELSE l.unit_cost END
        FROM unnest(%(layers)s::uuid[], %(held)s::numeric[], %(came)s::numeric[]) AS c(id, held, came)
        WHERE l.organization_id = %(organization)s AND l.id = c.id
    )
    INSERT INTO inventory_valueentry (
        id, organization_id, kind, variant_id, warehouse_id, layer_id, move_id, quantity, value, note, document_type, document_id,
        occurred_at, actor_id, api_key_id
    )
    SELECT e.id, %(organization)s, e.kind, l.variant_id, l.warehouse_id, l.id, e.move_id, 0, e.value, %(note)s, %(document_type)s,
           %(document_id)s, statement_timestamp(), %(actor)s, %(api_key)s
    FROM unnest(%(ids)s::uuid[], %(kinds)s::text[], %(entry_layers)s::uuid[], %(moves)s::uuid[], %(values)s::numeric[])
        WITH ORDINALITY AS e(id, kind, layer_id, move_id, value, line)
    JOIN inventory_costlayer AS l ON l.organization_id = %(organization)s AND l.id = e.layer_id
    ORDER BY e.line
"""


def landed_cost_add(
    *, amount: Decimal, by: str, moves: Collection[UUID] = (), receipt: Document | None = None, document: Document | None = None,
    note: str = "", warehouses: Collection[UUID] | None = None, is_preview: bool = False,
) -> Landed:
    """Of the receipts `moves`, or of all that the document `receipt` caused. An amount below zero takes back.

    `document` is what the cost is on, such as a carrier's bill: it is added once. `warehouses`: where the caller may; None
    for all. A preview writes nothing. Raises Invalid, or Conflict.
    """
    if not amount or abs(amount) >= LARGEST or amount != amount.quantize(UNIT):
        raise Invalid("Give an amount, with at most six decimals.", fields={"amount": "not an amount"})
    if bool(moves) == (receipt is not None):
        raise Invalid("Give either the moves or the document of the receipts.", fields={"moves": "one of the two"})
    method = _method()
    receipts = _receipts(moves, receipt, warehouses)
    _begin(receipts, document)
    shares = spread_exactly(amount, _weights(receipts, by))
    landing = _landed(receipts, shares)
    held = sum(landing.held.values(), ZERO)
    if not is_preview:
        _write(landing, method, document, note)
    to_stock = ZERO if method == Method.STANDARD else held
    spread = [Spread(one.move_id, one.variant_id, one.sku, part) for one, part in zip(receipts, shares, strict=True)]
    return Landed(spread, to_stock, amount - to_stock)


def receipts_revalue(
    *, amounts: Mapping[UUID, Decimal], document: Document, note: str = "", returned: Collection[UUID] = (),
) -> None:
    """Each receipt move by an amount of its own, such as what its bill asks for more or, below zero, less than it was valued at.

    `returned`: moves by which goods went back since; the amounts are of those that stayed. `document` is counted once. Raises
    Invalid, or Conflict.
    """
    if any(abs(amount) >= LARGEST or amount != amount.quantize(UNIT) for amount in amounts.values()):
        raise Invalid("Give amounts with at most six decimals.", fields={"amount": "not an amount"})
    method = _method()
    receipts = _receipts(amounts.keys(), None, None)
    _begin(receipts, document)
    _write(_landed(receipts, [amounts[one.move_id] for one in receipts], returned), method, document, note)


def landed_take_back(*, document: Document, by: Document, note: str = "", returned: Collection[UUID] = ()) -> None:
    """What was added on `document` is taken from the same receipts again, whatever became of their goods since.

    `returned`: moves by which goods went back; those that did so before the amounts were added took nothing of them. `by` is
    counted once. Raises Conflict.
    """
    if added := added_by(document.type, document.id):
        before = passed_before(returned, document.type, document.id) if returned else ()
        amounts = {move: -amount for move, amount in added.items()}
        receipts_revalue(amounts=amounts, document=by, note=note, returned=before)


def _begin(receipts: Sequence[Receipt], document: Document | None) -> None:
    lock_cost_pools(_pairs(_variants(receipts)))
    if document and ValueEntry.objects.filter(document_id=document.id, document_type=document.type).exists():
        raise Conflict(f"This {document.type} has been added already.", code="landed_already")


def _variants(receipts: Sequence[Receipt]) -> list[UUID]:
    return sorted({one.variant_id for one in receipts})


def _landed(receipts: Sequence[Receipt], shares: Sequence[Decimal], returned: Collection[UUID] = ()) -> Landing:
    landing = Landing(dict(zip((one.move_id for one in receipts), shares, strict=True)), frozenset(returned))
    landing.run(_passages(_variants(receipts), min(one.seq for one in receipts)))
    _refuse_worthless(landing)
    return landing


def spread_exactly(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """In cents, where the amount is in cents; those that are left over go to who lost most by rounding (largest remainder)."""
    unit = CENT if amount == amount.quantize(CENT) else UNIT
    with localcontext(EXACT):
        total, units = sum(weights, ZERO), int(abs(amount) / unit)
        exact = [Decimal(units) * weight / total for weight in weights]
    whole = [int(part) for part in exact]
    order = sorted(range(len(weights)), key=lambda place: (whole[place] - exact[place], place))
    for place in order[: units - sum(whole)]:
        whole[place] += 1
    return [unit * part * (1 if amount > 0 else -1) for part in whole]


def _method() -> str:
    """Stays what it is until this is committed; see costing_methods.py."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT costing_method FROM accounts_organization WHERE id = %s FOR KEY SHARE", [active_organization_id()])
        return str(cursor.fetchone()[0])


def _receipts(moves: Collection[UUID], receipt: Document | None, warehouses: Collection[UUID] | None) -> list[Receipt]:
    values: dict[str, Any] = {"organization": active_organization_id(), "limit": MOST_RECEIPTS + 1, "moves": list(moves)}
    if receipt:
        values |= {"document_id": receipt.id, "document_type": receipt.type}
    with connection.cursor() as cursor:
        cursor.execute(RECEIPTS.format(chosen=OF_DOCUMENT if receipt else OF_MOVES), values)
        found = [Receipt(*row) for row in cursor.fetchall()]
    if not found or len(found) < len(set(moves)):
        raise Invalid("There is no such receipt: goods must have come in by it from outside.", fields={"moves": "does not exist"})
    if len(found) > MOST_RECEIPTS:
        raise Invalid(f"At most {MOST_RECEIPTS} receipts at a time.", fields={"moves": "too many"})
    if warehouses is not None and any(one.warehouse_id not in warehouses for one in found):
        raise Invalid("There is a receipt of a warehouse in which you may not do this.", fields={"moves": "outside_warehouses"})
    if gone := [one.sku for one in found if one.is_reversed]:
        raise Conflict(f"These receipts are reversed: {', '.join(gone[:20])}.", code="receipt_reversed")
    if bare := [one.sku for one in found if one.value is None]:
        problem = f"These receipts have no value yet, run build_cost_layers: {', '.join(bare[:20])}."
        raise Conflict(problem, code="no_value_yet")
    return found


def _weights(receipts: Sequence[Receipt], by: str) -> list[Decimal]:
    if by == By.WEIGHT:
        if bare := sorted({one.sku for one in receipts if not one.weight}):
            raise Invalid(f"Say what these weigh, or spread by quantity: {', '.join(bare[:20])}.", fields={"by": "no weight"})
        return [one.quantity * (one.weight or ZERO) for one in receipts]
    if by == By.VOLUME:
        if bare := sorted({one.sku for one in receipts if not one.volume}):
            detail = f"Say how long, wide and high these are, or spread by quantity: {', '.join(bare[:20])}."
            raise Invalid(detail, fields={"by": "no volume"})
        return [one.quantity * (one.volume or ZERO) for one in receipts]
    weights = [one.quantity if by == By.QUANTITY else one.value or ZERO for one in receipts]
    if not sum(weights):
        raise Invalid("These receipts cost nothing: spread by quantity.", fields={"by": "no value"})
    return weights


def _pairs(variants: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """Wherever the goods may have gone."""
    with connection.cursor() as cursor:
        cursor.execute(POOLS, [active_organization_id(), list(variants)])
        return sorted(cursor.fetchall())


def _passages(variants: Sequence[UUID], since: int) -> list[Passage]:
    with connection.cursor() as cursor:
        cursor.execute(PASSAGES, [active_organization_id(), list(variants), since])
        return [Passage(*row) for row in cursor.fetchall()]


def _refuse_worthless(landing: Landing) -> None:
    taken = {layer: held for layer, held in landing.held.items() if held < 0}
    for layer in CostLayer.objects.filter(pk__in=taken).only("remaining", "value"):
        if layer.remaining >= 0 and layer.value + taken[layer.pk] < 0:
            raise Conflict("This takes more from the goods than they are worth.", code="worth_less_than_nothing")


def _write(landing: Landing, method: str, document: Document | None, note: str) -> None:
    scope = active_scope()
    rows: list[tuple[str, UUID, UUID | None, Decimal]] = [
        (ValueEntry.Kind.LANDED, one.layer_id, one.move_id, one.value) for one in landing.additions
    ]
    held: Mapping[UUID, Decimal] = landing.held
    if method == Method.STANDARD:  # the goods stay at standard cost: what was added is a variance
        rows += [(ValueEntry.Kind.REVALUATION, layer, None, -value) for layer, value in held.items() if value]
        held = {}
    layers = sorted({*landing.came, *landing.held})
    with connection.cursor() as cursor:
        cursor.execute(WRITE, {
            "organization": scope.organization_id, "is_average": method == Method.AVERAGE, "layers": layers,
            "held": [held.get(layer, ZERO) for layer in layers], "came": [landing.came.get(layer, ZERO) for layer in layers],
            "note": note, "document_type": document.type if document else "", "document_id": document.id if document else None,
            "actor": scope.origin.actor_id, "api_key": scope.origin.api_key_id, "ids": [uuid7() for _ in rows],
            "kinds": [row[0] for row in rows], "entry_layers": [row[1] for row in rows], "moves": [row[2] for row in rows],
            "values": [row[3] for row in rows],
        })
