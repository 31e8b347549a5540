"""What is short, in words for a person and as members of the problem for a program."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from core.errors import Conflict
from inventory.models import Location, Lot, ProductVariant, Warehouse
from inventory.services.candidates import Wanted
from inventory.services.locks import Balance, Place


class NotEnough(Conflict):
    code = "insufficient_stock"

    def __init__(self, words: Sequence[str], short: Sequence[Mapping[str, str | None]]) -> None:
        super().__init__(f"There is not enough stock: {'; '.join(words)}.")
        self.members = {"short": list(short)}


def short_at(missing: Mapping[Place, tuple[Decimal, Decimal]], balances: Mapping[Place, Balance]) -> NotEnough:
    """Of each place how much is free, and how much is needed."""
    skus = _named(ProductVariant, "sku", {place.variant_id for place in missing})
    codes = _named(Location, "code", {place.location_id for place in missing})
    lots = _named(Lot, "code", {place.lot_id for place in missing if place.lot_id})
    words, short = [], []
    for place, (free, needed) in missing.items():
        goods = f"{skus[place.variant_id]}{f', lot {lots[place.lot_id]},' if place.lot_id else ''} at {codes[place.location_id]}"
        reserved = balances[place].reserved
        besides = f", besides {_shown(reserved)} that are reserved" if reserved else ""
        words.append(f"available are only {_shown(free)} of {goods}{besides}, where {_shown(needed)} are needed")
        short.append({
            "variant": str(place.variant_id), "location": str(place.location_id),
            "lot": str(place.lot_id) if place.lot_id else None, "available": str(free), "needed": str(needed),
        })
    return NotEnough(words, short)


def short_of(lines: Sequence[Wanted], missing: Mapping[int, Decimal]) -> NotEnough:
    """`missing` is how much cannot be had, by the number of the line."""
    wanted = {number: lines[number] for number in missing}
    skus = _named(ProductVariant, "sku", {line.variant_id for line in wanted.values()})
    codes = _named(Warehouse, "code", {line.warehouse_id for line in wanted.values()})
    words, short = [], []
    for number, line in wanted.items():
        words.append(
            f"{_shown(missing[number])} of the {_shown(line.quantity)} wanted of {skus[line.variant_id]}"
            f" in warehouse {codes[line.warehouse_id]} cannot be had"
        )
        short.append({
            "variant": str(line.variant_id), "warehouse": str(line.warehouse_id),
            "available": str(line.quantity - missing[number]), "needed": str(line.quantity),
        })
    return NotEnough(words, short)


def _shown(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"


def _named(
    model: type[ProductVariant | Location | Lot | Warehouse], name: str, keys: set[UUID],
) -> Mapping[UUID, str]:
    """What somebody may have deleted meanwhile is called by its id."""
    found = dict(model._default_manager.filter(pk__in=keys).values_list("pk", name)) if keys else {}
    return {key: found.get(key, str(key)) for key in keys}
