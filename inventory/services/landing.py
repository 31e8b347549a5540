"""How an amount that is added to receipts later flows after their goods: what is there, what was sold, what went elsewhere.

The entries of the goods are gone through once more, in their order. What leaves a layer takes its share of the added
amount with it; where a move carried it to another layer, it goes on there; otherwise it was sold. What went back to who sent
it takes nothing: the amount is that of the goods that stayed.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import NamedTuple
from uuid import UUID

from inventory.services.costing import EXACT, ZERO, share


class Passage(NamedTuple):
    """An entry that moved goods; `before` is what its layer held until then."""

    move_id: UUID | None
    layer_id: UUID
    from_layer: UUID | None
    reverses: UUID | None
    quantity: Decimal
    before: Decimal


class Addition(NamedTuple):
    """What an entry adds to a layer on behalf of a move."""

    move_id: UUID | None
    layer_id: UUID
    value: Decimal


type Place = tuple[UUID | None, UUID]  # move and layer


@dataclass
class Landing:
    """`amounts` by receipt move; `returned`: moves by which goods went back. Afterwards `held` says how much each layer has."""

    amounts: Mapping[UUID, Decimal]
    returned: Collection[UUID] = ()
    held: dict[UUID, Decimal] = field(default_factory=dict)
    came: dict[UUID, Decimal] = field(default_factory=dict)
    additions: list[Addition] = field(default_factory=list)
    _flows: dict[Place, Decimal] = field(default_factory=dict)
    _left: dict[Place, Decimal] = field(default_factory=dict)  # what left a layer and may come into another one
    _goes_back: dict[UUID, Decimal] = field(default_factory=lambda: defaultdict(Decimal))  # of what a layer has, by layer

    def run(self, passages: Sequence[Passage]) -> None:
        with localcontext(EXACT):
            for passage in passages:
                if passage.move_id in self.returned:
                    self._goes_back[passage.layer_id] -= passage.quantity
            for passage in passages:
                if passage.quantity > 0:
                    self._arrive(passage)
                else:
                    self._leave(passage)
                if passage.before + passage.quantity == 0:  # nothing is worth nothing
                    self._add(passage.move_id, passage.layer_id, -self.held.get(passage.layer_id, ZERO))

    def _arrive(self, passage: Passage) -> None:
        move, layer = passage.move_id, passage.layer_id
        if passage.from_layer:
            amount = self._left.pop((move, passage.from_layer), ZERO)
        elif passage.reverses:
            amount = -self._flows.get((passage.reverses, layer), ZERO)
        else:
            amount = self.amounts.get(move, ZERO) if move else ZERO
        self._add(move, layer, amount)
        self.came[layer] = self.came.get(layer, ZERO) + amount
        if passage.before < 0:  # sold before it came
            covered = min(-passage.before, passage.quantity)
            self._add(move, layer, -share(amount, covered, passage.quantity))

    def _leave(self, passage: Passage) -> None:
        move, layer, quantity = passage.move_id, passage.layer_id, -passage.quantity
        if move in self.returned:
            self._goes_back[layer] -= quantity
            return
        held, stays = self.held.get(layer, ZERO), passage.before - self._goes_back.get(layer, ZERO)
        if stays <= 0:  # what goes back came later
            stays = passage.before
        if passage.reverses and (passage.reverses, layer) in self._flows:
            amount = self._flows[passage.reverses, layer]
        else:
            amount = share(held, min(quantity, stays), stays) if stays > 0 else ZERO
        self._add(move, layer, -amount)
        self._left[move, layer] = self._left.get((move, layer), ZERO) + amount

    def _add(self, move: UUID | None, layer: UUID, amount: Decimal) -> None:
        if amount:
            self.held[layer] = self.held.get(layer, ZERO) + amount
            self._flows[move, layer] = self._flows.get((move, layer), ZERO) + amount
            self.additions.append(Addition(move, layer, amount))
