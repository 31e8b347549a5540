"""Goods go into parcels and pallets, out of them, and with them from place to place.

Every verb locks the units first, then the stock items: who holds a pile knows what is in it and where it stands.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Sum
from uuid_utils.compat import uuid7

from core.errors import Conflict, Invalid
from core.tenancy import active_organization_id
from inventory.events_units import ContentLine, LogisticUnitContentsChanged
from inventory.models import Location, LogisticUnit, LogisticUnitContent, StockMove
from inventory.queries.logistic_units import pile_of
from inventory.services.locks import Place
from inventory.services.logistic_units import unit_locked
from inventory.services.lots import lots_resolve
from inventory.services.posting import Line, Posted, repack
from inventory.services.stock import USUAL, Circumstances, Document, post, posted_before
from notifications.services.events import publish

DOCUMENT = "logistic_unit"
MOVE = StockMove.Kind.MOVE

# A variant, or one of its lots.
type Goods = tuple[UUID, UUID | None]

PACK = """
    INSERT INTO inventory_logisticunitcontent AS c (id, organization_id, unit_id, variant_id, lot_id, quantity)
    SELECT new.id, %s, %s, new.variant_id, new.lot_id, new.quantity
    FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::numeric[]) AS new(id, variant_id, lot_id, quantity)
    ON CONFLICT (organization_id, unit_id, variant_id, lot_id) DO UPDATE SET quantity = c.quantity + excluded.quantity
"""

UNPACK = """
    UPDATE inventory_logisticunitcontent AS c SET quantity = c.quantity - t.quantity
    FROM unnest(%s::uuid[], %s::numeric[]) AS t(id, quantity)
    WHERE c.organization_id = %s AND c.id = t.id AND c.quantity > t.quantity
"""


def unit_pack(*, unit_id: UUID, lines: Sequence[Line]) -> LogisticUnit:
    """Loose goods that lie where the unit stands. Raises Conflict where there are too few, before it changes anything."""
    unit = unit_locked(unit_id=unit_id)
    if unit.location is None:
        raise Conflict(f"{unit.sscc} stands nowhere: give it a location, whose goods are packed.", code="unit_without_location")
    if unit.location.kind == Location.Kind.TRANSIT:
        raise Conflict(f"The goods at {unit.location} are in transit: receive them first.", code="in_transit")
    amounts = _amounts(lines)
    repack(_at(unit, amounts))
    with connection.cursor() as cursor:
        cursor.execute(PACK, [
            active_organization_id(), unit.pk, [uuid7() for _ in amounts], [variant for variant, _ in amounts],
            [lot for _, lot in amounts], list(amounts.values()),
        ])
    _tell(unit, amounts)
    return unit


def unit_unpack(*, unit_id: UUID, lines: Sequence[Line] | None = None) -> LogisticUnit:
    """The goods are loose where the unit stands; without lines, all that is in the unit itself.

    Raises Conflict where less is packed.
    """
    unit = unit_locked(unit_id=unit_id)
    packed = {(one.variant_id, one.lot_id): one for one in LogisticUnitContent.objects.filter(unit=unit)}
    amounts = {goods: one.quantity for goods, one in packed.items()} if lines is None else _amounts(lines)
    if not amounts:
        raise Conflict(f"{unit.sscc} is empty.", code="more_than_is_packed")
    for goods, quantity in amounts.items():
        held = packed[goods].quantity if goods in packed else Decimal(0)
        if quantity > held:
            raise Conflict(
                f"In {unit.sscc} there are {held.normalize():f} of variant {goods[0]}, not {quantity.normalize():f}.",
                code="more_than_is_packed",
            )
    left = {goods: -quantity for goods, quantity in amounts.items()}
    repack(_at(unit, left))
    taken = {packed[goods].pk: quantity for goods, quantity in amounts.items()}
    with connection.cursor() as cursor:
        cursor.execute(UNPACK, [list(taken), list(taken.values()), active_organization_id()])
    LogisticUnitContent.objects.filter(
        pk__in=[packed[goods].pk for goods, quantity in amounts.items() if quantity == packed[goods].quantity],
    ).delete()
    _tell(unit, left)
    return unit


def unit_move(*, unit_id: UUID, location_id: UUID, circumstances: Circumstances = USUAL) -> Posted:
    """The whole unit, with what stands on it and all that is within: one posting. It leaves the unit that it is on.

    Raises Conflict where some of the goods are reserved.
    """
    if done := posted_before(kind=MOVE, key=circumstances.idempotency_key):
        return done
    unit = unit_locked(unit_id=unit_id)
    if unit.location_id == location_id:
        raise Invalid(f"{unit.sscc} is there already.", fields={"location": "the same location"})
    if not Location.objects.filter(pk=location_id).exists():
        detail = "There is no such location in this organization."
        raise Invalid(detail, code="does_not_exist", fields={"location": detail})
    pile = pile_of(unit.pk)
    within = LogisticUnitContent.objects.filter(unit__in=pile).order_by().values_list("variant_id", "lot_id")
    amounts: dict[Goods, Decimal] = {(variant, lot): total for variant, lot, total in within.annotate(total=Sum("quantity"))}
    posted = _carry(unit, location_id, amounts, circumstances) if amounts else Posted([], [])
    LogisticUnit.objects.filter(pk=unit.pk).update(location=location_id, parent=None)
    LogisticUnit.objects.filter(pk__in=pile).exclude(pk=unit.pk).update(location=location_id)
    return posted


def _carry(unit: Any, location_id: UUID, amounts: Mapping[Goods, Decimal], circumstances: Circumstances) -> Posted:
    lines = [
        Line(variant, quantity, unit.location_id, location_id, lot_id=lot) for (variant, lot), quantity in amounts.items()
    ]
    packed = {
        Place(variant, place, lot): sign * quantity
        for (variant, lot), quantity in amounts.items() for place, sign in ((unit.location_id, -1), (location_id, 1))
    }
    own = replace(circumstances, document=circumstances.document or Document(DOCUMENT, unit.pk))
    return post(kind=MOVE, lines=lines, circumstances=own, packed=packed)


def _amounts(lines: Sequence[Line]) -> dict[Goods, Decimal]:
    if not lines:
        raise Invalid("Give at least one line.", fields={"lines": "empty"})
    amounts: dict[Goods, Decimal] = defaultdict(Decimal)
    for line in lots_resolve(lines=lines):
        if line.quantity <= 0:
            raise Invalid("A quantity must be above zero.", fields={"quantity": "not positive"})
        amounts[line.variant_id, line.lot_id] += line.quantity
    return dict(amounts)


def _at(unit: Any, amounts: Mapping[Goods, Decimal]) -> dict[Place, Decimal]:
    return {Place(variant, unit.location_id, lot): quantity for (variant, lot), quantity in amounts.items()}


def _tell(unit: Any, amounts: Mapping[Goods, Decimal]) -> None:
    lines = [ContentLine(variant=variant, lot=lot, change=change) for (variant, lot), change in amounts.items()]
    publish(LogisticUnitContentsChanged(
        logistic_unit=unit.pk, sscc=unit.sscc, location=unit.location_id, lines=lines,
    ), aggregate_id=unit.pk)
