"""Goods that are of use as sets alone are promised as whole sets: what is over stays for others."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from inventory.services.candidates import InSets, Wanted

ZERO = Decimal(0)


def in_whole_sets(lines: Sequence[Wanted], short: Mapping[int, Decimal]) -> dict[int, Decimal]:
    """By the number of each line that is of a set, how much it may have where so much is short. Who takes no more leaves the
    others no less than they had, so all of it is there.
    """
    wanted, missing = defaultdict[UUID | None, Decimal](Decimal), defaultdict[UUID | None, Decimal](Decimal)
    ways: dict[UUID | None, InSets] = {}
    for number, line in enumerate(lines):
        if line.in_sets:
            ways[line.demand_line_id] = line.in_sets
            wanted[line.demand_line_id] += line.quantity
            missing[line.demand_line_id] += short.get(number, ZERO)
    sets: dict[UUID, Decimal] = {}
    for key, way in ways.items():
        many = (way.whole - missing[key]) // way.per
        sets[way.set_id] = min(sets.get(way.set_id, many), many)
    left = {key: max(sets[way.set_id] * way.per - way.whole + wanted[key], ZERO) for key, way in ways.items()}
    most = {}
    for number, line in enumerate(lines):
        if line.in_sets:
            most[number] = min(line.quantity, left[line.demand_line_id])
            left[line.demand_line_id] -= most[number]
    return most
