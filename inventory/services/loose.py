"""Packed goods stay in their units: what leaves, or is packed, is taken from what is loose."""

from collections.abc import Mapping
from decimal import Decimal

from django.db import connection

from core.errors import Conflict
from core.tenancy import active_organization_id
from inventory.services.locks import Balance, Place

ZERO = Decimal(0)
MOST_NAMED = 3  # units of a place, in a refusal

# What places are called, and which units hold the goods. Asked for a refusal alone.
NAMES = """
    SELECT w.variant_id, w.location_id, w.lot_id, COALESCE(v.sku, w.variant_id::text),
           COALESCE(l.code, w.location_id::text) || COALESCE(' of lot ' || lot.code, ''),
           ARRAY(SELECT u.sscc FROM inventory_logisticunitcontent AS c
                 JOIN inventory_logisticunit AS u ON u.organization_id = c.organization_id AND u.id = c.unit_id
                 WHERE c.organization_id = %(organization)s AND c.variant_id = w.variant_id
                     AND c.lot_id IS NOT DISTINCT FROM w.lot_id AND u.location_id = w.location_id
                 ORDER BY c.quantity, u.sscc LIMIT %(most)s)
    FROM unnest(%(variants)s::uuid[], %(locations)s::uuid[], %(lots)s::uuid[]) AS w(variant_id, location_id, lot_id)
    LEFT JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = w.variant_id
    LEFT JOIN inventory_location AS l ON l.organization_id = %(organization)s AND l.id = w.location_id
    LEFT JOIN inventory_lot AS lot ON lot.organization_id = %(organization)s AND lot.id = w.lot_id
    ORDER BY 4, 5
"""


def refuse_packed(
    changes: Mapping[Place, Decimal], packed: Mapping[Place, Decimal], balances: Mapping[Place, Balance], *,
    is_packing: bool = False,
) -> None:
    """Raises Conflict, naming the units to unpack.

    Where the organization lets goods be short, they leave all the same; nobody packs what is not there.
    """
    short: dict[Place, tuple[Decimal, Decimal]] = {}
    for place in {**changes, **packed}:
        balance = balances.get(place)
        loose = balance.quantity - balance.packed if balance else ZERO
        taken = packed.get(place, ZERO) - changes.get(place, ZERO)
        if taken > max(loose, ZERO) and (is_packing or not (balance and balance.may_go_negative)):
            short[place] = max(loose, ZERO), taken
    if short:
        _refuse(short)


def _refuse(short: Mapping[Place, tuple[Decimal, Decimal]]) -> None:
    said, is_packed = [], False
    with connection.cursor() as cursor:
        cursor.execute(NAMES, {
            "organization": active_organization_id(), "most": MOST_NAMED, "variants": [place.variant_id for place in short],
            "locations": [place.location_id for place in short], "lots": [place.lot_id for place in short],
        })
        for *place, sku, where, units in cursor.fetchall():
            loose, taken = short[Place(*place)]
            words = f"{loose.normalize():f} of {sku} at {where}, where {taken.normalize():f} are needed"
            said.append(f"{words}: unpack {' or '.join(units)} first" if units else words)
            is_packed = is_packed or bool(units)
    raise Conflict(f"Loose are only {'; '.join(said)}.", code="goods_packed" if is_packed else "insufficient_stock")
