"""How costs flow through layers: in exact decimals, without the database, for postings and for rebuilding alike.

Amounts have six decimals, as the columns have. What leaves a layer in parts adds up: the last part takes the rest.
"""

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from accounts.models import Organization
from inventory.models import ValueEntry

Method, Kind = Organization.CostingMethod, ValueEntry.Kind

EXACT = Context(prec=80, rounding=ROUND_HALF_UP)
UNIT, ZERO = Decimal("0.000001"), Decimal(0)

type Pair = tuple[UUID, UUID]  # variant and warehouse


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(UNIT, context=EXACT)


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """What a part has of an amount; the whole has all of it."""
    return amount if part == whole else rounded(EXACT.divide(EXACT.multiply(amount, part), whole))


@dataclass(slots=True)
class Layer:
    id: UUID
    pair: Pair
    is_pool: bool
    remaining: Decimal
    value: Decimal
    unit_cost: Decimal | None
    received_at: datetime
    source_move: UUID | None = None
    quantity: Decimal | None = None
    is_new: bool = False
    is_changed: bool = False

    @property
    def age(self) -> tuple[datetime, UUID]:
        return self.received_at, self.id

    def worth(self, quantity: Decimal, otherwise: Decimal) -> Decimal:
        """Of so much of it. What it is short of costs what it is short at, or what it cost last, or `otherwise`."""
        if 0 < quantity <= self.remaining:
            return share(self.value, quantity, self.remaining)
        if self.remaining < 0:
            return share(self.value, quantity, self.remaining)
        return self.value + rounded((quantity - self.remaining) * (otherwise if self.unit_cost is None else self.unit_cost))


@dataclass(frozen=True, slots=True)
class Flow:
    """A move between a warehouse and another one, or the world outside.

    `assembly` names the posting whose components cost what the kits, that come by it, are worth.
    """

    move_id: UUID
    variant_id: UUID
    source: UUID | None
    target: UUID | None
    quantity: Decimal
    unit_cost: Decimal | None
    reverses: UUID | None
    occurred_at: datetime
    created_at: datetime
    standard_cost: Decimal
    assembly: UUID | None = None

    @property
    def is_kit(self) -> bool:
        return self.assembly is not None and self.source is None and self.unit_cost is None and self.reverses is None

    @property
    def pairs(self) -> list[Pair]:
        return [(self.variant_id, warehouse) for warehouse in (self.source, self.target) if warehouse]


class Entry(NamedTuple):
    flow: Flow
    layer: Layer
    kind: str
    quantity: Decimal
    value: Decimal
    from_layer: UUID | None


class Part(NamedTuple):
    quantity: Decimal
    value: Decimal
    received_at: datetime
    layer: UUID | None
    known: Decimal | None = None

    @property
    def unit_cost(self) -> Decimal:
        """What is known of it, if the value agrees: the value of a small quantity, rounded, says little about others."""
        if self.known is not None and abs(self.quantity * self.known - self.value) <= UNIT:
            return rounded(self.known)
        return rounded(self.value / self.quantity)


@dataclass(slots=True)
class Change:
    """What a move did to a layer."""

    quantity: Decimal = ZERO
    value: Decimal = ZERO


@dataclass(slots=True)
class Pot:
    """What the components of an assembly have cost so far, and the weights of the kits that have not come yet, by move."""

    value: Decimal = ZERO
    weights: dict[UUID, Decimal] = field(default_factory=dict)
    weight: Decimal = ZERO  # of all of them


@dataclass
class Costing:
    """`layers` are the pool of each pair, and for FIFO what its flows will use. `earlier`: what reversed moves did, by layer."""

    method: str
    layers: dict[UUID, Layer]
    earlier: dict[UUID, dict[UUID, Change]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    pools: dict[Pair, Layer] = field(init=False)
    queues: dict[Pair, list[Layer]] = field(init=False)
    pots: dict[UUID, Pot] = field(init=False, default_factory=dict)
    flow: Flow = field(init=False)  # the one that is under way

    def __post_init__(self) -> None:
        self.pools = {layer.pair: layer for layer in self.layers.values() if layer.is_pool}
        self.queues = {pair: [] for pair in self.pools}
        for layer in self.layers.values():
            if not layer.is_pool and layer.remaining:
                self._queue(layer)

    def run(self, flows: Sequence[Flow]) -> None:
        with localcontext(EXACT):
            for assembly in {flow.assembly for flow in flows if flow.assembly}:
                self.pots[assembly] = self._pot([flow for flow in flows if flow.assembly == assembly and flow.is_kit])
            for flow in flows:
                self._run(flow)

    def _run(self, flow: Flow) -> None:
        self.flow = flow
        for pair in flow.pairs:
            self._settle(pair)
        if flow.reverses and flow.reverses in self.earlier:
            self._give_back(self.earlier[flow.reverses])
        else:
            self._pass(flow)
        for pair in flow.pairs:
            self._settle(pair)

    def _pass(self, flow: Flow) -> None:
        if flow.source:
            parts = list(self._take((flow.variant_id, flow.source), flow.quantity))
            if flow.assembly:
                self.pots[flow.assembly].value += sum((part.value for part in parts), ZERO)
        else:
            known = self.pools[flow.pairs[0]].unit_cost if flow.unit_cost is None else flow.unit_cost
            parts = [Part(flow.quantity, self._cost_of_arrival(), flow.occurred_at, None, known)]
        if flow.target:
            for part in parts:
                self._put((flow.variant_id, flow.target), part)

    # --- Out ------------------------------------------------------------------------------------------------
    def _take(self, pair: Pair, quantity: Decimal) -> Iterator[Part]:
        if self.method == Method.FIFO:
            for layer in self._open(pair):
                part = min(quantity, layer.remaining)
                yield self._out(layer, part)
                quantity -= part
                if not quantity:
                    return
        yield self._out(self.pools[pair], quantity)

    def _open(self, pair: Pair) -> Iterator[Layer]:
        """The oldest first. A pool above zero is from a time when costs were averages."""
        if self.pools[pair].remaining > 0:
            yield self.pools[pair]
        queue = self.queues[pair]
        while queue:
            if queue[0].remaining:
                yield queue[0]
            if queue and not queue[0].remaining:
                queue.pop(0)

    def _out(self, layer: Layer, quantity: Decimal) -> Part:
        if self.method == Method.STANDARD:
            value = layer.value - rounded((layer.remaining - quantity) * self.flow.standard_cost)
        else:
            value = layer.worth(quantity, self.flow.standard_cost)
        received_at = self.flow.occurred_at if layer.is_pool else layer.received_at
        self._write(layer, -quantity, -value)
        return Part(quantity, value, received_at, layer.id, layer.unit_cost)

    # --- In -------------------------------------------------------------------------------------------------
    def _cost_of_arrival(self) -> Decimal:
        """As the move says; else what such goods cost here now."""
        flow, quantity = self.flow, self.flow.quantity
        pool, standard = self.pools[flow.pairs[0]], flow.standard_cost
        if self.method == Method.STANDARD and not flow.is_kit and flow.unit_cost in (None, standard):
            return rounded((pool.remaining + quantity) * standard) - pool.value
        if flow.assembly and flow.is_kit:
            return self._cost_of_kit(self.pots[flow.assembly], flow)
        if flow.unit_cost is not None:
            return rounded(quantity * flow.unit_cost)
        if self.method == Method.AVERAGE and pool.remaining > 0:
            return share(pool.value, quantity, pool.remaining)
        return rounded(quantity * (standard if pool.unit_cost is None else pool.unit_cost))

    def _pot(self, kits: Sequence[Flow]) -> Pot:
        """Kits are weighed by standard cost, or what such goods cost here last; by quantity if of one neither is known."""
        costs = [kit.standard_cost or self.pools[kit.pairs[0]].unit_cost or ZERO for kit in kits]
        weights = {
            kit.move_id: kit.quantity * (cost if all(costs) else 1) for kit, cost in zip(kits, costs, strict=True)
        }
        return Pot(weights=weights, weight=sum(weights.values(), ZERO))

    @staticmethod
    def _cost_of_kit(pot: Pot, flow: Flow) -> Decimal:
        """Several share the components in proportion to their weights; the last takes the rest."""
        weight = pot.weights.pop(flow.move_id)
        value = share(pot.value, weight, pot.weight)
        pot.value, pot.weight = pot.value - value, pot.weight - weight
        return value

    def _put(self, pair: Pair, part: Part) -> None:
        pool = self.pools[pair]
        if self.method != Method.FIFO:
            self._in(pool, part.quantity, part.value, part.layer)
            return
        layer = Layer(
            uuid7(), pair, False, ZERO, ZERO, part.unit_cost, part.received_at, self.flow.move_id, part.quantity, is_new=True,
        )  # fmt: skip
        self.layers[layer.id] = layer
        self._write(layer, part.quantity, part.value, from_layer=part.layer)
        self._queue(layer)
        pool.unit_cost, pool.is_changed = layer.unit_cost, True

    def _in(self, layer: Layer, quantity: Decimal, value: Decimal, from_layer: UUID | None) -> None:
        """What was sold before it came has its right cost now: the difference to what it was sold at is shown."""
        short, worth = -layer.remaining, -layer.value
        self._write(layer, quantity, value, from_layer=from_layer)
        if short > 0 and self.method != Method.STANDARD:
            covered = min(short, quantity)
            difference = share(worth, covered, short) - share(value, covered, quantity)
            self._write(layer, ZERO, difference, Kind.REVALUATION)

    def _settle(self, pair: Pair) -> None:
        """What is short is covered by what is there, nothing is worth nothing, and standard cost rules where it does."""
        pool, standard = self.pools[pair], self.flow.standard_cost
        if self.method == Method.FIFO and pool.remaining < 0:
            for layer in self._open(pair):
                covered = min(layer.remaining, -pool.remaining)
                part = self._out(layer, covered)
                self._in(pool, covered, part.value, layer.id)
                if not pool.remaining:
                    break
        target = pool.value
        if self.method == Method.STANDARD:
            target, pool.unit_cost = rounded(pool.remaining * standard), standard
        elif not pool.remaining:
            target = ZERO
        elif pool.remaining * pool.value < 0:
            target = rounded(pool.remaining * (standard if pool.unit_cost is None else pool.unit_cost))
        self._write(pool, ZERO, target - pool.value, Kind.REVALUATION)
        if self.method == Method.AVERAGE and pool.remaining > 0:
            pool.unit_cost = rounded(pool.value / pool.remaining)

    # --- Back -----------------------------------------------------------------------------------------------
    def _give_back(self, changes: dict[UUID, Change]) -> None:
        """Each layer gets, and loses, what the reversed move took or brought; what is gone meanwhile is taken elsewhere."""
        taken, missing = ZERO, ZERO
        brought = [(self._home(id), change) for id, change in changes.items() if change.quantity > 0]
        for layer, change in brought:
            part = self._away(layer, change)
            taken, missing = taken + part.value, missing + change.quantity - part.quantity
        if missing and self.flow.source:
            taken += sum((part.value for part in self._take((self.flow.variant_id, self.flow.source), missing)), ZERO)
        lost = [(self._home(id), change) for id, change in changes.items() if change.quantity < 0]
        rest = taken + sum((change.value for _, change in lost), ZERO) if brought else ZERO
        for number, (layer, change) in enumerate(lost):
            self._write(layer, -change.quantity, -change.value + (ZERO if number else rest))
            if not layer.is_pool and layer not in self.queues[layer.pair]:
                self._queue(layer)

    def _away(self, layer: Layer, change: Change) -> Part:
        quantity, value = change.quantity, change.value
        if not layer.is_pool or (self.method == Method.FIFO and layer.remaining > 0):
            quantity = min(quantity, layer.remaining)
        if quantity == layer.remaining:
            value = layer.value
        self._write(layer, -quantity, -value)
        return Part(quantity, value, layer.received_at, layer.id)

    def _home(self, layer_id: UUID) -> Layer:
        layer = self.layers[layer_id]
        return layer if self.method == Method.FIFO else self.pools[layer.pair]

    # --- Both -----------------------------------------------------------------------------------------------
    def _queue(self, layer: Layer) -> None:
        insort(self.queues[layer.pair], layer, key=lambda one: one.age)

    def _write(
        self, layer: Layer, quantity: Decimal, value: Decimal, kind: str = Kind.COST, from_layer: UUID | None = None,
    ) -> None:
        if not quantity and not value:
            return
        layer.remaining += quantity
        layer.value += value
        layer.is_changed = True
        self.entries.append(Entry(self.flow, layer, kind, quantity, value, from_layer))
        change = self.earlier.setdefault(self.flow.move_id, {}).setdefault(layer.id, Change())
        change.quantity += quantity
        change.value += value
