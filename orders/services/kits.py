"""Kits that are sold by their components: below the kit's line, which has the price, lines of its components have the goods.

They are made as the order is placed, of the bills of that moment, and stay so. See docs/adr/0067.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, localcontext
from typing import Any
from uuid import UUID

from accounts.queries.rates import DIGITS
from core.errors import Invalid
from inventory.queries.kits import KitPart, parts_of_kits, rounded_up
from inventory.services.candidates import InSets
from orders.models import SalesOrderItem
from orders.queries.kits import by_kit

ONE, SMALLEST = Decimal(1), Decimal("0.000001")
COPIED = ("order_id", "vehicle_model_id", "backorder_policy")


def whole_or_refused(sku: str, quantity: Decimal, number: int) -> None:
    """Raises Invalid for half a kit, whose components nobody could take from a shelf."""
    if quantity % 1:
        detail = f"{sku} is sold by its components, in whole kits: {quantity.normalize():f} is none."
        raise Invalid(detail, code="not_whole", fields={f"lines/{number}/quantity": detail})


def components_of(lines: Iterable[SalesOrderItem], *, first: int) -> list[SalesOrderItem]:
    """Of the kits among these lines, not written yet; their numbers begin at `first`. Raises Conflict where a bill of materials
    is empty.
    """
    kits = [line for line in lines if line.sold_by_components]
    if not kits:
        return []
    for number, kit in enumerate(kits):
        whole_or_refused(kit.sku, kit.quantity, number)
    parts = parts_of_kits({kit.variant_id for kit in kits})
    made = [
        SalesOrderItem(
            kit=kit, variant_id=part.variant_id, sku=part.sku, name=part.name, per_kit=part.quantity, kit_share=share,
            quantity=rounded_up(part.quantity * kit.quantity), unit_price=0, price_agreed=True,
            **{name: getattr(kit, name) for name in COPIED},
        )
        for kit in kits for part, share in _shares(parts[kit.variant_id])
    ]
    for number, line in enumerate(made, first):
        line.line = number
    return made


def _shares(parts: Sequence[KitPart]) -> list[tuple[KitPart, Decimal]]:
    """What of the kit's price is that of each: by what they cost, or all the same where that is not known. Together 1."""
    costs = [part.quantity * part.standard_cost for part in parts]
    whole = sum(costs, Decimal(0))
    if not whole:
        costs, whole = [ONE] * len(parts), Decimal(len(parts))
    with localcontext(prec=DIGITS):
        shares = [(cost / whole).quantize(SMALLEST, ROUND_HALF_UP) for cost in costs]
    most = max(range(len(parts)), key=lambda number: shares[number])
    shares[most] += ONE - sum(shares, Decimal(0))
    return list(zip(parts, shares, strict=True))


def in_kits(line: SalesOrderItem) -> InSets | None:
    """A component is promised with the others of its kit."""
    if line.kit_id is None or line.per_kit is None:
        return None
    return InSets(line.kit_id, line.per_kit, line.quantity - line.cancelled_quantity)


def in_components(kits: Mapping[UUID, Decimal], lines: Iterable[SalesOrderItem]) -> dict[SalesOrderItem, Decimal]:
    """By line, how much of each component so many kits are."""
    return {
        line: line.per_kit * kits[line.kit_id] for line in lines if line.kit_id and line.per_kit and line.kit_id in kits
    }


def kits_begun(components: Collection[SalesOrderItem]) -> Decimal:
    """How many kits there are of which something is picked or canceled."""
    return max(
        ((one.picked_quantity + one.cancelled_quantity) / (one.per_kit or ONE) for one in components), default=Decimal(0),
    ).to_integral_value(ROUND_CEILING)


def kits_opened[Asked: Any](named_by: str, asked: Iterable[Asked], lines: Mapping[UUID, SalesOrderItem]) -> list[Asked]:
    """Dataclasses with a quantity of a line of an order: who says the line of a kit means its components, so many for each."""
    components = by_kit(lines.values())
    found = []
    for one in asked:
        line = lines.get(getattr(one, named_by))
        if line is None or not line.sold_by_components:
            found.append(one)
        else:
            found += [
                replace(one, **{named_by: part.pk, "quantity": one.quantity * part.per_kit}) for part in components[line.pk]
            ]
    return found
